/* The spine: what happens to a request, in the order in which it happens. A step looks at the facts, talks to one neighbour,
 * and says which step is next, or STEP_WAIT. See step.h for the table of steps. */
#include "exchange/steps.h"

#include "exchange/attempt.h"
#include "exchange/await_server.h"
#include "exchange/chain.h"
#include "exchange/graph.h"
#include "exchange/hold.h"
#include "exchange/incoming.h"
#include "exchange/outgoing.h"
#include "exchange/passed.h"
#include "exchange/progress.h"
#include "exchange/service.h"
#include "exchange/tracing.h"
#include "exchange/visit.h"
#include "http/browser.h"
#include "tls/conn.h"

#define SERVICE_HOPS_MAX 16

static enum step fail(struct exchange *x, enum status status)
{
    x->failure = status;
    return STEP_ANSWER;
}

static enum step await_head(struct exchange *x)
{
    if ((x->facts_client & FACT_HEAD) == 0)
        return STEP_WAIT;
    if (x->stream.failure != STATUS_OK) {
        incoming_refused(x);
        return visit_begin_refused(x, x->stream.failure) ? STEP_FIND_ROUTE : fail(x, x->stream.failure);
    }
    enum status status = incoming_prepare(x);
    if (__builtin_expect(status != STATUS_OK, 0))
        return visit_begin_refused(x, status) ? STEP_FIND_ROUTE : fail(x, status);
    return STEP_FIND_ROUTE;
}

/* A request for a host whose TLS options are others than those that the connection was made with must not profit from what
 * the handshake asked less for (RFC 9110 15.5.20). */
static bool is_misdirected(const struct exchange *x)
{
    const struct entry_tls *tls = x->entry->tls;
    const struct client *client = x->stream.client;
    if (tls->policies.live == 0 || client->secure == NULL)      /* sites judge by themselves (exchange/admission.h) */
        return false;
    return !str_equal(entry_policy(tls, x->stream.request.host)->name, tls_policy_name(client->secure));
}

static const struct table_entry *look_up(struct exchange *x, const struct route_input *input)
{
    const struct entry *entry = x->entry;
    return table_find(x->stream.client->tls && entry->tls != NULL ? entry->tls->table : entry->table, input);
}

static enum step no_route(struct exchange *x)
{
    return fail(x, x->entry->only_tls && !x->stream.client->tls ? STATUS_PLAIN_HTTP_ON_TLS : STATUS_NO_ROUTE);
}

/* Before its router would look at it: what dresses its responses holds for this one too. */
static enum step refuse(struct exchange *x, enum status status)
{
    if (!chain_begin(x))
        return fail(x, STATUS_OUT_OF_MEMORY);
    chain_run_refused(x);
    return fail(x, status);
}

static bool is_too_large(const struct exchange *x)
{
    const struct client_limits *limits = x->router->limits;
    return limits != NULL && limits->body_bytes != 0 && x->stream.request.body_length > limits->body_bytes;
}

/* The site will not have it, or not have it read: it gives the answer all the same. */
static enum step refuse_by_site(struct exchange *x)
{
    enum status status = x->visit->refused;
    x->visit->refused = STATUS_OK;
    x->router = x->visit->site->fallback;
    if (x->router == NULL)
        return fail(x, status);
    x->service = x->router->service;
    x->internal = x->router->internal;
    return refuse(x, status);
}

/* No location takes it. A redirect to one with a slash is that location's answer already: what dresses its responses holds for it. */
static enum step answer_for_location(struct exchange *x)
{
    if (x->answered_here && chain_begin(x))
        chain_run_refused(x);
    return STEP_ANSWER;
}

/* In the site that has the request: its entrance, a location, or where a redirect inside leads. */
static enum step find_location(struct exchange *x)
{
    bool first = x->trace == NULL;
    if (__builtin_expect(x->visit->refused != STATUS_OK, 0))
        return refuse_by_site(x);
    if (!visit_route(x))
        return answer_for_location(x);
    if (first)
        tracing_begin(x);
    x->service = x->router->service;
    x->internal = x->router->internal;
    if (!x->visit->internal && x->router->limits != NULL && x->router->extras->location != NULL && is_too_large(x))
        return refuse(x, STATUS_BODY_TOO_LARGE);
    return chain_begin(x) ? STEP_RUN_REQUEST : fail(x, STATUS_OUT_OF_MEMORY);
}

static enum step find_route(struct exchange *x)
{
    if (x->visit != NULL && x->visit->site != NULL)
        return find_location(x);
    /* "OPTIONS *" asks about the proxy itself, not about anything that a router leads to (RFC 9110 9.3.7). */
    if (x->original_path.data[0] == '*') {
        exchange_answer(x, 200, STATUS_OK, STR_NONE, STR_NONE);
        return STEP_ANSWER;
    }
    struct client *client = x->stream.client;
    struct route_input input = {.request = exchange_request(x),
                                .path = x->routing_path,
                                .peer = client->unix_socket ? NULL : &client->peer,
                                .arena = &x->arena};
    if (client->tls && x->entry->tls != NULL && is_misdirected(x))
        return fail(x, STATUS_MISDIRECTED);
    const struct table_entry *found = look_up(x, &input);
    x->router = found != NULL ? found->router : NULL;
    x->times.routed = exchange_now(x);
    if (x->router == NULL && visit_begin(x))
        return find_location(x);
    tracing_begin(x);
    if (x->router == NULL)
        return no_route(x);
    x->service = x->router->service;
    x->internal = x->router->internal;
    if (__builtin_expect(x->router->limits != NULL, 0) && is_too_large(x))
        return refuse(x, STATUS_BODY_TOO_LARGE);
    return chain_begin(x) ? STEP_RUN_REQUEST : fail(x, STATUS_OUT_OF_MEMORY);
}

/* A redirect inside: the way begins anew at FIND_ROUTE, in the same site. */
static enum step reroute(struct exchange *x)
{
    attempt_remember(x, x->upstream_status, true);
    x->forwarding = NULL;
    outgoing_drop(x);
    enum status status = visit_leave(x);
    return status == STATUS_OK ? STEP_FIND_ROUTE : fail(x, status);
}

static enum step run_request(struct exchange *x)
{
    switch (chain_run_request(x)) {
    case VERDICT_NEXT:
        /* The middlewares stay in force: the answer passes them, so it may become a page, and browsers may read it. */
        if (router_in_maintenance(x->router, &x->client_ip))
            return fail(x, STATUS_MAINTENANCE);
        x->admitted = true;
        return STEP_PICK_SERVER;
    case VERDICT_WAIT:
        x->waiting = true;
        return STEP_WAIT;
    case VERDICT_REROUTE:
        return reroute(x);
    case VERDICT_ANSWER:
    case VERDICT_RETRY:
    case VERDICT_DETOUR:
        break;
    }
    return STEP_ANSWER;
}

static enum step pick_server(struct exchange *x)
{
    enum status before = x->failure;
    for (unsigned hops = 0; hops < SERVICE_HOPS_MAX; hops++) {
        if (service_in_maintenance(x->service))
            return fail(x, STATUS_MAINTENANCE);
        switch (x->service->type->pick(x, x->service)) {
        case PICK_SERVER:
            x->times.picked = exchange_now(x);
            tracing_attempt(x);
            return STEP_CONNECT;
        case PICK_SERVICE:
            continue;
        case PICK_ANSWER:
            return STEP_ANSWER;
        case PICK_REROUTE:
            return reroute(x);
        case PICK_WAIT:
            x->waiting = true;
            return STEP_WAIT;
        case PICK_NONE:
            /* After a failed try the first failure says more than that nobody else is left. */
            if (x->attempts == 0 || before == STATUS_OK)
                x->failure = x->failure != STATUS_OK && x->failure != before ? x->failure : STATUS_NO_READY_SERVER;
            if (x->service->await == NULL || !await_server(x))
                return STEP_ANSWER;
            if (x->waiting)
                return STEP_WAIT;
            before = x->failure;
            continue;
        }
    }
    return fail(x, STATUS_LOOP_DETECTED);
}

static enum step open_connection(struct exchange *x)
{
    if (!x->upstream_bound) {
        enum status status = attempt_open(x);
        if (status == STATUS_AGAIN) {
            progress_limit(x, attempt_dial_limit(x));
            return STEP_WAIT;
        }
        if (status != STATUS_OK)
            return attempt_failed(x, status);
    } else if ((x->facts_server & FACT_CLOSED) != 0) {
        return attempt_failed(x, x->upstream.failure);
    } else if (progress_expired(x)) {
        return attempt_failed(x, STATUS_UPSTREAM_CONNECT_TIMEOUT);
    } else if ((x->facts_server & FACT_WRITABLE) == 0) {
        return STEP_WAIT;
    }
    x->times.connected = exchange_now(x);
    return STEP_SEND_HEAD;
}

static enum step send_head(struct exchange *x)
{
    enum status status = attempt_send(x);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return attempt_failed(x, status);
    progress_begin(x);
    return STEP_AWAIT_RESPONSE;
}

/* An interim response goes to the client as it is (RFC 9110 15.2), 103 too. */
static void pass_interim(struct exchange *x)
{
    x->facts_server &= ~(unsigned)FACT_INFORM;
    struct response *interim = &x->upstream.response;
    if (interim->status == 100) {
        exchange_send_continue(x);
        return;
    }
    if (x->outgoing != NULL && !x->outgoing->passes_hints)
        return;
    fields_remove_hop_by_hop(&interim->fields, false);
    fields_remove(&interim->fields, FIELD_CONTENT_LENGTH);
    if (x->stream.ops->send_head(&x->stream, interim) == STATUS_OK)
        x->stream.sink.ops->flush(&x->stream.sink);
}

static __attribute__((noinline)) enum step take_response(struct exchange *x)
{
    x->times.first_byte = exchange_now(x);
    attempt_answered(x);
    return STEP_RUN_RESPONSE;
}

static enum step await_response(struct exchange *x)
{
    if (__builtin_expect((x->facts_server & FACT_INFORM) != 0, 0))
        pass_interim(x);
    if ((x->facts_server & FACT_HEAD) != 0)
        return take_response(x);
    if ((x->facts_server & FACT_CLOSED) != 0)
        return attempt_failed(x, x->upstream.failure);
    enum status status = x->upload_done ? STATUS_OK : attempt_upload(x);
    if (__builtin_expect(status != STATUS_OK && status != STATUS_AGAIN, 0))
        return attempt_failed(x, status);
    if (progress_wants_continue(x))
        exchange_send_continue(x);
    status = progress_await_response(x);
    return status == STATUS_OK ? STEP_WAIT : attempt_failed(x, status);
}

static enum step answer(struct exchange *x)
{
    attempt_release(x, false);
    if (!x->answered_here) {
        int code = status_http(x->failure);
        exchange_answer_status(x, code != 0 ? code : 500, x->failure);
    }
    return STEP_RUN_RESPONSE;
}

/* A response that is not wanted after all: what it held is let go before another try or service is asked. A retried response
 * passes the whole chain; a detour's goes on where the detour was asked for. */
static enum step try_again(struct exchange *x, bool detour)
{
    attempt_remember(x, x->upstream_status, false);
    attempt_release(x, false);
    exchange_drop_response(x);
    x->forwarding = NULL;
    if (!detour) {
        x->service = x->router->service;
        x->chain_at = x->router->chain_count;
    }
    return STEP_PICK_SERVER;
}

/* 101 is taken only for a protocol that the client asked for (RFC 9110 15.2.2). Where only an upgrade was asked for, a server
 * that answers with 2xx has not understood it. */
static bool is_out_of_place(const struct exchange *x)
{
    int status = x->response.status;
    if (status == 101)
        return !x->upstream_bound || x->answered_here || outgoing_request(x)->upgrade.len == 0;
    return x->stream.request.only_upgrade && status >= 200 && status < 300;
}

/* Both directions become plain bytes. */
static void begin_tunnel(struct exchange *x)
{
    if (x->upload_began)
        relay_release(&x->upload);
    x->upload_began = true;
    x->stream.ops->upgrade(&x->stream);
    x->upstream.ops->upgrade(&x->upstream);
    relay_init(&x->upload, x->worker, &x->stream.source, &x->upstream.sink);
    x->upload_done = false;
    x->upload.tunnel = x->upgraded = true;
}

/* How fast a server is read rules where it is the slower of the two: nothing is held in between. Without the memory for it the response
 * is not slowed down. */
static void pace_download(struct exchange *x)
{
    bool by_server = x->server_rate > 0 && !x->answered_here && (x->rate <= 0 || x->server_rate < x->rate);
    if (x->rate <= 0 && !by_server)
        return;
    struct pace *pace = arena_new(&x->arena, struct pace);
    if (pace == NULL)
        return;
    *pace = (struct pace){.rate = by_server ? x->server_rate : x->rate, .after = by_server ? 0 : x->rate_after, .began = exchange_now(x)};
    chunkq_init(&pace->out);
    x->download.pace = pace;
}

static void begin_download(struct exchange *x)
{
    if (x->response.status == 101)
        begin_tunnel(x);
    relay_init(&x->download, x->worker, hold_response_source(x), &x->stream.sink);
    x->download.filters = x->response_filters;
    x->download.tunnel = x->upgraded && x->response_filters == NULL;
    if ((x->rate > 0 || x->server_rate > 0) && !x->upgraded)
        pace_download(x);
    if (!x->answered_here) {
        const struct response *response = &x->upstream.response;
        if (x->outgoing == NULL || x->outgoing->passes_trailers)
            x->download.trailers = &response->trailers;
        /* Behind the last byte of a known length trailers may still come, but in HTTP/1. */
        if (response->body_length > 0 && response->version < HTTP_2)
            x->download.length = (uint64_t)response->body_length;
    }
    /* A body in memory is short and there at once, and has nothing to let go. */
    if (x->download.source == &x->memory_source) {
        x->download.length = x->memory_body.len;
        x->download.moved = x->download.given = x->whole_bytes;
        x->response_source = NULL;
    }
    x->download_began = true;
}

/* Old browsers that hang on a kept connection: msie6 behind a POST, safari always. */
static bool is_unfit_for_keep_alive(const struct request *request, const struct strs *browsers)
{
    for (size_t i = 0; i < browsers->count; i++) {
        bool safari = browsers->items[i].data[0] == 's';
        if (!safari && request->method != METHOD_POST)
            continue;
        struct str agent = fields_value(&request->fields, FIELD_USER_AGENT);
        if (safari ? browser_is_safari(agent) : browser_is_msie6(agent))
            return true;
    }
    return false;
}

/* What the router says of the connection behind this response. */
static void tell_connection(struct exchange *x, const struct client_limits *limits)
{
    struct stream *stream = &x->stream;
    stream->idle_timeout = limits->idle_timeout;
    stream->keep_alive_seconds = (uint32_t)limits->keep_alive_header;
    stream->unchunked = !limits->chunked;
    stream->max_requests = (uint64_t)limits->requests;
    stream->max_age = limits->keep_alive_max_time;
    if (!limits->keep_alive || (limits->keep_alive_disable.count != 0 && is_unfit_for_keep_alive(&stream->request, &limits->keep_alive_disable)))
        stream->close_after = CLOSE_AFTER;
}

/* 444 of our own: whoever configured it wants the connection closed without a word. */
static bool is_silence(const struct exchange *x)
{
    return x->answered_here && x->response.status == 444;
}

/* An answer made here that is short and lies in memory: head and body leave in one piece, and no relay is needed. */
static bool is_at_hand(const struct exchange *x)
{
    return x->response_source == &x->memory_source && x->memory_body.len <= STREAM_WHOLE_MAX &&
           x->response.body_length == (int64_t)x->memory_body.len && x->response_filters == NULL && x->rate <= 0 && !x->upstream_bound &&
           x->stream.ops->send_whole != NULL;
}

/* END: not by this way. OK: that was all (download_done), or it is taken, and the relay waits until it is gone. Else why it broke. */
static enum status send_whole(struct exchange *x)
{
    enum status status = x->stream.ops->send_whole(&x->stream, &x->response, x->memory_body);
    if (status == STATUS_END)
        return status;
    x->whole_bytes = x->stream.response_begun ? x->memory_body.len : 0;
    x->memory_body = STR_NONE;
    if (status == STATUS_OK)
        x->response_source = NULL;
    x->download_done = status == STATUS_OK;
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

static enum step run_response(struct exchange *x)
{
    if (__builtin_expect(is_silence(x), 0))
        return STEP_FINISH;
    if (!x->service_told) {
        if (passed_refuse(x))
            return try_again(x, false);
        passed_on_response(x);
        if (x->visit != NULL)
            visit_dress_response(x);
    }
    x->service_told = true;
    switch (chain_run_response(x)) {
    case VERDICT_WAIT:
        x->waiting = true;
        return STEP_WAIT;
    case VERDICT_RETRY:
        return try_again(x, false);
    case VERDICT_DETOUR:
        return try_again(x, true);
    case VERDICT_REROUTE:
        attempt_remember(x, x->upstream_status, true);
        attempt_release(x, false);
        exchange_drop_response(x);
        return reroute(x);
    case VERDICT_NEXT:
    case VERDICT_ANSWER:
        break;
    }
    if (is_out_of_place(x)) {
        attempt_release(x, false);
        exchange_answer_status(x, 502, STATUS_UPSTREAM_PROTOCOL);
    }
    outgoing_finish_response(x);
    if (x->router != NULL && x->router->limits != NULL)
        tell_connection(x, x->router->limits);
    x->response_sent = true;
    enum status status = is_at_hand(x) ? send_whole(x) : STATUS_END;
    if (status == STATUS_END)
        status = x->stream.ops->send_head(&x->stream, &x->response);
    if (x->download_done)
        return STEP_FINISH;
    if (status != STATUS_OK) {
        x->failure = status;
        return STEP_FINISH;
    }
    begin_download(x);
    return STEP_RELAY_BODIES;
}

/* A body has left the rest for the next turn, and its place in it has not come: what happens meanwhile does not bring it forward. */
static bool is_put_off(const struct exchange *x)
{
    return x->timer.deadline <= x->worker->loop.now &&
           (x->download.yielded || (x->upload_began && !x->upload_done && x->upload.yielded));
}

static enum step relay_bodies(struct exchange *x)
{
    if (__builtin_expect(is_put_off(x), 0))
        return STEP_WAIT;
    if (x->upstream_bound && !x->upload_done) {
        enum status upload = attempt_upload(x);
        if (upload != STATUS_OK && upload != STATUS_AGAIN)
            return x->failure = upload, STEP_FINISH;
    }
    enum status status = relay_pump(&x->download);
    x->download_done = status == STATUS_OK;
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        x->failure = status;
        return STEP_FINISH;
    }
    if (x->download_done && (!x->upgraded || x->upload_done))
        return STEP_FINISH;
    status = progress_relay(x);
    return status == STATUS_OK ? STEP_WAIT : (x->failure = status, STEP_FINISH);
}

static enum step finish(struct exchange *x)
{
    return STEP_WAIT;      /* the end of the table; exchange_run then ends the exchange */
}

step_function *const steps[STEP_COUNT] = {
    [STEP_AWAIT_HEAD] = await_head,
    [STEP_FIND_ROUTE] = find_route,
    [STEP_RUN_REQUEST] = run_request,
    [STEP_PICK_SERVER] = pick_server,
    [STEP_CONNECT] = open_connection,
    [STEP_SEND_HEAD] = send_head,
    [STEP_AWAIT_RESPONSE] = await_response,
    [STEP_ANSWER] = answer,
    [STEP_RUN_RESPONSE] = run_response,
    [STEP_RELAY_BODIES] = relay_bodies,
    [STEP_FINISH] = finish,
};
