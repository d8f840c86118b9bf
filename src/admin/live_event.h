/* The event "tick" of /api/portico/live: what happened since the one before. Control thread; while a tick is made. */
#ifndef ADMIN_LIVE_EVENT_H
#define ADMIN_LIVE_EVENT_H

#include "base/json.h"
#include "base/meter.h"

#define LIVE_EVENT_NAMED_MAX 500          /* things of a kind that one event names: the busiest */

/* `interval` in seconds. */
void live_event_publish(const struct meter_sum *total, double interval);

/* Members of the open object: requests, errors, refused, bytesIn, bytesOut, p50, p95, p99. */
void live_event_members(const struct meter_sum *sum, struct json *json);

#endif
