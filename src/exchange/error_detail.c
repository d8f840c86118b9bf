/* What a developer wants to know of a request that failed. Nothing of it is for strangers. */
#include "exchange/advice.h"
#include "exchange/error_page.h"
#include "exchange/graph.h"
#include "exchange/middleware.h"
#include "exchange/service.h"
#include "route/explain.h"

#define TRIED_MAX 20              /* routers that are shown */
#define EXPLAINED_MAX 1000        /* routers beyond which nobody reads why */

/* Behind the PROXY protocol a loopback address is what somebody else says, or that of the load balancer. */
bool error_detail_is_for(const struct exchange *x)
{
    const struct client *client = x->stream.client;
    return error_page_style(x) == ERROR_PAGES_DETAILED && !client->unix_socket && ip_is_loopback(&client->peer) &&
           !x->entry->reads_proxy_header && !x->was_forwarded && !fields_has(&x->stream.request.fields, FIELD_VIA);
}

struct facts {
    struct exchange *x;
    struct error_fact *items;
    unsigned count;
};

static void add(struct facts *facts, const char *name, struct str value)
{
    if (value.len != 0 && facts->count < ERROR_FACTS_MAX)
        facts->items[facts->count++] = (struct error_fact){.name = name, .value = value};
}

static struct str milliseconds(struct exchange *x, int64_t from, int64_t to)
{
    return from != 0 && to >= from ? arena_printf(&x->arena, "%.1f ms", (double)(to - from) / (double)TIME_MS) : STR_NONE;
}

static void add_reason(struct facts *facts)
{
    struct exchange *x = facts->x;
    if (x->failure == STATUS_OK)
        return;
    add(facts, "Why", arena_printf(&x->arena, "%s%s%s (%s)", status_text(x->failure), x->reason_detail != NULL ? ": " : "",
                                   x->reason_detail != NULL ? x->reason_detail : "", status_reason(x->failure)));
    const char *advice = advice_for_server(x->failure, x->server != NULL ? x->server : x->asked);
    if (advice == NULL)
        return;
    add(facts, "What to do", str_from(advice));
    facts->items[facts->count - 1].advice = true;
}

static void add_request(struct facts *facts)
{
    struct exchange *x = facts->x;
    if (x->original_path.len == 0)
        return;      /* its head was not read */
    add(facts, "Request", arena_printf(&x->arena, "%.*s %s://%.*s%.*s%s%.*s", STR_ARGS(x->original_method_name),
                                       x->stream.client->tls ? "https" : "http", STR_ARGS(x->original_authority),
                                       STR_ARGS(x->original_path), x->original_query.data != NULL ? "?" : "",
                                       STR_ARGS(x->original_query)));
    add(facts, "Entrypoint", arena_printf(&x->arena, "%.*s (%.*s)", STR_ARGS(x->entry->name), STR_ARGS(x->entry->address_text)));
}

/* No router took it: each that was tried, and what turned it away. */
static void add_tried(struct facts *facts)
{
    struct exchange *x = facts->x;
    const struct entry *entry = x->entry;
    struct client *client = x->stream.client;
    struct route_input input = {
        .request = exchange_request(x), .path = x->routing_path, .peer = client->unix_socket ? NULL : &client->peer, .arena = &x->arena};
    if (x->graph->router_count > EXPLAINED_MAX)
        return;
    struct explanation explanation = explain(client->tls && entry->tls != NULL ? entry->tls->table : entry->table, &input, &x->arena);
    if (explanation.count == 0)
        add(facts, "Routers", S("there are none on this entrypoint"));
    for (size_t i = 0; i < explanation.count && i < TRIED_MAX; i++) {
        const struct explained *tried = &explanation.tried[i];
        const struct router *router = tried->entry->router;
        add(facts, i == 0 ? "Routers" : "",
            arena_printf(&x->arena, "%.*s: not %.*s, %.*s", STR_ARGS(router->name), STR_ARGS(tried->failed), STR_ARGS(tried->why)));
    }
    if (explanation.count > TRIED_MAX)
        add(facts, "", arena_printf(&x->arena, "and %zu more", explanation.count - TRIED_MAX));
}

static void add_way(struct facts *facts)
{
    struct exchange *x = facts->x;
    add(facts, "Router", arena_printf(&x->arena, "%.*s: %.*s", STR_ARGS(x->router->name), STR_ARGS(x->router->about->rule)));
    for (unsigned i = 0; i < x->chain_entered && i < x->router->chain_count; i++)
        add(facts, i == 0 ? "Middlewares" : "",
            arena_printf(&x->arena, "%.*s (%s)", STR_ARGS(x->router->chain[i]->name), x->router->chain[i]->type->choice.name));
    if (x->service != NULL)
        add(facts, "Service", x->service->name);
    if (x->asked == NULL)
        return;
    add(facts, "Server", x->asked->url);
    if (x->attempts > 1)
        add(facts, "Tries", arena_printf(&x->arena, "%u", x->attempts));
    add(facts, "Connecting took", milliseconds(x, x->times.picked, x->times.connected));
    if (x->times.sent != 0)
        add(facts, "Waited for an answer", milliseconds(x, x->times.sent, exchange_now(x)));
}

unsigned error_detail(struct exchange *x, struct error_fact items[ERROR_FACTS_MAX])
{
    struct facts facts = {.x = x, .items = items};
    add_reason(&facts);
    add_request(&facts);
    if (x->router != NULL)
        add_way(&facts);
    else if (x->failure == STATUS_NO_ROUTE)
        add_tried(&facts);
    add(&facts, "Request ID", x->request_id);
    return facts.count;
}
