/* Owns a client's HTTP/2 connection between its socket and nghttp2: reading, writing, limits of time, draining, the end.
 * Refuses to know what frames mean. */
#include "proto/h2/server.h"

#include <stdlib.h>

#include "base/memory.h"
#include "proto/h2/serving.h"

enum { OPEN, LINGERING, CLOSED };

#define READS_IN_TURN 8           /* of a large buffer each; then others have their turn */
#define SENT_IN_TURN ((uint64_t)8 << 20)      /* to a client as fast as we are */
#define VECTOR_MAX 64
#define DRAIN_TIME TIME_S         /* for the answer to the notice of a GOAWAY: more than a round trip */
#define REST TIME_S               /* without streams: then it counts as idle */
#define LINGER_TIME (2 * TIME_S)
#define LINGER_BYTES ((uint64_t)1 << 20)

static void process_input(struct h2_server *server);

/* ---- the end ---- */

static void free_server(struct deferred *deferred)
{
    struct h2_server *server = container_of(deferred, struct h2_server, freeing);
    h2_session_close(server);
    client_release(&server->client);
    free(server);
}

static void drop_output(struct h2_server *server)
{
    chunkq_release(&server->out);
    if (server->scratch != NULL)
        chunk_unref(server->scratch);
    server->scratch = NULL;
}

static void close_now(struct h2_server *server)
{
    if (server->state == CLOSED)
        return;
    server->state = CLOSED;
    timer_cancel(&server->timer);
    connection_leave(&server->connection, server->settings->open, server->settings->traffic);
    drop_output(server);
    sock_close(&server->sock);
    server->freeing.run = free_server;
    loop_defer_free(server->sock.loop, &server->freeing);
}

/* At once: whoever still runs is told first. */
static void abort_now(struct h2_server *server, enum status why)
{
    if (server->state == CLOSED)
        return;
    LIST_FOREACH(&server->streams, it)
        h2_stream_close(container_of(it, struct h2_stream, link), why);
    h2_server_deliver(server);
    close_now(server);
}

static void read_away(struct h2_server *server)
{
    struct chunk *chunk = chunk_new(&server->worker->chunks, true);
    enum status status = chunk != NULL ? STATUS_OK : STATUS_OVERLOADED;
    while (status == STATUS_OK && server->lingered < LINGER_BYTES) {
        size_t got = 0;
        status = sock_may_read(&server->sock) ? sock_read(&server->sock, chunk->data, chunk->capacity, &got) : STATUS_AGAIN;
        server->lingered += got;
    }
    if (chunk != NULL)
        chunk_unref(chunk);
    if (status != STATUS_AGAIN)
        close_now(server);
}

/* All has been said, but the client may still send: closing now would reset the connection and could destroy what is on its
 * way, the GOAWAY first of all. */
static void linger(struct h2_server *server)
{
    server->state = LINGERING;
    drop_output(server);
    sock_shutdown(&server->sock);
    timer_after(server->sock.loop, &server->timer, LINGER_TIME);
    read_away(server);
}

void h2_server_doom(struct h2_server *server, uint32_t code, enum status why)
{
    if (server->doom != STATUS_OK)
        return;
    server->doom = why;
    if (server->settings->on_sent_away != NULL)
        server->settings->on_sent_away(server->settings->context, &server->client, why);
    nghttp2_session_terminate_session(server->session, code);
    LIST_FOREACH(&server->streams, it)
        h2_stream_close(container_of(it, struct h2_stream, link), why);
    h2_server_schedule(server);
}

/* ---- draining ---- */

/* First a GOAWAY that names no stream, with a PING behind it: when the client has answered, it has seen the notice, and what
 * it began before that has arrived. So none of its requests is lost (RFC 9113 6.8). */
static void give_notice(struct h2_server *server)
{
    static const uint8_t mark[8] = "portico";
    if (server->draining != H2_SERVING || server->doom != STATUS_OK)
        return;
    server->draining = H2_NOTICED;
    server->drain_until = server->sock.loop->now + DRAIN_TIME;
    nghttp2_submit_shutdown_notice(server->session);
    nghttp2_submit_ping(server->session, NGHTTP2_FLAG_NONE, mark);
    h2_server_schedule(server);
}

void h2_server_drain_on(struct h2_server *server)
{
    if (server->draining != H2_NOTICED)
        return;
    server->draining = H2_LAST_STREAM_KNOWN;
    nghttp2_submit_goaway(server->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(server->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    h2_server_schedule(server);
}

/* Without a notice: the GOAWAY tells the senders of requests on their way that those were not taken. */
static void name_last_stream(struct h2_server *server)
{
    server->draining = H2_NOTICED;
    h2_server_drain_on(server);
}

void h2_server_drain(struct h2_server *server)
{
    if (!server->settings->h2.go_away_at_once)
        give_notice(server);
    else if (server->draining == H2_SERVING && server->doom == STATUS_OK)
        name_last_stream(server);
}

static bool has_served_enough(const struct h2_server *server)
{
    const struct server_settings *settings = server->settings;
    return (settings->max_requests != 0 && server->client.requests >= settings->max_requests) ||
           (settings->max_age != 0 && server->sock.loop->now - server->opened_at >= settings->max_age);
}

/* ---- time ---- */

static bool output_waits(const struct h2_server *server)
{
    return server->out.bytes != 0 || server->queued != 0;
}

/* When it is over with a client that takes nothing. The streams' own limits are the same; this one comes a little before, for
 * it is the connection that stalls and its reason that is told. Without a limit for writing it is their minimum rate that ends
 * streams, and a connection that has none is an idle one, whatever it does not take. */
static int64_t stall_deadline(struct h2_server *server)
{
    int64_t limit = server->settings->write_timeout;
    if (limit == 0 && server->running == 0)
        limit = server->settings->idle_timeout;
    uint64_t mark = server->framed + server->sent;
    if (!output_waits(server) || mark != server->progress_mark) {
        server->progress_mark = mark;
        server->progress_at = server->sock.loop->now;
    }
    return limit != 0 && output_waits(server) ? server->progress_at + limit - limit / 8 : TIME_NEVER;
}

static int64_t head_deadline(const struct h2_server *server)
{
    int64_t limit = server->settings->head_timeout;
    return limit != 0 && server->heading != NULL ? server->heading_at + limit : TIME_NEVER;
}

/* Who has not asked for anything yet is held to the head's limit. */
static int64_t idle_deadline(const struct h2_server *server)
{
    const struct server_settings *settings = server->settings;
    int64_t limit = settings->idle_timeout;
    if (server->running != 0 || server->draining == H2_LAST_STREAM_KNOWN)
        return TIME_NEVER;
    if (server->client.requests == 0 && settings->head_timeout != 0 && (limit == 0 || settings->head_timeout < limit))
        limit = settings->head_timeout;
    return limit != 0 ? server->idle_at + limit : TIME_NEVER;
}

/* When what nghttp2 does not need at the moment is given back. */
static int64_t rest_deadline(const struct h2_server *server)
{
    int64_t deadline = server->idle_at + REST;
    return server->running == 0 && server->sock.loop->now < deadline ? deadline : TIME_NEVER;
}

/* Where the last stream is named at once that has to be one which was served: the age is looked at with each request. */
static int64_t age_deadline(const struct h2_server *server)
{
    const struct server_settings *settings = server->settings;
    bool counts = settings->max_age != 0 && server->draining == H2_SERVING && !settings->h2.go_away_at_once;
    return counts ? server->opened_at + server->settings->max_age : TIME_NEVER;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_timer(struct h2_server *server)
{
    int64_t deadline = earlier(stall_deadline(server), earlier(idle_deadline(server), rest_deadline(server)));
    deadline = earlier(deadline, earlier(head_deadline(server), age_deadline(server)));
    if (server->draining == H2_NOTICED)
        deadline = earlier(deadline, server->drain_until);
    if (server->read_again || server->write_again)
        deadline = server->sock.loop->now + 1;
    timer_set(server->sock.loop, &server->timer, deadline);
}

static void on_timer(struct timer *timer)
{
    struct h2_server *server = container_of(timer, struct h2_server, timer);
    int64_t now = server->sock.loop->now;
    if (server->state == LINGERING) {
        close_now(server);
        return;
    }
    if (now >= stall_deadline(server)) {
        abort_now(server, STATUS_H2_STALLED);
        return;
    }
    if (server->running == 0 && now >= server->idle_at + REST)
        h2_memory_trim(&server->memory);
    if (now >= head_deadline(server))
        h2_server_doom(server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_CLIENT_HEAD_TIMEOUT);
    else if (now >= idle_deadline(server))
        name_last_stream(server);      /* nothing was asked for so long that a request on its way is unlikely */
    else if (server->draining == H2_NOTICED && now >= server->drain_until)
        h2_server_drain_on(server);
    else if (now >= age_deadline(server))
        give_notice(server);
    if (server->read_again)
        process_input(server);
    server->write_again = false;
    h2_server_schedule(server);
}

/* ---- out ---- */

void h2_server_schedule(struct h2_server *server)
{
    struct loop *loop = server->sock.loop;
    if (server->turn != loop->turn || server->sent - server->turn_sent < SENT_IN_TURN) {
        loop_defer_flush(loop, &server->flushing);
        return;
    }
    server->write_again = true;
    timer_set(loop, &server->timer, loop->now + 1);
}

/* OK: all gone; AGAIN; IO_ERROR. */
static enum status write_out(struct h2_server *server)
{
    while (server->out.bytes != 0) {
        struct iovec vector[VECTOR_MAX];
        int count = chunkq_iovec(&server->out, vector, VECTOR_MAX);
        size_t sent = 0;
        enum status status = sock_write(&server->sock, vector, count, false, &sent);
        if (status != STATUS_OK)
            return status;
        chunkq_drop(&server->out, sent);
        server->sent += sent;
    }
    if (server->scratch != NULL)
        chunk_unref(server->scratch);
    server->scratch = NULL;
    return STATUS_OK;
}

/* Frames and writes until there is nothing more or the kernel takes no more. */
static enum status push_out(struct h2_server *server)
{
    for (;;) {
        h2_session_frame(server);
        if (server->out.bytes == 0)
            return STATUS_OK;
        enum status status = write_out(server);
        if (status != STATUS_OK)
            return status;
    }
}

/* Nothing more will be said: broken off, or drained to the last stream, or the client went away and wants nothing. */
static bool is_over(const struct h2_server *server)
{
    if (server->running != 0 || server->out.bytes != 0)
        return false;
    return server->doom != STATUS_OK || server->draining == H2_LAST_STREAM_KNOWN ||
           (!nghttp2_session_want_read(server->session) && !nghttp2_session_want_write(server->session));
}

static void begin_turn(struct h2_server *server)
{
    if (server->turn == server->sock.loop->turn)
        return;
    server->turn = server->sock.loop->turn;
    server->turn_sent = server->sent;
    server->write_again = false;
}

/* The end of a turn: what all streams have written leaves together. */
static void on_flush(struct deferred *deferred)
{
    struct h2_server *server = container_of(deferred, struct h2_server, flushing);
    if (server->state != OPEN)
        return;
    begin_turn(server);
    enum status status = push_out(server);
    if (status == STATUS_IO_ERROR) {
        abort_now(server, STATUS_CLIENT_ABORTED);
        return;
    }
    h2_server_deliver(server);
    if (server->doom != STATUS_OK && status == STATUS_AGAIN && server->running == 0) {
        close_now(server);      /* it takes nothing, not even the GOAWAY */
        return;
    }
    if (is_over(server)) {
        linger(server);
        return;
    }
    if (server->hold_reading && server->out.bytes < H2_OUT_BYTES) {
        server->hold_reading = false;
        server->read_again = true;
    }
    set_timer(server);
}

/* ---- in ---- */

void h2_server_deliver(struct h2_server *server)
{
    struct list *first;
    while ((first = list_pop(&server->noted)) != NULL) {
        struct h2_stream *own = container_of(first, struct h2_stream, note);
        unsigned facts = own->facts;
        if ((facts & FACT_CLOSED) != 0)
            own->stream->failure = own->why;
        else
            own->facts = 0;
        own->stream->handler->on_facts(own->stream, facts);
    }
}

void h2_server_forget(struct h2_stream *own)
{
    struct h2_server *server = own->server;
    if (server->heading == own)
        server->heading = NULL;
    list_remove(&own->note);
    list_remove(&own->link);
    server->heads -= own->held;
    if (--server->running == 0)
        server->idle_at = server->sock.loop->now;
    h2_server_schedule(server);
}

/* False: nothing more is to be read now. */
static bool take_input(struct h2_server *server, struct chunk *chunk, uint32_t at)
{
    server->input = chunk;
    bool good = h2_session_feed(server, chunk->data + at, chunk->used - at);
    server->input = NULL;
    h2_server_deliver(server);
    if (good && server->draining == H2_SERVING && has_served_enough(server))
        h2_server_drain(server);
    return good;
}

/* Reads once; OK when more may be there. */
static enum status read_once(struct h2_server *server)
{
    if (!sock_may_read(&server->sock))
        return STATUS_AGAIN;
    if (server->out.bytes >= H2_OUT_BYTES) {
        server->hold_reading = true;
        return STATUS_AGAIN;
    }
    struct chunk *chunk = chunk_new(&server->worker->chunks, true);
    size_t got = 0;
    if (chunk == NULL)
        return STATUS_OVERLOADED;
    enum status status = sock_read(&server->sock, chunk->data, chunk->capacity, &got);
    chunk->used = (uint32_t)got;
    if (status == STATUS_OK && !take_input(server, chunk, 0))
        status = STATUS_AGAIN;
    chunk_unref(chunk);
    return status;
}

static void process_input(struct h2_server *server)
{
    enum status status = STATUS_OK;
    server->read_again = false;
    if (server->doom != STATUS_OK)
        return;
    for (unsigned reads = 0; status == STATUS_OK && reads < READS_IN_TURN; reads++)
        status = read_once(server);
    if (status == STATUS_OVERLOADED)
        h2_server_doom(server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_OVERLOADED);
    else if (status != STATUS_OK && status != STATUS_AGAIN)
        abort_now(server, STATUS_CLIENT_ABORTED);
    server->read_again = status == STATUS_OK;
    if (server->state == OPEN)
        h2_server_schedule(server);
}

static void on_event(struct sock *sock, unsigned events)
{
    struct h2_server *server = container_of(sock, struct h2_server, sock);
    if (server->state == LINGERING)
        read_away(server);
    else if (sock->broken)
        abort_now(server, STATUS_CLIENT_ABORTED);
    else if (sock_may_read(sock))
        process_input(server);
    else if (output_waits(server))
        h2_server_schedule(server);
}

/* ---- the connection as its port sees it ---- */

static void drain(struct connection *base)
{
    give_notice(container_of(base, struct h2_server, connection));
}

static void close_connection(struct connection *base, enum status why)
{
    abort_now(container_of(base, struct h2_server, connection), why);
}

static const struct connection_ops connection_ops = {.drain = drain, .close = close_connection};

static struct h2_server *new_server(struct worker *worker, const struct client *client, const struct server_settings *settings)
{
    struct h2_server *server = memory_zalloc(sizeof(*server));
    server->worker = worker;
    client_copy(&server->client, client);
    server->settings = settings;
    server->opened_at = server->idle_at = worker->loop.now;
    server->connection.ops = &connection_ops;
    server->flushing.run = on_flush;
    list_init(&server->streams);
    list_init(&server->noted);
    chunkq_init(&server->out);
    timer_init(&server->timer, on_timer);
    sock_init(&server->sock, &worker->loop, on_event);
    return server;
}

bool h2_server_adopt(struct worker *worker, struct sock *from, struct chunk *input, uint32_t input_at,
                     const struct client *client, const struct server_settings *settings, struct list *connections)
{
    struct h2_server *server = new_server(worker, client, settings);
    bool moved = sock_move(&server->sock, from);
    if (!moved || !h2_session_open(server)) {
        sock_close(&server->sock);
        if (input != NULL)
            chunk_unref(input);
        client_release(&server->client);
        free(server);
        return false;
    }
    connection_join(&server->connection, connections, settings->open, settings->traffic);
    if (input != NULL)
        take_input(server, input, input_at);
    if (input != NULL)
        chunk_unref(input);
    process_input(server);
    return true;
}
