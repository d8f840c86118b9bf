/* The regexes of one configuration, each compiled once however many rules and middlewares use it.
 *
 * Ownership: the set owns its regexes; they live until regex_set_release. Threading: one owner
 * fills it; the regexes themselves are const and shared. */
#ifndef ROUTE_REGEX_SET_H
#define ROUTE_REGEX_SET_H

#include "base/map.h"
#include "route/regex.h"

struct regex_set {
    struct map by_pattern;
};

void regex_set_init(struct regex_set *set);
void regex_set_release(struct regex_set *set);
/* The regex for `pattern` (need not outlive the call); NULL on error, as regex_new. */
const struct regex *regex_set_get(struct regex_set *set, struct str pattern, struct arena *arena,
                                  struct str *ret_error, size_t *ret_offset);

#endif
