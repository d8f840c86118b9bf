#include "exchange/record.h"

#include "exchange/count.h"
#include "exchange/error_log.h"
#include "exchange/graph.h"
#include "exchange/request_log.h"
#include "exchange/service.h"
#include "exchange/tracing.h"
#include "observe/recent.h"
#include "tls/conn.h"

#define NUMBERS 64

/* Each thread takes numbers by the block: a line of memory that all workers write with each request would hold them up. */
static uint64_t take_number(void)
{
    static _Atomic uint64_t taken;
    static _Thread_local uint64_t next, end;
    if (next == end) {
        next = atomic_fetch_add_explicit(&taken, NUMBERS, memory_order_relaxed);
        end = next + NUMBERS;
    }
    return ++next;
}

/* What the client got: 499 when it left before anything was answered, as in nginx's logs. */
int record_status(const struct exchange *x)
{
    if (x->response_sent)
        return x->response.status;
    int status = status_http(x->failure);
    return status != 0 ? status : 499;
}

static int64_t between(int64_t from, int64_t to)
{
    return from != 0 && to > from ? to - from : 0;
}

static bool wants_log(const struct exchange *x)
{
    if (x->graph->access_log == NULL || !x->entry->config->observability.access_logs)
        return false;
    const struct access_log_config *config = x->graph->model->config.access_log;
    return x->router == NULL || (x->router->access_log && (!x->internal || config->add_internals));
}

/* Views of what the connection keeps; it outlives its exchanges. */
static void fill_tls(struct tls_conn *conn, struct access_record *record)
{
    if (conn == NULL)
        return;
    record->tls_version = str_from(tls_version_text(conn));
    record->tls_cipher = str_from(tls_cipher_text(conn));
    record->tls_client_subject = tls_peer_subject(conn);
}

/* What is known, for all who want it: apart, because most requests of a busy worker that logs nothing do without. */
static __attribute__((noinline)) void write_record(struct exchange *x, int status, bool log, bool recent, bool failed)
{
    const struct request *request = &x->stream.request;
    const struct exchange_times *times = &x->times;
    const int64_t total = times->ended - times->began;
    /* Every member, so that nothing is cleared first. */
    struct access_record record = {
        .client = x->stream.client,
        .request = request,
        .response = &x->response,
        .method = x->original_method,
        .method_name = x->original_method_name,
        .path = x->original_path,
        .query = x->original_query,
        .authority = x->original_authority,
        .scheme = request->scheme,
        .client_ip = exchange_client_text(x),
        .entrypoint = x->entry->name,
        .router = x->router != NULL ? x->router->name : STR_NONE,
        .service = x->service != NULL ? x->service->name : STR_NONE,
        .server_url = x->server != NULL ? x->server->url : x->asked != NULL ? x->asked->url : STR_NONE,
        .user = x->user,
        .request_id = x->request_id,
        .protocol = http_version_text(request->version),
        .status = status,
        .origin_status = x->upstream_status,
        .reason = x->failure,
        .reason_detail = x->reason_detail,
        .request_bytes = x->upload_began ? x->upload.moved : 0,
        .response_bytes = exchange_given(x),
        .origin_bytes = x->answered_here || !x->download_began ? 0 : x->download.moved,
        .attempts = x->attempts,
        .number = take_number(),
        .began_wall = x->worker->loop.wall - total,
        .total = total,
        .queue = between(times->began, times->picked != 0 ? times->picked : times->ended),
        .connect = between(times->picked, times->connected),
        .first_byte = between(times->sent, times->first_byte),
        .trace_id = STR_NONE,
        .span_id = STR_NONE,
        .tls_version = STR_NONE,
        .tls_cipher = STR_NONE,
        .tls_client_subject = STR_NONE,
    };
    fill_tls(x->stream.client->secure, &record);
    if (x->trace != NULL) {
        record.trace_id = trace_id_text(x->trace);
        record.span_id = trace_span_text(x->trace);
    }
    if (log)
        access_log_write(x->graph->access_log, x->worker, &record);
    if (recent)
        recent_add(x->worker, &record, failed);
}

static __attribute__((noinline)) void write_named(struct exchange *x)
{
    error_log_end(x);
    if (x->router == NULL || x->router->access_log)
        request_log_write(x);
}

/* No client has asked for it, so nothing counts it. */
static __attribute__((noinline)) void record_subrequest(struct exchange *x)
{
    if (x->router != NULL && x->router->logs_subrequests && request_logs_of(x) != NULL)
        request_log_write(x);
}

/* Apart from exchange_run, which most often is called for something else. */
__attribute__((noinline)) void record_exchange(struct exchange *x)
{
    if (x->failure == STATUS_CLIENT_ABORTED && x->times.routed == 0)
        return;      /* a connection that closed before it asked for anything */
    if (x->subrequest != NULL) {
        record_subrequest(x);
        return;
    }
    int status = record_status(x);
    bool failed = status >= 500 || (x->failure != STATUS_OK && count_is_failure(x->failure));
    count_exchange(x, status);
    if (request_logs_of(x) != NULL)
        write_named(x);
    bool log = wants_log(x), recent = !x->internal && recent_wants(x->worker, failed);
    if (log || recent)
        write_record(x, status, log, recent, failed);
}
