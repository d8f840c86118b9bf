/* rateLimit by zones: leaky buckets under a key of one's choice, with a burst that waits or not, several at once. Either all of them
 * take a request or none. Threading: compiled ones are const. */
#ifndef MIDDLEWARE_RATE_ZONES_H
#define MIDDLEWARE_RATE_ZONES_H

#include "middleware/leaky_zone.h"
#include "middleware/zone_options.h"

#define RATE_ZONES_MAX 16

extern const struct option_table rate_zone_table; /* of each item of `zones` */

struct rate_zones {
    struct rate_zone *items;
    size_t count;                /* 0: there are none */
    struct zone_policy policy;
};

/* Of an exchange. */
struct rate_zones_own {
    bool delayed;
};

bool rate_zones_compile(struct rate_zones *zones, const struct objects *limits, const struct zone_policy *policy,
                        struct compile *compile);
enum verdict rate_zones_on_request(const struct rate_zones *zones, struct exchange *x, struct rate_zones_own *own);
void rate_zones_report(const struct rate_zones *zones, struct json *json);
void rate_zones_count(const struct rate_zones *zones, struct limit_counts *counts);

#endif
