#include "server_side.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static struct seen *seen_of(struct server_side *side, int32_t id)
{
    for (unsigned i = 0; i < side->count; i++)
        if (side->seen[i].id == id)
            return &side->seen[i];
    return NULL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct server_side *side = owner;
    if (seen_of(side, frame->hd.stream_id) == NULL) {
        assert_in_range(side->count, 0, SEEN_MAX - 1);
        side->seen[side->count++] = (struct seen){.id = frame->hd.stream_id, .reset = UINT32_MAX};
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *owner)
{
    struct seen *seen = seen_of(owner, frame->hd.stream_id);
    size_t used = strlen(seen->head);
    snprintf(seen->head + used, sizeof(seen->head) - used, "%.*s: %.*s\n", (int)name_length, (const char *)name,
             (int)value_length, (const char *)value);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct server_side *side = owner;
    struct seen *seen = seen_of(side, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_PING)
        side->pings++;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        side->goaway = true;
    if (seen != NULL && frame->hd.type == NGHTTP2_RST_STREAM)
        seen->reset = frame->rst_stream.error_code;
    bool message = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (seen != NULL && message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        seen->ended = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length, void *owner)
{
    struct seen *seen = seen_of(owner, id);
    for (size_t i = 0; i < length && seen->body_bytes + i < sizeof(seen->body) - 1; i++)
        seen->body[seen->body_bytes + i] = (char)data[i];
    seen->body_bytes += length;
    return 0;
}

static void on_change(struct h2_client *connection)
{
    struct server_side *side = h2_client_owner_data(connection);
    side->changes++;
}

static void on_close(struct h2_client *connection)
{
    struct server_side *side = h2_client_owner_data(connection);
    side->closes++;
    side->client = NULL;
}

static const struct h2_client_owner listener = {.on_change = on_change, .on_close = on_close};

static void make_session(struct server_side *side)
{
    nghttp2_session_callbacks *callbacks;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    assert_int_equal(nghttp2_session_server_new(&side->session, callbacks, side), 0);
    nghttp2_session_callbacks_del(callbacks);
}

static void ignore(struct sock *sock, unsigned events)
{
}

void server_side_open(struct server_side *side, const nghttp2_settings_entry *settings, size_t count,
                      const struct h2_client_settings *client)
{
    static const struct h2_client_settings usual = {
        .max_head_bytes = 16384, .max_fields = 100, .stream_window = 65536, .connection_window = 1 << 20};
    int pair[2];
    struct sock from;
    memset(side, 0, sizeof(*side));
    assert_true(worker_init(&side->worker, 0));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    side->fd = pair[1];
    make_session(side);
    assert_int_equal(nghttp2_submit_settings(side->session, 0, settings, count), 0);
    loop_turn(&side->worker.loop, 0);
    sock_init(&from, &side->worker.loop, ignore);
    assert_true(sock_take(&from, pair[0], false));
    side->client = h2_client_adopt(&side->worker, &from, client != NULL ? client : &usual, &listener, side);
    assert_non_null(side->client);
    server_side_run(side);
}

void server_side_close(struct server_side *side)
{
    if (side->client != NULL)
        h2_client_close(side->client, STATUS_STOPPING);
    loop_turn(&side->worker.loop, 0);
    assert_int_equal(side->closes, 1);
    nghttp2_session_del(side->session);
    if (side->fd >= 0)
        close(side->fd);
    assert_int_equal(chunk_pool_in_use(&side->worker.chunks), 0);
    worker_release(&side->worker);
}

static bool send_all(struct server_side *side)
{
    const uint8_t *data;
    bool moved = false;
    ssize_t length;
    while (side->fd >= 0 && (length = nghttp2_session_mem_send(side->session, &data)) > 0) {
        /* A client that has closed hears nothing more. */
        moved = send(side->fd, data, (size_t)length, MSG_NOSIGNAL) == length;
    }
    return moved;
}

static bool receive_all(struct server_side *side)
{
    uint8_t bytes[65536];
    bool moved = false;
    ssize_t length;
    while (side->fd >= 0 && (length = recv(side->fd, bytes, sizeof(bytes), 0)) > 0) {
        assert_int_equal(nghttp2_session_mem_recv(side->session, bytes, (size_t)length), length);
        moved = true;
    }
    return moved;
}

void server_side_run(struct server_side *side)
{
    for (unsigned quiet = 0; quiet < 3;) {
        bool moved = send_all(side);
        loop_turn(&side->worker.loop, 0);
        moved = receive_all(side) || moved;
        quiet = moved ? 0 : quiet + 1;
    }
}

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *owner)
{
    struct server_side *side = owner;
    size_t taken = side->body_left < length ? side->body_left : length;
    memset(buffer, 'x', taken);
    side->body_left -= taken;
    if (side->body_left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)taken;
}

void server_side_answer(struct server_side *side, unsigned index, const char *status, size_t length)
{
    nghttp2_nv head[] = {
        {.name = (uint8_t *)(uintptr_t) ":status", .namelen = 7, .value = (uint8_t *)(uintptr_t)status, .valuelen = 3},
        {.name = (uint8_t *)(uintptr_t) "x-a", .namelen = 3, .value = (uint8_t *)(uintptr_t) "b", .valuelen = 1},
    };
    nghttp2_data_provider provider = {.read_callback = give_body};
    side->body_left = length;
    assert_int_equal(
        nghttp2_submit_response(side->session, side->seen[index].id, head, 2, length != 0 ? &provider : NULL), 0);
    server_side_run(side);
}

void server_side_raw(struct server_side *side, const void *bytes, size_t length)
{
    assert_int_equal(send(side->fd, bytes, length, MSG_NOSIGNAL), length);
    server_side_run(side);
}

/* ---- who asks ---- */

static void on_facts(struct upstream_stream *stream, unsigned facts)
{
    struct caller *caller = stream->owner;
    caller->facts |= facts;
    caller->informs += (facts & FACT_INFORM) != 0;
}

void caller_open(struct server_side *side, struct caller *caller)
{
    memset(caller, 0, sizeof(*caller));
    arena_init(&caller->arena, ARENA_UNLIMITED);
    chunkq_init(&caller->body);
    caller->stream.on_facts = on_facts;
    caller->stream.owner = caller;
    caller->stream.arena = &caller->arena;
    assert_true(h2_client_has_room(side->client));
    h2_client_open(side->client, &caller->stream);
}

enum status caller_ask(struct caller *caller, const char *method, const char *path, const char *name, const char *value,
                       int64_t length)
{
    struct request request = {.method = method_identify(str_from(method)),
                              .method_name = str_from(method),
                              .authority = STR("a.example"),
                              .path = str_from(path),
                              .lines = STR("X-Forwarded-For: 10.0.0.1\r\nX-Real-Ip: 10.0.0.1\r\n"),
                              .body_length = length,
                              .has_body = length != 0};
    fields_init(&request.fields, &caller->arena, 4);
    if (name != NULL && str_equal_nocase(str_from(name), S("Upgrade")))
        request.upgrade = str_from(value);
    else if (name != NULL)
        fields_add(&request.fields, str_from(name), str_from(value));
    enum status status = caller->stream.ops->send_head(&caller->stream, &request);
    if (status == STATUS_OK)
        caller->stream.sink.ops->flush(&caller->stream.sink);
    return status;
}

void caller_read(struct caller *caller)
{
    struct body_source *source = &caller->stream.source;
    while ((caller->end = source->ops->read(source, &caller->body, 16384)) == STATUS_OK)
        ;
}

void caller_release(struct caller *caller, bool reusable)
{
    caller->stream.ops->release(&caller->stream, reusable);
    chunkq_release(&caller->body);
    arena_release(&caller->arena);
}
