/* A container's services, and the container as their server: its port, its address, whether it takes requests.
 *
 * Labels write one server, `loadbalancer.server.port`; it is taken out of the service, so that replicas define the same service
 * and each adds itself. `servers[n].url` names others, as in a file; then the container is none, unless `server` is given too. */
#include "config/bind.h"
#include "provider/docker/finding.h"
#include "provider/docker/readiness.h"
#include "provider/docker/tree.h"

struct server_labels {
    const struct node *origin;
    int64_t port, weight;
    struct str scheme, url;
    bool preserve_path, drain;
};

static const char *check_scheme(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    bool known = str_equal(text, S("http")) || str_equal(text, S("https")) || str_equal(text, S("h2c"));
    return known ? NULL : "is no scheme of a server: http, https, h2c";
}

static const struct option server_options[] = {
    OPTION(INT, struct server_labels, port, .min = 1, .max = 65535, .help = "The container's port; none: the lowest that it exposes."),
    OPTION(STR, struct server_labels, scheme, .fallback = "http", .check = check_scheme, .help = "http, https or h2c."),
    OPTION(STR, struct server_labels, url, .check = server_url_check, .help = "Instead of the container's address."),
    OPTION(INT, struct server_labels, weight, .fallback = "1", .min = 0, .max = BALANCER_WEIGHT_MAX, .help = "Its share."),
    OPTION_NAMED(BOOL, struct server_labels, preserve_path, "preservePath", .help = "Put the URL's path in front of each request's."),
    OPTION(BOOL, struct server_labels, drain, .help = "No new requests but those of clients that stick to it."),
};
static const struct option_table server_table =
    OPTION_TABLE(struct server_labels, server_options, .summary = "The container as a server.");

struct offering {
    struct finding *finding;
    struct candidate *candidate;
    struct node *service;
    bool well;
    bool quiet;                          /* nobody asked for this service: what it lacks is nobody's mistake */
};

static struct arena *arena_of(const struct offering *o)
{
    return o->finding->arena;
}

static void leave_out(const struct offering *o, struct str reason, struct str hint, struct span span)
{
    struct arena *arena = arena_of(o);
    if (o->quiet || candidate_broken(o->candidate, o->service) != NULL)
        return;
    struct str whole = str_empty(hint) ? reason : arena_printf(arena, "%.*s: %.*s", STR_ARGS(reason), STR_ARGS(hint));
    candidate_break(o->candidate, o->service, whole, span, arena);
    candidate_tell(o->candidate, o->candidate->labelled, reason, hint);
    o->candidate->services_out++;
}

/* It takes requests. */
static void add_server(const struct offering *o, const struct node *node, const struct server_config *config)
{
    struct own_server *server = arena_new(arena_of(o), struct own_server);
    server->service = o->service;
    server->node = node;
    server->config = arena_new(arena_of(o), struct server_config);
    *server->config = *config;
    server->config->leaving = o->candidate->container->stopping;
    *o->candidate->last_server = server;
    o->candidate->last_server = &server->next;
}

/* What is to be probed, and what leaves when its container is told to stop. */
static void note_server(const struct offering *o, struct str address, struct str url)
{
    candidate_add(&o->candidate->found->servers, url, arena_of(o));
    VEC_PUSH(&o->finding->servers, (struct discovered_server){.container_id = o->candidate->found->id,
                                                             .address = address,
                                                             .url = url,
                                                             .running = !str_empty(address)});
}

/* Is it to be asked at this address? Says at the candidate why not. */
static bool is_open(const struct offering *o, const struct reach *reach, struct str address, bool guessed)
{
    const struct discovery *discovery = o->finding->discovery;
    struct candidate *candidate = o->candidate;
    /* Our own ports are bound a moment after the first reading. */
    bool asked = discovery->port_of != NULL && !reach->by_name && !finding_is_self(o->finding, candidate);
    enum port_answer answer =
        asked ? discovery->port_of(discovery->owner, candidate->container->id, address) : PORT_OPEN;
    if (!o->well || o->quiet)
        return o->well && answer == PORT_OPEN;
    if (answer != PORT_OPEN)
        readiness_tell_port(candidate, answer, reach, guessed, arena_of(o));
    if (!str_empty(reach->reason) && (reach->told || !asked))
        candidate_tell(candidate, reach->told ? reach->mistake : !reach->by_name, reach->reason, reach->hint);
    return answer == PORT_OPEN;
}

/* The container itself, at its own address. */
static void offer_container(const struct offering *o, struct node *node, const struct server_labels *labels, uint16_t port)
{
    struct arena *arena = arena_of(o);
    const struct node *written = node_get(node, S("port"));
    if (!readiness_runs(o->candidate->container))
        return;
    struct reach reach = network_reach(o->finding->discovery, o->candidate, port, arena);
    if (str_empty(reach.host)) {
        if (!o->quiet)
            candidate_tell(o->candidate, o->candidate->labelled, reach.reason, reach.hint);
        return;
    }
    struct str authority = network_authority(&reach, arena);
    struct str url = arena_printf(arena, "%.*s://%.*s", STR_ARGS(labels->scheme), STR_ARGS(authority));
    note_server(o, reach.by_name ? S("") : authority, url);
    if (!is_open(o, &reach, authority, written == NULL))
        return;
    tree_add_text(arena, node, S("url"), url, written != NULL ? node_span(written) : o->service->key_span);
    add_server(o, node, &(struct server_config){.origin = node,
                                                .url = url,
                                                .weight = labels->weight,
                                                .preserve_path = labels->preserve_path,
                                                .drain = labels->drain});
}

static uint16_t port_of(const struct offering *o, const struct server_labels *labels)
{
    const struct container *container = o->candidate->container;
    return labels->port != 0 ? (uint16_t)labels->port : container->port_count != 0 ? container->ports[0] : 0;
}

/* By `server.url`: somewhere else. */
static void offer_url(const struct offering *o, const struct node *node, const struct server_labels *labels)
{
    if (node_get(node, S("port")) != NULL || node_get(node, S("scheme")) != NULL) {
        leave_out(o, S("'server.url' goes without 'server.port' and 'server.scheme'"), STR_NONE, node_span(node_get(node, S("url"))));
        return;
    }
    note_server(o, S(""), labels->url);
    if (o->well)
        add_server(o, node, &(struct server_config){.origin = node,
                                                    .url = labels->url,
                                                    .weight = labels->weight,
                                                    .preserve_path = labels->preserve_path,
                                                    .drain = labels->drain});
}

/* False: a mistake, for which the service is left out. */
static bool bind_part(const struct offering *o, const struct option_table *table, const struct node *node, void *value)
{
    struct diag own;
    struct span span;
    diag_init(&own, arena_of(o));
    diag_enter(&own, o->service->key_span, "in service '%.*s'", STR_ARGS(o->service->key));
    bind_object(table, node, value, NULL, arena_of(o), &own);
    diag_leave(&own);
    struct str mistake = candidate_carry(&own, o->finding->diag, &span);
    if (str_empty(mistake))
        return true;
    leave_out(o, mistake, STR_NONE, span);
    return false;
}

static void offer_server(const struct offering *o, struct node *node)
{
    struct server_labels labels;
    if (!bind_part(o, &server_table, node, &labels))
        return;
    if (!str_empty(labels.url)) {
        offer_url(o, node, &labels);
        return;
    }
    uint16_t port = port_of(o, &labels);
    if (port != 0) {
        offer_container(o, node, &labels, port);
        return;
    }
    leave_out(o, S("port is missing: the container exposes none"),
              arena_printf(arena_of(o), "the label traefik.http.services.%.*s.loadbalancer.server.port=8000 says where it listens",
                           STR_ARGS(o->service->key)),
              o->service->key_span);
}

/* servers[n]: as they are written. */
static void offer_list(const struct offering *o, const struct node *list)
{
    const struct option_table *table = option_find(&load_balancer_table, S("servers"))->table;
    size_t count = list->kind == NODE_LIST ? list->count : 1;
    const struct node *it = list->kind == NODE_LIST ? list->first : list;
    for (; count > 0; count--, it = it->next) {
        struct server_config config;
        if (!bind_part(o, table, it, &config))
            return;
        note_server(o, S(""), config.url);
        if (o->well)
            add_server(o, it, &config);
    }
}

static struct node *map_of(const struct offering *o, struct node *parent, struct str key)
{
    struct node *node = node_make_member(arena_of(o), parent, key, parent->key_span);
    if (node != NULL && (node->kind == NODE_NULL || (node->kind == NODE_SCALAR && str_equal_nocase(node->text, S("true")))))
        node_become(node, NODE_MAP);
    return node;
}

static void read_service(const struct offering *o)
{
    struct node *balancer = node_get(o->service, S("loadBalancer"));
    const struct node *stray = node_get(o->service, S("server"));
    if (balancer == NULL && stray != NULL) {
        o->candidate->services++;
        struct diag_item *item = diag_error(o->finding->diag, stray->key_span, "unknown option 'server'");
        diag_hint(o->finding->diag, item, "did you mean 'loadBalancer.server'?");
        leave_out(o, S("unknown option 'server'"), S("did you mean 'loadBalancer.server'?"), stray->key_span);
        return;
    }
    if (balancer == NULL)
        return;
    balancer = map_of(o, o->service, S("loadBalancer"));
    if (balancer->kind != NODE_MAP)
        return;
    o->candidate->services += !o->quiet;
    struct node *server = node_take(balancer, S("server")), *list = node_take(balancer, S("servers"));
    if (list != NULL)
        offer_list(o, list);
    if (server == NULL && list == NULL) {
        server = node_new(arena_of(o), NODE_MAP, SPAN_NONE);
        server->key_span = balancer->key_span;
    }
    if (server != NULL)
        offer_server(o, server);
}

/* The service that a container gets by itself. */
static void make_own(struct finding *finding, struct candidate *candidate, struct node *section)
{
    struct arena *arena = finding->arena;
    struct node *service = node_new(arena, NODE_MAP, SPAN_NONE);
    service->key = candidate->name;
    service->key_span = candidate_own_span(candidate, STR_NONE, candidate->name, arena);
    struct node *balancer = node_new(arena, NODE_MAP, SPAN_NONE);
    balancer->key = S("loadBalancer");
    balancer->key_span = service->key_span;
    node_append(service, balancer);
    node_append(section, service);
    candidate->own_service = service;
}

void services_read(struct finding *finding, struct candidate *candidate, bool well)
{
    struct node *section = candidate_section(candidate, S("services"), finding->arena);
    bool quiet = false;
    if (section->count == 0) {
        quiet = !routers_want_own_service(candidate);
        make_own(finding, candidate, section);
    }
    NODE_FOREACH(section, service) {
        struct offering offering = {finding, candidate, service, well, quiet};
        if (service->kind == NODE_MAP)
            read_service(&offering);
    }
}
