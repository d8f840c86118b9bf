/* GET /api/rawdata: everything by name. */
#include "admin/admin.h"
#include "admin/traefik.h"

static void write_list(const struct catalog_list *list, const char *key,
                       void (*members)(const struct catalog_item *item, struct json *json), struct json *json)
{
    if (list->count == 0)
        return;
    json_member_object(json, key);
    for (size_t i = 0; i < list->count; i++) {
        json_key(json, list->items[i]->name);
        json_open_object(json);
        members(list->items[i], json);
        json_end(json);
    }
    json_end(json);
}

void traefik_rawdata(const struct graph *graph, struct json *json)
{
    const struct catalog *catalog = catalog_of(graph);
    json_open_object(json);
    write_list(&catalog->routers, "routers", traefik_router_members, json);
    write_list(&catalog->middlewares, "middlewares", traefik_middleware_members, json);
    write_list(&catalog->services, "services", traefik_service_members, json);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    traefik_rawdata(admin_self->graph, &call->json);
    return true;
}

static const struct admin_route rawdata = {.method = "GET",
                                           .path = "/api/rawdata",
                                           .summary = "All routers, services and middlewares by name (Traefik's form).",
                                           .answer = answer};
REGISTER(admin_route, rawdata);
