/* What a rule cannot do without: hosts of which the request's has to be one, paths or prefixes of
 * which the request's has to satisfy one. The table's indexes are built from these. Pure. */
#ifndef ROUTE_CONDITION_H
#define ROUTE_CONDITION_H

#include "base/vec.h"
#include "route/rule.h"

enum aspect { ASPECT_HOST, ASPECT_PATH };

/* The matchers of which at least one has to match for the rule to match. */
struct conditions {
    VEC(const struct term *) any_of;
};

/* False when the rule can match without any matcher of that aspect; `conditions` is then empty.
 * Clears it first. */
bool conditions_find(struct conditions *conditions, const struct rule *rule, enum aspect aspect);
void conditions_release(struct conditions *conditions);

#endif
