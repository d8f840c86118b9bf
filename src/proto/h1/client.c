/* Owns a server's connection between its bytes and the stream that is bound to it. Refuses to know why a request is sent or
 * whether it is worth another try. */
#include "proto/h1/client.h"

#include <stdlib.h>

#include "base/memory.h"
#include "http/token.h"
#include "net/ring.h"
#include "proto/h1/line_ends.h"
#include "proto/h1/lines.h"
#include "proto/h1/write.h"

#define HEAD_GUESS ((size_t)2048)      /* bytes that most heads fit in */
#define HEAD_FIRST ((size_t)1024)      /* that are read of a response with a long body: most heads fit in */
#define SPLICED_BYTES ((int64_t)65536)      /* bodies from here on are spliced rather than read */
#define INTERIM_MAX 32      /* interim responses before the final one; more is an attack */

static void free_connection(struct deferred *deferred)
{
    free(container_of(deferred, struct h1_client, freeing));
}

void h1_client_close(struct h1_client *connection)
{
    if (connection->closed)
        return;
    connection->closed = true;
    connection->owner->on_close(connection);
    timer_cancel(&connection->timer);
    h1_wire_drop_input(&connection->wire);
    chunkq_release(&connection->out);
    connection->stream = NULL;
    struct loop *loop = connection->wire.sock.loop;
    sock_close(&connection->wire.sock);
    connection->freeing.run = free_connection;
    loop_defer_free(loop, &connection->freeing);
}

static void report(struct h1_client *connection, unsigned facts, enum status failure)
{
    struct upstream_stream *stream = connection->stream;
    if (failure != STATUS_OK)
        stream->failure = failure;
    stream->on_facts(stream, facts);
}

/* What the end of the connection means, by how far the exchange of messages has come. */
static enum status closed_status(const struct h1_client *connection, enum status how)
{
    struct upstream_stream *stream = connection->stream;
    if (connection->head_complete)
        return STATUS_UPSTREAM_TRUNCATED;
    if (stream->reused && stream->anything_sent && !stream->anything_received)
        stream->missed = sock_peer_missed(&connection->wire.sock, stream->bytes_out);
    return how == STATUS_IO_ERROR ? STATUS_UPSTREAM_RESET : STATUS_UPSTREAM_CLOSED;
}

static __attribute__((noinline)) enum status read_leniently(struct h1_client *connection, enum status strictly)
{
    struct upstream_stream *stream = connection->stream;
    struct str input = h1_wire_input(&connection->wire), repaired;
    size_t length;
    if (!h1_has_bare_feed(input))
        return strictly;
    enum status status = h1_repair_line_ends(input, &connection->limits, stream->arena, &repaired, &length);
    if (status != STATUS_OK)
        return status == STATUS_AGAIN ? status : STATUS_UPSTREAM_HEAD_TOO_LARGE;
    response_begin(&stream->response, HTTP_1_1, BODY_NONE, stream->arena);
    status = h1_parse_response(repaired, &connection->limits, connection->method, &stream->response, &connection->head);
    connection->head.length = length;
    return status != STATUS_AGAIN ? status : strictly;
}

/* Reads a response head if one is whole; copied to the stream's arena first, so the input's chunk carries only body. */
static enum status read_head(struct h1_client *connection)
{
    struct upstream_stream *stream = connection->stream;
    struct h1_head *head = &connection->head;
    struct str input = h1_wire_input(&connection->wire);
    if (input.len == 0 || (head->seen != 0 && !h1_may_be_complete(input, &connection->limits, head)))
        return STATUS_AGAIN;
    enum status status = STATUS_AGAIN;
    for (size_t len = HEAD_GUESS; status == STATUS_AGAIN; len *= 4) {
        struct arena_mark mark = arena_mark(stream->arena);
        struct str copy = arena_str(stream->arena, str_first(input, len));
        if (copy.data == NULL)
            return STATUS_UPSTREAM_HEAD_TOO_LARGE;
        response_begin(&stream->response, HTTP_1_1, BODY_NONE, stream->arena);
        status = h1_parse_response(copy, &connection->limits, connection->method, &stream->response, head);
        if (status == STATUS_AGAIN)
            arena_rewind(stream->arena, mark);
        if (len >= input.len)
            break;
    }
    if (connection->limits.bare_feeds && status != STATUS_OK)
        status = read_leniently(connection, status);
    if (status == STATUS_OK)
        h1_wire_take(&connection->wire, head->length);
    return status;
}

/* Mostly the body comes along, and is read with the head. Where it is likely to be long, little of it is: the rest goes from socket
 * to socket. A head that is longer than that goes on with a usual read. */
static enum status fill_for_head(struct h1_client *connection)
{
    struct h1_wire *wire = &connection->wire;
    bool frugal = connection->spliced && wire->input == NULL;
    return h1_wire_fill_some(wire, !connection->spliced, connection->limits.head_bytes + 4096, frugal ? HEAD_FIRST : SIZE_MAX);
}

/* Interim heads are reported one by one, the final one once. */
static void advance_head(struct h1_client *connection)
{
    for (unsigned interim = 0; connection->stream != NULL && !connection->head_complete;) {
        enum status status = read_head(connection);
        if (status == STATUS_AGAIN) {
            status = fill_for_head(connection);
            if (status == STATUS_OK) {
                connection->stream->anything_received = true;
                continue;
            }
            if (status == STATUS_AGAIN)
                return;
            report(connection, FACT_CLOSED, status == STATUS_FIELDS_TOO_LARGE ? STATUS_UPSTREAM_HEAD_TOO_LARGE
                                            : status == STATUS_OVERLOADED     ? status
                                                                              : closed_status(connection, status));
            return;
        }
        if (status != STATUS_OK) {
            report(connection, FACT_CLOSED, status);
            return;
        }
        int code = connection->stream->response.status;
        connection->head.seen = 0;
        if (code < 200 && code != 101) {
            if (++interim > INTERIM_MAX) {
                report(connection, FACT_CLOSED, STATUS_UPSTREAM_BAD_RESPONSE);
                return;
            }
            report(connection, FACT_INFORM, STATUS_OK);
            continue;
        }
        connection->head_complete = true;
        connection->spliced = connection->stream->response.body_length >= SPLICED_BYTES;
        struct upstream_stream *stream = connection->stream;
        h1_body_in_init(&connection->body_in, connection->head.framing, stream->response.body_length,
                        &stream->response.trailers);
        report(connection, FACT_HEAD, STATUS_OK);
    }
}

static const struct sock_from *from_of(const struct h1_client *connection)
{
    return connection->owner->from != NULL ? connection->owner->from(connection) : NULL;
}

static void finish_connecting(struct h1_client *connection)
{
    enum status status = sock_connect_result(&connection->wire.sock);
    struct addr next;
    while (status != STATUS_OK && status != STATUS_AGAIN && connection->owner->next_address(connection, status, &next)) {
        sock_close(&connection->wire.sock);
        status = sock_connect(&connection->wire.sock, &next, from_of(connection));
    }
    if (status == STATUS_AGAIN)
        return;
    connection->connected = status == STATUS_OK;
    report(connection, status == STATUS_OK ? FACT_WRITABLE : FACT_CLOSED, status);
}

/* Whatever an idle server says, it is the end or nonsense; a wake for write room says nothing, and under a layer a message may
 * be its own (a ticket for the next session), which leaves nothing to read. */
static void on_idle_event(struct h1_client *connection, unsigned events)
{
    struct sock *sock = &connection->wire.sock;
    char byte;
    size_t got;
    if (!sock->broken && !sock->peer_done &&
        ((events & WATCH_READ) == 0 || (sock->layer != NULL && sock_read(sock, &byte, 1, &got) == STATUS_AGAIN)))
        return;
    h1_client_close(connection);
}

static void on_event(struct sock *sock, unsigned events)
{
    struct h1_client *connection = container_of(container_of(sock, struct h1_wire, sock), struct h1_client, wire);
    if (connection->stream == NULL) {
        on_idle_event(connection, events);
        return;
    }
    if (!connection->connected) {
        finish_connecting(connection);
        return;
    }
    unsigned facts = (events & WATCH_WRITE) != 0 ? FACT_WRITABLE : 0;
    if ((events & WATCH_READ) != 0 || sock->peer_done || sock->broken) {
        if (!connection->head_complete) {
            advance_head(connection);
            return;
        }
        facts |= FACT_READABLE;
    }
    if (facts != 0)
        report(connection, facts, STATUS_OK);
}

/* A response's head is read as soon as anything comes. */
static enum ring_chunk wants_ahead(const struct sock *sock)
{
    const struct h1_client *connection = container_of(container_of(sock, const struct h1_wire, sock), const struct h1_client, wire);
    if (connection->stream == NULL || !connection->connected || connection->head_complete || connection->wire.input != NULL)
        return RING_NONE;
    return connection->spliced ? RING_SMALL : RING_LARGE;
}

static const struct ring_reader client_reader = {.on_event = on_event, .wants = wants_ahead};
REGISTER(ring_reader, client_reader);

static void on_idle_timeout(struct timer *timer)
{
    struct h1_client *connection = container_of(timer, struct h1_client, timer);
    if (connection->stream == NULL)
        h1_client_close(connection);
}

static struct h1_client *make(struct worker *worker, const struct h1_limits *limits, const struct h1_client_owner *owner,
                              void *owner_data)
{
    struct h1_client *connection = memory_zalloc(sizeof(*connection));
    connection->wire.worker = worker;
    connection->wire.out = &connection->out;
    connection->limits = *limits;
    connection->owner = owner;
    connection->owner_data = owner_data;
    chunkq_init(&connection->out);
    list_init(&connection->link);
    timer_init(&connection->timer, on_idle_timeout);
    sock_init(&connection->wire.sock, &worker->loop, on_event);
    return connection;
}

enum status h1_client_new(struct worker *worker, const struct addr *address, const struct h1_limits *limits,
                          const struct h1_client_owner *owner, void *owner_data, struct h1_client **ret_connection)
{
    struct h1_client *connection = make(worker, limits, owner, owner_data);
    enum status status = sock_connect(&connection->wire.sock, address, from_of(connection));
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        free(connection);
        return status;
    }
    connection->connected = status == STATUS_OK;
    *ret_connection = connection;
    return status;
}

struct h1_client *h1_client_adopt(struct worker *worker, struct sock *from, const struct h1_limits *limits,
                                  const struct h1_client_owner *owner, void *owner_data)
{
    struct h1_client *connection = make(worker, limits, owner, owner_data);
    connection->connected = true;
    if (sock_move(&connection->wire.sock, from))
        return connection;
    free(connection);
    return NULL;
}

void h1_client_expire_after(struct h1_client *connection, int64_t ns)
{
    if (ns != 0)
        timer_after(connection->wire.sock.loop, &connection->timer, ns);
    else
        timer_cancel(&connection->timer);
}

/* ---- what the product asks of the stream ---- */

static struct h1_client *connection_of(struct upstream_stream *stream)
{
    return stream->connection;
}

static enum h1_framing choose_framing(const struct request *request)
{
    if (!request->has_body)
        return H1_NO_BODY;
    return request->body_length >= 0 ? H1_LENGTH : H1_CHUNKED;
}

static struct str connection_value(const struct request *request)
{
    if (request->connection.len != 0 && token_is_field_value(request->connection))
        return request->connection;
    return request->upgrade.len != 0 ? S("Upgrade") : STR_NONE;
}

static enum status send_head(struct upstream_stream *stream, const struct request *request)
{
    struct h1_client *connection = connection_of(stream);
    enum h1_framing framing = choose_framing(request);
    connection->method = request->method;
    connection->upgrade_asked = request->upgrade.len != 0;
    h1_body_out_init(&connection->body_out, framing, request->body_length);
    struct chunk *chunk;
    char *out = h1_wire_reserve(&connection->wire, h1_request_size(request), &chunk);
    if (out == NULL)
        return STATUS_OVERLOADED;
    size_t len = h1_write_request(out, request, framing, connection_value(request));
    h1_wire_commit(&connection->wire, chunk, out, len);
    return STATUS_OK;
}

static void upgrade(struct upstream_stream *stream)
{
    struct h1_client *connection = connection_of(stream);
    connection->upgraded = true;
    h1_body_in_init(&connection->body_in, H1_UNTIL_CLOSE, 0, &stream->response.trailers);
    h1_body_out_init(&connection->body_out, H1_UNTIL_CLOSE, 0);
}

static void release(struct upstream_stream *stream, bool reusable)
{
    struct h1_client *connection = connection_of(stream);
    bool whole = connection->connected && connection->head_complete && connection->body_in.ended &&
                 connection->body_out.ended && connection->out.bytes == 0 && connection->wire.input == NULL;
    bool quiet = !connection->wire.sock.broken && !connection->wire.sock.peer_done && !connection->wire.sock.buffered;
    connection->stream = NULL;
    connection->wire.bytes_in = connection->wire.bytes_out = NULL;
    stream->connection = NULL;
    if (reusable && whole && quiet && connection->head.keep_alive && !connection->upgraded &&
        connection->head.framing != H1_UNTIL_CLOSE && !connection->upgrade_asked)
        connection->owner->on_idle(connection);
    else
        h1_client_close(connection);
}

static enum status to_server_failure(struct h1_client *connection, enum status status)
{
    return status == STATUS_IO_ERROR ? closed_status(connection, status) : status;
}

static enum status source_read(struct body_source *source, struct chunkq *into, size_t max)
{
    struct h1_client *connection = connection_of(container_of(source, struct upstream_stream, source));
    enum status status = h1_body_read(&connection->body_in, &connection->wire, into, max, STATUS_UPSTREAM_TRUNCATED);
    return status == STATUS_BAD_CHUNK || status == STATUS_FIELDS_TOO_LARGE ? STATUS_UPSTREAM_BAD_RESPONSE : status;
}

static enum status source_take(struct body_source *source, char *memory, size_t size, size_t *ret_got)
{
    struct h1_client *connection = connection_of(container_of(source, struct upstream_stream, source));
    return h1_body_take(&connection->body_in, &connection->wire, memory, size, ret_got, STATUS_UPSTREAM_TRUNCATED);
}

static enum status source_splice(struct body_source *source, int pipe, size_t max, size_t *ret_moved)
{
    struct h1_client *connection = connection_of(container_of(source, struct upstream_stream, source));
    return h1_body_splice(&connection->body_in, &connection->wire, pipe, max, ret_moved, STATUS_UPSTREAM_TRUNCATED);
}

static void source_gather(struct body_source *source, int bytes)
{
    sock_gather(&connection_of(container_of(source, struct upstream_stream, source))->wire.sock, bytes);
}

static int64_t source_splice_ready(struct body_source *source)
{
    struct h1_client *connection = connection_of(container_of(source, struct upstream_stream, source));
    return h1_body_splice_ready(&connection->body_in, &connection->wire);
}

static enum status sink_write(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct h1_client *connection = connection_of(container_of(sink, struct upstream_stream, sink));
    return to_server_failure(connection, h1_body_write(&connection->body_out, &connection->wire, from, end, trailers));
}

static enum status sink_put(struct body_sink *sink, struct str bytes, size_t *ret_sent)
{
    struct h1_client *connection = connection_of(container_of(sink, struct upstream_stream, sink));
    return to_server_failure(connection, h1_body_put(&connection->body_out, &connection->wire, bytes, ret_sent));
}

static enum status sink_splice(struct body_sink *sink, int pipe, size_t max, size_t *ret_moved)
{
    struct h1_client *connection = connection_of(container_of(sink, struct upstream_stream, sink));
    return to_server_failure(connection,
                             h1_body_splice_out(&connection->body_out, &connection->wire, pipe, max, ret_moved));
}

static bool sink_splice_possible(struct body_sink *sink)
{
    const struct h1_client *connection = connection_of(container_of(sink, struct upstream_stream, sink));
    return h1_body_splice_possible(&connection->body_out, &connection->wire);
}

static enum status sink_flush(struct body_sink *sink)
{
    struct h1_client *connection = connection_of(container_of(sink, struct upstream_stream, sink));
    size_t before = connection->out.bytes;
    enum status status = h1_wire_flush(&connection->wire, false);
    if (connection->out.bytes < before)
        connection->stream->anything_sent = true;
    if (status == STATUS_OK && connection->upgraded && connection->body_out.ended)
        sock_shutdown(&connection->wire.sock);
    return to_server_failure(connection, status);
}

static const struct body_source_ops client_source = {
    .read = source_read, .take = source_take, .splice = source_splice, .splice_ready = source_splice_ready, .gather = source_gather};
static const struct body_sink_ops client_sink = {
    .write = sink_write, .put = sink_put, .splice = sink_splice, .splice_possible = sink_splice_possible, .flush = sink_flush};
static const struct upstream_ops client_ops = {.send_head = send_head, .upgrade = upgrade, .release = release};

void h1_client_bind(struct h1_client *connection, struct upstream_stream *stream)
{
    /* Not cancelled: the wheel keeps it, so that being idle again is a store. */
    timer_set(connection->wire.sock.loop, &connection->timer, TIME_NEVER);
    connection->stream = stream;
    connection->head.seen = 0;
    connection->head_complete = false;
    stream->ops = &client_ops;
    stream->connection = connection;
    stream->source.ops = &client_source;
    stream->sink.ops = &client_sink;
    stream->failure = STATUS_OK;
    stream->reused = connection->requests != 0;
    stream->anything_sent = stream->anything_received = false;
    stream->bytes_in = stream->bytes_out = 0;
    connection->wire.bytes_in = &stream->bytes_in;
    connection->wire.bytes_out = &stream->bytes_out;
    connection->requests++;
}
