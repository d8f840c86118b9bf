/* What the meters of entrypoints, routers and services have counted. A meter tells answers apart by kind (status, method, protocol,
 * and what TLS was spoken); the families of Traefik know TLS apart from the rest. */
#include "admin/metrics_read.h"
#include "base/map.h"
#include "exchange/count.h"
#include "exchange/service.h"
#include "tls/conn.h"

/* One thing that requests pass, and the families of it. */
struct subject {
    const struct meter *meter;
    enum metric requests, duration, bytes_in, bytes_out, tls;
    struct str names[2];              /* values of its own labels: entrypoint; router, service; service */
    unsigned name_count;
    struct str kind, name;            /* in families of ours */
};

/* ---- Traefik's families ---- */

static void read_kind(struct metrics *metrics, const struct subject *subject, const struct meter_cell_sum *cell)
{
    struct str values[] = {metrics_code(metrics, cell->kind), count_kind_method(cell->kind),
                           count_kind_protocol(cell->kind), subject->names[0], subject->names[1]};
    const struct str *labels = metrics_keep(metrics, values, 3 + subject->name_count);
    metrics_add(metrics, subject->requests, labels, (double)cell->count);
    metrics_add_histogram(metrics, subject->duration, labels, metrics_durations(metrics, subject->meter, cell));
    metrics_add(metrics, subject->bytes_in, labels, (double)cell->bytes_in);
    metrics_add(metrics, subject->bytes_out, labels, (double)cell->bytes_out);
}

struct agreed {
    uint32_t agreed;
    double count;
};

/* Few are spoken at a time. */
static void read_tls(struct metrics *metrics, const struct subject *subject, const struct kinds *cells)
{
    struct agreed *sums = arena_array(&metrics->arena, struct agreed, cells->count);
    size_t count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        uint32_t agreed = count_kind_agreed(cells->cells[i].kind);
        size_t at = 0;
        while (at < count && sums[at].agreed != agreed)
            at++;
        count += at == count;
        sums[at].agreed = agreed;
        sums[at].count += (double)cells->cells[i].count;
    }
    for (size_t i = 0; i < count; i++) {
        if (sums[i].agreed == 0)
            continue;
        struct str values[] = {str_from(tls_agreed_version(sums[i].agreed)), str_from(tls_agreed_cipher(sums[i].agreed)),
                               subject->names[0], subject->names[1]};
        metrics_add(metrics, subject->tls, metrics_keep(metrics, values, 2 + subject->name_count), sums[i].count);
    }
}

/* ---- families of ours ---- */

static void read_own(struct metrics *metrics, const struct subject *subject)
{
    struct meter_sum sum = {.count = 0};
    uint64_t failures[STATUS_COUNT] = {0};
    meter_sum(subject->meter, &sum);
    meter_failures(subject->meter, failures);
    metrics_add_histogram(metrics, METRIC_LATENCY, METRICS_KEEP(metrics, subject->kind, subject->name),
                          metrics_latencies(metrics, &sum));
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (failures[i] != 0)
            metrics_add(metrics, METRIC_FAILURES,
                        METRICS_KEEP(metrics, str_from(status_reason(i)), subject->kind, subject->name), (double)failures[i]);
    if (subject->requests == METRIC_SERVICE_REQUESTS)
        metrics_add(metrics, METRIC_SERVICE_RETRIES, METRICS_KEEP(metrics, subject->name), (double)sum.retries);
}

/* What nothing has passed yet has no series. */
static void read_subject(struct metrics *metrics, const struct subject *subject)
{
    struct kinds cells = metrics_kinds(metrics, subject->meter);
    if (cells.count == 0)
        return;
    struct kinds kinds = metrics_merge(metrics, &cells, count_kind_plain);
    for (size_t i = 0; i < kinds.count; i++)
        read_kind(metrics, subject, &kinds.cells[i]);
    read_tls(metrics, subject, &cells);
    read_own(metrics, subject);
}

/* ---- what there is ---- */

static void read_entries(struct metrics *metrics, const struct graph *graph)
{
    for (unsigned i = 0; i < graph->entry_count; i++) {
        const struct entry *entry = graph->entries[i];
        if (entry->meter == NULL)
            continue;
        read_subject(metrics, &(struct subject){.meter = entry->meter,
                                                .requests = METRIC_ENTRY_REQUESTS,
                                                .duration = METRIC_ENTRY_DURATION,
                                                .bytes_in = METRIC_ENTRY_BYTES_IN,
                                                .bytes_out = METRIC_ENTRY_BYTES_OUT,
                                                .tls = METRIC_ENTRY_TLS,
                                                .names = {entry->name},
                                                .name_count = 1,
                                                .kind = S("entrypoint"),
                                                .name = entry->name});
    }
}

/* A router on several entrypoints is there once for each, with one meter. */
static void read_routers(struct metrics *metrics, const struct graph *graph)
{
    struct map seen;
    map_init(&seen, false);
    for (unsigned i = 0; i < graph->router_count; i++) {
        const struct router *router = graph->routers[i];
        if (router->meter == NULL || map_put(&seen, router->name, graph->routers[i]) != NULL)
            continue;
        read_subject(metrics, &(struct subject){.meter = router->meter,
                                                .requests = METRIC_ROUTER_REQUESTS,
                                                .duration = METRIC_ROUTER_DURATION,
                                                .bytes_in = METRIC_ROUTER_BYTES_IN,
                                                .bytes_out = METRIC_ROUTER_BYTES_OUT,
                                                .tls = METRIC_ROUTER_TLS,
                                                .names = {router->name, router->service != NULL ? router->service->name : STR_NONE},
                                                .name_count = 2,
                                                .kind = S("router"),
                                                .name = router->name});
    }
    map_release(&seen);
}

static void read_services(struct metrics *metrics, const struct graph *graph)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct service *service = graph->services[i];
        if (service->meter == NULL)
            continue;
        read_subject(metrics, &(struct subject){.meter = service->meter,
                                                .requests = METRIC_SERVICE_REQUESTS,
                                                .duration = METRIC_SERVICE_DURATION,
                                                .bytes_in = METRIC_SERVICE_BYTES_IN,
                                                .bytes_out = METRIC_SERVICE_BYTES_OUT,
                                                .tls = METRIC_SERVICE_TLS,
                                                .names = {service->name},
                                                .name_count = 1,
                                                .kind = S("service"),
                                                .name = service->name});
    }
}

void metrics_read_traffic(struct metrics *metrics, const struct graph *graph)
{
    if (metrics->scope.entry_points)
        read_entries(metrics, graph);
    if (metrics->scope.routers)
        read_routers(metrics, graph);
    if (metrics->scope.services)
        read_services(metrics, graph);
}
