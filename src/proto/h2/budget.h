/* Token buckets for what a client may do that costs us and brings it nothing: `burst` at once, `rate` a second. Kept as the
 * time at which the bucket would be full again, so a bucket is one number and needs no refilling. Pure. */
#ifndef PROTO_H2_BUDGET_H
#define PROTO_H2_BUDGET_H

#include "base/time.h"

struct h2_budget {
    int64_t full_at;
};

/* Takes one token; false: there is none. `rate` 0: no limit. */
static inline bool h2_budget_spend(struct h2_budget *budget, int64_t now, uint32_t burst, uint32_t rate)
{
    if (rate == 0)
        return true;
    int64_t token = TIME_S / rate;
    int64_t begin = budget->full_at > now ? budget->full_at : now;
    if (begin - now >= token * burst)
        return false;
    budget->full_at = begin + token;
    return true;
}

#endif
