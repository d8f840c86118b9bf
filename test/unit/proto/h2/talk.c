#include "test.h"

#include "talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the product ---- */

static struct stream *open_visit(void *context, struct client *client)
{
    struct talk *talk = context;
    if (talk->visit_count == talk->visits_max)
        return NULL;
    struct talk_visit *visit = &talk->visits[talk->visit_count++];
    memset(&visit->stream, 0, sizeof(visit->stream));
    arena_init_with(&visit->arena, visit->memory, sizeof(visit->memory), 1 << 20);
    visit->stream.arena = &visit->arena;
    return &visit->stream;
}

static void on_facts(struct stream *stream, unsigned facts)
{
    struct talk_visit *visit = (struct talk_visit *)(void *)stream;
    assert_false(visit->over);
    visit->facts |= facts;
    if ((facts & FACT_CLOSED) != 0)
        talk_finish(visit, true);
}

void talk_finish(struct talk_visit *visit, bool broken)
{
    visit->over = true;
    visit->stream.ops->finish(&visit->stream, broken);
    arena_release(&visit->arena);
    memset(visit->memory, 0xdd, sizeof(visit->memory));      /* nobody may look there any more */
}

enum status talk_answer(struct talk_visit *visit, int code, struct str body)
{
    struct stream *stream = &visit->stream;
    struct response response = {.status = code, .version = HTTP_1_1, .body_length = (int64_t)body.len};
    fields_init(&response.fields, &visit->arena, 4);
    fields_init(&response.trailers, &visit->arena, 0);
    fields_add(&response.fields, S("X-Mixed-Case"), S("Yes"));
    response.lines = S("X-Request-Id: 123\r\n");
    struct chunkq queue;
    chunkq_init(&queue);
    chunkq_add_static(&queue, body);
    assert_int_equal(stream->ops->send_head(stream, &response), STATUS_OK);
    assert_int_equal(stream->sink.ops->write(&stream->sink, &queue, true, NULL), STATUS_OK);
    chunkq_release(&queue);
    return stream->sink.ops->flush(&stream->sink);
}

enum status talk_read(struct talk *talk, struct talk_visit *visit, size_t max, size_t *ret_got)
{
    struct chunkq queue;
    chunkq_init(&queue);
    enum status status = visit->stream.source.ops->read(&visit->stream.source, &queue, max);
    *ret_got = queue.bytes;
    chunkq_release(&queue);
    return status;
}

/* ---- the client ---- */

static struct talk_answer *answer_of(struct talk *talk, int32_t id)
{
    assert_in_range(id, 1, 2 * TALK_STREAMS - 1);
    return &talk->answers[id];
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *owner)
{
    struct talk_answer *answer = answer_of(owner, frame->hd.stream_id);
    size_t used = strlen(answer->fields);
    snprintf(answer->fields + used, sizeof(answer->fields) - used, "%.*s: %.*s\n", (int)name_len, (const char *)name,
             (int)value_len, (const char *)value);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *owner)
{
    struct talk *talk = owner;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        talk->goaways++;
        talk->goaway_code = frame->goaway.error_code;
        talk->goaway_last = frame->goaway.last_stream_id;
    }
    if (frame->hd.type == NGHTTP2_HEADERS)
        strcat(answer_of(talk, frame->hd.stream_id)->fields, "--\n");
    if (frame->hd.stream_id != 0 && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
        answer_of(talk, frame->hd.stream_id)->ended = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *owner)
{
    struct talk_answer *answer = answer_of(owner, id);
    for (size_t i = 0; i < len; i++, answer->body_bytes++)
        if (answer->body_bytes < sizeof(answer->body))
            answer->body[answer->body_bytes] = (char)data[i];
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *owner)
{
    struct talk_answer *answer = answer_of(owner, id);
    answer->closed = true;
    answer->code = code;
    return 0;
}

static ssize_t make_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t max, uint32_t *flags,
                         nghttp2_data_source *source, void *owner)
{
    struct talk *talk = owner;
    size_t len = (int64_t)max < talk->upload_left ? max : (size_t)talk->upload_left;
    memset(buffer, 'u', len);
    talk->upload_left -= (int64_t)len;
    if (talk->upload_left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static void client_open(struct talk *talk, bool grant)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_no_auto_window_update(option, !grant);
    assert_int_equal(nghttp2_session_client_new2(&talk->client, callbacks, talk, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    nghttp2_submit_settings(talk->client, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void client_turn(struct talk *talk)
{
    static uint8_t buffer[65536];
    const uint8_t *data;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(talk->client, &data)) > 0)
        if (send(talk->fd, data, (size_t)len, MSG_NOSIGNAL) != len)
            talk->peer_closed = true;
    while (!talk->hold_reads && (len = recv(talk->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
        assert_int_equal(nghttp2_session_mem_recv(talk->client, buffer, (size_t)len), len);
    if (!talk->hold_reads && len == 0)
        talk->peer_closed = true;
}

int32_t talk_ask(struct talk *talk, const char *const *fields, int64_t upload)
{
    nghttp2_nv list[16];
    size_t count = 0;
    for (; fields[2 * count] != NULL; count++)
        list[count] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)fields[2 * count],
                                   .namelen = strlen(fields[2 * count]),
                                   .value = (uint8_t *)(uintptr_t)fields[2 * count + 1],
                                   .valuelen = strlen(fields[2 * count + 1])};
    nghttp2_data_provider body = {.read_callback = make_body};
    if (upload >= 0)
        talk->upload_left = upload;
    return nghttp2_submit_request(talk->client, NULL, list, count, upload >= 0 ? &body : NULL, NULL);
}

int32_t talk_get(struct talk *talk, const char *path)
{
    return talk_ask(talk, (const char *const[]){":method", "GET", ":scheme", "http", ":authority", "Example.org", ":path", path, NULL}, -1);
}

/* ---- both ---- */

void talk_turn(struct talk *talk)
{
    for (int i = 0; i < 6; i++) {
        client_turn(talk);
        loop_turn(&talk->worker.loop, 0);
    }
    client_turn(talk);
}

void talk_open(struct talk *talk, bool grant)
{
    int ends[2];
    struct sock sock;
    struct client client = {0};
    memset(talk, 0, offsetof(struct talk, visits));
    talk->visit_count = talk->goaways = 0;
    talk->visits_max = TALK_STREAMS;
    talk->peer_closed = talk->hold_reads = false;
    memset(talk->answers, 0, sizeof(talk->answers));
    for (int i = 0; i < TALK_STREAMS; i++)
        talk->visits[i].facts = talk->visits[i].over = 0;
    assert_true(worker_init(&talk->worker, 0));
    list_init(&talk->connections);
    talk->handler = (struct stream_handler){.open = open_visit, .on_facts = on_facts};
    talk->settings = (struct server_settings){
        .limits = {.line_bytes = 1000, .head_bytes = 4000, .field_count = 20},
        .h2 = {.max_streams = 30, .max_running = 20, .reset_burst = 10, .reset_rate = 1, .control_burst = 100, .control_rate = 1,
               .stream_window = 65535, .connection_window = 131072},
        .handler = &talk->handler, .context = talk};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    talk->fd = ends[0];
    sock_init(&sock, &talk->worker.loop, NULL);
    assert_true(sock_take(&sock, ends[1], false));
    assert_true(h2_server_adopt(&talk->worker, &sock, NULL, 0, &client, &talk->settings, &talk->connections));
    client_open(talk, grant);
    talk_turn(talk);
}

void talk_close(struct talk *talk)
{
    close(talk->fd);
    connections_close(&talk->connections, STATUS_STOPPING);
    loop_turn(&talk->worker.loop, 0);
    nghttp2_session_del(talk->client);
    assert_int_equal(chunk_pool_in_use(&talk->worker.chunks), 0);
    worker_release(&talk->worker);
}
