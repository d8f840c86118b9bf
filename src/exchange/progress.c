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

static bool uploads(const struct exchange *x)
{
    return x->upload_began && !x->upload_done;
}

static const struct responding_timeouts *client_limits(const struct exchange *x)
{
    return &x->entry->config->transport.responding_timeouts;
}

static int64_t read_limit(const struct exchange *x)
{
    const struct client_limits *own = x->router != NULL ? x->router->limits : NULL;
    return own != NULL && own->body_timeout != 0 ? own->body_timeout : client_limits(x)->read_timeout;
}

static int64_t write_limit(const struct exchange *x)
{
    const struct client_limits *own = x->router != NULL ? x->router->limits : NULL;
    return own != NULL && own->send_timeout != 0 ? own->send_timeout : client_limits(x)->write_timeout;
}

/* When a body that the client holds up comes below the minimum rate, if no byte moves any more. */
static int64_t rate_deadline(const struct exchange *x, int64_t began_at, uint64_t moved)
{
    const struct responding_timeouts *limits = client_limits(x);
    if (limits->minimum_rate == 0)
        return TIME_NEVER;
    double bytes_last = (double)moved / (double)limits->minimum_rate * (double)TIME_S; /* ns */
    if (bytes_last < (double)limits->minimum_rate_grace)
        return began_at + limits->minimum_rate_grace;
    return bytes_last < (double)(TIME_NEVER / 4) ? began_at + (int64_t)bytes_last + 1 : TIME_NEVER;
}

/* The client is to give or take bytes of a body: some within `limit`, and all of them not too slowly. Where there is no limit
 * the rate alone finds a client that has stopped. */
static enum status watch_client(struct exchange *x, int64_t limit, int64_t began_at, uint64_t moved)
{
    int64_t deadline = rate_deadline(x, began_at, moved);
    if (exchange_now(x) >= deadline)
        return STATUS_CLIENT_TOO_SLOW;
    if (limit == 0 && deadline != TIME_NEVER)
        timer_set(&x->worker->loop, &x->timer, deadline);
    return watch(x, limit, STATUS_CLIENT_TOO_SLOW);
}

static enum status watch_relay(struct exchange *x, int64_t limit, const struct relay *relay)
{
    return watch_client(x, limit, relay->pace_from, relay->moved - relay->pace_moved);
}

/* The rate counts while it is the client that holds a relay up: an event stream that was silent for an hour, or a server that
 * takes a body slowly, says nothing of the client. */
static void note_pace(const struct exchange *x, struct relay *relay, bool held_by_client)
{
    if (!held_by_client) {
        relay->pace_from = 0;
    } else if (relay->pace_from == 0) {
        relay->pace_from = exchange_now(x);
        relay->pace_moved = relay->moved;
    }
}

enum status progress_next_turn(struct exchange *x)
{
    x->expired = false;
    x->progress_at = exchange_now(x);
    timer_next_turn(&x->worker->loop, &x->timer);
    return STATUS_OK;
}

/* When a relay that gathers what a fast source brings has to look for less; TIME_NEVER: none does. */
static int64_t next_look(const struct exchange *x)
{
    const struct relay *up = &x->upload, *down = &x->download;
    int64_t at = x->download_began && down->gathers_until != 0 && !down->stalled_on_sink ? down->gathers_until : TIME_NEVER;
    return uploads(x) && up->gathers_until != 0 && !up->stalled_on_sink && up->gathers_until < at ? up->gathers_until : at;
}

static enum status look_again(struct exchange *x, int64_t at)
{
    x->expired = false;
    timer_set(&x->worker->loop, &x->timer, at);
    return STATUS_OK;
}

enum status progress_hold(struct exchange *x)
{
    return watch_client(x, read_limit(x), x->hold_began, (uint64_t)exchange_held_length(x));
}

static enum status watch_upload(struct exchange *x)
{
    if (x->upload.yielded)
        return progress_next_turn(x);
    note_pace(x, &x->upload, !x->upload.stalled_on_sink);
    int64_t look = next_look(x);
    if (look != TIME_NEVER)
        return look_again(x, look);
    if (x->upload.stalled_on_sink)
        return watch(x, x->transport->send_timeout, STATUS_UPSTREAM_TOO_SLOW);
    return watch_relay(x, read_limit(x), &x->upload);
}

enum status progress_hold_response(struct exchange *x)
{
    if (uploads(x))
        return watch_upload(x);
    return watch(x, x->transport->read_timeout, STATUS_UPSTREAM_TOO_SLOW);
}

bool progress_wants_continue(const struct exchange *x)
{
    return x->stream.request.expects_continue && !x->continue_sent && uploads(x) &&
           x->upload.moved == 0 && exchange_now(x) - x->times.sent >= CONTINUE_AFTER;
}

enum status progress_await_response(struct exchange *x)
{
    if (uploads(x)) {
        if (x->stream.request.expects_continue && !x->continue_sent && x->upload.moved == 0)
            return progress_limit(x, CONTINUE_AFTER), STATUS_OK;
        return watch_upload(x);
    }
    return watch(x, x->transport->response_header_timeout, STATUS_UPSTREAM_TIMEOUT);
}

enum status progress_relay(struct exchange *x)
{
    if (x->download.yielded || (uploads(x) && x->upload.yielded))
        return progress_next_turn(x);
    if (__builtin_expect(x->download.waits_for_filter && !x->download.stalled_on_sink, 0)) {
        x->progress_at = exchange_now(x);
        progress_limit(x, 0);
        return STATUS_OK;
    }
    if (__builtin_expect(x->download.pace != NULL && x->download.pace->until != 0, 0)) {
        note_pace(x, &x->download, false);
        x->progress_at = exchange_now(x);
        timer_set(&x->worker->loop, &x->timer, x->download.pace->until);
        return STATUS_OK;
    }
    if (x->upgraded && (x->upload_done || x->download_done))
        return watch(x, HALF_CLOSED_LIMIT, STATUS_UPSTREAM_TOO_SLOW);
    note_pace(x, &x->download, x->download.stalled_on_sink);
    int64_t look = next_look(x);
    if (look != TIME_NEVER)
        return look_again(x, look);
    if (x->download.stalled_on_sink)
        return watch_relay(x, write_limit(x), &x->download);
    if (uploads(x) && !x->upgraded)
        return watch_upload(x);
    int64_t limit = x->answered_here ? 0 : x->transport->read_timeout;
    return watch(x, x->upgraded ? x->transport->tunnel_timeout : limit, STATUS_UPSTREAM_TOO_SLOW);
}
