/* What was: requests, errors, bytes and latencies of the past, in steps of a second for five minutes and of ten seconds for two
 * hours. Kept from the start of the process, of all requests together, of each entrypoint, and of up to HISTORY_SERIES_MAX
 * routers, services and servers that have traffic; who has been quiet for longest makes room.
 *
 * Control thread. Memory: 33 KB for a series that is busy all the time, a twentieth of it for one that was so for some seconds. */
#ifndef ADMIN_HISTORY_H
#define ADMIN_HISTORY_H

#include "base/json.h"
#include "base/meter.h"

#define HISTORY_SECONDS 300
#define HISTORY_TENS 720
#define HISTORY_SERIES_MAX 256
#define HISTORY_HEAT_BUCKETS (METER_BUCKETS / 2)

/* Time goes on: what is recorded from here on ends with this `second` of the monotonic clock, which is `wall` (Unix ms). */
void history_advance(int64_t second, int64_t wall);
/* What happened in the `seconds` (at least 1) that end now; long ones are spread evenly. `key`: "total", "entryPoint:web",
 * "router:api@file", "service:api@file", "server:api@file|http://10.0.0.1". */
void history_record(struct str key, int64_t seconds, const struct meter_sum *delta);
/* {step, from, requests, errors, ...} of the `seconds` back from now: over HISTORY_SECONDS in steps of ten. Latencies are null
 * where there was no request; "total" has heat too. What had no request has no series: all is 0 then. */
void history_show(struct str key, int64_t seconds, struct json *json);
void history_release(void);

#endif
