/* Requests under the names that OpenTelemetry's semantic conventions have for them: those that came to an entrypoint (server), and
 * those that went to a server (client). */
#include "admin/metrics_read.h"
#include "exchange/count.h"
#include "upstream/balancer.h"
#include "upstream/server.h"

/* Neither TLS nor what became of the connection is told apart. */
static uint32_t without_protocol(uint32_t kind)
{
    return kind != METER_KIND_OTHER ? kind & ~(uint32_t)0xff : kind;
}

static struct kinds choose(struct metrics *metrics, const struct kinds *kinds, bool secure)
{
    struct kinds chosen = {.cells = arena_array(&metrics->arena, struct meter_cell_sum, kinds->count)};
    for (size_t i = 0; i < kinds->count; i++)
        if ((count_kind_agreed(kinds->cells[i].kind) != 0) == secure)
            chosen.cells[chosen.count++] = kinds->cells[i];
    return metrics_merge(metrics, &chosen, without_protocol);
}

static void read_entry(struct metrics *metrics, const struct entry *entry, bool secure)
{
    struct kinds all = metrics_kinds(metrics, entry->meter), kinds = choose(metrics, &all, secure);
    for (size_t i = 0; i < kinds.count; i++) {
        const struct meter_cell_sum *cell = &kinds.cells[i];
        metrics_add_histogram(metrics, METRIC_HTTP_SERVER,
                              METRICS_KEEP(metrics, count_kind_method(cell->kind), metrics_code(metrics, cell->kind),
                                           secure ? S("https") : S("http"), entry->name),
                              metrics_durations(metrics, entry->meter, cell));
    }
}

static void read_target(const struct target *target, void *owner)
{
    struct metrics *metrics = owner;
    const struct server *server = target->server;
    if (server->meter == NULL)
        return;
    struct kinds all = metrics_kinds(metrics, server->meter), kinds = metrics_merge(metrics, &all, without_protocol);
    struct str port = server->port != 0 ? arena_printf(&metrics->arena, "%u", server->port) : STR_NONE;
    for (size_t i = 0; i < kinds.count; i++) {
        const struct meter_cell_sum *cell = &kinds.cells[i];
        metrics_add_histogram(metrics, METRIC_HTTP_CLIENT,
                              METRICS_KEEP(metrics, count_kind_method(cell->kind), metrics_code(metrics, cell->kind),
                                           server->secure ? S("https") : S("http"), server->host, port, server->service),
                              metrics_durations(metrics, server->meter, cell));
    }
}

void metrics_read_semantic(struct metrics *metrics, const struct graph *graph)
{
    for (unsigned i = 0; metrics->scope.entry_points && i < graph->entry_count; i++) {
        if (graph->entries[i]->meter == NULL)
            continue;
        read_entry(metrics, graph->entries[i], false);
        read_entry(metrics, graph->entries[i], true);
    }
    if (metrics->scope.services)
        metrics_each_target(graph, read_target, metrics);
}
