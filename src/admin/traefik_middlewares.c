/* GET /api/http/middlewares[/{name}] */
#include "admin/admin.h"
#include "admin/traefik.h"
#include "config/view.h"

void traefik_middleware_members(const struct catalog_item *item, struct json *json)
{
    const struct middleware_config *config = item->config;
    const struct choice_type *type = config != NULL               ? config->type.type
                                     : item->middleware != NULL ? &item->middleware->type->choice
                                                                  : NULL;
    if (type != NULL) {
        json_key(json, str_from(type->name));
        view_object(type->table, config != NULL ? config->type.value : item->middleware->options, VIEW_FILLED, json);
    }
    traefik_item_state(item, "usedBy", json);
}

static void write_middleware(const void *thing, struct json *json)
{
    json_open_object(json);
    traefik_middleware_members(thing, json);
    traefik_item_names(thing, json);
    json_end(json);
}

static const struct traefik_kind middlewares = {
    .name = traefik_item_name, .fits = traefik_item_fits, .key = traefik_item_key, .write = write_middleware};

static bool list_middlewares(struct admin_call *call)
{
    return traefik_items(call, &middlewares, &catalog_of(admin_self->graph)->middlewares);
}

static bool show_middleware(struct admin_call *call)
{
    return traefik_item(call, &middlewares, &catalog_of(admin_self->graph)->middlewares, "middleware");
}

static const struct admin_route list = {
    .method = "GET",
    .path = "/api/http/middlewares",
    .summary = "The middlewares (Traefik's form); search, status, sortBy, direction, page, per_page.",
    .answer = list_middlewares};
REGISTER(admin_route, list);
static const struct admin_route one = {
    .method = "GET", .path = "/api/http/middlewares/{name}", .summary = "One middleware (Traefik's form).", .answer = show_middleware};
REGISTER(admin_route, one);
