/* Problems: many requests that end with an error, by what the last minute shows. */
#include "admin/live.h"
#include "admin/problems.h"
#include "exchange/advice.h"
#include "exchange/graph.h"
#include "exchange/service.h"

#define REQUESTS_MIN 20                   /* fewer say nothing */
#define SHARE 0.05
#define SHARE_BAD 0.5

/* The latest failure among its servers says most. */
static const char *advice_on(const struct live_thing *service)
{
    const struct live_things *servers = live_all(LIVE_SERVER);
    const struct live_thing *latest = NULL;
    for (size_t i = 0; service != NULL && i < service->server_count; i++) {
        const struct live_thing *server = &servers->items[service->first_server + i];
        if (server->standing->last_failure != STATUS_OK && (latest == NULL || server->standing->failed_at > latest->standing->failed_at))
            latest = server;
    }
    const char *advice = latest != NULL ? advice_for(latest->standing->last_failure) : NULL;
    return advice != NULL ? advice : "The servers answer with 5xx themselves: their log at this time tells why.";
}

static bool is_bad(struct live_slot minute)
{
    return minute.requests >= REQUESTS_MIN && (double)minute.errors > SHARE * (double)minute.requests;
}

static void add(struct problems *problems, const struct live_thing *thing, struct live_slot minute, const char *kind,
                const struct live_thing *service)
{
    double share = (double)minute.errors / (double)minute.requests;
    struct problem *problem =
        problem_add(problems, share > SHARE_BAD ? PROBLEM_ERROR : PROBLEM_WARNING, "traffic", kind, thing->name);
    problem->text = arena_printf(problems->arena, "%.1f %% of the requests to %.*s failed in the last minute (%llu of %llu)",
                                 share * 100, STR_ARGS(thing->name), (unsigned long long)minute.errors,
                                 (unsigned long long)minute.requests);
    problem->hint = str_from(advice_on(service));
}

/* A router is named only where its service does not tell the same already. */
static void gather(struct problems *problems)
{
    const struct live_things *services = live_all(LIVE_SERVICE), *routers = live_all(LIVE_ROUTER);
    for (size_t i = 0; i < services->count; i++) {
        struct live_slot minute = live_minute(&services->items[i]);
        if (is_bad(minute))
            add(problems, &services->items[i], minute, "service", &services->items[i]);
    }
    for (size_t i = 0; i < routers->count; i++) {
        const struct live_thing *router = &routers->items[i];
        struct live_slot minute = live_minute(router);
        if (!is_bad(minute))
            continue;
        const struct service *own = router->router->service;
        const struct live_thing *service = own != NULL ? live_find(LIVE_SERVICE, own->name) : NULL;
        if (service == NULL || !is_bad(live_minute(service)))
            add(problems, router, minute, "router", service);
    }
}

static const struct problem_source traffic_source = {.gather = gather};
REGISTER(problem_source, traffic_source);
