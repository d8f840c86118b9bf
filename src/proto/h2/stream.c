/* A stream as the product knows it. Bodies are moved by reference: what came waits in `in` until it is read, and only then is
 * the client granted as much again; what was written waits in `out` until nghttp2 has room to frame it. */
#include "proto/h2/serving.h"

#define FIELDS_FIRST 24
#define COPIED_SHARE 4            /* a slice smaller than this part of its chunk is copied: it must not pin all of it */

static const struct stream_ops stream_ops;
static const struct body_source_ops stream_source;
static const struct body_sink_ops stream_sink;

static struct h2_stream *own_of(struct stream *stream)
{
    return stream->connection;
}

/* ---- notes ---- */

void h2_stream_note(struct h2_stream *own, unsigned facts)
{
    own->facts |= facts;
    if (list_empty(&own->note))
        list_append(&own->server->noted, &own->note);
}

void h2_stream_close(struct h2_stream *own, enum status why)
{
    if ((own->facts & FACT_CLOSED) != 0)
        return;
    own->why = why;
    h2_stream_note(own, FACT_CLOSED);
}

void h2_stream_malformed(struct h2_stream *own, enum status why)
{
    own->reset_code = NGHTTP2_PROTOCOL_ERROR;
    if (own->out_begun) {
        h2_stream_close(own, STATUS_H2_PROTOCOL);
    } else if (own->spoilt == STATUS_OK) {
        own->spoilt = why;
        h2_session_count_reset(own->server);
        h2_stream_note(own, FACT_READABLE);
    }
}

/* ---- what comes ---- */

struct h2_stream *h2_stream_open(struct h2_server *server, int32_t id)
{
    const struct server_settings *settings = server->settings;
    struct stream *stream = settings->handler->open(settings->context, &server->client);
    if (stream == NULL)
        return NULL;
    /* The first of an arena always holds so much. */
    struct h2_stream *own = arena_zalloc(stream->arena, sizeof(*own));
    own->stream = stream;
    own->server = server;
    own->id = id;
    own->in_left = -1;
    own->reset_code = NGHTTP2_INTERNAL_ERROR;
    own->priority.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY;
    chunkq_init(&own->in);
    chunkq_init(&own->out);
    list_init(&own->note);
    list_append(&server->streams, &own->link);
    server->running++;
    stream->ops = &stream_ops;
    stream->source.ops = &stream_source;
    stream->sink.ops = &stream_sink;
    stream->handler = settings->handler;
    stream->connection = own;
    stream->client = &server->client;
    stream->began_at = server->sock.loop->now;
    stream->request.scheme = server->client.tls ? S("https") : S("http");
    fields_init(&stream->request.fields, stream->arena, FIELDS_FIRST);
    fields_init(&stream->request.trailers, stream->arena, 0);
    return own;
}

bool h2_stream_data(struct h2_stream *own, const char *data, size_t len)
{
    struct chunk *input = own->server->input;
    own->stream->bytes_in += len;
    if ((own->facts & FACT_CLOSED) != 0 || own->spoilt != STATUS_OK)
        return false;
    if (own->in_left >= 0 && (int64_t)len > own->in_left) {
        h2_stream_malformed(own, STATUS_BAD_LENGTH);      /* RFC 9113 8.1.1 */
        return false;
    }
    if (own->in_left >= 0)
        own->in_left -= (int64_t)len;
    if (len >= input->capacity / COPIED_SHARE)
        chunkq_add(&own->in, input, input->data + (data - input->data), len);
    else if (!chunkq_add_copy(&own->in, &own->server->worker->chunks, str_of(data, len)))
        return h2_stream_close(own, STATUS_OVERLOADED), false;
    h2_stream_note(own, FACT_READABLE);
    return true;
}

void h2_stream_end(struct h2_stream *own)
{
    own->in_ended = true;
    if (own->in_left > 0)
        h2_stream_malformed(own, STATUS_BAD_LENGTH);
    else if (own->stream->request.has_body || own->tunnel)
        h2_stream_note(own, FACT_READABLE);
}

/* The client may send as much again. */
static void grant(struct h2_stream *own, size_t len)
{
    nghttp2_session *session = own->server->session;
    if (own->closed)
        nghttp2_session_consume_connection(session, len);
    else
        nghttp2_session_consume(session, own->id, len);
    h2_server_schedule(own->server);
}

static enum status source_read(struct body_source *source, struct chunkq *into, size_t max)
{
    struct h2_stream *own = own_of(container_of(source, struct stream, source));
    if (own->spoilt != STATUS_OK)
        return own->spoilt;
    if (own->in.bytes != 0) {
        size_t moved = chunkq_move(into, &own->in, max);
        grant(own, moved);
        return STATUS_OK;
    }
    if (own->in_ended)
        return STATUS_END;
    return own->closed ? STATUS_CLIENT_ABORTED : STATUS_AGAIN;
}

/* ---- what goes ---- */

static bool is_full(const struct h2_stream *own)
{
    return own->out.bytes >= H2_STREAM_BYTES || own->out.count >= H2_STREAM_SLICES;
}

/* nghttp2 asks how much of the stream's body goes into the next frame; the bytes are taken in send_data (session.c). */
static ssize_t next_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t max, uint32_t *flags,
                         nghttp2_data_source *source, void *owner)
{
    struct h2_stream *own = nghttp2_session_get_stream_user_data(session, id);
    if (own == NULL)
        return NGHTTP2_ERR_DEFERRED;      /* ended broken: the reset that is on its way ends this too */
    size_t len = h2_smaller(own->out.bytes, max);
    bool last = own->out_ended && len == own->out.bytes;
    if (len == 0 && !last) {
        own->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (h2_response_trailers(own, own->trailers))
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)len;
}

const nghttp2_data_provider h2_stream_body = {.read_callback = next_body};

static enum status send_head(struct stream *stream, const struct response *response)
{
    struct h2_stream *own = own_of(stream);
    bool final = response->status >= 200 || response->status == 101;
    if (own->closed)
        return STATUS_CLIENT_ABORTED;
    if (final && own->spoilt != STATUS_OK && response->status < 400)
        return STATUS_H2_PROTOCOL;      /* nobody has read its body to the end, but it gets no more than a refusal */
    /* A client that takes nothing gets no news either. */
    if (!final && own->server->out.bytes >= H2_OUT_BYTES)
        return STATUS_OK;
    bool bodiless = stream->request.method == METHOD_HEAD || (final && response->status != 101 && status_is_bodiless(response->status));
    bool end = final && response->status != 101 && (bodiless || response->body_length == 0);
    if (final) {
        own->out_left = bodiless ? 0 : response->status == 101 ? BODY_UNKNOWN : response->body_length;
        own->out_begun = stream->response_begun = true;
        own->out_ended = end;
    }
    uint64_t before = own->server->framed;
    enum status status = h2_response_send(own, response, end);
    stream->bytes_out += own->server->framed - before;
    own->out_framed = end;
    h2_server_schedule(own->server);
    return status;
}

static void upgrade(struct stream *stream)
{
    /* The stream of bytes was one all along; only source and sink begin to be used (RFC 8441 5). */
    own_of(stream)->in_left = -1;
}

/* The length that was announced is kept to, or the client could take a cut body for a whole one. */
static bool fits_length(struct h2_stream *own, size_t len, bool end)
{
    if (own->out_left < 0)
        return true;
    if ((int64_t)len > own->out_left)
        return false;
    own->out_left -= (int64_t)len;
    return !end || own->out_left == 0;
}

static enum status sink_write(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct h2_stream *own = own_of(container_of(sink, struct stream, sink));
    if (own->out_ended) {
        chunkq_clear(from);      /* a response without a body */
        return STATUS_OK;
    }
    if (own->closed)
        return STATUS_CLIENT_ABORTED;
    if (is_full(own))
        return own->full = true, STATUS_AGAIN;
    if (!fits_length(own, from->bytes, end))
        return STATUS_INTERNAL;
    own->server->queued += from->bytes;
    chunkq_move(&own->out, from, from->bytes);
    own->trailers = trailers;
    own->out_ended = end;
    if (own->deferred && (own->out.bytes != 0 || end)) {
        own->deferred = false;
        nghttp2_session_resume_data(own->server->session, own->id);
    }
    h2_server_schedule(own->server);
    return STATUS_OK;
}

/* The end of a body is framed at once, so that its exchange is over when it can be; what is under way leaves with that of the
 * other streams at the end of the turn. */
static enum status sink_flush(struct body_sink *sink)
{
    struct h2_stream *own = own_of(container_of(sink, struct stream, sink));
    if (own->out_framed)
        return STATUS_OK;
    if (own->closed)
        return STATUS_CLIENT_ABORTED;
    if (own->out_ended)
        h2_session_frame(own->server);
    if (own->out_framed || (!own->out_ended && !is_full(own)))
        return STATUS_OK;
    own->full = true;
    return STATUS_AGAIN;
}

/* ---- the end ---- */

static uint32_t code_of_end(const struct h2_stream *own, bool broken)
{
    if (!broken)
        return NGHTTP2_NO_ERROR;      /* the rest of the request is not wanted (RFC 9113 8.1) */
    return own->tunnel && own->reset_code == NGHTTP2_INTERNAL_ERROR ? NGHTTP2_CANCEL : own->reset_code;
}

static void finish(struct stream *stream, bool broken)
{
    struct h2_stream *own = own_of(stream);
    struct h2_server *server = own->server;
    broken = broken || !own->out_framed;
    if (!own->closed) {
        nghttp2_session_set_stream_user_data(server->session, own->id, NULL);
        if (broken || !own->in_ended)
            nghttp2_submit_rst_stream(server->session, NGHTTP2_FLAG_NONE, own->id, code_of_end(own, broken));
    }
    if (own->in.bytes != 0)
        nghttp2_session_consume_connection(server->session, own->in.bytes);
    server->queued -= own->out.bytes;
    chunkq_release(&own->in);
    chunkq_release(&own->out);
    bool close_after = stream->close_after == CLOSE_AFTER;
    h2_server_forget(own);
    if (close_after)
        h2_server_drain(server);
}

static const struct stream_ops stream_ops = {.send_head = send_head, .upgrade = upgrade, .finish = finish};
static const struct body_source_ops stream_source = {.read = source_read};
static const struct body_sink_ops stream_sink = {.write = sink_write, .flush = sink_flush};
