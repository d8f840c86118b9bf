#include "admin/explain_way.h"

#include "base/text.h"
#include "base/time.h"
#include "exchange/chain.h"
#include "exchange/incoming.h"
#include "exchange/outgoing.h"
#include "proto/h1/parse.h"

#define HEAD_MAX ((size_t)16 << 20)

/* The request goes through the parser that reads real ones, so it is refused as they are. */
static enum status parse(struct way *way, const struct way_request *asked)
{
    struct exchange *x = &way->x;
    struct h1_head head = {.seen = 0};
    struct text text;
    bool has_host = false;
    for (size_t i = 0; i < asked->field_count; i++)
        has_host = has_host || str_starts_nocase(asked->fields[i], S("host:"));
    text_init(&text, HEAD_MAX);
    text_addf(&text, "%.*s %.*s HTTP/1.1\r\n", STR_ARGS(asked->method), STR_ARGS(asked->target));
    if (!has_host)
        text_addf(&text, "Host: %.*s\r\n", STR_ARGS(asked->authority));
    for (size_t i = 0; i < asked->field_count; i++)
        text_addf(&text, "%.*s\r\n", STR_ARGS(asked->fields[i]));
    text_add(&text, S("\r\n"));
    struct str bytes = arena_str(&x->arena, text_str(&text));
    text_release(&text);
    fields_init(&x->stream.request.fields, &x->arena, 24);
    fields_init(&x->stream.request.trailers, &x->arena, 0);
    x->stream.request.scheme = asked->tls ? S("https") : S("http");
    enum status status = h1_parse_request(bytes, &x->entry->limits, &x->stream.request, &head);
    return status == STATUS_AGAIN ? STATUS_BAD_REQUEST : status;
}

/* A port without TLS takes no request of https; where that ends in front of the proxy, its routers are the ones to look at. */
static const struct table *choose_table(const struct way *way)
{
    const struct entry *entry = way->x.entry;
    return way->client.tls && entry->tls != NULL ? entry->tls->table : entry->table;
}

/* Of those that were left out, the first that would match, if it came before the one that does. */
static const struct left_out *find_left_out(const struct way *way, const struct route_input *input)
{
    const struct entry *entry = way->x.entry;
    const struct table_entry *taken = way->explanation.found;
    const struct left_out *found = NULL;
    for (unsigned i = 0; i < entry->left_out_count; i++) {
        const struct left_out *it = &entry->left_out[i];
        bool is_before = (taken == NULL || it->rule.priority > taken->priority) &&
                         (found == NULL || it->rule.priority > found->rule.priority);
        if (is_before && it->secure == way->client.tls && explain_entry(&it->rule, input, way->x.stream.arena).matched)
            found = it;
    }
    return found;
}

static void find_router(struct way *way)
{
    struct exchange *x = &way->x;
    struct route_input input = {
        .request = &x->stream.request, .path = x->routing_path, .peer = &way->client.peer, .arena = &x->arena};
    way->explanation = explain(choose_table(way), &input, &x->arena);
    x->router = way->explanation.found != NULL ? way->explanation.found->router : NULL;
    if (x->router != NULL && x->router->extras->left_out != NULL) {
        way->left_out = x->router->extras->left_out;
        way->explanation.found = NULL;
        x->router = NULL;
        return;
    }
    way->left_out = find_left_out(way, &input);
    if (x->router == NULL && x->entry->only_tls && !way->client.tls)
        way->refused = STATUS_PLAIN_HTTP_ON_TLS;
}

/* A middleware that is not pure asks somebody, counts or waits: it is taken to let the request pass. */
static void pass_middlewares(struct way *way)
{
    if (chain_begin(&way->x))
        explain_pass(&way->x, &way->passed, &way->notes);
}

/* Where no rule fits, the sites are asked. */
static void find_site(struct way *way)
{
    struct exchange *x = &way->x;
    if (!explain_site(x, &way->site))
        return;
    const struct site_step *last = &way->site.steps[way->site.count - 1];
    way->passed = last->passed;
    if (x->failure != STATUS_OK && !x->answered_here)
        way->refused = x->failure;
    if (x->router != NULL && x->router->extras->left_out != NULL) {
        way->left_out = x->router->extras->left_out;
        x->router = NULL;
    }
}

/* The way from `service` down to the one with this name. */
static bool find_services(struct way *way, struct service *service, struct str name)
{
    if (way->service_count == WAY_SERVICES_MAX)
        return false;
    way->services[way->service_count++] = service;
    if (str_equal(service->name, name))
        return true;
    struct service *child;
    for (unsigned i = 0; (child = service_child(service, i)) != NULL; i++)
        if (find_services(way, child, name))
            return true;
    way->service_count--;
    return false;
}

/* Who hands on goes past those that are under maintenance, so it shows at the first service, or below where there is no other. */
static struct str in_maintenance(const struct service *service)
{
    if (service_in_maintenance(service))
        return service->name;
    struct service *child = service_child(service, 0);
    return child != NULL && service_child(service, 1) == NULL ? in_maintenance(child) : STR_NONE;
}

static void find_server(struct way *way, struct service *service)
{
    struct exchange *x = &way->x;
    const struct transport *transport = NULL;
    way->server = service_choose(service, x->worker, &x->client_ip, &transport);
    if (way->server == NULL || !find_services(way, service, way->server->service)) {
        way->service_count = 1;
        way->services[0] = service;
    }
    if (way->server == NULL) {
        way->maintenance = in_maintenance(service);
        return;
    }
    x->server = way->server;
    x->service = way->services[way->service_count - 1];
    const struct request *request = outgoing_address(x);
    if (request == NULL)
        return;
    struct str origin = way->server->unix_socket
                            ? arena_printf(&x->arena, "unix:%.*s:", STR_ARGS(way->server->host))
                            : arena_printf(&x->arena, "%.*s://%.*s", STR_ARGS(way->server->scheme), STR_ARGS(way->server->authority));
    way->url = arena_printf(&x->arena, "%.*s%.*s%s%.*s", STR_ARGS(origin), STR_ARGS(request->path),
                            request->query.data != NULL ? "?" : "", STR_ARGS(request->query));
    way->method = request->method_name;
    way->host = request->authority;
}

void way_find(struct way *way, struct worker *worker, struct graph *graph, struct entry *entry,
              const struct way_request *request)
{
    struct exchange *x = &way->x;
    memset(way, 0, sizeof(*way));
    arena_init(&x->arena, ARENA_UNLIMITED);
    way->client = (struct client){.peer = request->peer, .tls = request->tls};
    x->worker = worker;
    x->graph = graph;
    x->entry = entry;
    x->stream.client = &way->client;
    x->stream.arena = &x->arena;
    timer_init(&x->timer, NULL);
    way->refused = parse(way, request);
    if (way->refused == STATUS_OK)
        way->refused = incoming_prepare(x);
    if (way->refused != STATUS_OK)
        return;
    if (request->tls)
        explain_tls(graph, entry, x->stream.request.host, time_wall() / TIME_S, &x->arena, &way->tls);
    if (way->tls.refused)
        return;
    find_router(way);
    if (x->router != NULL)
        pass_middlewares(way);
    else if (way->left_out == NULL)
        find_site(way);
    if (x->router == NULL || x->answered_here || way->refused != STATUS_OK)
        return;
    if (router_in_maintenance(x->router, &x->client_ip))
        way->maintenance = x->router->name;
    else
        find_server(way, x->router->service);
}

void way_release(struct way *way)
{
    if (way->server != NULL)
        server_unref(way->server);
    arena_release(&way->x.arena);
}
