/* Where the numbers come from: one reader for each source. Private to admin/metrics_*. Control thread. */
#ifndef ADMIN_METRICS_READ_H
#define ADMIN_METRICS_READ_H

#include "admin/metrics.h"
#include "exchange/graph.h"
#include "exchange/survey.h"

/* Entrypoints, routers and services: what their meters count. */
void metrics_read_traffic(struct metrics *metrics, const struct graph *graph);
/* The same, and servers, under the names of OpenTelemetry's semantic conventions. */
void metrics_read_semantic(struct metrics *metrics, const struct graph *graph);
/* Servers that the graph names. `now`: monotonic ns. */
void metrics_read_servers(struct metrics *metrics, const struct graph *graph, int64_t now);
/* What only workers know: connections, handshakes, buffers. */
void metrics_read_workers(struct metrics *metrics, const struct survey *survey);
/* Rate limits, limits of requests in flight, circuit breakers. */
void metrics_read_limits(struct metrics *metrics, const struct graph *graph);
/* Certificates that are served, and those that come by themselves. */
void metrics_read_certificates(struct metrics *metrics, struct worker *control);
/* The process as the system sees it, its configuration, its version. */
void metrics_read_process(struct metrics *metrics);

struct target;
/* Every server of a load balancer once. */
void metrics_each_target(const struct graph *graph, void (*each)(const struct target *target, void *owner), void *owner);

/* ---- for readers of meters ---- */

struct kinds {
    struct meter_cell_sum *cells;
    size_t count;
};
struct kinds metrics_kinds(struct metrics *metrics, const struct meter *meter);
/* Kinds that `plain` makes equal are put together. */
struct kinds metrics_merge(struct metrics *metrics, const struct kinds *kinds, uint32_t (*plain)(uint32_t kind));
/* A label's value: "200", or "other" for all kinds together that a meter had no room for. */
struct str metrics_code(struct metrics *metrics, uint32_t kind);
/* By the bounds that the reader wants. */
const struct metric_histogram *metrics_durations(struct metrics *metrics, const struct meter *meter,
                                                 const struct meter_cell_sum *cell);

#endif
