/* The API and the dashboard in the graph: the routers that `api.insecure` makes, who may be routed to by name, and a warning
 * where everybody gets in. */
#include "model/observability.h"
#include "snapshot/build.h"

#define SERVICES_MAX 64

/* ---- what `insecure` makes ---- */

static struct str below_base(struct build *build, struct str path)
{
    struct str base = build->model->config.api->base_path;
    while (str_ends(base, S("/")))
        base.len--;
    return arena_printf(&build->graph->arena, "PathPrefix(`%.*s%.*s`)", STR_ARGS(base), STR_ARGS(path));
}

static void add_router(struct build *build, struct entry_rules *rules, unsigned index, struct str name, struct str service,
                       struct str path, int64_t priority)
{
    struct router *router = build_add_router(build, name, below_base(build, path), priority, NULL);
    router->about->provider = S("internal");
    router->internal = true;
    router->service = build_service(build, service, S("internal"), SPAN_NONE);
    if (router->service == NULL)
        return;
    build_internal_rule(build, rules, index, router, false);
    if (build->graph->entries[index]->tls != NULL)
        build_internal_rule(build, rules, index, router, true);
}

static bool is_loopback(const struct entry *entry)
{
    sa_family_t family = entry->address.any.sa_family;
    struct ip ip = addr_ip(&entry->address);
    return family == AF_UNIX || ((family == AF_INET || family == AF_INET6) && ip_is_loopback(&ip));
}

/* Who listens on this machine alone has thought of it. */
static void warn_of_insecure(struct build *build, const struct entry *entry)
{
    const struct api_config *api = build->model->config.api;
    struct diag *diag = build->compile.diag;
    struct span span = node_span(node_get(api->origin, S("insecure")));
    if (is_loopback(entry))
        return;
    struct diag_item *item =
        diag_warning(diag, span, "api.insecure: everybody who reaches %.*s sees this configuration%s",
                     STR_ARGS(entry->address_text), api->writers.count != 0 ? ", and may change what api.writers allows" : "");
    diag_hint(diag, item, "a router of your own with 'service: api@internal' and basicAuth, or "
                          "'entryPoints.traefik.address: 127.0.0.1:%.*s'", STR_ARGS(entry->port_text));
}

/* With Traefik's priorities: behind /ping and /metrics, before whatever users route there. */
void build_api_routers(struct build *build, struct entry_rules *rules)
{
    const struct api_config *api = build->model->config.api;
    unsigned index;
    if (api == NULL || !api->insecure)
        return;
    const struct entry *entry = build_entry_named(build, S("traefik"), &index);
    if (entry == NULL)
        return;      /* it is always made; an address that is no good was reported */
    warn_of_insecure(build, entry);
    add_router(build, rules, index, S("api@internal"), S("api@internal"), S("/api"), INT64_MAX - 1);
    if (api->debug)
        add_router(build, rules, index, S("debug@internal"), S("api@internal"), S("/debug"), INT64_MAX - 1);
    if (api->dashboard)
        add_router(build, rules, index, S("dashboard@internal"), S("dashboard@internal"), S("/"), INT64_MAX - 2);
}

/* ---- internal services by name ---- */

static void suggest_internal(struct build *build, struct str name, struct diag_item *error)
{
    struct str candidates[SERVICES_MAX];
    size_t count = 0;
    REGISTRY_FOREACH(service_type, const struct service_type, it)
        if ((*it)->choice.table == NULL && count < SERVICES_MAX)
            candidates[count++] = str_from((*it)->choice.name);
    diag_suggest(build->compile.diag, error, name, candidates, count);
}

/* What has to be configured before a service can be routed to; NULL: nothing, or it is. */
static const char *what_is_missing(const struct config *config, struct str name)
{
    if (str_equal(name, S("api@internal")) && config->api == NULL)
        return "api: {}";
    if (str_equal(name, S("dashboard@internal")) && (config->api == NULL || !config->api->dashboard))
        return "api: {dashboard: true}";
    if (str_equal(name, S("prometheus@internal")) && (config->metrics == NULL || config->metrics->prometheus == NULL))
        return "metrics: {prometheus: {manualRouting: true}}";
    return NULL;
}

bool build_internal_is_there(struct build *build, struct str name, struct span span)
{
    struct diag *diag = build->compile.diag;
    const struct service_type *type = service_find(name);
    if (type == NULL || type->choice.table != NULL) {
        suggest_internal(build, name, diag_error(diag, span, "unknown internal service '%.*s'", STR_ARGS(name)));
        return false;
    }
    const char *missing = what_is_missing(&build->model->config, name);
    if (missing == NULL)
        return true;
    struct diag_item *error = diag_error(diag, span, "'%.*s' is routed to, but not switched on", STR_ARGS(name));
    diag_hint(diag, error, "add '%s' to the main configuration", missing);
    return false;
}

/* ---- who gets in ---- */

/* A rule may choose by address; whether it does so rightly is its author's business. */
static bool rule_chooses(struct str rule)
{
    for (size_t i = 0; i < rule.len; i++)
        if (str_starts_nocase(str_from_index(rule, i), S("ClientIP(")))
            return true;
    return false;
}

static bool chain_guards(const struct router *router)
{
    for (unsigned i = 0; i < router->chain_count; i++)
        if (router->chain[i]->type->guards)
            return true;
    return false;
}

static bool is_served(const struct build *build, struct str service)
{
    for (size_t i = 0; i < build->services.count; i++)
        if (str_equal(build->services.items[i]->name, service))
            return true;
    return false;
}

static void watch_ways_to_api(struct build *build, const struct api_config *api)
{
    struct diag *diag = build->compile.diag;
    bool has_dashboard = is_served(build, S("dashboard@internal"));
    if (is_served(build, S("api@internal")))
        return;
    struct diag_item *item =
        has_dashboard ? diag_warning(diag, node_span(api->origin), "no router leads to api@internal, which the dashboard asks")
                      : diag_warning(diag, node_span(api->origin), "the API is switched on, but no router leads to it");
    diag_hint(diag, item, "%s", has_dashboard ? "let the dashboard's router have 'service: api@internal': it serves both"
                                              : "a router with 'service: api@internal', or 'insecure: true' on an entrypoint 'traefik' of this machine alone");
}

void build_watch_unused(struct build *build)
{
    const struct config *config = &build->model->config;
    struct diag *diag = build->compile.diag;
    if (config->api != NULL && config->api->origin != NULL)      /* NULL: a file of the file provider is checked by itself */
        watch_ways_to_api(build, config->api);
    if (config->metrics != NULL && config->metrics->origin != NULL && config->metrics->prometheus == NULL && config->metrics->otlp == NULL) {
        struct diag_item *item = diag_warning(diag, node_span(config->metrics->origin), "'metrics' has no effect: nothing says who gets them");
        diag_hint(diag, item, "add 'prometheus: {}' or 'otlp: {}' to it");
    }
}

void build_watch_api(struct build *build, struct router *router, const struct entry *entry, const struct router_tls *tls)
{
    if (!str_equal(router->service->name, S("api@internal")) || is_loopback(entry) || chain_guards(router) ||
        rule_chooses(router->about->rule) || (tls != NULL && build_tls_asks_who(build, tls, router->about->provider)))
        return;
    struct diag *diag = build->compile.diag;
    struct span span = node_span(node_get(router->about->origin, S("service")));
    struct diag_item *item = diag_warning(diag, span, "everybody who reaches this router may read the whole configuration");
    diag_hint(diag, item, "let it have a middleware that asks who they are: basicAuth, forwardAuth or ipAllowList");
}
