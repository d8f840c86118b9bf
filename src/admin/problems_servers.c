/* Problems: servers that take no requests or fail them, services that have none ready, and what an operator has taken out. */
#include "admin/admin.h"
#include "admin/live.h"
#include "admin/problems.h"
#include "base/time.h"
#include "exchange/advice.h"
#include "exchange/graph.h"
#include "exchange/service.h"
#include "service/load_balancer.h"

#define FAILING_SHOWN (60 * TIME_S)       /* a failure is news for this long */

/* What people say of the commonest ones; else the status's own words. */
static struct str say_failure(const struct server *server, enum status failure, struct arena *arena)
{
    struct str who = server->unix_socket ? server->host : server->authority;
    if (failure == STATUS_UPSTREAM_REFUSED)
        return arena_printf(arena, "%.*s refuses connections", STR_ARGS(who));
    if (failure == STATUS_UPSTREAM_UNRESOLVED)
        return arena_printf(arena, "the name %.*s does not resolve", STR_ARGS(server->host));
    return arena_printf(arena, "%.*s: %s", STR_ARGS(who), status_text(failure));
}

static struct str advise(enum status failure, const struct server *server)
{
    return str_from(advice_for_server(failure, server));
}

static void add_out(struct problems *problems, const struct live_thing *thing)
{
    const struct server *server = thing->standing->target->server;
    struct str service = thing->service->name;
    bool by_hand = thing->standing->word == SERVER_IS_DOWN || thing->standing->word == SERVER_IS_DRAINING;
    struct problem *problem = problem_add(problems, by_hand ? PROBLEM_INFO : PROBLEM_ERROR, "server", "server", thing->name);
    struct str why = server_why(thing->standing->target, thing->standing->word, thing->standing->last_failure, admin_self->control->loop.now, problems->arena);
    problem->text = arena_printf(problems->arena, "%.*s of %.*s is %s: %.*s", STR_ARGS(server->url), STR_ARGS(service),
                                 server_word_name(thing->standing->word), STR_ARGS(why));
    problem->since = thing->standing->word_since / TIME_S;
    if (by_hand)
        problem->hint = S("Set it back to 'as configured' when it is to serve again.");
    else if (thing->standing->word == SERVER_IS_UNRESOLVED)
        problem->hint = advise(STATUS_UPSTREAM_UNRESOLVED, server);
    else if (thing->standing->last_failure != STATUS_OK)
        problem->hint = advise(thing->standing->last_failure, server);
    else
        problem->hint = S("Is the application running, and does the health check's path answer with 2xx or 3xx?");
}

/* Nobody has taken it out, but what is sent there fails: without health checks nobody else would say so. */
static void add_failing(struct problems *problems, const struct live_thing *thing)
{
    const struct server *server = thing->standing->target->server;
    struct problem *problem = problem_add(problems, PROBLEM_ERROR, "server", "server", thing->name);
    struct str said = say_failure(server, thing->standing->last_failure, problems->arena);
    problem->text = arena_printf(problems->arena, "%.*s (service %.*s)", STR_ARGS(said), STR_ARGS(thing->service->name));
    problem->hint = advise(thing->standing->last_failure, server);
    problem->since = (thing->standing->failing_since != 0 ? thing->standing->failing_since : thing->standing->failed_at) / TIME_S;
}

static bool is_failing(const struct live_thing *thing)
{
    return thing->standing->failed_at != 0 && thing->standing->good_at < thing->standing->failed_at &&
           admin_self->control->loop.wall - thing->standing->failed_at < FAILING_SHOWN;
}

static void gather_servers(struct problems *problems)
{
    const struct live_things *servers = live_all(LIVE_SERVER);
    for (size_t i = 0; i < servers->count; i++) {
        const struct live_thing *thing = &servers->items[i];
        bool configured = thing->standing->word == SERVER_IS_DRAINING && thing->standing->target->draining;
        if (thing->standing->word == SERVER_IS_LEAVING)
            continue;      /* that it refuses is what is to be expected */
        if (thing->standing->word != SERVER_IS_READY && !configured)
            add_out(problems, thing);
        else if (is_failing(thing))
            add_failing(problems, thing);
    }
}

static const char *fate_of(const struct service *service)
{
    return service->await != NULL ? "its requests wait for one, and then get 503" : "its requests get 503";
}

/* It may still answer, and others are to come: a deploy under way. */
static bool any_leaves(const struct live_thing *thing)
{
    bool leaves = false;
    for (size_t i = 0; i < thing->server_count; i++)
        leaves |= live_all(LIVE_SERVER)->items[thing->first_server + i].standing->word == SERVER_IS_LEAVING;
    return leaves;
}

static void add_unready(struct problems *problems, const struct live_thing *thing)
{
    const char *fate = fate_of(thing->service);
    struct problem *problem = problem_add(problems, PROBLEM_ERROR, "service", "service", thing->name);
    if (thing->server_count == 0) {
        problem->severity = PROBLEM_WARNING;
        problem->text = arena_printf(problems->arena, "%.*s has no servers: %s", STR_ARGS(thing->name), fate);
        problem->hint = S("Add servers to its loadBalancer, or take out the routers that lead to it.");
        return;
    }
    problem->text = arena_printf(problems->arena, "no server of %.*s is ready (%u of %u are out): %s", STR_ARGS(thing->name),
                                 thing->server_count, thing->server_count, fate);
    if (any_leaves(thing)) {
        problem->severity = PROBLEM_WARNING;
        problem->text = arena_printf(problems->arena, "%.*s has only servers that are about to stop: once they refuse, %s",
                                     STR_ARGS(thing->name), fate);
    }
    problem->hint = S("Each of its servers says why it is out. A failover service could answer meanwhile.");
    for (size_t i = 0; i < thing->server_count; i++) {
        int64_t since = live_all(LIVE_SERVER)->items[thing->first_server + i].standing->word_since / TIME_S;
        problem->since = since > problem->since ? since : problem->since;
    }
}

static void add_maintenance(struct problems *problems, const char *kind, struct str name, unsigned by)
{
    struct problem *problem = problem_add(problems, PROBLEM_INFO, "service", kind, name);
    problem->text = arena_printf(problems->arena, "the %s %.*s is under maintenance: its requests get 503", kind, STR_ARGS(name));
    problem->hint = (by & MAINTENANCE_CONFIGURED) != 0 ? S("Take its option 'maintenance' out when it is to serve again.")
                                                       : S("End the maintenance when it is to serve again.");
}

static void gather_services(struct problems *problems)
{
    const struct live_things *services = live_all(LIVE_SERVICE), *routers = live_all(LIVE_ROUTER);
    int64_t now = admin_self->control->loop.now;
    for (size_t i = 0; i < services->count; i++) {
        const struct live_thing *thing = &services->items[i];
        if (service_in_maintenance(thing->service))
            add_maintenance(problems, "service", thing->name, atomic_load(&thing->service->maintenance));
        else if (thing->names_servers && !service_is_ready(thing->service, now))
            add_unready(problems, thing);
    }
    for (size_t i = 0; i < routers->count; i++) {
        unsigned by = atomic_load_explicit(&routers->items[i].router->maintenance, memory_order_relaxed);
        if (by != 0)
            add_maintenance(problems, "router", routers->items[i].name, by);
    }
}

static void gather(struct problems *problems)
{
    gather_servers(problems);
    gather_services(problems);
}

static const struct problem_source servers_source = {.gather = gather};
REGISTER(problem_source, servers_source);
