/* Owns a request on a connection: what the product asks of the stream, and what it is told. */
#include "proto/h2/client_state.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "proto/h2/head.h"

#define LINGERING_MAX 16      /* more of them, and the next is reset: a server that never ends its streams */

/* ---- facts ---- */

void h2_call_note(struct h2_call *call, unsigned facts)
{
    if (call->stream == NULL || facts == 0)
        return;
    call->facts |= facts;
    if (list_empty(&call->ready))
        list_append(&call->connection->ready, &call->ready);
}

void h2_client_tell(struct h2_client *connection)
{
    struct list *link;
    while ((link = list_pop(&connection->ready)) != NULL) {
        struct h2_call *call = container_of(link, struct h2_call, ready);
        unsigned facts = call->facts;
        call->facts = 0;
        call->stream->on_facts(call->stream, facts);
    }
    if (!connection->changed || connection->closed)
        return;
    connection->changed = false;
    connection->owner->on_change(connection);
}

/* A close is a race only for who has heard nothing on the connection since it asked. */
static bool may_be_stale(const struct h2_call *call)
{
    return call->id == 0 || call->connection->arrivals == call->arrivals;
}

static bool ends_the_connection(enum status why)
{
    return why == STATUS_UPSTREAM_CLOSED || why == STATUS_UPSTREAM_RESET || why == STATUS_UPSTREAM_BAD_RESPONSE;
}

void h2_call_fail(struct h2_call *call, enum status why)
{
    struct upstream_stream *stream = call->stream;
    if (call->failure != STATUS_OK || call->remote_ended)
        return;
    if (call->head_complete)
        why = ends_the_connection(why)         ? STATUS_UPSTREAM_TRUNCATED
              : why == STATUS_UPSTREAM_TIMEOUT ? STATUS_UPSTREAM_TOO_SLOW
                                               : why;
    call->failure = why;
    if (stream == NULL)
        return;
    stream->failure = why;
    stream->reused = stream->reused && may_be_stale(call);
    h2_call_note(call, FACT_CLOSED | (call->head_complete ? FACT_READABLE : 0));
}

/* ---- the life of a call ---- */

static struct h2_call *new_call(struct h2_client *connection)
{
    struct h2_call *call = connection->spare;
    connection->spare = NULL;
    if (call == NULL)
        call = memory_alloc(sizeof(*call));
    memset(call, 0, sizeof(*call));
    call->connection = connection;
    chunkq_init(&call->in);
    chunkq_init(&call->out);
    list_init(&call->ready);
    list_append(&connection->calls, &call->link);
    connection->open++;
    return call;
}

/* Both have let go. */
static void end_call(struct h2_call *call)
{
    struct h2_client *connection = call->connection;
    list_remove(&call->link);
    list_remove(&call->ready);
    chunkq_release(&call->in);
    chunkq_release(&call->out);
    if (connection->spare == NULL)
        connection->spare = call;
    else
        free(call);
}

void h2_call_closed(struct h2_call *call)
{
    struct h2_client *connection = call->connection;
    if (call->closed)
        return;
    call->closed = true;
    connection->open--;
    connection->refused = false;
    if (call->stream != NULL) {
        if (call->wants_room)
            h2_call_note(call, FACT_WRITABLE);
        chunkq_clear(&call->out);
        return;
    }
    if (!call->reset_by_us)
        connection->lingering--;
    end_call(call);
}

/* A response that is whole by its length may still lack the server's end of stream, which is on its way: a reset would look
 * like abuse, and cost the server its work. */
static bool may_linger(const struct h2_call *call)
{
    return call->head_complete && call->out_ended && call->out.bytes == 0 && call->in.bytes == 0 && !call->tunnel &&
           call->failure == STATUS_OK && call->connection->lingering < LINGERING_MAX;
}

static void reset(struct h2_call *call)
{
    call->reset_by_us = true;
    uint32_t code = call->remote_ended ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL;
    if (nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->id, code) != 0)
        h2_client_must_close(call->connection, STATUS_OVERLOADED);
}

static void release(struct upstream_stream *stream, bool reusable)
{
    struct h2_call *call = stream->connection;
    struct h2_client *connection = call->connection;
    bool linger = reusable && may_linger(call);
    call->stream = NULL;
    stream->connection = NULL;
    list_remove(&call->ready);
    chunkq_clear(&call->in);
    chunkq_clear(&call->out);
    connection->bound--;
    if (connection->bound == 0)
        connection->idle_since = connection->sock.loop->now;
    if (call->closed) {
        end_call(call);
    } else if (call->id == 0) {
        call->reset_by_us = true;      /* of a stream that never was */
        h2_call_closed(call);
    } else if (linger) {
        connection->lingering++;
    } else if (!call->reset_by_us) {
        reset(call);
    }
    if (!connection->closed && connection->bound == 0)
        h2_client_set_timer(connection);
    h2_client_flush_soon(connection);
    if (!connection->closed)
        connection->owner->on_change(connection);
}

/* ---- the request's head ---- */

static bool asks_for_websocket(const struct request *request)
{
    return str_equal_nocase(request->upgrade, S("websocket"));
}

static struct str path_of(const struct request *request, struct arena *arena)
{
    struct str path = request->path.len != 0 ? request->path : S("/");
    if (request->query.data == NULL)
        return path;
    char *joined = arena_alloc(arena, path.len + 1 + request->query.len);
    if (joined == NULL)
        return STR_NONE;
    char *at = mempcpy(joined, path.data, path.len);
    *at++ = '?';
    if (request->query.len != 0)
        memcpy(at, request->query.data, request->query.len);
    return str_of(joined, path.len + 1 + request->query.len);
}

static bool add_length(struct h2_head *head, const struct request *request, struct arena *arena)
{
    if (!request->has_body || request->body_length < 0)
        return true;
    struct str length = arena_printf(arena, "%lld", (long long)request->body_length);
    h2_head_add(head, S("content-length"), length);
    return length.data != NULL;
}

/* What the server will not say, for it has no handshake in HTTP/2, but a client of HTTP/1 (with a key) waits for. */
static void prepare_tunnel(struct h2_call *call, struct h2_head *head, const struct request *request)
{
    struct str key = fields_value_name(&request->fields, S("Sec-WebSocket-Key"));
    if (key.len != 0)
        ws_handshake_accept(key, call->accept);
    h2_head_add(head, S(":protocol"), S("websocket"));
}

static void drop_key(struct h2_head *head)
{
    size_t kept = 0;
    for (size_t i = 0; i < head->count; i++) {
        const nghttp2_nv *item = &head->items[i];
        if (!str_equal_nocase(str_of((const char *)item->name, item->namelen), S("sec-websocket-key")))
            head->items[kept++] = *item;
    }
    head->count = kept;
}

static enum status build_head(struct h2_call *call, const struct request *request, struct h2_head *head)
{
    struct arena *arena = call->stream->arena;
    struct str path = path_of(request, arena);
    if (path.data == NULL || !h2_head_init(head, arena, request->fields.count + h2_head_count_lines(request->lines) + 6))
        return STATUS_OUT_OF_MEMORY;
    h2_head_add(head, S(":method"), call->tunnel ? S("CONNECT") : request->method_name);
    h2_head_add(head, S(":scheme"), call->connection->sock.layer != NULL ? S("https") : S("http"));
    h2_head_add(head, S(":authority"), request->authority);
    h2_head_add(head, S(":path"), path);
    if (call->tunnel)
        prepare_tunnel(call, head, request);
    h2_head_add_fields(head, &request->fields, FIELD_BIT(CONTENT_LENGTH));
    h2_head_add_lines(head, request->lines);
    if (call->tunnel)
        drop_key(head);
    return add_length(head, request, arena) ? STATUS_OK : STATUS_OUT_OF_MEMORY;
}

static enum status send_head(struct upstream_stream *stream, const struct request *request)
{
    struct h2_call *call = stream->connection;
    struct h2_client *connection = call->connection;
    struct h2_head head;
    if (call->closed)
        return call->failure;
    /* Other protocols than WebSocket are not to be had here: a server may pass over such a wish (RFC 9110 7.8). */
    call->tunnel = asks_for_websocket(request);
    if (call->tunnel && !h2_client_takes_upgrades(connection))
        return STATUS_UPSTREAM_PROTOCOL;
    call->method = request->method;
    call->out_ended = !request->has_body && !call->tunnel;
    enum status status = build_head(call, request, &head);
    if (status != STATUS_OK)
        return status;
    h2_call_submit(call, head.items, head.count, !call->out_ended);
    call->arrivals = connection->arrivals;
    h2_client_flush_soon(connection);
    return call->id > 0 ? STATUS_OK : STATUS_OVERLOADED;
}

static void upgrade(struct upstream_stream *stream)
{
    /* DATA is plain bytes already. */
}

/* ---- bodies ---- */

static enum status source_read(struct body_source *source, struct chunkq *into, size_t max)
{
    struct h2_call *call = container_of(source, struct upstream_stream, source)->connection;
    struct h2_client *connection = call->connection;
    if (call->in.bytes == 0) {
        if (call->failure != STATUS_OK)
            return call->failure;
        return call->remote_ended ? STATUS_END : STATUS_AGAIN;
    }
    size_t moved = chunkq_move(into, &call->in, max);
    if (!call->closed && !call->remote_ended) {
        if (nghttp2_session_consume_stream(connection->session, call->id, moved) != 0)
            h2_client_must_close(connection, STATUS_OVERLOADED);
        h2_client_flush_soon(connection);
    }
    return STATUS_OK;
}

static enum status sink_write(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct h2_call *call = container_of(sink, struct upstream_stream, sink)->connection;
    struct h2_client *connection = call->connection;
    if (call->closed || call->failure != STATUS_OK)
        return call->failure != STATUS_OK ? call->failure : STATUS_UPSTREAM_CLOSED;
    if (call->out.bytes < STREAM_OUT_BYTES && call->out.count < STREAM_OUT_SLICES)
        chunkq_move(&call->out, from, STREAM_OUT_BYTES - call->out.bytes);
    if (from->bytes == 0 && end) {
        call->out_ended = true;
        call->trailers = trailers != NULL && trailers->count != 0 ? trailers : NULL;
    }
    if (call->starved && (call->out.bytes != 0 || call->out_ended)) {
        call->starved = false;
        if (nghttp2_session_resume_data(connection->session, call->id) != 0)
            return STATUS_OVERLOADED;
    }
    call->wants_room = from->bytes != 0;
    return call->wants_room ? STATUS_AGAIN : STATUS_OK;
}

/* Everything leaves at the end of this turn, as far as the server has granted room and the kernel is not full. */
static bool will_leave(const struct h2_call *call)
{
    nghttp2_session *session = call->connection->session;
    int32_t window = nghttp2_session_get_stream_remote_window_size(session, call->id);
    if (window < 0)
        window = (int32_t)nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    int32_t common = nghttp2_session_get_remote_window_size(session);
    size_t room = window <= 0 || common <= 0 ? 0 : (size_t)(window < common ? window : common);
    return call->out.bytes <= room && call->connection->sock.writable;
}

static enum status sink_flush(struct body_sink *sink)
{
    struct h2_call *call = container_of(sink, struct upstream_stream, sink)->connection;
    if (call->closed)
        return call->failure;
    h2_client_flush_soon(call->connection);
    /* Who was refused a part of a body waits for its room even when all that is here will leave: he would only ask again. */
    call->wants_room = call->wants_room || (call->out.bytes != 0 && !will_leave(call));
    return call->wants_room ? STATUS_AGAIN : STATUS_OK;
}

static const struct body_source_ops call_source = {.read = source_read};
static const struct body_sink_ops call_sink = {.write = sink_write, .flush = sink_flush};
static const struct upstream_ops call_ops = {.send_head = send_head, .upgrade = upgrade, .release = release};

void h2_client_open(struct h2_client *connection, struct upstream_stream *stream)
{
    assert(!connection->closed);
    struct h2_call *call = new_call(connection);
    call->stream = stream;
    connection->bound++;
    stream->ops = &call_ops;
    stream->connection = call;
    stream->source.ops = &call_source;
    stream->sink.ops = &call_sink;
    stream->failure = STATUS_OK;
    stream->reused = connection->requests != 0;
    stream->anything_sent = stream->anything_received = false;
    stream->bytes_in = stream->bytes_out = 0;
    connection->requests++;
    if (connection->bound == 1)
        h2_client_set_timer(connection);
}
