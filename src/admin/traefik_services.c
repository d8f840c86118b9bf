/* GET /api/http/services[/{name}] */
#include "admin/admin.h"
#include "admin/traefik.h"
#include "base/time.h"
#include "config/view.h"
#include "service/load_balancer.h"

static const struct load_balancer_config *load_balancer_of(const struct catalog_item *item)
{
    const struct service_config *config = item->config;
    bool is_one = config != NULL && config->type.type != NULL && config->type.type->table == &load_balancer_table;
    return is_one ? config->type.value : NULL;
}

static struct server *server_named(const struct target_set *targets, struct str url)
{
    for (unsigned i = 0; i < targets->count; i++)
        if (str_equal(targets->items[i].server->url, url))
            return targets->items[i].server;
    return NULL;
}

/* One that is well of those that a name stands for, else any. */
static struct server *server_called(const struct target_set *targets, struct str url, int64_t now)
{
    struct server_url parts;
    struct server *found = NULL;
    if (server_url_parse(url, &parts) != NULL)
        return NULL;
    for (unsigned i = 0; i < targets->count; i++) {
        struct server *server = targets->items[i].server;
        if (server->called && str_equal(server->authority, parts.authority) && (found == NULL || server_takes_sticky(server, now)))
            found = server;
    }
    return found;
}

/* The server behind the index-th URL of the configuration: targets keep its order but for those that are named twice. */
static struct server *server_behind(const struct target_set *targets, const struct load_balancer_config *config, size_t index,
                                    int64_t now)
{
    const struct server_config *item = config->servers.items[index].value;
    struct str url = item->preserve_path ? item->url : server_url_origin(item->url);
    while (str_ends(url, S("/")) && item->preserve_path)
        url.len--;
    if (index < targets->count && str_equal(targets->items[index].server->url, url))
        return targets->items[index].server;
    struct server *server = server_named(targets, url);
    return server != NULL ? server : server_called(targets, url, now);
}

/* UP or DOWN for each URL as it was written; a server that only drains is up. */
static void write_states(const struct catalog_item *item, const struct load_balancer_config *config, struct json *json)
{
    const struct target_set *targets = load_balancer_targets(item->service);
    int64_t now = time_monotonic();
    if (config->servers.count == 0)
        return;
    json_member_object(json, "serverStatus");
    for (size_t i = 0; i < config->servers.count; i++) {
        const struct server *server = server_behind(targets, config, i, now);
        json_key(json, ((const struct server_config *)config->servers.items[i].value)->url);
        json_str(json, server != NULL && server_takes_sticky(server, now) ? S("UP") : S("DOWN"));
    }
    json_end(json);
}

void traefik_service_members(const struct catalog_item *item, struct json *json)
{
    const struct service_config *config = item->config;
    const struct load_balancer_config *lb = load_balancer_of(item);
    if (config != NULL && config->type.type != NULL) {
        json_key(json, str_from(config->type.type->name));
        view_object(config->type.type->table, config->type.value, VIEW_FILLED, json);
        traefik_strs(json, "middlewares", &config->middlewares);
    }
    traefik_item_state(item, "usedBy", json);
    if (lb != NULL && item->service != NULL)
        write_states(item, lb, json);
}

static void write_service(const void *thing, struct json *json)
{
    json_open_object(json);
    traefik_service_members(thing, json);
    traefik_item_names(thing, json);
    json_end(json);
}

static bool key(const void *thing, struct str sort_by, struct traefik_key *ret_key)
{
    if (!str_equal(sort_by, S("servers")))
        return traefik_item_key(thing, sort_by, ret_key);
    const struct load_balancer_config *lb = load_balancer_of(thing);
    ret_key->number = lb != NULL ? (int64_t)lb->servers.count : 0;
    return true;
}

static const struct traefik_kind services = {
    .name = traefik_item_name, .fits = traefik_item_fits, .key = key, .write = write_service};

static bool list_services(struct admin_call *call)
{
    return traefik_items(call, &services, &catalog_of(admin_self->graph)->services);
}

static bool show_service(struct admin_call *call)
{
    return traefik_item(call, &services, &catalog_of(admin_self->graph)->services, "service");
}

static const struct admin_route list = {
    .method = "GET",
    .path = "/api/http/services",
    .summary = "The services (Traefik's form); search, status, sortBy, direction, page, per_page.",
    .answer = list_services};
REGISTER(admin_route, list);
static const struct admin_route one = {.method = "GET",
                                       .path = "/api/http/services/{name}",
                                       .summary = "One service with the state of its servers (Traefik's form).",
                                       .answer = show_service};
REGISTER(admin_route, one);
