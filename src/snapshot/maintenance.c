#include "snapshot/maintenance.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "exchange/service.h"

/* The names; an entry is its own value, so that it can be freed. */
static struct map names[MAINTAINED_SERVICE + 1];

static bool holds(enum maintained kind, struct str name)
{
    return names[kind].live != 0 && map_get(&names[kind], name) != NULL;
}

static void remember(enum maintained kind, struct str name)
{
    if (holds(kind, name))
        return;
    if (names[kind].live == 0)
        map_init(&names[kind], false);
    char *copy = memory_copy_text(name.data, name.len);
    map_put(&names[kind], str_of(copy, name.len), copy);
}

static void forget(enum maintained kind, struct str name)
{
    if (!holds(kind, name))
        return;
    free(map_remove(&names[kind], name));
    if (names[kind].live == 0)
        map_release(&names[kind]);
}

/* A router's `internal` follows from its service, but for those that follow from settings. */
static bool is_exempt(const struct router *router)
{
    return router->internal || (router->service != NULL && router->service->internal);
}

/* What is configured stays. */
static enum maintenance_result order(_Atomic uint8_t *maintenance, bool on)
{
    unsigned before = on ? atomic_fetch_or(maintenance, MAINTENANCE_ORDERED)
                         : atomic_fetch_and(maintenance, (uint8_t)~MAINTENANCE_ORDERED);
    return !on && before == MAINTENANCE_CONFIGURED ? MAINTENANCE_IS_CONFIGURED : MAINTENANCE_DONE;
}

static enum maintenance_result set_routers(struct graph *graph, struct str name, bool on)
{
    enum maintenance_result result = MAINTENANCE_UNKNOWN;
    for (unsigned i = 0; i < graph->router_count; i++) {
        struct router *router = graph->routers[i];
        if (!str_equal(router->name, name))
            continue;
        if (is_exempt(router))
            return MAINTENANCE_REFUSED;
        result = order(&router->maintenance, on);      /* there is one for each entrypoint that it is on */
    }
    return result;
}

static enum maintenance_result set_service(struct graph *graph, struct str name, bool on)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        struct service *service = graph->services[i];
        if (!str_equal(service->name, name))
            continue;
        if (service->internal)
            return MAINTENANCE_REFUSED;
        return order(&service->maintenance, on);
    }
    return MAINTENANCE_UNKNOWN;
}

enum maintenance_result maintenance_set(struct graph *graph, enum maintained kind, struct str name, bool on)
{
    enum maintenance_result result =
        kind == MAINTAINED_ROUTER ? set_routers(graph, name, on) : set_service(graph, name, on);
    /* What is not there any more can still be taken off. */
    bool known = result == MAINTENANCE_DONE || (result == MAINTENANCE_UNKNOWN && !on && holds(kind, name));
    if (!known)
        return result;
    if (on)
        remember(kind, name);
    else
        forget(kind, name);
    return MAINTENANCE_DONE;
}

void maintenance_apply(struct graph *graph)
{
    for (unsigned i = 0; i < graph->router_count; i++)
        if (!is_exempt(graph->routers[i]) && holds(MAINTAINED_ROUTER, graph->routers[i]->name))
            atomic_fetch_or(&graph->routers[i]->maintenance, MAINTENANCE_ORDERED);
    for (unsigned i = 0; i < graph->service_count; i++)
        if (!graph->services[i]->internal && holds(MAINTAINED_SERVICE, graph->services[i]->name))
            atomic_fetch_or(&graph->services[i]->maintenance, MAINTENANCE_ORDERED);
}
