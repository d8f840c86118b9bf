/* inFlightReq by zones: requests under way under a key of one's choice, several counts at once. Threading: compiled ones are const. */
#ifndef MIDDLEWARE_IN_FLIGHT_ZONES_H
#define MIDDLEWARE_IN_FLIGHT_ZONES_H

#include "middleware/in_flight_counts.h"
#include "middleware/zone_options.h"

extern const struct option_table in_flight_zone_table; /* of each item of `zones` */

struct in_flight_zones {
    struct in_flight_zone *items;
    size_t count;                /* 0: there are none */
    struct zone_policy policy;
};

bool in_flight_zones_compile(struct in_flight_zones *zones, const struct objects *limits, const struct zone_policy *policy,
                             struct compile *compile);
/* *keys gets the keys that were entered under, in the exchange's arena: for in_flight_zones_leave. */
enum verdict in_flight_zones_enter(const struct in_flight_zones *zones, struct exchange *x, uint64_t **keys);
void in_flight_zones_leave(const struct in_flight_zones *zones, const uint64_t *keys);
void in_flight_zones_report(const struct in_flight_zones *zones, struct json *json);
void in_flight_zones_count(const struct in_flight_zones *zones, struct limit_counts *counts);

#endif
