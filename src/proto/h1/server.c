/* Owns a client's connection between its bytes and its streams. Refuses to know what a request is for. */
#include "proto/h1/server.h"

#include <stdlib.h>

#include "base/memory.h"
#include "net/ring.h"
#include "proto/h1/lines.h"
#include "proto/h1/repair.h"
#include "proto/h1/serving.h"

#define HEAD_GUESS ((size_t)2048)      /* bytes that most heads fit in */
#define DOUBT_TIME (2 * TIME_S)
#define LINGER_TIME (2 * TIME_S)
#define LINGER_BYTES ((uint64_t)1 << 20)

static void process(struct h1_server *connection);
static void close_with(struct h1_server *connection, enum status why);

static void free_connection(struct deferred *deferred)
{
    struct h1_server *connection = container_of(deferred, struct h1_server, freeing);
    client_release(&connection->client);
    free(connection);
}

static void close_now(struct h1_server *connection, bool reset)
{
    if (connection->state == CLOSED)
        return;
    connection->state = CLOSED;
    timer_cancel(&connection->timer);
    connection_leave(&connection->connection, connection->settings->open, connection->settings->traffic);
    h1_wire_drop_input(&connection->wire);
    struct loop *loop = connection->wire.sock.loop;
    if (reset)
        sock_reset(&connection->wire.sock);
    else
        sock_close(&connection->wire.sock);
    connection->freeing.run = free_connection;
    loop_defer_free(loop, &connection->freeing);
}

static void become_idle(struct h1_server *connection, int64_t limit)
{
    connection->state = IDLE;
    if (limit != 0)
        timer_after(connection->wire.sock.loop, &connection->timer, limit);
    else
        timer_cancel(&connection->timer);
}

/* The client still sends what nobody will read: closing now would reset the connection and could destroy the response on
 * its way (RFC 9112 9.6), so our side is ended and a bounded rest is read first. */
static void linger(struct h1_server *connection)
{
    connection->state = LINGERING;
    h1_wire_drop_input(&connection->wire);
    sock_shutdown(&connection->wire.sock);
    timer_after(connection->wire.sock.loop, &connection->timer, LINGER_TIME);
    process(connection);
}

static void read_away(struct h1_server *connection)
{
    uint64_t read = 0;
    while (read < LINGER_BYTES) {
        enum status status = h1_wire_fill(&connection->wire, true, CHUNK_LARGE_SIZE);
        if (status == STATUS_AGAIN)
            return;
        if (status != STATUS_OK)
            break;
        read += h1_wire_input(&connection->wire).len;
        h1_wire_drop_input(&connection->wire);
    }
    close_now(connection, false);
}

/* No memory for a request: said with what is at hand, for whoever is on the other side to come again. */
static void refuse_for_load(struct h1_server *connection)
{
    static char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    struct iovec vector = {.iov_base = text, .iov_len = sizeof(text) - 1};
    size_t sent;
    sock_write(&connection->wire.sock, &vector, 1, false, &sent);
    close_now(connection, false);
}

/* A stream for the request whose first bytes have come. */
static bool open_stream(struct h1_server *connection)
{
    const struct server_settings *settings = connection->settings;
    connection->client.requests++;
    struct stream *stream = settings->handler->open(settings->context, &connection->client);
    if (stream == NULL)
        return false;
    struct h1_active *active = arena_alloc(stream->arena, sizeof(*active));
    if (active == NULL)
        return false;
    /* Nothing of a body is known before the head is; begin_stream and send_head say how they are framed. */
    active->head.seen = 0;
    active->body_in.ended = active->body_out.ended = true;
    active->close = active->last = active->upgraded = active->final_head_queued = active->slow_head = false;
    h1_stream_attach(stream);
    stream->handler = settings->handler;
    stream->connection = connection;
    stream->client = &connection->client;
    stream->began_at = connection->wire.sock.loop->now;
    stream->pipelined = connection->pipelined;
    fields_init(&stream->request.fields, stream->arena, 24);
    stream->request.scheme = connection->client.tls ? S("https") : S("http");
    chunkq_init(&active->out);
    connection->stream = stream;
    connection->active = active;
    connection->wire.out = &active->out;
    connection->wire.bytes_in = &stream->bytes_in;
    connection->wire.bytes_out = &stream->bytes_out;
    connection->state = READING_HEAD;
    if (settings->head_timeout != 0)
        timer_after(connection->wire.sock.loop, &connection->timer, settings->head_timeout);
    return true;
}

/* Counted only where a head is late, so that others pay nothing for it. */
static void note_slow_head(struct h1_server *connection, bool slow)
{
    struct traffic *traffic = connection->settings->traffic;
    if (connection->active->slow_head == slow || traffic == NULL)
        return;
    connection->active->slow_head = slow;
    traffic_count(&traffic->reading, slow ? 1 : -1);
}

static void begin_stream(struct h1_server *connection, enum status failure)
{
    note_slow_head(connection, false);
    struct stream *stream = connection->stream;
    struct h1_active *active = connection->active;
    connection->state = STREAMING;
    stream->failure = failure;
    if (failure != STATUS_OK) {
        active->close = true;
        active->head.framing = H1_NO_BODY;
    } else if (!active->head.keep_alive) {
        active->close = true;
        active->last = active->head.framing == H1_NO_BODY && !connection->client.tls;      /* whose goodbye is bytes */
    }
    fields_init(&stream->request.trailers, stream->arena, 0);
    h1_body_in_init(&active->body_in, active->head.framing, stream->request.body_length, &stream->request.trailers);
    stream->handler->on_facts(stream, FACT_HEAD);
}

/* Behind a strict reading. Nothing of an attempt stays while more must come. */
static __attribute__((noinline)) enum status read_leniently(struct h1_server *connection, enum status strictly)
{
    struct stream *stream = connection->stream;
    struct str input = h1_wire_input(&connection->wire);
    const struct h1_limits *limits = &connection->settings->limits;
    if (!h1_is_repairable(input, limits, strictly))
        return strictly;
    struct arena_mark mark = arena_mark(stream->arena);
    const struct field *room = stream->request.fields.items;
    enum status status = h1_parse_repaired(input, limits, &stream->request, &connection->active->head, strictly);
    if (status == STATUS_AGAIN && stream->request.fields.items == room)
        arena_rewind(stream->arena, mark);
    return status;
}

/* Reads the head if it is whole. It is copied to the stream's arena first, so that the input's chunk is free again while the
 * request runs; most heads are small and little of a body that follows is copied along. AGAIN: more must come. */
static enum status read_head(struct h1_server *connection)
{
    struct stream *stream = connection->stream;
    struct h1_head *head = &connection->active->head;
    const struct h1_limits *limits = &connection->settings->limits;
    struct str input = h1_wire_input(&connection->wire);
    if (head->seen != 0 && !h1_may_be_complete(input, limits, head))
        return STATUS_AGAIN;
    enum status status = STATUS_AGAIN;
    for (size_t len = HEAD_GUESS; status == STATUS_AGAIN; len *= 4) {
        struct arena_mark mark = arena_mark(stream->arena);
        const struct field *room = stream->request.fields.items;
        struct str copy = arena_str(stream->arena, str_first(input, len));
        if (copy.data == NULL)
            return STATUS_FIELDS_TOO_LARGE;
        status = h1_parse_request(copy, limits, &stream->request, head);
        /* Room that the fields were given behind the copy is theirs from now on. */
        if (status == STATUS_AGAIN && stream->request.fields.items == room)
            arena_rewind(stream->arena, mark);
        if (len >= input.len)
            break;
    }
    if (status != STATUS_OK && (limits->bare_feeds || limits->repair_targets || limits->drop_odd_names))
        status = read_leniently(connection, status);
    if (status == STATUS_OK) {
        stream->request.head_bytes = (uint32_t)head->length;
        h1_wire_take(&connection->wire, head->length);
    }
    return status;
}

enum foreigner { NATIVE, UNDECIDED, FOREIGN };

#define PREFACE STR("PRI * HTTP/2.0\r\n")
#define TLS_HANDSHAKE '\x16'      /* the first byte of a ClientHello's record (RFC 8446 5.1) */

/* A first byte that no method begins with, or the preface of HTTP/2, which HTTP/1 would only refuse. */
static enum foreigner look_at_first_bytes(struct str input)
{
    static const struct str preface = PREFACE;
    if (input.data[0] == TLS_HANDSHAKE)
        return FOREIGN;
    if (input.data[0] != 'P' || !str_starts(preface, str_first(input, preface.len)))
        return NATIVE;
    return input.len >= preface.len ? FOREIGN : UNDECIDED;
}

/* The socket goes to whoever speaks what came; this connection ends without a word. */
static bool give_away(struct h1_server *connection)
{
    struct h1_wire *wire = &connection->wire;
    struct foreign foreign = {
        .sock = &wire->sock, .input = wire->input, .input_at = wire->input_at, .client = &connection->client};
    enum foreign_kind kind = h1_wire_input(wire).data[0] == TLS_HANDSHAKE ? FOREIGN_TLS : FOREIGN_H2;
    if (!connection->settings->on_foreign(connection->settings->context, kind, &foreign))
        return false;
    wire->input = NULL;
    wire->input_at = 0;
    close_now(connection, false);
    return true;
}

/* Before the first request: true when the connection is not (or not yet known to be) an HTTP/1 one and nothing may be read as
 * such; *ret_wait then says that the next byte decides. */
static bool is_foreign(struct h1_server *connection, bool *ret_wait)
{
    if (connection->client.requests != 0 || connection->settings->on_foreign == NULL || connection->stream != NULL)
        return false;
    enum foreigner is = look_at_first_bytes(h1_wire_input(&connection->wire));
    *ret_wait = is == UNDECIDED;
    return is == UNDECIDED || (is == FOREIGN && give_away(connection));
}

/* A short body mostly comes along with its head. Behind one that went through a pipe little is read, as the next is likely to take
 * the same way. A head that is longer than that goes on with a usual read. */
static enum status fill_for_head(struct h1_server *connection)
{
    struct h1_wire *wire = &connection->wire;
    bool frugal = connection->spliced && wire->input == NULL;
    enum status status = h1_wire_fill_some(wire, false, connection->settings->limits.head_bytes + 4096, frugal ? H1_HEAD_FIRST : SIZE_MAX);
    if (frugal && status == STATUS_OK)
        connection->spliced = false;
    return status;
}

/* Idle or in a head: takes what has come. True when it got so far that more may be done at once. */
static bool advance_head(struct h1_server *connection)
{
    bool wait = false;
    for (;;) {
        if (h1_wire_input(&connection->wire).len == 0 || connection->active != NULL || wait) {
            enum status status = fill_for_head(connection);
            if (status == STATUS_AGAIN)
                return false;
            if (status == STATUS_FIELDS_TOO_LARGE && connection->stream != NULL) {
                begin_stream(connection, status);
                return true;
            }
            if (status == STATUS_OVERLOADED && connection->stream == NULL) {
                refuse_for_load(connection);
                return false;
            }
            if (status != STATUS_OK) {
                close_with(connection, STATUS_CLIENT_ABORTED);
                return false;
            }
        }
        if (is_foreign(connection, &wait)) {
            if (wait)
                continue;
            return false;
        }
        if (connection->stream == NULL && !open_stream(connection)) {
            refuse_for_load(connection);
            return false;
        }
        enum status status = read_head(connection);
        if (status != STATUS_AGAIN) {
            begin_stream(connection, status);
            return true;
        }
        note_slow_head(connection, true);
    }
}

/* Goes on until nothing more can be done now: a loop, so that a thousand pipelined requests take no stack. */
static void process(struct h1_server *connection)
{
    if (connection->in_process)
        return;
    connection->in_process = true;
    bool progress = true;
    while (progress) {
        progress = false;
        if (connection->state == IDLE || connection->state == READING_HEAD) {
            progress = advance_head(connection) && connection->state == IDLE &&
                       (h1_wire_input(&connection->wire).len != 0 || sock_may_read(&connection->wire.sock));
        } else if (connection->state == LINGERING) {
            read_away(connection);
        }
    }
    connection->in_process = false;
}

/* The client ended its direction while it waits. It may be gone, or have sent all that it has to say (nc -N): which of the
 * two, nobody can know without writing. It is given some time; see still_there. An upgraded connection or a body under way
 * finds the end by reading it; a body that nobody reads, because its request is held, does not. True: it is taken to be gone at once. */
static bool doubt_client(struct h1_server *connection)
{
    struct h1_active *active = connection->active;
    if (active->upgraded || (!active->body_in.ended && active->body_in.asked))
        return false;
    if (connection->settings->half_close_is_gone)
        return true;
    active->whole_at_doubt = active->body_in.ended;
    active->out_at_doubt = connection->stream->bytes_out;
    timer_after(connection->wire.sock.loop, &connection->timer, DOUBT_TIME);
    return false;
}

/* Whether a client that ended its direction goes on taking its response; one that is slow with what waits for it is told
 * from one that is gone by the reset that the latter sends. */
static bool still_there(const struct h1_server *connection)
{
    const struct h1_active *active = connection->active;
    return active->out.bytes != 0 || connection->stream->bytes_out != active->out_at_doubt;
}

/* As when the doubt began: a body that was begun since finds the end by itself. */
static bool is_in_doubt(const struct h1_server *connection)
{
    const struct h1_active *active = connection->active;
    return connection->wire.sock.peer_done && (active->whole_at_doubt || !active->body_in.asked);
}

static void on_event(struct sock *sock, unsigned events)
{
    struct h1_server *connection = container_of(container_of(sock, struct h1_wire, sock), struct h1_server, wire);
    if (connection->state != STREAMING) {
        process(connection);
        return;
    }
    unsigned facts = 0;
    if ((events & WATCH_READ) != 0)
        facts |= FACT_READABLE;
    if ((events & WATCH_WRITE) != 0)
        facts |= FACT_WRITABLE;
    if (sock->broken || ((events & WATCH_HANGUP) != 0 && doubt_client(connection))) {
        connection->stream->failure = STATUS_CLIENT_ABORTED;
        facts |= FACT_CLOSED;
    }
    if (facts != 0)
        connection->stream->handler->on_facts(connection->stream, facts);
}

/* Before a head, with nothing of it here, whatever comes is read at once. */
static enum ring_chunk wants_ahead(const struct sock *sock)
{
    const struct h1_server *connection = container_of(container_of(sock, const struct h1_wire, sock), const struct h1_server, wire);
    bool awaits_head = connection->state == IDLE || connection->state == READING_HEAD;
    return awaits_head && connection->wire.input == NULL ? RING_SMALL : RING_NONE;
}

static const struct ring_reader server_reader = {.on_event = on_event, .wants = wants_ahead};
REGISTER(ring_reader, server_reader);

static void on_timeout(struct timer *timer)
{
    struct h1_server *connection = container_of(timer, struct h1_server, timer);
    if (connection->state == READING_HEAD)
        begin_stream(connection, STATUS_CLIENT_HEAD_TIMEOUT);
    else if (connection->state == IDLE || connection->state == LINGERING)
        close_now(connection, false);
    else if (connection->state == STREAMING && is_in_doubt(connection) && still_there(connection))
        doubt_client(connection);
    else if (connection->state == STREAMING && is_in_doubt(connection))
        close_with(connection, STATUS_CLIENT_ABORTED);
}

static void drain(struct connection *base)
{
    struct h1_server *connection = container_of(base, struct h1_server, connection);
    connection->draining = true;
    if (connection->state == IDLE && h1_wire_input(&connection->wire).len == 0 && !sock_may_read(&connection->wire.sock))
        close_now(connection, false);
}

/* At once, whatever runs. */
static void close_with(struct h1_server *connection, enum status why)
{
    if (connection->state == STREAMING || connection->state == READING_HEAD) {
        struct stream *stream = connection->stream;
        connection->state = STREAMING;
        stream->failure = why;
        stream->handler->on_facts(stream, FACT_CLOSED);
        return;
    }
    close_now(connection, false);
}

static void close_connection(struct connection *base, enum status why)
{
    close_with(container_of(base, struct h1_server, connection), why);
}

static const struct connection_ops connection_ops = {.drain = drain, .close = close_connection};

static struct h1_server *new_connection(struct worker *worker, const struct client *client, const struct server_settings *settings)
{
    struct h1_server *connection = memory_zalloc(sizeof(*connection));
    client_copy(&connection->client, client);
    connection->settings = settings;
    connection->wire.worker = worker;
    if (client->opened_at == 0)
        connection->client.opened_at = worker->loop.now;
    connection->connection.ops = &connection_ops;
    timer_init(&connection->timer, on_timeout);
    sock_init(&connection->wire.sock, &worker->loop, on_event);
    return connection;
}

static void begin_waiting(struct h1_server *connection, struct list *connections)
{
    const struct server_settings *settings = connection->settings;
    connection_join(&connection->connection, connections, settings->open, settings->traffic);
    become_idle(connection, settings->idle_timeout);
    /* A client that says nothing at all is held to the head's limit, not to the longer one between requests. */
    if (settings->head_timeout != 0 && (settings->idle_timeout == 0 || settings->head_timeout < settings->idle_timeout))
        timer_after(connection->wire.sock.loop, &connection->timer, settings->head_timeout);
}

struct h1_server *h1_server_new(struct worker *worker, int fd, const struct client *client,
                                const struct server_settings *settings, struct list *connections)
{
    struct h1_server *connection = new_connection(worker, client, settings);
    if (!sock_take(&connection->wire.sock, fd, false)) {
        client_release(&connection->client);
        free(connection);
        return NULL;
    }
    begin_waiting(connection, connections);
    return connection;
}

struct h1_server *h1_server_adopt(struct worker *worker, struct sock *from, struct chunk *input, uint32_t input_at,
                                  const struct client *client, const struct server_settings *settings,
                                  struct list *connections)
{
    struct h1_server *connection = new_connection(worker, client, settings);
    if (!sock_move(&connection->wire.sock, from)) {
        if (input != NULL)
            chunk_unref(input);
        client_release(&connection->client);
        free(connection);
        return NULL;
    }
    connection->wire.input = input;
    connection->wire.input_at = input_at;
    begin_waiting(connection, connections);
    /* What is here already gives no new edge. */
    if (input != NULL || sock_may_read(&connection->wire.sock))
        process(connection);
    return connection;
}

/* ---- behind a stream ---- */

static void release_stream(struct h1_server *connection)
{
    note_slow_head(connection, false);
    chunkq_release(&connection->active->out);
    connection->wire.out = NULL;
    connection->wire.bytes_in = connection->wire.bytes_out = NULL;
    connection->stream = NULL;
    connection->active = NULL;
}

void h1_server_stream_over(struct h1_server *connection, enum h1_stream_end end, int64_t idle_limit)
{
    release_stream(connection);
    if (end == H1_BROKEN) {
        close_now(connection, true);
    } else if (end == H1_REUSED) {
        become_idle(connection, idle_limit);
        connection->pipelined = h1_wire_input(&connection->wire).len != 0;
        if (connection->pipelined || sock_may_read(&connection->wire.sock))
            process(connection);
    } else if (end == H1_UNREAD || h1_wire_input(&connection->wire).len != 0 || sock_may_read(&connection->wire.sock)) {
        linger(connection);
    } else {
        close_now(connection, false);
    }
}
