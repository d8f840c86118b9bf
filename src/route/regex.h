/* Regular expressions as Traefik's users write them (Go's RE2 syntax), run by PCRE2 under bounds.
 *
 * Constructs that Go refuses (look-around, back-references, atomic groups, possessive repeats, \K,
 * \G, \R, recursion) are refused here with the offset, so a pattern means the same in both.
 * Matching is unanchored and bounded (match limit, depth, heap): labels are semi-trusted. What
 * exceeds a bound does not match. `$` matches at the very end only. Subjects are UTF-8; one that is
 * not is matched byte by byte, and not at all by a pattern that goes beyond ASCII itself. Not
 * taken, though Go does: a repeat behind flags, "a(?i)*". Threading: compiled regexes are const and
 * shared; match memory is per thread. */
#ifndef ROUTE_REGEX_H
#define ROUTE_REGEX_H

#include "base/arena.h"
#include "base/str.h"

struct regex;

/* NULL on error: *ret_error (in arena) says what, *ret_offset where. */
struct regex *regex_new(struct str pattern, struct arena *arena, struct str *ret_error,
                        size_t *ret_offset);
void regex_free(struct regex *regex);

bool regex_match(const struct regex *regex, struct str subject);
/* Replaces as Go's ReplaceAllString with `replacement` ("$1", "${1}", "${name}", "$$"): every
 * match, or only the first when `all` is false. The same view when nothing matches; data NULL when
 * over `arena`'s budget. */
struct str regex_replace(const struct regex *regex, struct str subject, struct str replacement,
                         bool all, struct arena *arena);
/* First match: *ret_start and *ret_end; false when none. */
bool regex_find(const struct regex *regex, struct str subject, size_t *ret_start, size_t *ret_end);

#endif
