/* Which meters a graph has, and their buckets. A meter is known by its key, so counts go on when a graph takes another's place. */
#include <math.h>
#include <stdio.h>

#include "base/time.h"
#include "snapshot/build.h"
#include "upstream/server.h"

static const struct meter_bounds default_bounds = {.count = 4,
                                                   .ends = {100 * TIME_MS, 300 * TIME_MS, 1200 * TIME_MS, 5 * TIME_S}};

/* Text that the option's check took: digits and a point. */
static int64_t seconds_of(struct str text)
{
    char copy[32];
    snprintf(copy, sizeof(copy), "%.*s", STR_ARGS(text));
    return (int64_t)llround(strtod(copy, NULL) * (double)TIME_S);
}

/* Both readers' ends are kept, sorted: each adds up the finer buckets to its own. */
static void add_bound(struct meter_bounds *bounds, int64_t end)
{
    unsigned at = bounds->count;
    while (at > 0 && bounds->ends[at - 1] >= end)
        at--;
    if (at < bounds->count && bounds->ends[at] == end)
        return;
    memmove(&bounds->ends[at + 1], &bounds->ends[at], (bounds->count - at) * sizeof(bounds->ends[0]));
    bounds->ends[at] = end;
    bounds->count++;
}

static void read_bounds(struct build *build, const struct strs *texts, const struct node *list)
{
    struct meter_bounds *bounds = &build->graph->bounds;
    int64_t former = 0;
    for (size_t i = 0; i < texts->count; i++) {
        const struct node *item = node_at(list, i);
        struct span span = item != NULL ? item->span : SPAN_NONE;
        int64_t end = seconds_of(texts->items[i]);
        if (bounds->count == METER_BOUNDS_MAX) {
            diag_error(build->compile.diag, span, "there are more than %d buckets", METER_BOUNDS_MAX);
            return;
        }
        if (i != 0 && end <= former)
            diag_error(build->compile.diag, span, "buckets must ascend: %.*s comes too late", STR_ARGS(texts->items[i]));
        add_bound(bounds, end);
        former = end;
    }
}

void build_meter_bounds(struct build *build)
{
    const struct metrics_config *metrics = build->model->config.metrics;
    const struct prometheus_config *prometheus = metrics != NULL ? metrics->prometheus : NULL;
    const struct otlp_metrics *otlp = metrics != NULL ? metrics->otlp : NULL;
    if (prometheus != NULL)
        read_bounds(build, &prometheus->buckets, node_get(prometheus->origin, S("buckets")));
    if (otlp != NULL)
        read_bounds(build, &otlp->explicit_boundaries, node_get(otlp->origin, S("explicitBoundaries")));
    if (prometheus == NULL && otlp == NULL)
        build->graph->bounds = default_bounds;
    server_count_by(build->compile.workers, &build->graph->bounds);
}

static struct meter *get_meter(struct build *build, const char *kind, struct str name)
{
    struct arena *arena = &build->graph->arena;
    struct arena_mark mark = arena_mark(arena);
    struct meter *meter =
        meter_get(arena_printf(arena, "%s|%.*s", kind, STR_ARGS(name)), build->compile.workers, &build->graph->bounds);
    arena_rewind(arena, mark);
    return meter;
}

static bool counts_internals(const struct build *build)
{
    const struct metrics_config *metrics = build->model->config.metrics;
    return metrics != NULL && metrics->add_internals;
}

void build_entry_meters(struct build *build, struct entry *entry)
{
    entry->meter = get_meter(build, "entrypoint", entry->name);
}

void build_router_meter(struct build *build, struct router *router, const struct entry *entry)
{
    const struct router_observability *own = router->about->config != NULL ? router->about->config->observability : NULL;
    bool wanted = own != NULL ? own->metrics : entry->config->observability.metrics;
    if (!wanted || (router->internal && !counts_internals(build)))
        return;
    if (router->meter == NULL)
        router->meter = get_meter(build, "router", router->name);
    else if (router->about->entry_points.count > 1)
        router->on_several = true;
}

void build_service_meter(struct build *build, struct service *service)
{
    if (!service->internal || counts_internals(build))
        service->meter = get_meter(build, "service", service->name);
}

static void release_router(const struct router *router)
{
    meter_unref(atomic_load(&router->counts));
    meter_unref(router->meter);
}

void build_meters_release(struct graph *graph)
{
    for (unsigned i = 0; i < graph->entry_count; i++) {
        const struct entry *entry = graph->entries[i];
        for (unsigned j = 0; j < entry->left_out_count; j++)
            if (entry->left_out[j].rule.router != NULL)
                release_router(entry->left_out[j].rule.router);
        meter_unref(entry->meter);
    }
    for (unsigned i = 0; i < graph->router_count; i++)
        release_router(graph->routers[i]);
    for (unsigned i = 0; i < graph->service_count; i++)
        meter_unref(graph->services[i]->meter);
}
