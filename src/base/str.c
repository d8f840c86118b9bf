/* Comparing, searching, cutting and reading views. Hashing is in hash.c. */
#include "base/str.h"

#include "base/swar.h"

static bool equal_nocase(const char *a, const char *b, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        if (swar_lower(swar_load64(a + i)) != swar_lower(swar_load64(b + i)))
            return false;
    }
    for (; i < len; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    }
    return true;
}

bool str_equal_nocase(struct str a, struct str b)
{
    return a.len == b.len && equal_nocase(a.data, b.data, a.len);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && equal_nocase(s.data, prefix.data, prefix.len);
}

bool str_ends_nocase(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || equal_nocase(s.data + s.len - suffix.len, suffix.data, suffix.len));
}

int str_compare(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common != 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int str_compare_nocase(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < common; i++) {
        int order = (unsigned char)ascii_lower(a.data[i]) - (unsigned char)ascii_lower(b.data[i]);
        if (order != 0)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t str_find_char(struct str s, char c, size_t from)
{
    if (from >= s.len)
        return -1;
    const char *found = memchr(s.data + from, c, s.len - from);
    return found != NULL ? found - s.data : -1;
}

ptrdiff_t str_find_last_char(struct str s, char c)
{
    const char *found = s.len != 0 ? memrchr(s.data, c, s.len) : NULL;
    return found != NULL ? found - s.data : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *found = s.len != 0 ? memmem(s.data, s.len, needle.data, needle.len) : NULL;
    return found != NULL ? found - s.data : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len != 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    while (s.len != 0 && is_blank(s.data[0]))
        s = str_of(s.data + 1, s.len - 1);
    return s;
}

struct str str_trim_space(struct str s)
{
    while (s.len != 0 && is_space(s.data[s.len - 1]))
        s.len--;
    while (s.len != 0 && is_space(s.data[0]))
        s = str_of(s.data + 1, s.len - 1);
    return s;
}

bool str_split(struct str *rest, char separator, struct str *ret_part)
{
    if (rest->data == NULL)
        return false;
    ptrdiff_t at = str_find_char(*rest, separator, 0);
    if (at < 0) {
        *ret_part = *rest;
        *rest = STR_NONE;
        return true;
    }
    *ret_part = str_of(rest->data, (size_t)at);
    *rest = str_of(rest->data + at + 1, rest->len - (size_t)at - 1);
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_digit(s.data[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret_value)
{
    bool negative = s.len != 0 && s.data[0] == '-';
    uint64_t magnitude;
    if (!str_to_u64(negative ? str_from_index(s, 1) : s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

#define DISTANCE_MAX_LEN 64

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Three rows of the table are kept: a transposition looks back two. */
unsigned str_distance(struct str a, struct str b, unsigned limit)
{
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    size_t difference = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > DISTANCE_MAX_LEN || b.len > DISTANCE_MAX_LEN || difference > limit)
        return limit + 1;
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
        char c = ascii_lower(a.data[i - 1]);
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char d = ascii_lower(b.data[j - 1]);
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (c != d));
            if (i > 1 && j > 1 && c == ascii_lower(b.data[j - 2]) &&
                d == ascii_lower(a.data[i - 2]) && above_that[j - 2] + 1 < row[j])
                row[j] = above_that[j - 2] + 1;
        }
    }
    unsigned distance = rows[a.len % 3][b.len];
    return distance <= limit ? distance : limit + 1;
}
