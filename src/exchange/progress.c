#include "exchange/progress.h"

#include "exchange/graph.h"

#define CONTINUE_AFTER TIME_S               /* as Go's ExpectContinueTimeout */
#define HALF_CLOSED_LIMIT (60 * TIME_S)     /* a tunnel of which one direction has ended */

void progress_limit(struct exchange *x, int64_t ns)
{
    x->expired = false;
    if (ns != 0)
        timer_after(&x->worker->loop, &x->timer, ns);
    else
        timer_cancel(&x->timer);
}

bool progress_expired(const struct exchange *x)
{
    return x->expired;
}

void progress_begin(struct exchange *x)
{
    x->expired = false;
    x->progress_at = exchange_now(x);
    x->progress_bytes = 0;
    x->progress_reason = STATUS_OK;
}

/* `reason` is what it would mean if nothing moved for `limit`. */
static enum status watch(struct exchange *x, int64_t limit, enum status reason)
{
    uint64_t bytes = x->stream.bytes_in + x->stream.bytes_out;
    if (x->attempts != 0)
        bytes += x->upstream.bytes_in + x->upstream.bytes_out;
    int64_t now = exchange_now(x);
    if (bytes != x->progress_bytes || reason != x->progress_reason) {
        x->progress_bytes = bytes;
        x->progress_reason = reason;
        x->progress_at = now;
    }
    if (limit == 0)
        return STATUS_OK;
    if (now - x->progress_at >= limit)
        return reason;
    timer_set(&x->worker->loop, &x->timer, x->progress_at + limit);
    return STATUS_OK;
}

static const struct responding_timeouts *client_limits(const struct exchange *x)
{
    return &x->entry->config->transport.responding_timeouts;
}

/* Whether a body that the client holds up has come below the minimum rate after its grace. */
static bool below_rate(const struct exchange *x, int64_t began_at, double moved)
{
    const struct responding_timeouts *limits = client_limits(x);
    int64_t age = exchange_now(x) - began_at;
    if (limits->minimum_rate == 0 || age < limits->minimum_rate_grace)
        return false;
    return moved < (double)limits->minimum_rate * ((double)age / (double)TIME_S);
}

static bool below_minimum(const struct exchange *x, const struct relay *relay)
{
    return below_rate(x, relay->began_at, (double)relay->moved);
}

enum status progress_hold(struct exchange *x)
{
    if (below_rate(x, x->hold_began, (double)exchange_held_length(x)))
        return STATUS_CLIENT_TOO_SLOW;
    return watch(x, client_limits(x)->read_timeout, STATUS_CLIENT_TOO_SLOW);
}

static enum status watch_upload(struct exchange *x)
{
    if (x->upload.stalled_on_sink)
        return watch(x, x->transport->read_timeout, STATUS_UPSTREAM_TOO_SLOW);
    if (!x->upgraded && below_minimum(x, &x->upload))
        return STATUS_CLIENT_TOO_SLOW;
    return watch(x, x->upgraded ? 0 : client_limits(x)->read_timeout, STATUS_CLIENT_TOO_SLOW);
}

enum status progress_hold_response(struct exchange *x)
{
    if (x->upload_began && !x->upload_done)
        return watch_upload(x);
    return watch(x, x->transport->read_timeout, STATUS_UPSTREAM_TOO_SLOW);
}

bool progress_wants_continue(const struct exchange *x)
{
    return x->stream.request.expects_continue && !x->continue_sent && x->upload_began && !x->upload_done &&
           x->upload.moved == 0 && exchange_now(x) - x->times.sent >= CONTINUE_AFTER;
}

enum status progress_await_response(struct exchange *x)
{
    if (x->upload_began && !x->upload_done) {
        if (x->stream.request.expects_continue && !x->continue_sent && x->upload.moved == 0)
            return progress_limit(x, CONTINUE_AFTER), STATUS_OK;
        return watch_upload(x);
    }
    return watch(x, x->transport->response_header_timeout, STATUS_UPSTREAM_TIMEOUT);
}

enum status progress_relay(struct exchange *x)
{
    if (x->download.yielded)
        return progress_limit(x, 1), STATUS_OK;
    if (x->upgraded && (x->upload_done || x->download_done))
        return watch(x, HALF_CLOSED_LIMIT, STATUS_UPSTREAM_TOO_SLOW);
    if (x->download.stalled_on_sink) {
        if (below_minimum(x, &x->download))
            return STATUS_CLIENT_TOO_SLOW;
        return watch(x, client_limits(x)->write_timeout, STATUS_CLIENT_TOO_SLOW);
    }
    if (x->upload_began && !x->upload_done && !x->upgraded)
        return watch_upload(x);
    int64_t limit = x->answered_here ? 0 : x->transport->read_timeout;
    return watch(x, x->upgraded ? 0 : limit, STATUS_UPSTREAM_TOO_SLOW);
}
