/* Go's regular expression syntax (RE2, Perl flags) read and written again for PCRE2.
 *
 * What Go refuses is refused, with its offset; what both spell the same but mean differently (\v,
 * \s, octal escapes, a lone "{") is rewritten, so a pattern means here what it means in Go. Group
 * names stay on this side (Go's may begin with a digit); PCRE2 sees numbered groups. Ownership:
 * regex_syntax_read fills, regex_syntax_release frees; group names are views into the pattern.
 * Bounds: 1,000 repeats (nested ones multiplied), 250 open groups, 1,000 groups, 64 KiB of pattern.
 */
#ifndef ROUTE_REGEX_SYNTAX_H
#define ROUTE_REGEX_SYNTAX_H

#include "base/text.h"
#include "base/vec.h"

#define REGEX_REPEAT_MAX 1000
#define REGEX_DEPTH_MAX 250
#define REGEX_GROUPS_MAX 1000
#define REGEX_PATTERN_MAX 65536

struct regex_syntax {
    struct text pcre;       /* the pattern for PCRE2 */
    VEC(struct str) groups; /* names of groups 1.., empty for unnamed ones */
    bool needs_utf;         /* the pattern itself speaks of characters beyond ASCII */
    bool sees_characters;   /* bytes beyond ASCII in a subject must be read as characters (".",
                               "[^a]", (?i)) */
    const char *error;      /* what is wrong, a literal; NULL: nothing */
    size_t error_offset;    /* in the pattern */
};

/* False when the pattern is none of Go's; release in both cases. */
bool regex_syntax_read(struct regex_syntax *syntax, struct str pattern);
void regex_syntax_release(struct regex_syntax *syntax);

/* The character at the front of `s` and how many bytes it takes; false when it is not UTF-8 (RFC
 * 3629). */
bool utf8_decode(struct str s, uint32_t *ret_character, size_t *ret_len);

#endif
