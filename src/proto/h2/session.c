/* nghttp2's callbacks, and what it frames. Callbacks leave notes and count; they never call the product. */
#include <pthread.h>

#include "proto/h2/serving.h"

#define COPIED_BYTES ((size_t)2048)       /* so few bytes of a body are copied behind their frame's head: one slice is cheaper */
#define COURTESY_EACH 2                   /* window and priority frames that a request, or DATA of ours, may call for */
#define COURTESY_MAX 1000
#define HEAD_BYTES_MAX ((size_t)1 << 20)  /* of a response */
#define ACKS_MAX 128                      /* that wait to go */

static struct h2_stream *own_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* ---- budgets ---- */

static void add_courtesy(struct h2_server *server)
{
    if (server->courtesy < COURTESY_MAX)
        server->courtesy += COURTESY_EACH;
}

static void count_control(struct h2_server *server)
{
    const struct h2_settings *limits = &server->settings->h2;
    if (!h2_budget_spend(&server->controls, server->sock.loop->now, limits->control_burst, limits->control_rate))
        h2_server_doom(server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_H2_FLOOD);
}

static void count_courtesy(struct h2_server *server)
{
    if (server->courtesy != 0)
        server->courtesy--;
    else
        count_control(server);
}

void h2_session_count_reset(struct h2_server *server)
{
    const struct h2_settings *limits = &server->settings->h2;
    if (!h2_budget_spend(&server->resets, server->sock.loop->now, limits->reset_burst, limits->reset_rate))
        h2_server_doom(server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_H2_RAPID_RESET);
}

/* ---- frames that come ---- */

/* Frames that carry nothing are counted as they begin, those too of which nghttp2 says no more. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *owner)
{
    struct h2_server *server = owner;
    switch (head->type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
        break;
    case NGHTTP2_RST_STREAM:
        h2_session_count_reset(server);
        break;
    case NGHTTP2_PUSH_PROMISE:      /* not a client's to send (RFC 9113 8.4): the rest of it is not waited for */
        h2_server_doom(server, NGHTTP2_PROTOCOL_ERROR, STATUS_H2_PROTOCOL);
        break;
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
    case NGHTTP2_PING:
        count_courtesy(server);
        break;
    default:
        count_control(server);
    }
    return 0;
}

static void refuse(struct h2_server *server, int32_t id)
{
    nghttp2_submit_rst_stream(server->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_server *server = owner;
    int32_t id = frame->hd.stream_id;
    server->heading = NULL;
    server->heading_at = server->sock.loop->now;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        struct h2_stream *own = own_of(session, id);
        if (own == NULL)
            return 0;
        h2_head_begin(&own->head, true);
        server->heading = own;
        return 0;
    }
    if (server->doom != STATUS_OK)
        return 0;
    if (server->draining == H2_LAST_STREAM_KNOWN || server->running >= server->settings->h2.max_running) {
        refuse(server, id);
        return 0;
    }
    server->client.requests++;
    server->heading = h2_stream_open(server, id);
    if (server->heading == NULL)
        refuse(server, id);
    else
        nghttp2_session_set_stream_user_data(session, id, server->heading);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *owner)
{
    struct h2_server *server = owner;
    if (server->heading != NULL)
        h2_head_field(server->heading, str_of((const char *)name, name_len), str_of((const char *)value, value_len));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *owner)
{
    struct h2_stream *own = own_of(session, id);
    if (own == NULL || !h2_stream_data(own, (const char *)data, len))
        nghttp2_session_consume(session, id, len);      /* nobody will read it */
    return 0;
}

static void end_of_data(struct h2_server *server, const nghttp2_frame *frame)
{
    struct h2_stream *own = own_of(server->session, frame->hd.stream_id);
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (end && own != NULL)
        h2_stream_end(own);
    if (!end && frame->hd.length == frame->data.padlen)
        count_control(server);
}

static void end_of_head(struct h2_server *server, const nghttp2_frame *frame)
{
    struct h2_stream *own = server->heading;
    server->heading = NULL;
    add_courtesy(server);
    if (own == NULL)
        return;
    own->stream->bytes_in += frame->hd.length + H2_FRAME_HEAD;
    if (!own->head.is_trailers)
        own->stream->request.head_bytes = (uint32_t)(frame->hd.length - frame->headers.padlen);
    h2_head_end(own, (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
}

/* nghttp2 has taken it already; noted so that a response's own word is laid over it. */
static void note_priority(struct h2_server *server, const nghttp2_frame *frame)
{
    const nghttp2_ext_priority_update *update = frame->ext.payload;
    struct h2_stream *own = update->stream_id != 0 ? own_of(server->session, update->stream_id) : NULL;
    if (own == NULL)
        return;
    own->priority = (nghttp2_extpri){.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    h2_priority_read(str_of((const char *)update->field_value, update->field_value_len), &own->priority);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_server *server = owner;
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
        end_of_data(server, frame);
        break;
    case NGHTTP2_HEADERS:
        end_of_head(server, frame);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            h2_server_drain_on(server);
        break;
    case NGHTTP2_PRIORITY_UPDATE:
        note_priority(server, frame);
        break;
    default:
        break;
    }
    return 0;
}

/* A frame of a type that is not known: counted as it began, and passed over (RFC 9113 5.5). */
static int pass_over(nghttp2_session *session, void **payload, const nghttp2_frame_hd *head, void *owner)
{
    return NGHTTP2_ERR_CANCEL;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *owner)
{
    struct h2_stream *own = own_of(session, id);
    if (own == NULL)
        return 0;
    own->closed = true;
    if (!own->out_framed || !own->in_ended)
        h2_stream_close(own, STATUS_CLIENT_ABORTED);
    return 0;
}

/* ---- frames that go ---- */

/* Room behind the last frame; the chunk is held until all that is framed has gone. */
static bool begin_scratch(struct h2_server *server)
{
    if (server->scratch != NULL && chunk_room(server->scratch) != 0)
        return true;
    if (server->scratch != NULL)
        chunk_unref(server->scratch);
    server->scratch = chunk_new(&server->worker->chunks, false);
    return server->scratch != NULL;
}

static bool append(struct h2_server *server, const void *data, size_t len)
{
    for (const char *from = data; len != 0;) {
        if (!begin_scratch(server))
            return false;
        struct chunk *scratch = server->scratch;
        size_t part = h2_smaller(len, chunk_room(scratch));
        char *at = scratch->data + scratch->used;
        memcpy(at, from, part);
        scratch->used += (uint32_t)part;
        chunkq_add(&server->out, scratch, at, part);
        server->framed += part;
        from += part;
        len -= part;
    }
    return true;
}

/* Bytes without a chunk may be the exchange's, which can end before they have gone: they are copied too. */
static bool append_body(struct h2_server *server, struct chunkq *from, size_t len)
{
    while (len != 0) {
        const struct slice *first = &from->slices[from->head];
        size_t part = h2_smaller(first->len, len);
        if (first->chunk == NULL || part < COPIED_BYTES) {
            if (!append(server, first->data, part))
                return false;
            chunkq_drop(from, part);
        } else {
            server->framed += chunkq_move(&server->out, from, part);
        }
        len -= part;
    }
    return true;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                     nghttp2_data_source *source, void *owner)
{
    struct h2_server *server = owner;
    struct h2_stream *own = own_of(session, frame->hd.stream_id);
    if (own == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!append(server, head, H2_FRAME_HEAD) || !append_body(server, &own->out, len))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    server->queued -= len;
    own->stream->bytes_out += len + H2_FRAME_HEAD;
    add_courtesy(server);
    if (own->full && own->out.bytes < H2_STREAM_BYTES / 2 && own->out.count < H2_STREAM_SLICES && !own->out_ended) {
        own->full = false;
        h2_stream_note(own, FACT_WRITABLE);
    }
    return server->out.bytes >= H2_OUT_BYTES ? NGHTTP2_ERR_PAUSE : 0;
}

/* Resets that are the client's fault, whoever sends them ("made you reset"). */
static bool is_earned(uint32_t code)
{
    return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_server *server = owner;
    int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) {
        struct h2_stream *own = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 ? own_of(session, id) : NULL;
        if (own == NULL)
            return 0;
        own->out_framed = true;
        if (own->full)
            h2_stream_note(own, FACT_WRITABLE);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        struct h2_stream *own = own_of(session, id);
        if (own != NULL)
            h2_stream_close(own, STATUS_H2_PROTOCOL);
        if (is_earned(frame->rst_stream.error_code))
            h2_session_count_reset(server);
    } else if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        bool calm = frame->goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM;
        h2_server_doom(server, frame->goaway.error_code, calm ? STATUS_H2_FLOOD : STATUS_H2_PROTOCOL);
    }
    return 0;
}

static int before_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_server *server = owner;
    bool swallowed = server->swallows_ack && frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (swallowed)
        server->swallows_ack = false;
    return swallowed ? NGHTTP2_ERR_CANCEL : 0;
}

/* What nghttp2 gives next, to the output; how much that was, 0 when there is nothing or no more room. */
static size_t frame_next(struct h2_server *server, const uint8_t **ret_data)
{
    ssize_t len = nghttp2_session_mem_send(server->session, ret_data);
    if (len > 0 && append(server, *ret_data, (size_t)len))
        return (size_t)len;
    if (len != 0)
        h2_server_doom(server, NGHTTP2_INTERNAL_ERROR, STATUS_OVERLOADED);
    return 0;
}

void h2_session_frame(struct h2_server *server)
{
    const uint8_t *data;
    while (server->out.bytes < H2_OUT_BYTES && frame_next(server, &data) != 0)
        ;
}

bool h2_session_frame_head(struct h2_server *server, int32_t id)
{
    const uint8_t *data;
    while (frame_next(server, &data) != 0) {
        uint32_t of = (uint32_t)data[5] << 24 | (uint32_t)data[6] << 16 | (uint32_t)data[7] << 8 | data[8];
        if (data[3] == NGHTTP2_HEADERS && of == (uint32_t)id)
            return true;
    }
    return false;
}

/* ---- the session ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static nghttp2_session_callbacks *callbacks;      /* for all connections, never freed */
static nghttp2_option *option;

static void make_callbacks(void)
{
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, pass_over);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, before_frame_send);
}

/* nghttp2 frames, compresses and keeps windows. What a message means is judged in request_head.c, once, and resets are counted
 * here, where those that we send count too. */
static void make_once(void)
{
    make_callbacks();
    if (nghttp2_option_new(&option) != 0)
        return;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    nghttp2_option_set_max_send_header_block_length(option, HEAD_BYTES_MAX);
    nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    /* Those that nghttp2 is not told of it skips without a word, and nobody could count them. */
    for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++)
        if (type != NGHTTP2_PRIORITY_UPDATE)
            nghttp2_option_set_user_recv_extension_type(option, (uint8_t)type);
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
}

static bool greet(struct h2_server *server)
{
    const struct server_settings *settings = server->settings;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings->h2.max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings->h2.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings->limits.head_bytes},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, entries, sizeof(entries) / sizeof(entries[0])) == 0 &&
           nghttp2_session_set_local_window_size(server->session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)settings->h2.connection_window) == 0;
}

bool h2_session_open(struct h2_server *server)
{
    pthread_once(&once, make_once);
    nghttp2_mem memory = h2_memory_for(&server->memory);
    if (callbacks == NULL || option == NULL ||
        nghttp2_session_server_new3(&server->session, callbacks, server, option, &memory) != 0)
        return false;
    if (greet(server))
        return true;
    h2_session_close(server);
    return false;
}

void h2_session_close(struct h2_server *server)
{
    nghttp2_session_del(server->session);
    h2_memory_trim(&server->memory);
}

static bool give(struct h2_server *server, const void *bytes, size_t len);

/* The preface and the head of the first frame are looked at before nghttp2 sees the latter: where it is no SETTINGS, as RFC 9113 3.4 has
 * it, an empty one is put in front of it, and the answer to that is kept from the client. */
static size_t open(struct h2_server *server, const char *bytes, size_t len)
{
    static const uint8_t settings[H2_FRAME_HEAD] = {0, 0, 0, NGHTTP2_SETTINGS};
    size_t room = (size_t)NGHTTP2_CLIENT_MAGIC_LEN - server->preface_len;
    size_t taken = len < room ? len : room;
    if (taken != 0 && !give(server, bytes, taken))
        return len;
    server->preface_len += (uint8_t)taken;
    while (taken < len && server->opening_len < H2_FRAME_HEAD)
        server->opening[server->opening_len++] = (uint8_t)bytes[taken++];
    if (server->opening_len < H2_FRAME_HEAD)
        return len;
    server->opened = true;
    server->swallows_ack = server->opening[3] != NGHTTP2_SETTINGS || (server->opening[4] & NGHTTP2_FLAG_ACK) != 0;
    if (server->swallows_ack && !give(server, settings, sizeof(settings)))
        return len;
    return give(server, server->opening, H2_FRAME_HEAD) ? taken : len;
}

bool h2_session_feed(struct h2_server *server, const char *bytes, size_t len)
{
    size_t taken = server->settings->h2.any_opening && !server->opened ? open(server, bytes, len) : 0;
    return server->doom == STATUS_OK && give(server, bytes + taken, len - taken);
}

static bool give(struct h2_server *server, const void *bytes, size_t len)
{
    ssize_t read = nghttp2_session_mem_recv(server->session, bytes, len);
    if (read >= 0)
        return server->doom == STATUS_OK;
    if (read == NGHTTP2_ERR_NOMEM)
        h2_server_doom(server, NGHTTP2_INTERNAL_ERROR, STATUS_OVERLOADED);
    else if (read == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
        h2_server_doom(server, NGHTTP2_PROTOCOL_ERROR, STATUS_H2_PROTOCOL);
    else
        h2_server_doom(server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_H2_FLOOD);
    return false;
}
