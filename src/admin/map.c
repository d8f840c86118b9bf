/* GET /api/portico/map: the way from entrypoints through routers and services to servers. Of many routers those that are busy or
 * in trouble come first, and with them the services that they lead to. */
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/call.h"
#include "admin/live.h"
#include "admin/words.h"
#include "base/map.h"
#include "base/memory.h"
#include "exchange/middleware.h"
#include "exchange/service.h"

#define ROUTERS_SHOWN 200
#define ROUTERS_MAX 5000
#define DEPTH_MAX 16

struct ranked {
    const struct live_thing *thing;
    bool troubled;
    uint64_t requests;
};

/* ---- which ones ---- */

static int more_interesting(const void *a, const void *b)
{
    const struct ranked *one = a, *other = b;
    if (one->troubled != other->troubled)
        return one->troubled ? -1 : 1;
    if (one->requests != other->requests)
        return one->requests < other->requests ? 1 : -1;
    if (one->thing->router->internal != other->thing->router->internal)
        return one->thing->router->internal ? 1 : -1;
    return one->thing < other->thing ? -1 : 1;
}

static bool leads_to(const struct service *service, struct str word, unsigned depth)
{
    const struct service *child;
    if (service == NULL || depth == DEPTH_MAX)
        return false;
    if (words_have(service->name, word))
        return true;
    const struct live_thing *thing = live_find(LIVE_SERVICE, service->name);
    const struct live_things *servers = live_all(LIVE_SERVER);
    for (size_t i = 0; thing != NULL && i < thing->server_count; i++)
        if (words_have(servers->items[thing->first_server + i].standing->target->server->url, word))
            return true;
    for (unsigned i = 0; (child = service_child(service, i)) != NULL; i++)
        if (leads_to(child, word, depth + 1))
            return true;
    return false;
}

static bool is_wanted(const struct router *router, struct str word)
{
    return words_have(router->name, word) || words_have(router->about->rule, word) || leads_to(router->service, word, 0);
}

static bool is_troubled(const struct live_thing *thing, struct live_slot minute)
{
    const struct service *service = thing->router->service;
    return (uint64_t)minute.errors * 20 > minute.requests || (service != NULL && !service_is_ready(service, admin_self->control->loop.now));
}

static size_t rank(struct str word, struct ranked *ranked)
{
    const struct live_things *routers = live_all(LIVE_ROUTER);
    size_t count = 0;
    for (size_t i = 0; i < routers->count; i++) {
        const struct live_thing *thing = &routers->items[i];
        if (!is_wanted(thing->router, word))
            continue;
        struct live_slot minute = live_minute(thing);
        ranked[count++] = (struct ranked){.thing = thing, .troubled = is_troubled(thing, minute), .requests = minute.requests};
    }
    qsort(ranked, count, sizeof(*ranked), more_interesting);
    return count;
}

/* ---- showing ---- */

static void show_entry(const struct entry *entry, struct json *json)
{
    json_open_object(json);
    json_member_str(json, "name", entry->name);
    json_member_str(json, "address", entry->address_text);
    json_member_bool(json, "tls", entry->tls != NULL);
    json_end(json);
}

static void show_maintenance(unsigned by, struct json *json)
{
    bool ordered = (by & MAINTENANCE_ORDERED) != 0, configured = (by & MAINTENANCE_CONFIGURED) != 0;
    json_member_bool(json, "maintenance", ordered || configured);
    json_member_text(json, "maintenanceBy", configured ? "configuration" : ordered ? "operator" : NULL);
}

static void show_router(const struct router *router, struct json *json)
{
    json_open_object(json);
    json_member_str(json, "name", router->name);
    json_member_array(json, "entryPoints");
    for (size_t i = 0; i < router->about->entry_points.count; i++)
        json_str(json, router->about->entry_points.items[i]);
    json_end(json);
    json_member_str(json, "rule", router->about->rule);
    json_member_int(json, "priority", router->about->priority);
    words_member_str(json, "service", router->service != NULL ? router->service->name : STR_NONE);
    json_member_array(json, "middlewares");
    for (unsigned i = 0; i < router->chain_count; i++)
        json_str(json, router->chain[i]->name);
    json_end(json);
    json_member_bool(json, "tls", router->about->config != NULL && router->about->config->tls != NULL);
    json_member_str(json, "provider", router->about->provider);
    json_member_bool(json, "internal", router->internal);
    show_maintenance(atomic_load_explicit(&router->maintenance, memory_order_relaxed), json);
    words_member_place(json, "source", router->about->origin);
    json_end(json);
}

static void show_children(const struct service *service, struct json *json)
{
    const struct service *child;
    int64_t (*weigh)(const struct service *, unsigned) = service->type->child_weight;
    json_member_array(json, "children");
    for (unsigned i = 0; (child = service_child(service, i)) != NULL; i++) {
        json_open_object(json);
        json_member_str(json, "name", child->name);
        if (weigh != NULL && weigh(service, i) >= 0)
            json_member_int(json, "weight", weigh(service, i));
        else
            json_member_text(json, "weight", NULL);
        json_end(json);
    }
    json_end(json);
}

static void show_service(const struct live_thing *thing, struct json *json)
{
    const struct service *service = thing->service;
    const struct live_things *servers = live_all(LIVE_SERVER);
    json_open_object(json);
    json_member_str(json, "name", service->name);
    json_member_text(json, "type", service->type->choice.name);
    json_member_str(json, "provider", service->provider);
    show_maintenance(atomic_load_explicit(&service->maintenance, memory_order_relaxed), json);
    show_children(service, json);
    json_member_array(json, "servers");
    for (size_t i = 0; i < thing->server_count; i++) {
        const struct live_thing *server = &servers->items[thing->first_server + i];
        json_open_object(json);
        json_member_str(json, "url", server->standing->target->server->url);
        json_member_text(json, "state", server_word_name(server->standing->word));
        json_end(json);
    }
    json_end(json);
    words_member_place(json, "source", service->origin);
    json_end(json);
}

/* The service and those below it, each once. */
static void show_services_from(const struct service *service, struct map *shown, unsigned depth, struct json *json)
{
    const struct service *child;
    if (service == NULL || depth == DEPTH_MAX || map_put(shown, service->name, shown) != NULL)
        return;
    const struct live_thing *thing = live_find(LIVE_SERVICE, service->name);
    if (thing != NULL)
        show_service(thing, json);
    for (unsigned i = 0; (child = service_child(service, i)) != NULL; i++)
        show_services_from(child, shown, depth + 1, json);
}

static void show_map(const struct ranked *ranked, size_t count, size_t limit, struct json *json)
{
    const struct graph *graph = admin_self->graph;
    struct map shown;
    size_t shown_count = count < limit ? count : limit;
    json_member_array(json, "entryPoints");
    for (unsigned i = 0; i < graph->entry_count; i++)
        show_entry(graph->entries[i], json);
    json_end(json);
    json_member_array(json, "routers");
    for (size_t i = 0; i < shown_count; i++)
        show_router(ranked[i].thing->router, json);
    json_end(json);
    map_init(&shown, false);
    json_member_array(json, "services");
    for (size_t i = 0; i < shown_count; i++)
        show_services_from(ranked[i].thing->router->service, &shown, 0, json);
    json_end(json);
    map_release(&shown);
    json_member_object(json, "truncated");
    json_member_uint(json, "routers", shown_count);
    json_member_uint(json, "total", count);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    struct str word = STR_NONE;
    size_t limit = (size_t)admin_query_int(call, "limit", 1, ROUTERS_MAX, ROUTERS_SHOWN);
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    admin_query(call, "search", &word);
    struct ranked *ranked = memory_alloc((live_all(LIVE_ROUTER)->count + 1) * sizeof(*ranked));
    size_t count = rank(word, ranked);
    json_open_object(&call->json);
    show_map(ranked, count, limit, &call->json);
    json_end(&call->json);
    free(ranked);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/map",
                                         .summary = "Entrypoints, routers, services and servers, the busy and the troubled first.",
                                         .answer = answer};
REGISTER(admin_route, route);
