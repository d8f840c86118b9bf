/* Owns a connection to a server from the adopted socket to its end: reading, the one flush of a turn, time limits, closing.
 * What frames mean is client_session.c's business, what a request is client_call.c's. */
#include "proto/h2/client.h"

#include <stdlib.h>

#include "base/memory.h"
#include "proto/h2/client_state.h"

#define READS_PER_TURN 32      /* of a server that sends without end: the loop has others to serve */
#define BUDGET_FIRST 2000

static void free_connection(struct deferred *deferred)
{
    struct h2_client *connection = container_of(deferred, struct h2_client, freeing);
    free(connection->spare);
    free(connection);
}

/* Once closed, it stays for the calls that are bound still: what came for them can be read. */
static void free_when_released(struct h2_client *connection)
{
    if (!connection->closed || !list_empty(&connection->calls))
        return;
    connection->freeing.run = free_connection;
    loop_defer_free(connection->sock.loop, &connection->freeing);
}

static void close_calls(struct h2_client *connection, enum status why)
{
    LIST_FOREACH(&connection->calls, link) {
        struct h2_call *call = container_of(link, struct h2_call, link);
        if (call->closed)
            continue;
        h2_call_fail(call, why);
        h2_call_closed(call);
    }
}

static void release_output(struct h2_client *connection)
{
    if (connection->frames != NULL)
        chunk_unref(connection->frames);
    connection->frames = NULL;
    chunkq_release(&connection->out);
}

/* The server is told that it was no accident, if it reads and if the library may be asked now. */
static void say_goodbye(struct h2_client *connection)
{
    struct iovec vector[8];
    size_t sent;
    if (connection->inside || connection->sock.broken || connection->out.bytes != 0)
        return;
    if (nghttp2_session_terminate_session(connection->session, NGHTTP2_NO_ERROR) != 0)
        return;
    h2_client_frame(connection);
    if (connection->out.bytes != 0)
        sock_write(&connection->sock, vector, chunkq_iovec(&connection->out, vector, 8), false, &sent);
}

void h2_client_close(struct h2_client *connection, enum status why)
{
    if (connection->closed)
        return;
    if (connection->inside) {
        h2_client_must_close(connection, why);
        return;
    }
    connection->closed = true;
    timer_cancel(&connection->timer);
    say_goodbye(connection);
    close_calls(connection, why);
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    h2_client_tell(connection);
    connection->owner->on_close(connection);
    release_output(connection);
    sock_close(&connection->sock);
    free_when_released(connection);
}

void h2_client_must_close(struct h2_client *connection, enum status why)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->close_reason = why;
}

void h2_client_flush_soon(struct h2_client *connection)
{
    if (!connection->closed)
        loop_defer_flush(connection->sock.loop, &connection->flush);
    else
        free_when_released(connection);
}

/* What a callback wished, and what the library is done with. */
static bool close_if_due(struct h2_client *connection)
{
    if (connection->closed)
        return true;
    nghttp2_session *session = connection->session;
    bool over = connection->going_away && connection->open == 0 && connection->out.bytes == 0;
    if (connection->closing)
        h2_client_close(connection, connection->close_reason);
    else if (over || (connection->out.bytes == 0 && !nghttp2_session_want_read(session) &&
                      !nghttp2_session_want_write(session)))
        h2_client_close(connection, STATUS_UPSTREAM_CLOSED);
    return connection->closed;
}

static enum status write_out(struct h2_client *connection)
{
    struct iovec vector[32];
    while (connection->out.bytes != 0) {
        size_t sent = 0;
        int count = chunkq_iovec(&connection->out, vector, 32);
        enum status status = sock_write(&connection->sock, vector, count, false, &sent);
        if (status != STATUS_OK)
            return status;
        chunkq_drop(&connection->out, sent);
    }
    return STATUS_OK;
}

/* The one flush of a turn, for all streams. */
static void flush(struct deferred *deferred)
{
    struct h2_client *connection = container_of(deferred, struct h2_client, flush);
    enum status status = STATUS_OK;
    while (!connection->closed && status == STATUS_OK) {
        h2_client_frame(connection);
        if (connection->out.bytes == 0)
            break;
        status = write_out(connection);
    }
    if (connection->closed)
        return;
    if (status == STATUS_OK)
        release_output(connection);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        h2_client_close(connection, STATUS_UPSTREAM_RESET);
    h2_client_tell(connection);
    close_if_due(connection);
}

/* OK: something came and was understood; AGAIN; else the connection is closed. */
static enum status read_once(struct h2_client *connection)
{
    size_t got = 0;
    struct chunk *input = chunk_new(&connection->worker->chunks, true);
    if (input == NULL) {
        h2_client_close(connection, STATUS_OVERLOADED);
        return STATUS_OVERLOADED;
    }
    enum status status = sock_read(&connection->sock, input->data, input->capacity, &got);
    if (status == STATUS_OK) {
        input->used = (uint32_t)got;
        connection->input = input;
        h2_client_feed(connection, input->data, got);
        connection->input = NULL;
    }
    chunk_unref(input);
    if (status == STATUS_END || status == STATUS_IO_ERROR)
        h2_client_close(connection, status == STATUS_END ? STATUS_UPSTREAM_CLOSED : STATUS_UPSTREAM_RESET);
    return connection->closed ? STATUS_END : status;
}

static void read_all(struct h2_client *connection)
{
    connection->read_again = false;
    for (unsigned reads = 0; sock_may_read(&connection->sock) && !connection->closing; reads++) {
        if (reads == READS_PER_TURN) {
            connection->read_again = true;
            timer_after(connection->sock.loop, &connection->timer, 1);
            break;
        }
        if (read_once(connection) != STATUS_OK)
            break;
    }
    if (connection->closed)
        return;
    h2_client_tell(connection);
    if (!close_if_due(connection) && nghttp2_session_want_write(connection->session))
        h2_client_flush_soon(connection);
}

static void on_event(struct sock *sock, unsigned events)
{
    struct h2_client *connection = container_of(sock, struct h2_client, sock);
    if ((events & WATCH_WRITE) != 0 && connection->out.bytes != 0)
        h2_client_flush_soon(connection);
    if ((events & WATCH_READ) != 0 || sock->peer_done || sock->broken)
        read_all(connection);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void h2_client_set_timer(struct h2_client *connection)
{
    const struct h2_client_settings *settings = &connection->settings;
    int64_t due = TIME_NEVER;
    if (connection->closed)
        return;
    if (connection->read_again)
        due = connection->sock.loop->now + 1;
    if (connection->bound == 0 && settings->idle_timeout != 0)
        due = sooner(due, connection->idle_since + settings->idle_timeout);
    if (connection->ping_sent != 0)
        due = sooner(due, connection->ping_sent + settings->ping_timeout);
    else if (settings->read_idle_timeout != 0)
        due = sooner(due, connection->last_arrival + settings->read_idle_timeout);
    timer_set(connection->sock.loop, &connection->timer, due);
}

static void on_timer(struct timer *timer)
{
    struct h2_client *connection = container_of(timer, struct h2_client, timer);
    const struct h2_client_settings *settings = &connection->settings;
    int64_t now = connection->sock.loop->now;
    if (connection->read_again) {
        read_all(connection);
    } else if (connection->bound == 0 && settings->idle_timeout != 0 &&
               now - connection->idle_since >= settings->idle_timeout) {
        h2_client_close(connection, STATUS_UPSTREAM_CLOSED);
    } else if (connection->ping_sent != 0 && now - connection->ping_sent >= settings->ping_timeout) {
        h2_client_close(connection, STATUS_UPSTREAM_TIMEOUT);
    } else if (connection->ping_sent == 0 && settings->read_idle_timeout != 0 &&
               now - connection->last_arrival >= settings->read_idle_timeout &&
               nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) == 0) {
        connection->ping_sent = settings->ping_timeout != 0 ? now : 0;
        connection->last_arrival = now;
        h2_client_flush_soon(connection);
    }
    h2_client_set_timer(connection);
}

struct h2_client *h2_client_adopt(struct worker *worker, struct sock *from, const struct h2_client_settings *settings,
                                  const struct h2_client_owner *owner, void *owner_data)
{
    struct h2_client *connection = memory_zalloc(sizeof(*connection));
    struct loop *loop = from->loop;
    *connection = (struct h2_client){.worker = worker, .owner = owner, .owner_data = owner_data, .settings = *settings};
    list_init(&connection->calls);
    list_init(&connection->ready);
    chunkq_init(&connection->out);
    timer_init(&connection->timer, on_timer);
    connection->flush.run = flush;
    connection->budget = BUDGET_FIRST;
    connection->budget_at = connection->last_arrival = connection->idle_since = loop->now;
    sock_init(&connection->sock, loop, on_event);
    connection->session = h2_session_new(connection);
    if (connection->session == NULL) {
        sock_close(from);
        free(connection);
        return NULL;
    }
    if (!sock_move(&connection->sock, from)) {
        nghttp2_session_del(connection->session);
        free(connection);
        return NULL;
    }
    h2_client_set_timer(connection);
    h2_client_flush_soon(connection);
    return connection;
}

void *h2_client_owner_data(const struct h2_client *connection)
{
    return connection->owner_data;
}

struct sock *h2_client_sock(struct h2_client *connection)
{
    return &connection->sock;
}

unsigned h2_client_streams(const struct h2_client *connection)
{
    return connection->bound;
}

bool h2_client_is_settled(const struct h2_client *connection)
{
    return connection->settled;
}

bool h2_client_takes_upgrades(const struct h2_client *connection)
{
    return !connection->closed && connection->settled &&
           nghttp2_session_get_remote_settings(connection->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

bool h2_client_has_room(const struct h2_client *connection)
{
    return !connection->closed && !connection->closing && !connection->going_away && !connection->refused &&
           nghttp2_session_check_request_allowed(connection->session) != 0 &&
           connection->open < nghttp2_session_get_remote_settings(connection->session,
                                                                  NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void h2_client_drain(struct h2_client *connection)
{
    connection->going_away = true;
    h2_client_flush_soon(connection);
}
