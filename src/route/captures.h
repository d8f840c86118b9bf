/* Regular expressions as nginx's users write them (PCRE2 as it is, Perl's syntax), and what they have captured. Bounded as
 * route/regex.h, of which this is the sibling for dialects that need captures: locations, rewrites, server names, maps.
 *
 * Threading: a compiled one is const and shared; match memory is per thread. Captures are views of the subject. */
#ifndef ROUTE_CAPTURES_H
#define ROUTE_CAPTURES_H

#include "base/arena.h"
#include "base/str.h"

#define CAPTURES_MAX 10           /* the whole match and nine groups */

struct perl_regex;

struct captures {
    struct str groups[CAPTURES_MAX];      /* 0: the whole match; data NULL: the group took no part */
    unsigned count;                       /* groups that the expression has, and one; 0: nothing has matched */
};

/* NULL on error: *ret_error (in arena) says what, *ret_offset where. */
struct perl_regex *perl_regex_new(struct str pattern, bool ignore_case, struct arena *arena, struct str *ret_error,
                                  size_t *ret_offset);
void perl_regex_free(struct perl_regex *regex);
/* `captures` may be NULL; it is left alone where nothing matches. */
bool perl_regex_match(const struct perl_regex *regex, struct str subject, struct captures *captures);
/* The index-th named group: its name and number; false behind the last. */
bool perl_regex_name(const struct perl_regex *regex, unsigned index, struct str *ret_name, unsigned *ret_group);

#endif
