#include "exchange/attempt.h"

#include "exchange/count.h"
#include "exchange/error_log.h"
#include "exchange/forwarding.h"
#include "exchange/hold.h"
#include "exchange/lazy_certificates.h"
#include "exchange/outgoing.h"
#include "exchange/service.h"
#include "exchange/spool.h"
#include "exchange/tracing.h"

#define LEAVING_DIAL_LIMIT TIME_S

#define KEPT_BODY_MAX 16384
#define ATTEMPTS_MAX 16      /* of one request, whatever is configured */

static void on_server_facts(struct upstream_stream *stream, unsigned facts)
{
    struct exchange *x = stream->owner;
    x->facts_server |= facts;
    if (x->resume_on_facts)
        x->waiting = false;
    exchange_run(x);
}

/* Which kind of connection the request needs. */
static unsigned wishes_of(const struct exchange *x)
{
    struct str upgrade = outgoing_request(x)->upgrade;
    unsigned wishes = x->fresh_connection ? UPSTREAM_FRESH : 0;
    if (upgrade.len != 0)
        wishes |= UPSTREAM_UPGRADE | (str_equal_nocase(upgrade, S("websocket")) ? (unsigned)UPSTREAM_WEBSOCKET : 0);
    return wishes;
}

struct kept_certificate {
    struct keepsake keepsake;
    struct certificate *certificate;
};

static void let_go(struct keepsake *keepsake)
{
    certificate_unref(container_of(keepsake, struct kept_certificate, keepsake)->certificate);
}

/* A transport of the exchange's own that shows what the variables come to, on connections that show the same. */
static __attribute__((noinline)) enum status choose_certificate(struct exchange *x)
{
    struct certificate *certificate;
    uint64_t words[2] = {x->transport->tls_identity};
    if (!x->server->secure)
        return STATUS_OK;
    if (!lazy_certificates_show(x->transport->shown, x, &certificate))
        return STATUS_FILE_ERROR;
    if (certificate == NULL)
        return STATUS_OK;
    struct kept_certificate *kept = arena_alloc(&x->arena, sizeof(*kept));
    struct transport *own = arena_alloc(&x->arena, sizeof(*own));
    if (kept == NULL || own == NULL) {
        certificate_unref(certificate);
        return STATUS_OUT_OF_MEMORY;
    }
    *kept = (struct kept_certificate){.keepsake = {.release = let_go}, .certificate = certificate};
    exchange_keep(x, &kept->keepsake);
    memcpy(&words[1], certificate->sha256, sizeof(words[1]));
    *own = *x->transport;
    own->shown = NULL;
    own->certificate = certificate;
    own->tls_identity = server_stable_hash(str_of((const char *)words, sizeof(words)));
    x->transport = own;
    return STATUS_OK;
}

enum status attempt_open(struct exchange *x)
{
    x->attempts++;
    x->attempt_open = true;
    x->upstream_status = 0;
    x->times.connected = x->times.first_byte = 0;
    x->facts_server = 0;
    memset(&x->upstream, 0, offsetof(struct upstream_stream, response));
    x->upstream.on_facts = on_server_facts;
    x->upstream.owner = x;
    x->upstream.arena = &x->arena;
    enum status status = __builtin_expect(x->transport->shown != NULL, 0) ? choose_certificate(x) : STATUS_OK;
    if (status == STATUS_OK)
        status = upstream_open(x->worker, x->server, x->transport, wishes_of(x), &x->upstream);
    x->upstream_bound = status == STATUS_OK || status == STATUS_AGAIN;
    return status;
}

int64_t attempt_dial_limit(const struct exchange *x)
{
    int64_t limit = x->transport->dial_timeout;
    if (!server_is_leaving(x->server) || (limit != 0 && limit < LEAVING_DIAL_LIMIT))
        return limit;
    return server_is_gone(x->server) ? 1 : LEAVING_DIAL_LIMIT;
}

void attempt_hasten(struct exchange *x)
{
    struct loop *loop = &x->worker->loop;
    if (x->step != STEP_CONNECT || !x->upstream_bound || !server_is_leaving(x->server))
        return;
    int64_t deadline = loop->now + attempt_dial_limit(x);
    if (deadline < x->timer.deadline)
        timer_set(loop, &x->timer, deadline);
}

/* What filters know of a body that was sent in part counts no more. */
static void restart_filters(struct exchange *x)
{
    for (struct filter *filter = x->request_filters; filter != NULL; filter = filter->next) {
        chunkq_clear(&filter->out);
        filter->ended = false;
        if (filter->restart != NULL)
            filter->restart(filter);
    }
}

/* A connection that was idle may have been closed by the server just now. If the body is small and already here it is kept, so
 * that the request can be sent again, whatever its method, where the server never got it. */
static void keep_small_body(struct exchange *x)
{
    int64_t length = x->stream.request.body_length;
    if (!x->upstream.reused || x->spool != NULL || length <= 0 || length > KEPT_BODY_MAX)
        return;
    x->spool = spool_new(&x->arena, &x->worker->chunks, KEPT_BODY_MAX);
    if (x->spool == NULL)
        return;
    x->hold_began = exchange_now(x);
    x->body_held = x->body_kept = hold_gather(x->spool, &x->stream.source, length + 1, NULL, NULL) == STATUS_END;
}

/* A held body can be sent again from its start; a streamed one only while nothing of it was read. */
static void begin_upload(struct exchange *x)
{
    struct spool *other = x->outgoing != NULL ? x->outgoing->body : NULL;
    x->upload_done = !outgoing_request(x)->has_body;
    if (x->upload_done)
        return;
    x->upload_began = true;
    if (other != NULL) {
        relay_init(&x->upload, x->worker, spool_rewind(other), &x->upstream.sink);
        return;
    }
    keep_small_body(x);
    relay_init(&x->upload, x->worker, hold_request_source(x), &x->upstream.sink);
    x->upload.trailers = &x->stream.request.trailers;
    if (x->router->limits != NULL)
        x->upload.limit = (uint64_t)x->router->limits->body_bytes;
    restart_filters(x);
    x->upload.filters = x->request_filters;
}

enum status attempt_send(struct exchange *x)
{
    outgoing_prepare(x);
    const struct request *request = outgoing_address(x);
    enum status status = request != NULL ? x->upstream.ops->send_head(&x->upstream, request) : STATUS_OUT_OF_MEMORY;
    if (status != STATUS_OK)
        return status;
    begin_upload(x);
    x->times.sent = exchange_now(x);
    if (!x->upload_done)
        return attempt_upload(x);
    status = x->upstream.sink.ops->flush(&x->upstream.sink);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status attempt_upload(struct exchange *x)
{
    if (x->upload_done)
        return STATUS_OK;
    enum status status = relay_pump(&x->upload);
    if (x->upload.moved != 0 && (!x->body_held || x->body_kept) && (x->outgoing == NULL || x->outgoing->body == NULL))
        x->replayable = false;
    if (status == STATUS_AGAIN)
        return STATUS_AGAIN;
    x->upload_done = true;
    /* The server reads no more, but what it has to say may already be here (413, a redirect). */
    if (status != STATUS_OK && x->upload.broken_side == RELAY_SINK && x->upstream.anything_sent)
        return STATUS_OK;
    return status;
}

void attempt_give_back(struct exchange *x)
{
    if (!x->upstream_bound || !x->upload_done)
        return;
    x->upstream_bound = false;
    x->upstream.ops->release(&x->upstream, true);
}

static bool never_reached_the_server(const struct exchange *x, enum status status)
{
    return !x->upstream.anything_sent || x->upstream.missed || status == STATUS_UPSTREAM_REFUSED || status == STATUS_UPSTREAM_UNREACHABLE ||
           status == STATUS_UPSTREAM_UNRESOLVED || status == STATUS_UPSTREAM_CONNECT_TIMEOUT;
}

/* An idle connection that the server closed while the request was on its way: not the server's failure. */
static bool was_stale(const struct exchange *x, enum status status)
{
    return x->upstream.reused && !x->upstream.anything_received &&
           (status == STATUS_UPSTREAM_CLOSED || status == STATUS_UPSTREAM_RESET);
}

static bool is_the_servers_fault(enum status status)
{
    return status_http(status) == 502 || status_http(status) == 504;
}

/* Those that wait for a server ask as often as their patience lasts. */
static bool has_had_enough(const struct exchange *x, bool unsent)
{
    return x->attempts >= ATTEMPTS_MAX && !(x->awaiting != NULL && unsent);
}

/* A connection that had ended while it was idle is nothing to tell of. */
static void forget(struct exchange *x, enum status status, bool stale)
{
    int code = status_http(status);
    tracing_attempt_failed(x, status);
    if (stale)
        x->attempt_open = false;
    else
        attempt_remember(x, code != 0 ? code : 502, false);
    attempt_release(x, false);
    x->failure = status;
    x->reason_detail = x->upstream.detail;
}

/* Whether another server is asked after this failure. A stale connection is nobody's fault: the same one is asked again. */
static bool is_worth_another(const struct exchange *x, enum status status, bool stale, bool unsent)
{
    bool kept = (x->replayable || x->detour) && !x->response_sent;
    if (!kept || !is_the_servers_fault(status) || has_had_enough(x, unsent))
        return false;
    if (x->forwarding != NULL && x->forwarding->retries != NULL && !stale)
        return retries_allow(x, retry_on_failure(status) | (x->upstream.rejected ? RETRY_INVALID_HEADER : 0U));
    return (unsent || method_is_idempotent(x->stream.request.method)) && status != STATUS_UPSTREAM_TIMEOUT &&
           status != STATUS_UPSTREAM_BAD_RESPONSE;
}

enum step attempt_failed(struct exchange *x, enum status status)
{
    bool stale = was_stale(x, status);
    bool unsent = never_reached_the_server(x, status);
    if (!stale && is_the_servers_fault(status)) {
        count_attempt_failed(x, status);
        error_log_attempt(x, status);
        if (x->service->type->on_attempt != NULL)
            x->service->type->on_attempt(x, x->service, status);
    }
    if (x->upstream.missed && x->body_kept)
        x->replayable = true;
    bool another = is_worth_another(x, status, stale, unsent);
    forget(x, status, stale);
    if (status == STATUS_CLIENT_ABORTED)
        return STEP_FINISH;
    if (!another)
        return STEP_ANSWER;
    if (stale) {
        x->stale_attempts++;
        x->tried = 0;
        x->fresh_connection = true;
    }
    return STEP_PICK_SERVER;
}

/* The connection may be gone when somebody asks. */
static __attribute__((noinline)) void note_address(struct exchange *x)
{
    x->server_address = x->upstream.address != NULL ? addr_format(x->upstream.address, &x->arena) : STR_NONE;
}

void attempt_answered(struct exchange *x)
{
    x->failure = STATUS_OK;
    x->reason_detail = NULL;
    if (__builtin_expect(x->server->named, 0))
        note_address(x);
    outgoing_take_response(x);
    if (x->service->type->on_attempt != NULL)
        x->service->type->on_attempt(x, x->service, STATUS_OK);
}
