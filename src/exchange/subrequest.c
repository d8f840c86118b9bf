/* Owns the stream of a request of our own: what a connection would be. Refuses to know what the answer is good for. */
#include "exchange/subrequest.h"

#include <assert.h>

#include "exchange/graph.h"
#include "exchange/port.h"
#include "exchange/spool.h"
#include "exchange/variable.h"
#include "exchange/visit.h"

struct subrequest {
    struct exchange *x;           /* its own, in whose arena this lies */
    struct exchange *parent;      /* who is to be told; NULL: nobody (any more) */
    struct subrequest *next;      /* of parent->waits_for */
    void (*done)(struct exchange *parent, struct exchange *answer, void *context);
    void *context;
    struct client client;         /* a copy: the connection may go first */
    struct keepsake kept_client;
    uint64_t thrown_away;
    unsigned depth;
};

/* ---- telling ---- */

/* It may go now, and its descriptor become another's. */
static void leave_connection(struct subrequest *sub)
{
    sub->client.secure = NULL;
    sub->client.descriptor = -1;
}

static void unlink_from_parent(struct subrequest *sub)
{
    struct subrequest **at = &sub->parent->waits_for;
    while (*at != sub)
        at = &(*at)->next;
    *at = sub->next;
    sub->parent = NULL;
    leave_connection(sub);
}

/* The parent may go on at once, and end, before this returns: nothing of it is looked at afterwards. */
static void tell(struct subrequest *sub)
{
    struct exchange *parent = sub->parent;
    if (parent == NULL)
        return;
    unlink_from_parent(sub);
    sub->done(parent, sub->x, sub->context);
}

static void break_off(struct subrequest *sub)
{
    struct exchange *x = sub->x;
    x->facts_client |= FACT_CLOSED;
    x->stream.failure = STATUS_CLIENT_ABORTED;
    exchange_run(x);
}

void subrequests_abandon(struct exchange *parent)
{
    while (parent->waits_for != NULL) {
        struct subrequest *sub = parent->waits_for;
        unlink_from_parent(sub);
        break_off(sub);
    }
}

/* Ending one may end others, those that it waits for; so the list is looked at anew each time. */
static struct subrequest *find_lone(struct worker *worker)
{
    LIST_FOREACH(&worker->graph->exchanges, it) {
        const struct exchange *x = container_of(it, struct exchange, link);
        if (x->subrequest != NULL && x->subrequest->parent == NULL && (x->facts_client & FACT_CLOSED) == 0)
            return x->subrequest;
    }
    return NULL;
}

void subrequests_close(struct worker *worker)
{
    for (struct subrequest *sub; (sub = find_lone(worker)) != NULL;)
        break_off(sub);
}

/* ---- the stream ---- */

static enum status read_nothing(struct body_source *source, struct chunkq *into, size_t max)
{
    return STATUS_END;
}

static enum status throw_away(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct stream *stream = container_of(sink, struct stream, sink);
    struct subrequest *sub = stream->connection;
    sub->thrown_away += from->bytes;
    chunkq_drop(from, from->bytes);
    return end || sub->thrown_away <= SUBREQUEST_BODY_MAX ? STATUS_OK : STATUS_BODY_TOO_LARGE;
}

static bool never(struct body_sink *sink)
{
    return false;
}

static enum status flush_nothing(struct body_sink *sink)
{
    return STATUS_OK;
}

static const struct body_source_ops no_source = {.read = read_nothing};
static const struct body_sink_ops no_sink = {.write = throw_away, .flush = flush_nothing, .splice_possible = never};

static enum status take_head(struct stream *stream, const struct response *response)
{
    if (response->status < 200)
        return STATUS_OK;
    stream->response_begun = true;
    tell(stream->connection);
    return STATUS_OK;
}

/* It never asks for an upgrade. */
static void upgrade_nothing(struct stream *stream)
{
}

static void finish(struct stream *stream, bool broken)
{
    struct subrequest *sub = stream->connection;
    if (sub->parent == NULL)
        return;
    sub->x->response.status = 0;
    tell(sub);
}

static const struct stream_ops ops = {.send_head = take_head, .upgrade = upgrade_nothing, .finish = finish};

/* ---- making one ---- */

static struct str copy(struct exchange *x, struct str text)
{
    return text.data != NULL ? arena_str(&x->arena, text) : text;
}

/* What holds for the connection, and what would make the answer something else than the location's own word. */
static bool goes_along(const struct field *field, const struct subrequest_order *order)
{
    switch (field->id) {
    case FIELD_CONNECTION:
    case FIELD_EXPECT:
    case FIELD_KEEP_ALIVE:
    case FIELD_PROXY_CONNECTION:
    case FIELD_TE:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE:
        return false;
    case FIELD_CONTENT_LENGTH:
        return order->with_body;
    case FIELD_IF_MATCH:
    case FIELD_IF_MODIFIED_SINCE:
    case FIELD_IF_NONE_MATCH:
    case FIELD_IF_RANGE:
    case FIELD_IF_UNMODIFIED_SINCE:
    case FIELD_RANGE:
        return order->alone;
    default:
        return true;
    }
}

static bool copy_fields(struct exchange *x, const struct exchange *parent, const struct subrequest_order *order)
{
    const struct fields *from = &parent->stream.request.fields;
    struct fields *to = &x->stream.request.fields;
    bool good = true;
    fields_init(to, &x->arena, from->count);
    FIELDS_FOREACH(from, field) {
        if (goes_along(field, order))
            good = good && fields_add(to, copy(x, field->name), copy(x, field->value));
    }
    return good;
}

static bool copy_request(struct exchange *x, const struct exchange *parent, const struct subrequest_order *order)
{
    const struct request *from = &parent->stream.request;
    struct request *request = &x->stream.request;
    request->version = from->version;
    request->method_name = order->method.len != 0 ? copy(x, order->method) : S("GET");
    request->method = method_identify(request->method_name);
    request->target = copy(x, from->target);
    request->scheme = copy(x, from->scheme);
    request->authority = copy(x, from->authority);
    request->host = copy(x, from->host);
    request->query = copy(x, order->query);
    fields_init(&request->trailers, &x->arena, 0);
    return copy_fields(x, parent, order);
}

/* What is known of the parent: for logs, variables and limits, which see one request in both. */
static void copy_knowledge(struct exchange *x, const struct exchange *parent)
{
    x->original_path = copy(x, parent->original_path);
    x->original_query = copy(x, parent->original_query);
    x->original_authority = copy(x, parent->original_authority);
    x->original_method = parent->original_method;
    x->original_method_name = copy(x, parent->original_method_name);
    x->request_id = copy(x, parent->request_id);
    x->user = copy(x, parent->user);
    x->client_ip = parent->client_ip;
    x->client_port = parent->client_port;
    x->client_replaced = parent->client_replaced;
    x->was_forwarded = parent->was_forwarded;
    x->forwarded_trusted = parent->forwarded_trusted;
    x->rate_status = parent->rate_status;
    x->rate_settled = parent->rate_status != LIMIT_UNASKED;
    x->connections_status = parent->connections_status;
    x->connections_settled = parent->connections_status != LIMIT_UNASKED;
}

static bool share_body(struct exchange *x, const struct exchange *parent)
{
    if (!parent->body_held || parent->spool == NULL)
        return true;
    x->spool = spool_share(parent->spool, &x->arena);
    if (x->spool == NULL)
        return false;
    x->body_held = true;
    x->stream.request.has_body = true;
    x->stream.request.body_length = spool_length(x->spool);
    return true;
}

/* In a site it begins as a redirect inside would: at the site's own script, then at the location that has the path. */
static bool place(struct exchange *x, const struct exchange *parent, struct str uri)
{
    struct request *request = &x->stream.request;
    uri = copy(x, uri);
    request->path = visit_escape_uri(x, uri);
    x->routing_path = uri;
    x->times.routed = exchange_now(x);
    x->step = STEP_FIND_ROUTE;
    if (parent->visit == NULL || parent->visit->site == NULL)
        return request->path.data != NULL;
    struct visit *visit = exchange_visit(x);
    if (visit == NULL)
        return false;
    visit->site = parent->visit->site;
    visit->uri = uri;
    visit->path = request->path;
    visit->uri_changed = visit->internal = true;
    return request->path.data != NULL;
}

static void let_go_of_client(struct keepsake *keepsake)
{
    client_release(&container_of(keepsake, struct subrequest, kept_client)->client);
}

static struct subrequest *new_stream(struct exchange *x, struct exchange *parent, const struct subrequest_order *order)
{
    struct subrequest *sub = arena_new(&x->arena, struct subrequest);
    assert(sub != NULL);      /* the arena begins with the rest of a chunk */
    sub->x = x;
    sub->done = order->done;
    sub->context = order->context;
    client_local(parent->stream.client);      /* while its connection is there to be asked */
    client_copy(&sub->client, parent->stream.client);
    sub->kept_client.release = let_go_of_client;
    exchange_keep(x, &sub->kept_client);
    sub->depth = parent->subrequest != NULL ? parent->subrequest->depth + 1 : 1;
    x->subrequest = sub;
    x->stream.ops = &ops;
    x->stream.handler = &exchange_handler;
    x->stream.connection = sub;
    x->stream.client = &sub->client;
    x->stream.began_at = x->times.began;
    x->stream.source = (struct body_source){&no_source};
    x->stream.sink = (struct body_sink){&no_sink};
    return sub;
}

static bool fill(struct exchange *x, struct exchange *parent, const struct subrequest_order *order)
{
    copy_knowledge(x, parent);
    return copy_request(x, parent, order) && place(x, parent, order->uri) && (!order->with_body || share_body(x, parent)) &&
           variables_inherit(x, parent);
}

static void link_to_parent(struct subrequest *sub, struct exchange *parent)
{
    sub->parent = parent;
    sub->next = parent->waits_for;
    parent->waits_for = sub;
}

bool subrequest_start(struct exchange *parent, const struct subrequest_order *order)
{
    if (parent->subrequest != NULL && parent->subrequest->depth >= SUBREQUEST_DEPTH_MAX)
        return false;
    struct exchange *x = exchange_new(parent->worker, parent->pin, parent->entry, parent->stream.client);
    if (x == NULL)
        return false;
    struct subrequest *sub = new_stream(x, parent, order);
    bool good = fill(x, parent, order);
    if (!good || order->alone)
        leave_connection(sub);
    else
        link_to_parent(sub, parent);
    if (good)
        exchange_run(x);
    else
        break_off(sub);
    return good;
}
