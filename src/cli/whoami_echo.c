/* The WebSocket of whoami: each message goes back as it came, in one frame. A client that does not read is not read from. */
#include "cli/whoami.h"
#include "proto/ws/handshake.h"

#define MESSAGE_MAX ((uint64_t)16 << 20)
#define READ_BYTES ((size_t)65536)

void whoami_echo_begin(struct visit *visit, struct str key)
{
    char *accept = arena_alloc(&visit->arena, WS_ACCEPT_SIZE);
    struct stream *stream = &visit->stream;
    ws_handshake_accept(key, accept);
    visit->response = (struct response){.status = 101, .version = HTTP_1_1};
    fields_init(&visit->response.fields, &visit->arena, 4);
    fields_add_id(&visit->response.fields, FIELD_UPGRADE, S("websocket"));
    fields_add(&visit->response.fields, S("Sec-WebSocket-Accept"), str_of(accept, WS_ACCEPT_SIZE));
    ws_reader_init(&visit->reader, true, MESSAGE_MAX);
    visit->broken = stream->ops->send_head(stream, &visit->response) != STATUS_OK;
    stream->ops->upgrade(stream);
}

static struct chunk_pool *pool_of(struct visit *visit)
{
    return &visit->whoami->worker.chunks;
}

/* False without buffers, as those below. */
static bool add_frame(struct visit *visit, enum ws_opcode opcode, struct str payload)
{
    char head[WS_HEAD_MAX];
    size_t size = ws_write_head(head, opcode, true, payload.len, NULL);
    return chunkq_add_copy(&visit->out, pool_of(visit), str_of(head, size)) &&
           chunkq_add_copy(&visit->out, pool_of(visit), payload);
}

static bool add_close(struct visit *visit, unsigned code)
{
    char frame[4];
    visit->closing = true;
    if (code == WS_CLOSE_NO_CODE)
        return add_frame(visit, WS_CLOSE, STR_NONE);
    return chunkq_add_copy(&visit->out, pool_of(visit), str_of(frame, ws_write_close(frame, code)));
}

static bool add_message(struct visit *visit, const struct ws_event *event)
{
    char head[WS_HEAD_MAX];
    if (!chunkq_add_copy(&visit->message, pool_of(visit), event->data))
        return false;
    if (!event->ends)
        return true;
    size_t size = ws_write_head(head, event->opcode, true, visit->message.bytes, NULL);
    if (!chunkq_add_copy(&visit->out, pool_of(visit), str_of(head, size)))
        return false;
    chunkq_move(&visit->out, &visit->message, visit->message.bytes);
    return true;
}

static bool react(struct visit *visit, const struct ws_event *event)
{
    switch (event->what) {
    case WS_DATA:
        return add_message(visit, event);
    case WS_PINGED:
        return add_frame(visit, WS_PONG, event->data);
    case WS_CLOSED:
    case WS_BROKEN:
        return add_close(visit, event->code);
    case WS_MORE:
    case WS_PONGED:
        break;
    }
    return true;
}

/* Takes frames out of what has come until there is something to send. */
static bool take_frames(struct visit *visit)
{
    bool good = true;
    while (good && visit->in.bytes != 0 && visit->out.bytes == 0 && !visit->closing) {
        struct slice *slice = &visit->in.slices[visit->in.head];
        struct ws_event event;
        size_t used = ws_read(&visit->reader, slice->data, slice->len, &event);
        good = react(visit, &event);
        chunkq_drop(&visit->in, used);
    }
    return good;
}

static enum status write_out(struct visit *visit)
{
    struct body_sink *sink = &visit->stream.sink;
    for (;;) {
        enum status status = visit->out.bytes != 0 || visit->closing ? sink->ops->write(sink, &visit->out, visit->closing, NULL)
                                                                     : STATUS_OK;
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return status;
        enum status flushed = sink->ops->flush(sink);
        if (flushed != STATUS_OK || status == STATUS_OK)
            return flushed;
    }
}

bool whoami_echo(struct visit *visit)
{
    struct body_source *source = &visit->stream.source;
    while (!visit->broken) {
        enum status status = write_out(visit);
        if (status == STATUS_AGAIN)
            return false;
        if (status != STATUS_OK || visit->closing) {
            visit->broken = status != STATUS_OK;
            return true;
        }
        if (visit->in.bytes == 0) {
            status = source->ops->read(source, &visit->in, READ_BYTES);
            if (status == STATUS_AGAIN)
                return false;
            if (status != STATUS_OK)
                return true;      /* gone without a word, which is not our fault */
        }
        visit->broken = !take_frames(visit);
    }
    return true;
}
