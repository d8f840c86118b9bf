/* GET /api/tcp/... and /api/udp/...: the model has routers of HTTP alone, so all lists are empty and no name is known. */
#include "admin/traefik.h"

static const struct traefik_kind nothing = {.name = traefik_item_name};

static bool list_nothing(struct admin_call *call)
{
    return traefik_list(call, &nothing, NULL, 0);
}

static bool show_nothing(struct admin_call *call)
{
    const char *what = str_find(call->path, S("/routers/")) >= 0     ? "router"
                       : str_find(call->path, S("/services/")) >= 0 ? "service"
                                                                     : "middleware";
    return admin_refuse(call, 404, "%s not found: %.*s", what, STR_ARGS(call->parameters[0]));
}

#define PAIR(kind, where, what) \
    static const struct admin_route kind##_list = { \
        .method = "GET", .path = where, .summary = "The " what "s: none.", .answer = list_nothing}; \
    REGISTER(admin_route, kind##_list); \
    static const struct admin_route kind##_one = { \
        .method = "GET", .path = where "/{name}", .summary = "One " what ": none.", .answer = show_nothing}; \
    REGISTER(admin_route, kind##_one)

PAIR(tcp_routers, "/api/tcp/routers", "TCP router");
PAIR(tcp_services, "/api/tcp/services", "TCP service");
PAIR(tcp_middlewares, "/api/tcp/middlewares", "TCP middleware");
PAIR(udp_routers, "/api/udp/routers", "UDP router");
PAIR(udp_services, "/api/udp/services", "UDP service");
