/* The perl_regexes of one configuration, each compiled once however many places use it.
 *
 * Ownership: the set owns its regexes; they live until perl_set_release. Threading: one owner fills it; the regexes themselves are
 * const and shared. */
#ifndef ROUTE_PERL_SET_H
#define ROUTE_PERL_SET_H

#include "base/map.h"
#include "route/captures.h"

struct perl_set {
    struct map by_pattern[2];     /* [1]: of those that ignore case */
};

void perl_set_init(struct perl_set *set);
void perl_set_release(struct perl_set *set);
/* The regex for `pattern` (need not outlive the call); NULL on error, as perl_regex_new. */
const struct perl_regex *perl_set_get(struct perl_set *set, struct str pattern, bool ignore_case, struct arena *arena,
                                      struct str *ret_error, size_t *ret_offset);

#endif
