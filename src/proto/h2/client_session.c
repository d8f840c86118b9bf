/* Owns the conversation with nghttp2: what its callbacks say is noted in calls, what it asks for comes from them. Frames that
 * carry nothing are paid from a budget, so that a server cannot keep us busy for no use. */
#include "base/time.h"
#include "proto/h1/chunked.h"
#include "proto/h2/client_state.h"
#include "proto/h2/head.h"

#define INTERIM_MAX 32                  /* interim responses before the final one; more is an attack */
#define FRAME_HEAD_BYTES 9
#define FIELD_OVERHEAD 32               /* that a field counts beside its bytes (RFC 9113 6.5.2) */
#define KEEP_FROM ((size_t)4096)        /* bytes of DATA that are worth keeping the whole input chunk for */
#define BUDGET_BURST 2000
#define BUDGET_RATE 500                 /* a second */
#define IDLE_BYTES_MAX ((size_t)16 << 20)    /* without a useful frame among them: unknown frames, DATA of streams that ended */
#define CREDIT_OF_DATA 4                /* window updates that a DATA frame may be answered with */
#define CREDIT_MAX 4096

static struct h2_call *call_of(struct h2_client *connection, int32_t id)
{
    return id > 0 ? nghttp2_session_get_stream_user_data(connection->session, id) : NULL;
}

/* The same, if anybody still listens. */
static struct h2_call *bound_call_of(struct h2_client *connection, int32_t id)
{
    struct h2_call *call = call_of(connection, id);
    return call != NULL && call->stream != NULL ? call : NULL;
}

void h2_session_spend(struct h2_client *connection)
{
    int64_t now = connection->sock.loop->now;
    int64_t earned = (now - connection->budget_at) / (TIME_S / BUDGET_RATE);
    if (earned > 0) {
        connection->budget = connection->budget + earned < BUDGET_BURST ? connection->budget + earned : BUDGET_BURST;
        connection->budget_at = now;
    }
    if (--connection->budget < 0)
        h2_client_must_close(connection, STATUS_UPSTREAM_BAD_RESPONSE);
}

/* ---- heads that come ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = bound_call_of(connection, frame->hd.stream_id);
    connection->useful = true;
    if (call == NULL)
        return 0;
    call->head_bytes = call->head_fields = 0;
    call->stream->anything_received = true;
    if (!call->head_complete)
        response_begin(&call->stream->response, HTTP_2, BODY_UNKNOWN, call->stream->arena);
    call->heading = call->head_complete ? &call->stream->response.trailers : &call->stream->response.fields;
    return 0;
}

static void refuse(struct h2_call *call, enum status why, const char *detail)
{
    call->stream->detail = detail;
    call->reset_by_us = true;
    h2_call_fail(call, why);
}

/* The same from on_header: the library then resets the stream. */
static int refuse_head(struct h2_call *call)
{
    refuse(call, STATUS_UPSTREAM_HEAD_TOO_LARGE, NULL);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* From where the library would take any refusal for the end of the connection. */
static void refuse_response(struct h2_call *call, const char *detail)
{
    refuse(call, STATUS_UPSTREAM_BAD_RESPONSE, detail);
    if (nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_PROTOCOL_ERROR) != 0)
        h2_client_must_close(call->connection, STATUS_OVERLOADED);
}

static bool keep_field(struct h2_call *call, struct str name, struct str value)
{
    struct arena *arena = call->stream->arena;
    enum field_id id = field_identify(name.data, name.len);
    struct str kept = arena_str(arena, value);
    if (kept.data == NULL)
        return false;
    if (id != FIELD_OTHER)
        return fields_add_id(call->heading, id, kept);
    name = arena_str(arena, name);
    return name.data != NULL && fields_add(call->heading, name, kept);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = bound_call_of(connection, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    size_t size = name_length + value_length + FIELD_OVERHEAD;
    if (size > connection->settings.max_head_bytes - call->head_bytes ||
        ++call->head_fields > connection->settings.max_fields)
        return refuse_head(call);
    call->head_bytes += (uint32_t)size;
    struct str text = str_of((const char *)value, value_length);
    if (name[0] == ':') {       /* :status, of three digits: the library has seen to it */
        uint64_t code = 0;
        str_to_u64(text, &code);
        call->stream->response.status = (int)code;
        return 0;
    }
    struct str field = str_of((const char *)name, name_length);
    if (call->head_complete && !h1_trailer_is_allowed(field))
        return 0;
    if (!keep_field(call, field, text))
        return refuse_head(call);
    return 0;
}

/* As HTTP/1 would have framed it: what a HEAD or a 304 announces is kept, and what has no body says so. */
static void settle_length(const struct h2_call *call, struct response *response, bool ended)
{
    uint64_t length;
    struct str announced = fields_value(&response->fields, FIELD_CONTENT_LENGTH);
    bool known = announced.data != NULL && str_to_u64(announced, &length) && length <= INT64_MAX;
    if (known && (!status_is_bodiless(response->status) || response->status == 304))
        response->body_length = (int64_t)length;
    else if (status_is_bodiless(response->status) || (ended && call->method != METHOD_HEAD))
        response->body_length = BODY_NONE;
}

/* The answer to an extended CONNECT in the words that the product asked in (RFC 8441 5). */
static void answer_as_upgrade(struct h2_call *call, struct response *response)
{
    struct fields *fields = &response->fields;
    response->status = 101;
    response->body_length = BODY_NONE;
    fields_set(fields, FIELD_UPGRADE, S("websocket"));
    if (call->accept[0] != '\0')
        fields_set_name(fields, S("Sec-WebSocket-Accept"),
                        arena_str(call->stream->arena, str_of(call->accept, WS_ACCEPT_SIZE)));
}

static void finish_head(struct h2_call *call, bool ended)
{
    struct response *response = &call->stream->response;
    if (response->status < 100 || (response->status < 200 && ++call->interims > INTERIM_MAX)) {
        refuse_response(call, response->status < 100 ? "the status is none" : "too many interim responses");
        return;
    }
    if (response->status < 200) {
        call->stream->on_facts(call->stream, FACT_INFORM);
        return;
    }
    settle_length(call, response, ended);
    if (call->tunnel && response->status < 300)
        answer_as_upgrade(call, response);
    call->head_complete = true;
    h2_call_note(call, FACT_HEAD | FACT_READABLE);
}

static void end_response(struct h2_call *call)
{
    call->remote_ended = true;
    h2_call_note(call, FACT_READABLE);
}

/* ---- frames that come ---- */

static void on_headers(struct h2_call *call, const nghttp2_frame *frame)
{
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (call->stream != NULL)
        call->stream->bytes_in += FRAME_HEAD_BYTES + frame->hd.length;
    if (call->stream != NULL && !call->head_complete && call->failure == STATUS_OK)
        finish_head(call, ended);
    if (ended && call->failure == STATUS_OK)
        end_response(call);
}

static void on_window_update(struct h2_client *connection)
{
    if (connection->window_credit != 0) {
        connection->window_credit--;
        connection->useful = true;
    } else {
        h2_session_spend(connection);
    }
}

static void on_settings(struct h2_client *connection, const nghttp2_frame *frame)
{
    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        return;
    h2_session_spend(connection);
    connection->settled = connection->changed = true;
}

static void on_stream_frame(struct h2_client *connection, const nghttp2_frame *frame)
{
    struct h2_call *call = call_of(connection, frame->hd.stream_id);
    if (call == NULL)
        return;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        on_headers(call, frame);
        break;
    case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            end_response(call);
        else if (frame->hd.length == 0)
            h2_session_spend(connection);
        break;
    case NGHTTP2_RST_STREAM:
        call->reset_by_server = true;
        break;
    default:
        break;
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_client *connection = owner;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
    case NGHTTP2_RST_STREAM:
        on_stream_frame(connection, frame);
        break;
    case NGHTTP2_SETTINGS:
        on_settings(connection, frame);
        break;
    case NGHTTP2_WINDOW_UPDATE:
        on_window_update(connection);
        break;
    case NGHTTP2_GOAWAY:
        connection->going_away = connection->changed = true;
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            break;
        h2_session_spend(connection);
        break;
    default:
        h2_session_spend(connection);
        break;
    }
    return connection->closing ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static bool is_in_input(const struct h2_client *connection, const char *data, size_t length)
{
    const struct chunk *input = connection->input;
    return input != NULL && data >= input->data && data + length <= input->data + input->used;
}

/* Long stretches stay where they were read; short ones are copied together, lest each hold a whole chunk. */
static bool keep_body(struct h2_client *connection, struct h2_call *call, const uint8_t *data, size_t length)
{
    char *bytes = (char *)(uintptr_t)data;
    if (length < KEEP_FROM || !is_in_input(connection, bytes, length))
        return chunkq_add_copy(&call->in, &connection->worker->chunks, str_of(bytes, length));
    chunkq_add(&call->in, connection->input, bytes, length);
    return true;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length,
                         void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = bound_call_of(connection, id);
    if (nghttp2_session_consume_connection(session, length) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (call == NULL || call->failure != STATUS_OK || length == 0)
        return 0;
    connection->useful = true;
    call->stream->bytes_in += length;
    if (!keep_body(connection, call, data, length)) {
        call->reset_by_us = true;
        h2_call_fail(call, STATUS_OVERLOADED);
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL) != 0
                   ? NGHTTP2_ERR_CALLBACK_FAILURE
                   : 0;
    }
    h2_call_note(call, FACT_READABLE);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *owner)
{
    struct h2_call *call = bound_call_of(owner, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    call->stream->detail = nghttp2_strerror(error);
    h2_call_fail(call, STATUS_UPSTREAM_BAD_RESPONSE);
    return 0;
}

/* The server did not look at it: it may be asked again, or another server. */
static void refused(struct h2_call *call)
{
    struct upstream_stream *stream = call->stream;
    h2_call_fail(call, STATUS_UPSTREAM_CLOSED);
    stream->reused = true;
    stream->anything_sent = stream->anything_received = false;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = call_of(connection, id);
    if (call == NULL)
        return 0;
    bool was_refused = code == NGHTTP2_REFUSED_STREAM && !call->reset_by_us && !call->remote_ended;
    if (call->stream != NULL && call->failure == STATUS_OK && !call->remote_ended) {
        if (code != NGHTTP2_NO_ERROR)
            call->stream->detail = nghttp2_http2_strerror(code);
        call->stream->rejected = call->reset_by_server && !call->head_complete;
        if (was_refused && !call->head_complete)
            refused(call);
        else
            h2_call_fail(call, call->reset_by_server ? STATUS_UPSTREAM_RESET : STATUS_UPSTREAM_BAD_RESPONSE);
    }
    nghttp2_session_set_stream_user_data(session, id, NULL);
    h2_call_closed(call);
    connection->refused = was_refused && connection->open != 0;
    connection->changed = true;
    return 0;
}

/* ---- what goes out ---- */

static int before_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_call *call = bound_call_of(owner, frame->hd.stream_id);
    if (call != NULL && frame->hd.type == NGHTTP2_HEADERS)
        call->stream->anything_sent = true;
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct h2_call *call = bound_call_of(owner, frame->hd.stream_id);
    if (call != NULL && frame->hd.type == NGHTTP2_HEADERS)
        call->stream->bytes_out += FRAME_HEAD_BYTES + frame->hd.length;
    return 0;
}

static bool submit_trailers(struct h2_call *call)
{
    struct h2_head head;
    if (!h2_head_init(&head, call->stream->arena, call->trailers->count))
        return false;
    h2_head_add_fields(&head, call->trailers, FIELD_BIT(CONTENT_LENGTH) | FIELD_BIT(TE));
    return nghttp2_submit_trailer(call->connection->session, call->id, head.items, head.count) == 0;
}

static ssize_t read_data(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = bound_call_of(connection, id);
    if (call == NULL)
        return NGHTTP2_ERR_DEFERRED;      /* its reset is on the way */
    if (connection->out.bytes >= WIRE_OUT_BYTES)
        return NGHTTP2_ERR_PAUSE;
    size_t taken = call->out.bytes < length ? call->out.bytes : length;
    if (taken == 0 && !call->out_ended) {
        call->starved = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!call->out_ended || taken != call->out.bytes)
        return (ssize_t)taken;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (call->trailers != NULL) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!submit_trailers(call))
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)taken;
}

void h2_call_submit(struct h2_call *call, const nghttp2_nv *items, size_t count, bool has_body)
{
    nghttp2_data_provider provider = {.read_callback = read_data};
    int32_t id =
        nghttp2_submit_request(call->connection->session, NULL, items, count, has_body ? &provider : NULL, call);
    call->id = id > 0 ? id : 0;
}

/* Copies a frame, or the head of one, behind the output. */
static bool put(struct h2_client *connection, const uint8_t *bytes, size_t length)
{
    struct chunk *chunk = connection->frames;
    if (chunk == NULL || chunk->capacity - chunk->used < length) {
        if (chunk != NULL)
            chunk_unref(chunk);
        struct chunk_pool *pool = &connection->worker->chunks;
        bool small = length <= CHUNK_SMALL_SIZE - sizeof(struct chunk);
        connection->frames = chunk = small ? chunk_new(pool, false) : chunk_new_sized(pool, length);
        if (chunk == NULL)
            return false;
    }
    char *at = chunk->data + chunk->used;
    memcpy(at, bytes, length);
    chunk->used += (uint32_t)length;
    chunkq_add(&connection->out, chunk, at, length);
    return true;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head, size_t length,
                     nghttp2_data_source *source, void *owner)
{
    struct h2_client *connection = owner;
    struct h2_call *call = bound_call_of(connection, frame->hd.stream_id);
    if (call == NULL || !put(connection, frame_head, FRAME_HEAD_BYTES))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    chunkq_move(&connection->out, &call->out, length);
    call->stream->bytes_out += FRAME_HEAD_BYTES + length;
    if (connection->window_credit < CREDIT_MAX)
        connection->window_credit += CREDIT_OF_DATA;
    if (call->wants_room && call->out.bytes <= STREAM_OUT_BYTES / 2) {
        call->wants_room = false;
        h2_call_note(call, FACT_WRITABLE);
    }
    return 0;
}

/* Behind a frame that is lost nothing may follow: HPACK's tables differ from there on, and the server would read other heads
 * than were written. */
void h2_client_frame(struct h2_client *connection)
{
    const uint8_t *bytes;
    ssize_t length = 0;
    connection->inside = true;
    while (!connection->mute && connection->out.bytes < WIRE_OUT_BYTES &&
           (length = nghttp2_session_mem_send(connection->session, &bytes)) != 0)
        connection->mute = length < 0 || !put(connection, bytes, (size_t)length);
    connection->inside = false;
    if (connection->mute)
        h2_client_must_close(connection, STATUS_OVERLOADED);
}

void h2_client_feed(struct h2_client *connection, const char *data, size_t len)
{
    connection->useful = false;
    connection->arrivals++;
    connection->last_arrival = connection->sock.loop->now;
    connection->ping_sent = 0;
    connection->inside = true;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, (const uint8_t *)data, len);
    connection->inside = false;
    connection->idle_bytes = connection->useful ? 0 : connection->idle_bytes + len;
    if (taken < 0 || connection->idle_bytes > IDLE_BYTES_MAX)
        h2_client_must_close(connection, STATUS_UPSTREAM_BAD_RESPONSE);
}

/* ---- the session itself ---- */

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, before_frame_send);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    return callbacks;
}

static nghttp2_option *make_options(void)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0)
        return NULL;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    return option;
}

static bool greet(nghttp2_session *session, const struct h2_client_settings *settings)
{
    nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings->max_head_bytes},
    };
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries, sizeof(entries) / sizeof(entries[0])) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)settings->connection_window) == 0;
}

nghttp2_session *h2_session_new(struct h2_client *connection)
{
    nghttp2_session *session = NULL;
    nghttp2_session_callbacks *callbacks = make_callbacks();
    nghttp2_option *option = make_options();
    if (callbacks != NULL && option != NULL &&
        nghttp2_session_client_new2(&session, callbacks, connection, option) != 0)
        session = NULL;
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    if (session != NULL && !greet(session, &connection->settings)) {
        nghttp2_session_del(session);
        session = NULL;
    }
    return session;
}
