/* What limits count, by the middleware that somebody wrote: a router that uses one has an instance of its own, and all of them
 * are added up, so that routers make no more series. */
#include "admin/metrics_read.h"
#include "base/map.h"
#include "exchange/middleware.h"
#include "middleware/breaker.h"

#define STATES 3

struct limit {
    struct str name;
    const char *type;
    double refused, allowed, delayed, active;     /* all but the first: below 0 where there is no such number */
    unsigned breakers[STATES];
    bool is_breaker;
};

static const char *const state_names[STATES] = {
    [BREAKER_CLOSED] = "closed", [BREAKER_OPEN] = "open", [BREAKER_RECOVERING] = "recovering"};

static struct limit *limit_named(struct metrics *metrics, struct map *limits, const struct middleware *m)
{
    struct limit *limit = map_get(limits, m->name);
    if (limit == NULL) {
        limit = arena_new(&metrics->arena, struct limit);
        *limit = (struct limit){.name = m->name, .type = m->type->choice.name, .allowed = -1, .delayed = -1, .active = -1};
        map_put(limits, m->name, limit);
    }
    return limit;
}

static void add_known(double *sum, int64_t number)
{
    if (number >= 0)
        *sum = (*sum < 0 ? 0 : *sum) + (double)number;
}

static void add_counts(struct limit *limit, const struct limit_counts *counts)
{
    limit->refused += (double)counts->refused;
    add_known(&limit->allowed, counts->allowed);
    add_known(&limit->delayed, counts->delayed);
    add_known(&limit->active, counts->active);
    if (counts->breaker >= 0 && counts->breaker < STATES) {
        limit->breakers[counts->breaker]++;
        limit->is_breaker = true;
    }
}

/* A router on several entrypoints has a chain on each, and they share what they count. */
static void read_chain(struct metrics *metrics, const struct router *router, struct map *seen, struct map *limits)
{
    for (unsigned i = 0; i < router->chain_count; i++) {
        const struct middleware *m = router->chain[i];
        if (m->type->count == NULL)
            continue;
        struct str path = arena_printf(&metrics->arena, "%.*s/%.*s", STR_ARGS(router->name), STR_ARGS(m->name));
        if (map_has(seen, path))
            continue;
        map_put(seen, path, metrics);
        struct limit_counts counts = {.allowed = -1, .delayed = -1, .active = -1, .breaker = -1};
        m->type->count(m, &counts);
        add_counts(limit_named(metrics, limits, m), &counts);
    }
}

static void write_limit(struct metrics *metrics, const struct limit *limit)
{
    const struct str *labels = METRICS_KEEP(metrics, limit->name, str_from(limit->type));
    metrics_add(metrics, METRIC_LIMIT_REFUSED, labels, limit->refused);
    if (limit->allowed >= 0)
        metrics_add(metrics, METRIC_LIMIT_ALLOWED, labels, limit->allowed);
    if (limit->delayed >= 0)
        metrics_add(metrics, METRIC_LIMIT_DELAYED, labels, limit->delayed);
    if (limit->active >= 0)
        metrics_add(metrics, METRIC_LIMIT_ACTIVE, labels, limit->active);
    for (unsigned i = 0; limit->is_breaker && i < STATES; i++)
        metrics_add(metrics, METRIC_LIMIT_BREAKERS, METRICS_KEEP(metrics, limit->name, str_from(state_names[i])),
                    limit->breakers[i]);
}

void metrics_read_limits(struct metrics *metrics, const struct graph *graph)
{
    struct map seen, limits;
    map_init(&seen, false);
    map_init(&limits, false);
    for (unsigned i = 0; i < graph->router_count; i++)
        read_chain(metrics, graph->routers[i], &seen, &limits);
    for (uint32_t i = 0; i < limits.count; i++)
        write_limit(metrics, limits.items[i].value);
    map_release(&seen);
    map_release(&limits);
}
