/* forward: goes about another service's servers in a way of its own (connections, when the next server is asked), or to a host that
 * only the request tells (proxyPass.url): a service that is known by that host, an address, or a name that is looked up then. */
#include "base/rand.h"
#include "exchange/forwarding.h"
#include "exchange/outgoing_url.h"
#include "exchange/service.h"
#include "exchange/text_template.h"
#include "service/load_balancer.h"
#include "service/name_resolver.h"

struct forward_config {
    const struct node *origin;
    struct str service, servers_transport, local_address;
    struct strmap services;
    struct retries_config *retries;
    struct name_resolver_config *resolver;
};

struct forward_known {
    struct str origin;                /* "http://backend" */
    struct service *service;
};

struct forward {
    struct service *service;          /* NULL: by the request's URL */
    struct forward_known *known;
    unsigned known_count;
    struct forwarding forwarding;
    const struct text_template *local_address;      /* NULL: as the transport says */
    struct lookup_rule rule;
};

static const struct option options[] = {
    OPTION(STR, struct forward_config, service, .help = "The service that requests go to; none: where proxyPass.url leads."),
    OPTION(STRMAP, struct forward_config, services,
           .help = "Services by the beginning of such a URL: \"http://backend\" to a service; hosts beside them are addresses or names."),
    OPTION_NAMED(STR, struct forward_config, servers_transport, "serversTransport",
                 .help = "How connections are made, instead of what the service says."),
    OPTION(OBJECT, struct forward_config, retries, .table = &retries_table, .help = "When another server is asked."),
    OPTION_NAMED(STR, struct forward_config, local_address, "localAddress",
                 .help = "The address that connections are made from, with variables; empty, or none at all: as the transport says."),
    OPTION(OBJECT, struct forward_config, resolver, .table = &name_resolver_table, .help = "Who is asked for names that a URL has."),
};
static const struct option_table table = OPTION_TABLE(struct forward_config, options, .summary = "Goes about a service in a way of its own.");

/* ---- compiling ---- */

static bool compile_children(struct forward *forward, const struct forward_config *config, struct compile *compile)
{
    if (!str_empty(config->service)) {
        forward->service = compile_service(compile, config->service, node_span(node_get(config->origin, S("service"))));
        return forward->service != NULL;
    }
    forward->known = arena_array(compile->arena, struct forward_known, config->services.count);
    for (size_t i = 0; i < config->services.count; i++) {
        const struct strmap_item *item = &config->services.items[i];
        struct service *service = compile_service(compile, item->value, node_span(node_get(config->origin, S("services"))));
        if (service == NULL)
            return false;
        forward->known[forward->known_count++] = (struct forward_known){item->name, service};
    }
    return true;
}

/* A URL that is not known yet may be one of https. */
static bool compile_connections(struct service *service, const struct forward_config *config, struct compile *compile)
{
    struct forward *forward = service->state;
    struct span span = node_span(node_get(config->origin, S("serversTransport")));
    const struct transport *transport = compile_transport(compile, config->servers_transport, span);
    if (transport == NULL)
        return false;
    service->transport = transport;
    if (forward->service != NULL && str_empty(config->servers_transport))
        return true;
    forward->forwarding.transport = transport;
    bool secure = forward->service != NULL ? load_balancer_needs_tls(forward->service) : true;
    return !secure || compile_secure(compile, transport);
}

static bool compile_forward(struct service *service, struct compile *compile)
{
    const struct forward_config *config = service->options;
    struct forward *forward = service->state;
    if (!compile_children(forward, config, compile) || !compile_connections(service, config, compile))
        return false;
    forward->forwarding.retries = retries_compile(config->retries, compile);
    forward->rule = name_resolver_compile(config->resolver, compile);
    if (str_empty(config->local_address))
        return true;
    forward->local_address = text_template_new(config->local_address, compile, node_span(node_get(config->origin, S("localAddress"))));
    return forward->local_address != NULL;
}

/* ---- to a host that the request tells ---- */

struct wait_for_name {
    struct pending pending;
    struct lookup lookup;
    struct exchange *x;
    bool told;
    struct lookup_answer answer;      /* in the exchange's arena */
};

static void abandon(struct pending *pending)
{
    lookup_cancel(&container_of(pending, struct wait_for_name, pending)->lookup);
}

static void on_found(struct lookup *lookup, const struct lookup_answer *answer)
{
    struct wait_for_name *wait = container_of(lookup, struct wait_for_name, lookup);
    wait->told = true;
    wait->answer = *answer;
    exchange_resume(wait->x);
}

static enum pick_result fail(struct exchange *x, enum status status)
{
    x->failure = status;
    return PICK_NONE;
}

struct kept_server {
    struct keepsake keepsake;
    struct server *server;
};

static void let_go_of_server(struct keepsake *keepsake)
{
    server_unref(container_of(keepsake, struct kept_server, keepsake)->server);
}

/* A server that no configuration names: the exchange holds it. */
static enum pick_result use_address(struct exchange *x, struct service *service, struct str url, unsigned index)
{
    struct kept_server *kept = arena_alloc(&x->arena, sizeof(*kept));
    struct server *server = kept != NULL ? server_get(service->name, url) : NULL;
    if (server == NULL)
        return fail(x, kept != NULL ? STATUS_UPSTREAM_UNRESOLVED : STATUS_OUT_OF_MEMORY);
    *kept = (struct kept_server){.keepsake = {.release = let_go_of_server}, .server = server};
    exchange_keep(x, &kept->keepsake);
    exchange_use_server(x, server, index);
    return PICK_SERVER;
}

/* In turn from the first one on. */
static enum pick_result use_one_of(struct exchange *x, struct service *service, const struct lookup_place *places, unsigned count,
                                   unsigned first)
{
    char text[IP_TEXT_SIZE];
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (first + i) % count;
        if ((x->tried >> at & 1) != 0)
            continue;
        size_t length = ip_format(&places[at].ip, text);
        bool v4 = ip_is_v4(&places[at].ip);
        struct str url = arena_printf(&x->arena, "%.*s://%s%.*s%s:%u", STR_ARGS(x->url->scheme), v4 ? "" : "[", (int)length, text,
                                      v4 ? "" : "]", x->url->port_number);
        return use_address(x, service, url, at);
    }
    return fail(x, x->failure != STATUS_OK ? x->failure : STATUS_UPSTREAM_UNRESOLVED);
}

/* Servers order their answers anew each time: a fresh one is taken as it comes, from one that is remembered anything. */
static enum pick_result use_answer(struct exchange *x, struct service *service, const struct lookup_answer *answer, bool fresh)
{
    if (answer->count == 0)
        x->reason_detail = answer->error;
    return use_one_of(x, service, answer->places, answer->count, fresh || answer->count == 0 ? 0 : rand_below(answer->count));
}

/* Called again: the name is known now, or the patience with it is over. */
static enum pick_result go_on(struct exchange *x, struct service *service)
{
    const struct wait_for_name *wait = container_of(x->pending, struct wait_for_name, pending);
    x->pending->abandon(x->pending);
    x->pending = NULL;
    if (wait->told)
        return use_answer(x, service, &wait->answer, true);
    x->reason_detail = "DNS did not answer in time";
    return fail(x, STATUS_UPSTREAM_UNRESOLVED);
}

static enum pick_result look_up(struct exchange *x, struct service *service, struct str host)
{
    const struct forward *forward = service->state;
    struct lookup_answer answer;
    if (x->pending != NULL)
        return go_on(x, service);
    struct wait_for_name *wait = arena_alloc(&x->arena, sizeof(*wait));
    if (wait == NULL)
        return fail(x, STATUS_OUT_OF_MEMORY);
    *wait = (struct wait_for_name){.pending = {.abandon = abandon}, .lookup = {.done = on_found}, .x = x};
    enum status status = lookup_begin(upstream_lookups(x->worker), &forward->rule, host, STR_NONE, &wait->lookup, &answer);
    if (status == STATUS_OK)
        return use_answer(x, service, &answer, false);
    if (status != STATUS_AGAIN)
        return fail(x, status);
    x->pending = &wait->pending;
    exchange_wait(x, forward->rule.timeout);
    return PICK_WAIT;
}

static enum pick_result pick_by_url(struct exchange *x, struct service *service)
{
    const struct forward *forward = service->state;
    const struct outgoing_url *url = x->url;
    struct lookup_place place = {.port = 0};
    if (url == NULL)
        return fail(x, STATUS_NO_SERVICE);
    for (unsigned i = 0; i < forward->known_count; i++) {
        if (!str_equal_nocase(forward->known[i].origin, url->origin))
            continue;
        exchange_use_service(x, forward->known[i].service);
        return PICK_SERVICE;
    }
    if (url->unix_socket)
        return x->tried != 0 ? fail(x, x->failure) : use_address(x, service, arena_concat(&x->arena, S("unix:"), url->host), 0);
    struct str host = url->host;
    if (host.len > 2 && host.data[0] == '[')
        host = str_of(host.data + 1, host.len - 2);
    return ip_parse(host, &place.ip) ? use_one_of(x, service, &place, 1, 0) : look_up(x, service, host);
}

/* A transport like the usual one, but from an address that the request tells. */
static const struct forwarding *bound_forwarding(struct exchange *x, const struct service *service, struct str local)
{
    const struct forward *forward = service->state;
    struct sock_from *from = arena_zalloc(&x->arena, sizeof(*from));
    struct transport *transport = arena_alloc(&x->arena, sizeof(*transport));
    struct forwarding *forwarding = arena_alloc(&x->arena, sizeof(*forwarding));
    if (from == NULL || transport == NULL || forwarding == NULL || !addr_parse_local(local, &from->addr))
        return &forward->forwarding;
    from->transparent = service->transport->transparent;
    if (service->transport->from != NULL) {
        from->keep_alive = service->transport->from->keep_alive;
        memcpy(from->congestion, service->transport->from->congestion, sizeof(from->congestion));
    }
    *transport = *service->transport;
    transport->from = from;
    transport->from_identity = server_stable_hash(local);
    *forwarding = forward->forwarding;
    forwarding->transport = transport;
    return forwarding;
}

static enum pick_result pick(struct exchange *x, struct service *service)
{
    const struct forward *forward = service->state;
    if (x->forwarding == NULL) {
        struct str local = forward->local_address != NULL ? text_template_text(forward->local_address, x) : STR_NONE;
        x->forwarding = local.len != 0 ? bound_forwarding(x, service, local) : &forward->forwarding;
    }
    if (forward->service == NULL)
        return pick_by_url(x, service);
    exchange_use_service(x, forward->service);
    return PICK_SERVICE;
}

/* A name may have further addresses; those that the last answer had are known. */
static bool has_another(struct exchange *x, const struct forward *forward)
{
    if (x->url == NULL || x->url->unix_socket)
        return false;
    struct lookup_answer answer = lookup_last(upstream_lookups(x->worker), &forward->rule, x->url->host, STR_NONE);
    for (unsigned i = 0; i < answer.count; i++)
        if ((x->tried >> i & 1) == 0)
            return true;
    return false;
}

static bool refuses(struct exchange *x, struct service *service)
{
    unsigned reason = retry_on_status(x->response.status);
    return x->service == service && reason != 0 && x->forwarding != NULL && x->forwarding->retries != NULL &&
           retries_allow(x, reason) && has_another(x, service->state);
}

static bool is_ready(const struct service *service, int64_t now)
{
    const struct forward *forward = service->state;
    return forward->service == NULL || service_is_ready(forward->service, now);
}

static struct server *choose_server(struct service *service, struct worker *worker, const struct ip *client,
                                    const struct transport **ret_transport)
{
    const struct forward *forward = service->state;
    struct server *server = forward->service != NULL ? service_choose(forward->service, worker, client, ret_transport) : NULL;
    if (server != NULL && forward->forwarding.transport != NULL)
        *ret_transport = forward->forwarding.transport;
    return server;
}

static struct service *child(const struct service *service, unsigned index)
{
    const struct forward *forward = service->state;
    if (forward->service != NULL)
        return index == 0 ? forward->service : NULL;
    return index < forward->known_count ? forward->known[index].service : NULL;
}

static const struct service_type forward_type = {
    .choice = {.name = "forward", .summary = "Goes about a service in a way of its own.", .table = &table},
    .state_size = sizeof(struct forward),
    .compile = compile_forward,
    .pick = pick,
    .is_ready = is_ready,
    .refuses = refuses,
    .choose = choose_server,
    .child = child,
};
REGISTER(service_type, forward_type);
