/* What is known of each server that the running configuration names; its graph holds them. */
#include "admin/metrics_read.h"
#include "base/map.h"
#include "exchange/count.h"
#include "exchange/service.h"
#include "service/load_balancer.h"
#include "upstream/measure.h"
#include "upstream/server.h"

void metrics_each_target(const struct graph *graph, void (*each)(const struct target *target, void *owner), void *owner)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct target_set *targets = load_balancer_targets(graph->services[i]);
        if (targets == NULL)
            continue;
        struct map seen;              /* a URL may be listed twice and is one server */
        map_init(&seen, false);
        for (unsigned j = 0; j < targets->count; j++) {
            const struct target *target = &targets->items[j];
            if (map_put(&seen, target->server->url, target->server) == NULL)
                each(target, owner);
        }
        map_release(&seen);
    }
}

struct reading {
    struct metrics *metrics;
    int64_t now;
};

static const char *state_of(const struct target *target, int64_t now)
{
    enum server_state state = target_state(target);
    if (state == SERVER_DOWN)
        return "down";
    if (!server_is_healthy(target->server))
        return "unhealthy";
    if (server_is_leaving(target->server))
        return "leaving";
    if (state == SERVER_DRAINING)
        return "draining";
    return server_is_well(target->server, now) ? "ready" : "ejected";
}

static void read_target(const struct target *target, void *owner)
{
    const struct reading *reading = owner;
    struct metrics *metrics = reading->metrics;
    const struct server *server = target->server;
    bool up = target_state(target) != SERVER_DOWN && server_is_healthy(server);
    const struct str *labels =
        METRICS_KEEP(metrics, server->service, server->url, str_from(state_of(target, reading->now)));
    int64_t ewma = measure_shown(server);
    metrics_add(metrics, METRIC_SERVER_UP, labels, up);
    metrics_add(metrics, METRIC_SERVER_STATE, labels, 1);
    metrics_add(metrics, METRIC_SERVER_ACTIVE, labels, server_active(server));
    metrics_add(metrics, METRIC_SERVER_REQUESTS, labels, (double)server_requests(server));
    if (ewma != 0)
        metrics_add(metrics, METRIC_SERVER_RESPONSE, labels, (double)ewma / 1e9);
}

static void read_held(struct metrics *metrics, const struct graph *graph)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct service *service = graph->services[i];
        if (service->await == NULL)
            continue;
        const struct await_tally *tally = service->await->tally;
        metrics_add(metrics, METRIC_HELD, METRICS_KEEP(metrics, service->name), atomic_load(&tally->waiting));
        metrics_add(metrics, METRIC_HELD_TOTAL, METRICS_KEEP(metrics, service->name, S("served")), (double)atomic_load(&tally->went_on));
        metrics_add(metrics, METRIC_HELD_TOTAL, METRICS_KEEP(metrics, service->name, S("refused")), (double)atomic_load(&tally->gave_up));
        metrics_add(metrics, METRIC_HELD_TOTAL, METRICS_KEEP(metrics, service->name, S("left")), (double)atomic_load(&tally->left));
    }
}

void metrics_read_servers(struct metrics *metrics, const struct graph *graph, int64_t now)
{
    struct reading reading = {.metrics = metrics, .now = now};
    if (metrics->scope.services)
        read_held(metrics, graph);
    if (metrics->scope.services)
        metrics_each_target(graph, read_target, &reading);
}
