/* An exchange's birth, its running through the steps, and its end. What happens in between stands in steps.c. */
#include "exchange/exchange.h"

#include <assert.h>

#include "exchange/attempt.h"
#include "exchange/await_server.h"
#include "exchange/chain.h"
#include "exchange/forwarding.h"
#include "exchange/graph.h"
#include "exchange/outgoing.h"
#include "exchange/port.h"
#include "exchange/progress.h"
#include "exchange/record.h"
#include "exchange/service.h"
#include "exchange/spool.h"
#include "exchange/steps.h"
#include "exchange/subrequest.h"
#include "exchange/tracing.h"
#include "exchange/visit.h"

#define ARENA_BUDGET ((size_t)8 << 20)      /* of one exchange: heads are bounded by their own limits */

static void on_timer(struct timer *timer)
{
    struct exchange *x = container_of(timer, struct exchange, timer);
    x->expired = true;
    if (x->resume_on_facts || x->resume_on_timer)
        x->waiting = false;
    x->resume_on_timer = false;
    exchange_run(x);
}

struct exchange *exchange_new(struct worker *worker, struct graph_pin *pin, struct entry *entry, struct client *client)
{
    struct chunk *memory = chunk_new(&worker->chunks, false);
    if (memory == NULL)
        return NULL;
    _Static_assert(sizeof(struct exchange) < CHUNK_SMALL_SIZE / 2, "the rest of the chunk is the first of the arena");
    struct exchange *x = (struct exchange *)(void *)memory->data;
    memset(x, 0, offsetof(struct exchange, upstream));
    arena_init_with(&x->arena, x + 1, memory->capacity - sizeof(*x), ARENA_BUDGET);
    x->memory = memory;
    x->worker = worker;
    x->pin = pin;
    graph_pin_take(pin);
    x->graph = pin->graph;
    x->entry = entry;
    x->stream.arena = &x->arena;
    x->stream.client = client;
    x->replayable = true;
    x->times.began = worker->loop.now;
    timer_init(&x->timer, on_timer);
    list_append(&worker->graph->exchanges, &x->link);
    traffic_count(&worker->traffic.running, 1);
    return x;
}

static struct stream *open_exchange(void *context, struct client *client)
{
    struct port *port = context;
    struct exchange *x = exchange_new(port->worker, port->pin, port->entry, client);
    traffic_count(&port->worker->traffic.requests, 1);
    return x != NULL ? &x->stream : NULL;
}

static void on_client_facts(struct stream *stream, unsigned facts)
{
    struct exchange *x = (struct exchange *)(void *)stream;
    x->facts_client |= facts;
    if (x->resume_on_facts)
        x->waiting = false;
    exchange_run(x);
}

struct stream_handler exchange_handler = {.open = open_exchange, .on_facts = on_client_facts};

/* A whole response: its head went out and all of its body. */
static bool response_is_whole(const struct exchange *x)
{
    return x->response_sent && x->download_done;
}

static void release_filters(struct filter **row)
{
    for (struct filter *filter = *row; filter != NULL; filter = filter->next) {
        chunkq_release(&filter->out);
        if (filter->release != NULL)
            filter->release(filter);
    }
    *row = NULL;
}

static __attribute__((noinline)) void let_go(struct keepsake *kept)
{
    while (kept != NULL) {
        struct keepsake *next = kept->next;
        kept->release(kept);
        kept = next;
    }
}

/* What few requests have, asked for at once. */
static inline bool has_extras(const struct exchange *x)
{
    return ((uintptr_t)x->visit | (uintptr_t)x->request_filters | (uintptr_t)x->response_filters | (uintptr_t)x->response_source |
            (uintptr_t)x->spool | (uintptr_t)x->response_spool | (uintptr_t)x->outgoing | (uintptr_t)x->awaiting |
            (uintptr_t)x->kept) != 0;
}

static __attribute__((noinline)) void release_extras(struct exchange *x)
{
    if (x->visit != NULL)
        visit_end(x);
    release_filters(&x->request_filters);
    release_filters(&x->response_filters);
    exchange_release_source(x);
    if (x->spool != NULL)
        spool_release(x->spool);
    if (x->response_spool != NULL)
        spool_release(x->response_spool);
    outgoing_drop(x);
}

/* ... behind the client's side: somebody else may go on with what this one waited for. */
static __attribute__((noinline)) void release_servers(struct exchange *x)
{
    if (x->awaiting != NULL)
        await_end(x);
    if (x->kept != NULL)
        let_go(x->kept);
}

static void end_exchange(struct exchange *x)
{
    bool whole = response_is_whole(x);
    x->ended = true;
    x->times.ended = exchange_now(x);
    timer_cancel(&x->timer);
    if (x->pending != NULL)
        x->pending->abandon(x->pending);
    if (x->waits_for != NULL)
        subrequests_abandon(x);
    tracing_end(x);
    record_exchange(x);
    if (x->download_began) {
        x->download.filters = NULL;
        relay_release(&x->download);
    }
    attempt_release(x, whole);
    if (x->router != NULL)
        chain_finish(x);
    const bool extras = has_extras(x);
    if (__builtin_expect(extras, 0))
        release_extras(x);
    list_remove(&x->link);
    traffic_count(&x->worker->traffic.running, -1);
    if (x->worker->graph->stopping)
        x->stream.close_after = CLOSE_AFTER;
    x->stream.ops->finish(&x->stream, !whole);
    if (__builtin_expect(extras, 0))
        release_servers(x);
    graph_pin_drop(x->pin);
    arena_release(&x->arena);
    chunk_unref(x->memory);
}

/* The client has gone: nothing that is still to be done for it makes sense. */
static bool client_left(struct exchange *x)
{
    if ((x->facts_client & FACT_CLOSED) == 0)
        return false;
    if (x->failure == STATUS_OK)
        x->failure = x->stream.failure != STATUS_OK ? x->stream.failure : STATUS_CLIENT_ABORTED;
    return true;
}

/* Who sets `waiting` gives STEP_WAIT, so it is asked for but once. */
void exchange_run(struct exchange *x)
{
    if (x->running || x->ended)
        return;
    x->running = true;
    enum step step = x->step;
    const bool waits = x->waiting;
    while ((x->facts_client & FACT_CLOSED) == 0 && !waits) {
        enum step next = steps[step](x);
        if (!step_may_follow(step, next)) {
            assert(next == STEP_WAIT);
            break;
        }
        x->step = step = next;
    }
    x->running = false;
    if (x->step == STEP_FINISH || client_left(x)) {
        x->step = STEP_FINISH;
        end_exchange(x);
    }
}

void exchange_resume(struct exchange *x)
{
    x->waiting = x->resume_on_timer = false;
    exchange_run(x);
}

void exchange_wait(struct exchange *x, int64_t ns)
{
    progress_limit(x, ns > 0 ? ns : 1);
    x->resume_on_timer = true;
}

/* Apart, so that steps that only might do so need no room for a response. */
__attribute__((noinline)) void exchange_send_continue(struct exchange *x)
{
    if (x->continue_sent || !x->stream.request.expects_continue || x->response_sent)
        return;
    x->continue_sent = true;
    struct response interim = {.status = 100, .version = HTTP_1_1};
    fields_init(&interim.fields, &x->arena, 0);
    if (x->stream.ops->send_head(&x->stream, &interim) == STATUS_OK)
        x->stream.sink.ops->flush(&x->stream.sink);
}

void exchange_drop_filters(struct exchange *x)
{
    release_filters(&x->response_filters);
}

void exchange_drop_response(struct exchange *x)
{
    exchange_drop_filters(x);
    exchange_release_source(x);
    if (x->response_spool != NULL)
        spool_release(x->response_spool);
    x->response_spool = NULL;
    x->answered_here = x->service_told = x->response_held = false;
    x->customary = 0;
    x->server_rate = 0;
    x->failure = STATUS_OK;
    x->reason_detail = NULL;
}

void exchange_doubt_framing(struct exchange *x)
{
    if (x->stream.close_after == KEEP_OPEN)
        x->stream.close_after = CLOSE_AFTER_IF_SERIAL;
}

void exchange_limit_rate(struct exchange *x, int64_t bytes)
{
    x->rate = bytes;
    x->rate_set = true;
}

bool exchange_can_retry(const struct exchange *x)
{
    return x->admitted && x->replayable && !x->detour && !x->response_sent && x->router != NULL &&
           x->failure != STATUS_MAINTENANCE && (x->facts_client & FACT_CLOSED) == 0;
}

void exchange_detour(struct exchange *x, struct service *service, struct str path, struct str query)
{
    struct request *request = exchange_request(x);
    x->detour = true;
    x->forwarding = NULL;
    outgoing_drop(x);
    x->service = service;
    x->tried = 0;
    request->path = path;
    request->query = query;
    /* The client's side still frames the response by this: what HEAD asked for has no body. */
    request->method = x->original_method == METHOD_HEAD ? METHOD_HEAD : METHOD_GET;
    request->method_name = method_text(request->method);
    request->has_body = false;
    request->body_length = BODY_NONE;
    request->upgrade = STR_NONE;
    fields_remove(&request->fields, FIELD_EXPECT);
}

static void append_filter(struct filter **row, struct filter *filter)
{
    while (*row != NULL)
        row = &(*row)->next;
    filter->next = NULL;
    filter->ended = false;
    chunkq_init(&filter->out);
    *row = filter;
}

void exchange_filter_request(struct exchange *x, struct filter *filter)
{
    append_filter(&x->request_filters, filter);
}

void exchange_filter_response(struct exchange *x, struct filter *filter)
{
    append_filter(&x->response_filters, filter);
}

static struct str ip_text(struct exchange *x, const struct ip *ip)
{
    char *text = arena_alloc(&x->arena, IP_TEXT_SIZE);
    return text != NULL ? str_of(text, ip_format(ip, text)) : STR_NONE;
}

static __attribute__((noinline)) struct str make_peer_text(struct exchange *x)
{
    struct client *client = x->stream.client;
    char text[IP_TEXT_SIZE];
    size_t len = ip_format(&client->peer, text);
    if (len > CLIENT_TEXT_SIZE)
        return ip_text(x, &client->peer);
    memcpy(client->peer_text, text, len);
    client->peer_text_len = (uint8_t)len;
    return str_of(client->peer_text, len);
}

struct str exchange_peer_text(struct exchange *x)
{
    const struct client *client = x->stream.client;
    if (client->peer_text_len != 0)
        return str_of(client->peer_text, client->peer_text_len);
    if (x->peer_text.len == 0)
        x->peer_text = make_peer_text(x);
    return x->peer_text;
}

struct str exchange_client_text(struct exchange *x)
{
    if (x->client_text.len == 0)
        x->client_text = ip_equal(&x->client_ip, &x->stream.client->peer) ? exchange_peer_text(x) : ip_text(x, &x->client_ip);
    return x->client_text;
}

void exchange_use_server(struct exchange *x, struct server *server, unsigned index)
{
    x->server = server;      /* the pinned graph holds it */
    x->transport = x->forwarding != NULL && x->forwarding->transport != NULL ? x->forwarding->transport : x->service->transport;
    x->weighed = server_begin(server, x->worker->index);
    if (index < 64)
        x->tried |= UINT64_C(1) << index;
}

void exchange_use_service(struct exchange *x, struct service *service)
{
    x->service = service;
}
