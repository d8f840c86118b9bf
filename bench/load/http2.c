// HTTP/2: up to plan.streams requests at a time on a connection. What the requests of a turn make
// goes out together. A stream that the server resets, or that is under way when the connection
// ends, has failed.

#include "connection.h"
#include "load.h"
#include "plan.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_BYTES = 32 << 10, FIELDS = 6, WINDOW = 16 << 20 };

enum stream_state { STREAM_FREE, STREAM_WAITING, STREAM_OPEN };

struct stream {
    enum stream_state state;
    unsigned status;
    uint64_t received;
    uint64_t started;
    struct stream *next; // of those that are free, or that wait to be sent
};

struct streams {
    nghttp2_session *session;
    struct stream *free, *waiting;
    unsigned open;
    bool dirty; // in the list of those that have something to send
    struct connection *next_dirty;
    const uint8_t *frame; // what of a frame did not fit into the output
    size_t frame_left;
    char output[OUTPUT_BYTES];
    struct stream all[];
};

static nghttp2_session_callbacks *callbacks;
static nghttp2_nv (*fields)[FIELDS]; // one set for each host
static struct connection *dirty;

// nghttp2 only reads names and values, and is told not to copy them.
static nghttp2_nv field(const char *name, const char *value)
{
    union {
        const char *in;
        uint8_t *out;
    } n = {name}, v = {value};
    return (nghttp2_nv){
        .name = n.out,
        .value = v.out,
        .namelen = strlen(name),
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
    };
}

static void give_back(struct streams *s, struct stream *stream)
{
    stream->state = STREAM_FREE;
    stream->next = s->free;
    s->free = stream;
}

// Every request of `c` has failed.
static void on_failed(struct connection *c, uint64_t *counter)
{
    struct streams *s = c->streams;
    nghttp2_session_del(s->session);
    s->session = NULL;
    s->frame_left = 0;
    s->waiting = NULL;
    s->open = 0;
    connection_shut(c);
    for (unsigned i = 0; i < plan.streams; i++) {
        if (s->all[i].state != STREAM_FREE) {
            give_back(s, &s->all[i]);
            request_failed(c, counter);
        }
    }
}

static void mark_dirty(struct connection *c)
{
    if (c->streams->dirty)
        return;
    c->streams->dirty = true;
    c->streams->next_dirty = dirty;
    dirty = c;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *connection)
{
    if (name_length != 7 || memcmp(name, ":status", 7) != 0)
        return 0;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream)
        stream->status = (unsigned)strtoul((const char *)value, NULL, 10);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t length, void *connection)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream)
        stream->received += length;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *connection)
{
    struct connection *c = connection;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (!stream)
        return 0;
    c->streams->open--;
    give_back(c->streams, stream);
    if (error != NGHTTP2_NO_ERROR)
        request_failed(c, stream->status ? &count.broken : &count.lost);
    else if (stream->status != plan.status || stream->received != plan.size)
        request_failed(c, stream->status != plan.status ? &count.status : &count.size);
    else
        request_answered(c, stream->started);
    return 0;
}

void http2_prepare(void)
{
    fields = calloc(plan.hosts, sizeof(*fields));
    if (!fields || nghttp2_session_callbacks_new(&callbacks) != 0) {
        perror("load");
        exit(1);
    }
    for (unsigned i = 0; i < plan.hosts; i++) {
        fields[i][0] = field(":method", "GET");
        fields[i][1] = field(":scheme", plan.tls ? "https" : "http");
        fields[i][2] = field(":authority", plan.names[i]);
        fields[i][3] = field(":path", plan.path);
        fields[i][4] = field("user-agent", "bench");
        fields[i][5] = field("accept", "*/*");
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

static void add_streams(struct connection *c)
{
    c->streams = calloc(1, sizeof(*c->streams) + plan.streams * sizeof(struct stream));
    if (!c->streams) {
        perror("load");
        exit(1);
    }
    for (unsigned i = 0; i < plan.streams; i++)
        give_back(c->streams, &c->streams->all[i]);
}

static void begin(struct connection *c, uint64_t started)
{
    if (!c->streams)
        add_streams(c);
    struct streams *s = c->streams;
    struct stream *stream = s->free;
    s->free = stream->next;
    *stream = (struct stream){.state = STREAM_WAITING, .started = started, .next = s->waiting};
    s->waiting = stream;
    if (c->state == CLOSED)
        connection_open(c);
    else if (c->state == MULTIPLEXED)
        mark_dirty(c);
}

static void on_ready(struct connection *c)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    struct streams *s = c->streams;
    c->state = MULTIPLEXED;
    if (nghttp2_session_client_new(&s->session, callbacks, c) != 0 ||
        nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings, 2) != 0 ||
        nghttp2_session_set_local_window_size(s->session, NGHTTP2_FLAG_NONE, 0, WINDOW) != 0) {
        fprintf(stderr, "load: no HTTP/2 session\n");
        exit(1);
    }
    mark_dirty(c);
}

static void on_end(struct connection *c)
{
    count.reopened += c->streams->open == 0;
    on_failed(c, &count.lost);
}

// Reads once. Returns whether something came.
static bool read_some(struct connection *c)
{
    static uint8_t input[64 << 10];
    ssize_t n = connection_read(c, input, sizeof(input));
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        on_end(c);
    else if (nghttp2_session_mem_recv(c->streams->session, input, (size_t)n) != n)
        on_failed(c, &count.broken);
    else
        mark_dirty(c); // for what HTTP/2 answers by itself
    return true;
}

static void on_input(struct connection *c)
{
    while (read_some(c) && c->fd >= 0 && connection_has_more(c))
        ;
}

// Hands the requests that wait to nghttp2.
static bool submit(struct connection *c)
{
    struct streams *s = c->streams;
    while (s->waiting) {
        struct stream *stream = s->waiting;
        if (nghttp2_submit_request(s->session, NULL, fields[next_host()], FIELDS, NULL, stream) < 0)
            return false;
        s->waiting = stream->next;
        stream->state = STREAM_OPEN;
        s->open++;
    }
    return true;
}

// Fills the output with frames. A frame's bytes are nghttp2's until it is asked for the next one.
static void gather(struct connection *c)
{
    struct streams *s = c->streams;
    size_t filled = 0;
    while (filled < OUTPUT_BYTES) {
        if (s->frame_left == 0) {
            ssize_t length = nghttp2_session_mem_send(s->session, &s->frame);
            if (length <= 0)
                break;
            s->frame_left = (size_t)length;
        }
        size_t room = OUTPUT_BYTES - filled;
        size_t part = s->frame_left < room ? s->frame_left : room;
        memcpy(s->output + filled, s->frame, part);
        s->frame += part;
        s->frame_left -= part;
        filled += part;
    }
    c->out = s->output;
    c->out_length = filled;
    c->sent = 0;
}

static void send_gathered(struct connection *c)
{
    if (!submit(c) || !nghttp2_session_want_read(c->streams->session)) {
        on_failed(c, &count.lost);
        return;
    }
    while (c->state == MULTIPLEXED && c->sent == c->out_length) {
        gather(c);
        if (c->out_length == 0)
            break;
        connection_send(c);
    }
}

static void flush(void)
{
    while (dirty) {
        struct connection *c = dirty;
        dirty = c->streams->next_dirty;
        c->streams->dirty = false;
        if (c->state == MULTIPLEXED)
            send_gathered(c);
    }
}

const struct protocol http2 = {.begin = begin,
                               .on_ready = on_ready,
                               .on_input = on_input,
                               .on_failed = on_failed,
                               .flush = flush,
                               .on_sent = mark_dirty};
