/* Routers that nobody wrote: /ping, /metrics, HTTP-01, and the redirections of entrypoints. Those of the API are in api.c. */
#include "config/bind.h"
#include "snapshot/build.h"

struct entry *build_entry_named(struct build *build, struct str name, unsigned *ret_index)
{
    for (unsigned i = 0; i < build->graph->entry_count; i++)
        if (str_equal(build->graph->entries[i]->name, name)) {
            *ret_index = i;
            return build->graph->entries[i];
        }
    return NULL;
}

/* A router to a service of its own name, in front of all others of its entrypoint. */
struct internal_router {
    struct str name, rule, entry_point;
    const char *section;              /* of the options that ask for it, for messages */
    const struct node *origin;        /* of those options */
};

static void add_internal(struct build *build, struct entry_rules *rules, const struct internal_router *wanted)
{
    unsigned index;
    if (build_entry_named(build, wanted->entry_point, &index) == NULL) {
        diag_error(build->compile.diag, node_span(node_get(wanted->origin, S("entryPoint"))), "%s: unknown entrypoint '%.*s'",
                   wanted->section, STR_ARGS(wanted->entry_point));
        return;
    }
    struct router *router = build_add_router(build, wanted->name, wanted->rule, INT64_MAX, NULL);
    router->about->provider = S("internal");
    router->internal = true;
    router->service = build_service(build, wanted->name, S("internal"), SPAN_NONE);
    if (router->service == NULL)
        return;
    build_internal_rule(build, rules, index, router, false);
    if (build->graph->entries[index]->tls != NULL)
        build_internal_rule(build, rules, index, router, true);
}

static void add_ping(struct build *build, struct entry_rules *rules)
{
    const struct ping_config *ping = build->model->config.ping;
    if (ping != NULL && !ping->manual_routing)
        add_internal(build, rules,
                     &(struct internal_router){.name = S("ping@internal"),
                                               .rule = S("PathPrefix(`/ping`)"),
                                               .entry_point = ping->entry_point,
                                               .section = "ping",
                                               .origin = ping->origin});
}

static void add_prometheus(struct build *build, struct entry_rules *rules)
{
    const struct metrics_config *metrics = build->model->config.metrics;
    const struct prometheus_config *prometheus = metrics != NULL ? metrics->prometheus : NULL;
    if (prometheus != NULL && !prometheus->manual_routing)
        add_internal(build, rules,
                     &(struct internal_router){.name = S("prometheus@internal"),
                                               .rule = S("PathPrefix(`/metrics`)"),
                                               .entry_point = prometheus->entry_point,
                                               .section = "metrics.prometheus",
                                               .origin = prometheus->origin});
}

/* The port of the target: an entrypoint's by name, or ":8443". Empty when it is the scheme's own. */
static struct str target_port(struct build *build, const struct entrypoint_redirection *redirection, bool *ret_known)
{
    struct str port = redirection->to;
    unsigned index;
    *ret_known = true;
    if (str_starts(port, S(":"))) {
        port = str_from_index(port, 1);
    } else {
        const struct entry *target = build_entry_named(build, port, &index);
        *ret_known = target != NULL;
        port = target != NULL ? target->port_text : STR_NONE;
    }
    bool customary = str_equal(port, str_equal(redirection->scheme, S("https")) ? S("443") : S("80"));
    return customary ? STR_NONE : port;
}

/* The middleware is redirectScheme itself, so what it does is told once; its options are bound as a user's would be. */
static void add_redirection(struct build *build, struct entry_rules *rules, unsigned index,
                            const struct entrypoint_redirection *redirection)
{
    const struct entry *entry = build->graph->entries[index];
    struct arena *arena = &build->graph->arena;
    bool known;
    struct str port = target_port(build, redirection, &known);
    if (!known) {
        diag_error(build->compile.diag, node_span(node_get(redirection->origin, S("to"))), "unknown entrypoint '%.*s'",
                   STR_ARGS(redirection->to));
        return;
    }
    const struct middleware_type *type = middleware_find(S("redirectScheme"));
    struct node *options = node_new(arena, NODE_MAP, SPAN_NONE);
    node_set_text(node_make_path(arena, options, S("scheme"), SPAN_NONE), redirection->scheme, SPAN_NONE);
    node_set_text(node_make_path(arena, options, S("port"), SPAN_NONE), port, SPAN_NONE);
    node_set_text(node_make_path(arena, options, S("permanent"), SPAN_NONE), redirection->permanent ? S("true") : S("false"), SPAN_NONE);
    struct router *router =
        build_add_router(build, arena_printf(arena, "%.*s-redirect@internal", STR_ARGS(entry->name)),
                         S("HostRegexp(`^.*$`)"), redirection->priority, redirection->origin);
    router->about->provider = S("internal");
    router->service = build_service(build, S("noop@internal"), S("internal"), SPAN_NONE);
    void *bound = bind_new(type->choice.table, options, NULL, arena, build->compile.diag);
    if (router->service != NULL && build_internal_chain(build, router, type, bound))
        build_internal_rule(build, rules, index, router, false);
}

/* ---- HTTP-01 ---- */

/* Where the CA's requests come in: the entrypoint that is named; else those on port 80; else those without TLS. */
static bool takes_challenge(const struct build *build, const struct acme_http_challenge *challenge, const struct entry *entry)
{
    const struct graph *graph = build->graph;
    if (challenge != NULL && challenge->entry_point.len != 0)
        return str_equal(entry->name, challenge->entry_point);
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (addr_port(&graph->entries[i]->address) == 80)
            return addr_port(&entry->address) == 80;
    return entry->tls == NULL && !str_equal(entry->name, S("traefik"));
}

static bool uses_http_challenge(const struct acme_config *acme)
{
    return acme->http_challenge != NULL || (acme->tls_challenge == NULL && acme->dns_challenge == NULL);
}

static bool resolver_takes(struct build *build, const struct acme_config *acme, const struct entry *entry)
{
    return acme != NULL && uses_http_challenge(acme) && takes_challenge(build, acme->http_challenge, entry);
}

static bool wants_challenges(struct build *build, const struct entry *entry)
{
    const struct config *config = &build->model->config;
    if (config->automatic_https != NULL && takes_challenge(build, NULL, entry))
        return true;
    for (size_t i = 0; i < config->certificates_resolvers.count; i++) {
        const struct resolver_config *resolver = config->certificates_resolvers.items[i].value;
        if (resolver_takes(build, resolver->acme, entry))
            return true;
    }
    return false;
}

static void check_challenge_entries(struct build *build)
{
    const struct objects *resolvers = &build->model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++) {
        const struct resolver_config *resolver = resolvers->items[i].value;
        const struct acme_http_challenge *challenge = resolver->acme != NULL ? resolver->acme->http_challenge : NULL;
        unsigned index;
        if (challenge != NULL && challenge->entry_point.len != 0 && build_entry_named(build, challenge->entry_point, &index) == NULL)
            diag_error(build->compile.diag, node_span(node_get(challenge->origin, S("entryPoint"))),
                       "unknown entrypoint '%.*s'", STR_ARGS(challenge->entry_point));
    }
}

/* In front of everything, redirections too; behind everything where the entrypoint leaves the path to routers. */
static void add_challenges(struct build *build, struct entry_rules *rules, unsigned index)
{
    const struct entry *entry = build->graph->entries[index];
    int64_t priority = entry->config->allow_acme_bypass ? INT64_MIN : INT64_MAX;
    struct router *router = build_add_router(build, S("acme-http@internal"), S("PathPrefix(`/.well-known/acme-challenge/`)"),
                                             priority, NULL);
    router->about->provider = S("internal");
    router->internal = true;
    router->service = build_service(build, S("acme-http@internal"), S("internal"), SPAN_NONE);
    if (router->service != NULL)
        build_internal_rule(build, rules, index, router, false);
}

void build_internal_routers(struct build *build, struct entry_rules *rules)
{
    add_ping(build, rules);
    add_prometheus(build, rules);
    build_api_routers(build, rules);
    check_challenge_entries(build);
    for (unsigned i = 0; i < build->graph->entry_count; i++) {
        if (wants_challenges(build, build->graph->entries[i]))
            add_challenges(build, rules, i);
        const struct entrypoint_redirections *redirections = build->graph->entries[i]->config->http.redirections;
        if (redirections != NULL && redirections->entry_point != NULL)
            add_redirection(build, rules, i, redirections->entry_point);
    }
}
