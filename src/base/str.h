/* A view of bytes that someone else owns; not NUL-terminated.
 *
 * Ownership: none. A view lives as long as the memory it points into (an arena, a chunk, a literal).
 * Pass it by value. `data` may be NULL when `len` is 0. Nothing here allocates. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data;
    size_t len;
};

/* A view of a string literal, also usable in static initialisers. */
#define STR(literal) {.data = (literal), .len = sizeof(literal) - 1}
#define S(literal) ((struct str){.data = (literal), .len = sizeof(literal) - 1})
#define STR_NONE ((struct str){.data = NULL, .len = 0})

/* For printf: "%.*s" with STR_ARGS(s). */
#define STR_ARGS(s) (int)(s).len, (s).data != NULL ? (s).data : ""

static inline struct str str_from(const char *text)
{
    return (struct str){.data = text, .len = text != NULL ? strlen(text) : 0};
}

static inline struct str str_of(const char *data, size_t len)
{
    return (struct str){.data = data, .len = len};
}

static inline bool str_empty(struct str s)
{
    return s.len == 0;
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

/* The rest of `s` from `at`; empty when `at` is past the end. */
static inline struct str str_from_index(struct str s, size_t at)
{
    return at >= s.len ? STR_NONE : str_of(s.data + at, s.len - at);
}

static inline struct str str_first(struct str s, size_t len)
{
    return str_of(s.data, len < s.len ? len : s.len);
}

/* ASCII only: the locale never decides what a protocol element equals. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 0 to 15, or -1. */
static inline int ascii_hex(char c)
{
    if (ascii_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool str_equal_nocase(struct str a, struct str b);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends_nocase(struct str s, struct str suffix);

/* memcmp order, the shorter first among equals; for qsort and sorted tables. */
int str_compare(struct str a, struct str b);
int str_compare_nocase(struct str a, struct str b);

/* Index of the first `c` at or after `from`, or -1. */
ptrdiff_t str_find_char(struct str s, char c, size_t from);
ptrdiff_t str_find_last_char(struct str s, char c);
/* Index of the first occurrence of `needle`, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);

/* Without spaces and tabs at both ends (OWS of RFC 9110 5.6.3). */
struct str str_trim(struct str s);
/* Without any ASCII white space, line ends included, at both ends. */
struct str str_trim_space(struct str s);

/* Takes the next part of *rest up to `separator` (not included) and moves *rest behind it.
 * False when *rest is exhausted (data NULL). "a,,b" gives "a", "", "b"; "" gives one "". */
bool str_split(struct str *rest, char separator, struct str *ret_part);

/* Decimal digits only, no sign, no overflow, whole string; false otherwise. */
bool str_to_u64(struct str s, uint64_t *ret_value);
/* The same with an optional leading '-'. */
bool str_to_i64(struct str s, int64_t *ret_value);

/* Levenshtein distance with adjacent transposition, case ignored; for "did you mean". Gives at most
 * `limit + 1`. Strings of over 64 bytes count as far apart. */
unsigned str_distance(struct str a, struct str b, unsigned limit);

/* A seeded 64-bit hash (the seed is drawn at start, so colliding keys cannot be prepared). */
uint64_t str_hash(struct str s);
uint64_t str_hash_nocase(struct str s);

#endif
