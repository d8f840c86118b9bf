/* Owns what a stream of a client's HTTP/1 connection does for the product: the response's head, both bodies, the end. Refuses to know
 * how requests come. */
#include "proto/h1/serving.h"

#include "base/copy.h"
#include "proto/h1/write.h"

#define DRAIN_BODY_BYTES 65536      /* an unread rest of a body that is worth reading for keep-alive */

static bool must_close(const struct h1_server *connection)
{
    const struct server_settings *settings = connection->settings;
    int64_t age = connection->wire.sock.loop->now - connection->client.opened_at;
    int64_t max_age = connection->stream->max_age != 0 ? connection->stream->max_age : settings->max_age;
    uint64_t requests = connection->stream->max_requests != 0 ? connection->stream->max_requests : settings->max_requests;
    return connection->active->close || connection->stream->close_after || connection->draining ||
           (requests != 0 && connection->client.requests >= requests) ||
           (max_age != 0 && age >= max_age);
}

/* The client has body bytes to send that nobody reads: worth waiting for only when they are few and come unasked. */
static bool body_is_left(const struct h1_server *connection)
{
    const struct h1_active *active = connection->active;
    if (active->body_in.ended)
        return false;
    bool few = active->body_in.framing == H1_LENGTH && active->body_in.left <= DRAIN_BODY_BYTES;
    /* Of a chunked body the end seems to be here: skip_body will know for certain. */
    if (active->body_in.framing == H1_CHUNKED && !active->body_in.asked) {
        struct str input = h1_wire_input(&connection->wire);
        few = str_starts(input, S("0\r\n\r\n")) || str_find(input, S("\r\n0\r\n\r\n")) >= 0;
    }
    return !few || connection->stream->request.expects_continue;
}

static enum h1_framing choose_framing(const struct stream *stream, const struct response *response, bool bodiless)
{
    if (bodiless)
        return response->body_length >= 0 && stream->request.method == METHOD_HEAD ? H1_LENGTH : H1_NO_BODY;
    if (response->body_length >= 0)
        return H1_LENGTH;
    return stream->request.version >= HTTP_1_1 && !stream->unchunked ? H1_CHUNKED : H1_UNTIL_CLOSE;
}

static struct str connection_value(const struct h1_server *connection, const struct response *response)
{
    if (response->status == 101)
        return S("Upgrade");
    if (connection->active->close)
        return S("close");
    const struct stream *stream = connection->stream;
    if (stream->request.version >= HTTP_1_1 && !connection->settings->announce_keep_alive)
        return STR_NONE;
    if (stream->keep_alive_seconds == 0)
        return S("keep-alive");
    struct str told = arena_printf(stream->arena, "keep-alive\r\nKeep-Alive: timeout=%u", stream->keep_alive_seconds);
    return told.data != NULL ? told : S("keep-alive");
}

static enum status to_client_failure(enum status status)
{
    return status == STATUS_IO_ERROR ? STATUS_CLIENT_ABORTED : status;
}

/* The head, and with `whole` all of the body behind it: END where another way is due. What is queued already (an interim head) goes first,
 * and where the connection closes behind the last bytes they wait for the end to ride with them: that is the sink's. */
static __attribute__((noinline)) enum status send_response(struct stream *stream, const struct response *response, const struct str *whole)
{
    struct h1_server *connection = h1_server_of(stream);
    struct h1_active *active = connection->active;
    bool final = response->status >= 200 || response->status == 101;
    if (!final && stream->request.version < HTTP_1_1)
        return STATUS_OK;      /* RFC 9110 15.2: an HTTP/1.0 client does not know interim responses */
    const bool bodiless = stream->request.method == METHOD_HEAD || status_is_bodiless(response->status);
    enum h1_framing framing = choose_framing(stream, response, bodiless);
    if (final) {
        active->close = must_close(connection) || framing == H1_UNTIL_CLOSE || body_is_left(connection);
        if (whole != NULL && (active->close || bodiless || active->out.bytes != 0))
            return STATUS_END;
        h1_body_out_init(&active->body_out, bodiless ? H1_NO_BODY : framing, whole != NULL ? 0 : response->body_length);
        active->final_head_queued = true;
        stream->response_begun = true;
    }
    struct chunk *chunk;
    char *out = h1_wire_reserve(&connection->wire, h1_response_size(response) + (whole != NULL ? whole->len : 0), &chunk);
    if (out == NULL)
        return STATUS_OVERLOADED;
    struct str date = str_of(connection->wire.sock.loop->date, 29);
    size_t len = h1_write_response(out, response, framing, final ? connection_value(connection, response) : STR_NONE, date);
    if (final)
        stream->head_bytes_out = (uint32_t)len;
    if (whole != NULL)
        return to_client_failure(h1_wire_send(&connection->wire, chunk, (size_t)(copy_short(out + len, *whole) - out)));
    h1_wire_commit(&connection->wire, chunk, out, len);
    return STATUS_OK;
}

static enum status send_head(struct stream *stream, const struct response *response)
{
    return send_response(stream, response, NULL);
}

static enum status send_whole(struct stream *stream, const struct response *response, struct str body)
{
    return send_response(stream, response, &body);
}

static void upgrade(struct stream *stream)
{
    struct h1_server *connection = h1_server_of(stream);
    struct h1_active *active = connection->active;
    active->upgraded = active->close = true;
    h1_body_in_init(&active->body_in, H1_UNTIL_CLOSE, 0, &stream->request.trailers);
    h1_body_out_init(&active->body_out, H1_UNTIL_CLOSE, 0);
}

/* Reads away the short rest of a body that nobody wanted; true when the next request may follow. */
static bool skip_body(struct h1_server *connection)
{
    struct h1_active *active = connection->active;
    struct chunkq waste;
    chunkq_init(&waste);
    enum status status = STATUS_OK;
    for (size_t skipped = 0; status == STATUS_OK && !active->body_in.ended && skipped <= DRAIN_BODY_BYTES; skipped += waste.bytes) {
        chunkq_clear(&waste);
        status = h1_body_read(&active->body_in, &connection->wire, &waste, CHUNK_LARGE_SIZE, STATUS_CLIENT_ABORTED);
    }
    chunkq_release(&waste);
    return active->body_in.ended;
}

static void finish(struct stream *stream, bool broken)
{
    struct h1_server *connection = h1_server_of(stream);
    struct h1_active *active = connection->active;
    int64_t idle_limit = stream->idle_timeout != 0 ? stream->idle_timeout : connection->settings->idle_timeout;
    if (broken || !active->final_head_queued || active->out.bytes != 0) {
        h1_server_stream_over(connection, H1_BROKEN, idle_limit);
        return;
    }
    bool close = active->close || active->upgraded;
    bool unread = !active->upgraded && !active->body_in.ended && (close || !skip_body(connection));
    h1_server_stream_over(connection, unread ? H1_UNREAD : close ? H1_CLOSES : H1_REUSED, idle_limit);
}

static enum status source_read(struct body_source *source, struct chunkq *into, size_t max)
{
    struct h1_server *connection = h1_server_of(container_of(source, struct stream, source));
    return h1_body_read(&connection->active->body_in, &connection->wire, into, max, STATUS_CLIENT_ABORTED);
}

static enum status source_take(struct body_source *source, char *memory, size_t size, size_t *ret_got)
{
    struct h1_server *connection = h1_server_of(container_of(source, struct stream, source));
    return h1_body_take(&connection->active->body_in, &connection->wire, memory, size, ret_got, STATUS_CLIENT_ABORTED);
}

static enum status source_splice(struct body_source *source, int pipe, size_t max, size_t *ret_moved)
{
    struct h1_server *connection = h1_server_of(container_of(source, struct stream, source));
    enum status status = h1_body_splice(&connection->active->body_in, &connection->wire, pipe, max, ret_moved, STATUS_CLIENT_ABORTED);
    if (status == STATUS_OK)
        connection->spliced = true;
    return status;
}

static void source_gather(struct body_source *source, int bytes)
{
    sock_gather(&h1_server_of(container_of(source, struct stream, source))->wire.sock, bytes);
}

static int64_t source_splice_ready(struct body_source *source)
{
    struct h1_server *connection = h1_server_of(container_of(source, struct stream, source));
    return h1_body_splice_ready(&connection->active->body_in, &connection->wire);
}

static enum status sink_write(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    return to_client_failure(h1_body_write(&connection->active->body_out, &connection->wire, from, end, trailers));
}

static enum status sink_put(struct body_sink *sink, struct str bytes, size_t *ret_sent)
{
    struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    return to_client_failure(h1_body_put(&connection->active->body_out, &connection->wire, bytes, ret_sent));
}

static enum status sink_splice(struct body_sink *sink, int pipe, size_t max, size_t *ret_moved)
{
    struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    return to_client_failure(
        h1_body_splice_out(&connection->active->body_out, &connection->wire, pipe, max, ret_moved));
}

static enum status sink_send_file(struct body_sink *sink, int file, off_t *offset, size_t max, size_t *ret_moved)
{
    struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    return to_client_failure(
        h1_body_send_file(&connection->active->body_out, &connection->wire, file, offset, max, ret_moved));
}

static bool sink_splice_possible(struct body_sink *sink)
{
    const struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    return h1_body_splice_possible(&connection->active->body_out, &connection->wire);
}

/* A response that is whole ends the exchange with the flush, in this turn: where that closes the connection, the last bytes wait
 * for the end to ride with them, a segment less and its acknowledgement. Not where the client may send more: bytes that come
 * unread turn a close into a reset, which takes along what was not sent yet. */
static enum status sink_flush(struct body_sink *sink)
{
    struct h1_server *connection = h1_server_of(container_of(sink, struct stream, sink));
    const struct h1_active *active = connection->active;
    const bool closes = active->close && !active->upgraded && active->final_head_queued && active->body_out.ended;
    connection->wire.sock.ending = closes && active->out.count <= H1_WIRE_SLICES;
    enum status status = h1_wire_flush(&connection->wire, closes && active->last);
    if (status == STATUS_OK && connection->active->upgraded && connection->active->body_out.ended)
        sock_shutdown(&connection->wire.sock);
    return to_client_failure(status);
}

static const struct stream_ops server_ops = {
    .send_head = send_head, .send_whole = send_whole, .upgrade = upgrade, .finish = finish};

static const struct body_source_ops server_source = {
    .read = source_read, .take = source_take, .splice = source_splice, .splice_ready = source_splice_ready, .gather = source_gather};
static const struct body_sink_ops server_sink = {.write = sink_write,
                                                 .put = sink_put,
                                                 .splice = sink_splice,
                                                 .send_file = sink_send_file,
                                                 .splice_possible = sink_splice_possible,
                                                 .flush = sink_flush};

void h1_stream_attach(struct stream *stream)
{
    stream->ops = &server_ops;
    stream->source.ops = &server_source;
    stream->sink.ops = &server_sink;
}
