/* What is known of each server that the running configuration names. The registry is walked once, under its lock; texts are
 * copied, because a server may go as soon as the lock does. */
#include "admin/metrics_read.h"
#include "upstream/server.h"

struct reading {
    struct metrics *metrics;
    uint64_t generation;
    int64_t now;
};

static const char *state_of(const struct server *server, int64_t now)
{
    int state = atomic_load_explicit(&server->state, memory_order_relaxed);
    if (state == SERVER_DOWN)
        return "down";
    if (!atomic_load_explicit(&server->healthy, memory_order_relaxed))
        return "unhealthy";
    if (state == SERVER_DRAINING)
        return "draining";
    return server_is_ready(server, now) ? "ready" : "ejected";
}

static void read_server(struct server *server, void *owner)
{
    const struct reading *reading = owner;
    struct metrics *metrics = reading->metrics;
    if (atomic_load_explicit(&server->generation, memory_order_relaxed) < reading->generation)
        return;
    struct str key = arena_str(&metrics->arena, server->key);
    struct str service = str_first(key, server->service.len), url = str_from_index(key, (size_t)(server->url.data - server->key.data));
    const char *state = state_of(server, reading->now);
    const struct str *labels = METRICS_KEEP(metrics, service, url, str_from(state));
    int64_t ewma = atomic_load_explicit(&server->response_ewma, memory_order_relaxed);
    metrics_add(metrics, METRIC_SERVER_UP, labels, server_is_up(server));
    metrics_add(metrics, METRIC_SERVER_STATE, labels, 1);
    metrics_add(metrics, METRIC_SERVER_ACTIVE, labels, atomic_load_explicit(&server->active, memory_order_relaxed));
    metrics_add(metrics, METRIC_SERVER_REQUESTS, labels, (double)atomic_load_explicit(&server->requests, memory_order_relaxed));
    if (ewma != 0)
        metrics_add(metrics, METRIC_SERVER_RESPONSE, labels, (double)ewma / 1e9);
}

/* A refused configuration stamps what it names with a later generation; it has let go of what is not named here as well. */
void metrics_read_servers(struct metrics *metrics, const struct graph *graph, int64_t now)
{
    struct reading reading = {.metrics = metrics, .generation = graph->generation, .now = now};
    if (metrics->scope.services)
        server_for_each(read_server, &reading);
}
