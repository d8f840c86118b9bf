/* GET /api/http/routers[/{name}] */
#include <inttypes.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/traefik.h"

static const struct router_config *config_of(const struct catalog_item *item)
{
    return item->config;
}

static struct str rule_of(const struct catalog_item *item)
{
    return item->config != NULL ? config_of(item)->rule : item->router != NULL ? item->router->about->rule : STR_NONE;
}

/* As it was written: "api", or "api@docker". */
static struct str service_of(const struct catalog_item *item)
{
    if (item->config != NULL)
        return config_of(item)->service;
    return item->router != NULL && item->router->service != NULL ? item->router->service->name : STR_NONE;
}

static int64_t priority_of(const struct catalog_item *item)
{
    if (item->router != NULL)
        return item->router->about->priority;
    const struct router_config *config = config_of(item);
    return config == NULL ? 0 : config->priority != 0 ? config->priority : (int64_t)config->rule.len;
}

/* Its own, else that of an entrypoint that it is on. */
static const struct router_tls *tls_of(const struct catalog_item *item)
{
    if (item->config != NULL && config_of(item)->tls != NULL)
        return config_of(item)->tls;
    const struct graph *graph = admin_self->graph;
    for (unsigned i = 0; item->config != NULL && i < graph->entry_count; i++)
        for (size_t j = 0; j < item->used.count && graph->entries[i]->config->http.tls != NULL; j++)
            if (str_equal(item->used.items[j], graph->entries[i]->name))
                return graph->entries[i]->config->http.tls;
    return NULL;
}

static void write_tls(const struct router_tls *tls, struct json *json)
{
    json_member_object(json, "tls");
    json_member_str(json, "options", tls->options.len != 0 ? tls->options : S("default"));
    if (tls->cert_resolver.len != 0)
        json_member_str(json, "certResolver", tls->cert_resolver);
    if (tls->domains.count != 0)
        json_member_array(json, "domains");
    for (size_t i = 0; i < tls->domains.count; i++) {
        const struct tls_domain *domain = tls->domains.items[i].value;
        json_open_object(json);
        json_member_str(json, "main", domain->main);
        traefik_strs(json, "sans", &domain->sans);
        json_end(json);
    }
    if (tls->domains.count != 0)
        json_end(json);
    json_end(json);
}

static void write_observability(const struct catalog_item *item, struct json *json)
{
    const struct router_observability *own = item->config != NULL ? config_of(item)->observability : NULL;
    json_member_object(json, "observability");
    json_member_bool(json, "accessLogs", own == NULL || own->access_logs);
    json_member_bool(json, "metrics", own == NULL || own->metrics);
    json_member_bool(json, "tracing", own == NULL || own->tracing);
    json_end(json);
}

static const char *syntax_of(const struct catalog_item *item)
{
    static const char *const texts[] = {[RULE_DEFAULT] = "default", [RULE_V3] = "v3", [RULE_V2] = "v2"};
    return texts[item->config != NULL ? config_of(item)->rule_syntax : RULE_DEFAULT];
}

void traefik_router_members(const struct catalog_item *item, struct json *json)
{
    const struct router_tls *tls = tls_of(item);
    const struct strs *asked = item->config != NULL ? &config_of(item)->entry_points : &item->used;
    traefik_strs(json, "entryPoints", item->used.count != 0 ? &item->used : asked);
    traefik_strs(json, "middlewares", &item->middlewares);
    json_member_str(json, "service", service_of(item));
    json_member_str(json, "rule", rule_of(item));
    json_member_text(json, "ruleSyntax", syntax_of(item));
    json_member_int(json, "priority", priority_of(item));
    if (tls != NULL)
        write_tls(tls, json);
    write_observability(item, json);
    traefik_item_state(item, "using", json);
}

static void write_router(const void *thing, struct json *json)
{
    const struct catalog_item *item = thing;
    char priority[24];
    int len = snprintf(priority, sizeof(priority), "%" PRId64, priority_of(item));
    json_open_object(json);
    traefik_router_members(item, json);
    traefik_item_names(item, json);
    /* JavaScript has no number as high as those of internal routers. */
    json_member_str(json, "priorityStr", str_of(priority, (size_t)len));
    json_end(json);
}

/* ---- lists ---- */

/* The service as it was written: where it names no provider, neither need who asks. */
static bool names_service(const struct catalog_item *item, struct str wanted)
{
    struct str service = service_of(item);
    ptrdiff_t at = str_find_char(wanted, '@', 0);
    if (str_find_char(service, '@', 0) >= 0 || at < 0)
        return str_equal(service, wanted);
    return str_equal(service, str_first(wanted, (size_t)at));
}

static bool names_middleware(const struct catalog_item *item, struct str wanted)
{
    for (size_t i = 0; i < item->middlewares.count; i++)
        if (str_equal(item->middlewares.items[i], wanted))
            return true;
    return false;
}

static bool fits(const void *thing, const struct traefik_query *query)
{
    const struct catalog_item *item = thing;
    return traefik_status_fits(catalog_status_text(item->status), query) &&
           (traefik_found(rule_of(item), query->search) || traefik_found(item->name, query->search)) &&
           (query->service.len == 0 || names_service(item, query->service)) &&
           (query->middleware.len == 0 || names_middleware(item, query->middleware));
}

static bool key(const void *thing, struct str sort_by, struct traefik_key *ret_key)
{
    const struct catalog_item *item = thing;
    if (str_equal(sort_by, S("priority")))
        ret_key->number = priority_of(item);
    else if (str_equal(sort_by, S("rule")))
        ret_key->text = rule_of(item);
    else if (str_equal(sort_by, S("service")))
        ret_key->text = service_of(item);
    else if (str_equal(sort_by, S("entryPoints")))
        ret_key->number = (int64_t)item->used.count;
    else
        return !str_equal(sort_by, S("type")) && traefik_item_key(thing, sort_by, ret_key);
    return true;
}

static const struct traefik_kind routers = {.name = traefik_item_name, .fits = fits, .key = key, .write = write_router};

static bool list_routers(struct admin_call *call)
{
    return traefik_items(call, &routers, &catalog_of(admin_self->graph)->routers);
}

static bool show_router(struct admin_call *call)
{
    return traefik_item(call, &routers, &catalog_of(admin_self->graph)->routers, "router");
}

static const struct admin_route list = {.method = "GET",
                                        .path = "/api/http/routers",
                                        .summary = "The routers (Traefik's form); search, status, serviceName, middlewareName, "
                                                   "sortBy, direction, page, per_page.",
                                        .answer = list_routers};
REGISTER(admin_route, list);
static const struct admin_route one = {
    .method = "GET", .path = "/api/http/routers/{name}", .summary = "One router (Traefik's form).", .answer = show_router};
REGISTER(admin_route, one);
