/* One request of whoami, from its head to the end of its answer. Callbacks note what happened; visit_run goes on. */
#include "cli/whoami.h"

#define ARENA_BUDGET ((size_t)8 << 20)
#define OUT_BYTES ((size_t)262144)

static void visit_run(struct visit *visit);

static void on_timer(struct timer *timer)
{
    struct visit *visit = container_of(timer, struct visit, timer);
    visit->waited = true;
    visit_run(visit);
}

static struct stream *open_visit(void *context, struct client *client)
{
    struct whoami *whoami = context;
    struct chunk *memory = chunk_new(&whoami->worker.chunks, false);
    if (memory == NULL)
        return NULL;
    struct visit *visit = (struct visit *)(void *)memory->data;
    memset(visit, 0, sizeof(*visit));
    arena_init_with(&visit->arena, visit + 1, memory->capacity - sizeof(*visit), ARENA_BUDGET);
    visit->whoami = whoami;
    visit->memory = memory;
    visit->stream.arena = &visit->arena;
    timer_init(&visit->timer, on_timer);
    chunkq_init(&visit->out);
    chunkq_init(&visit->in);
    chunkq_init(&visit->message);
    return &visit->stream;
}

static void end_visit(struct visit *visit)
{
    timer_cancel(&visit->timer);
    chunkq_release(&visit->out);
    chunkq_release(&visit->in);
    chunkq_release(&visit->message);
    if (visit->whoami->stopping)
        visit->stream.close_after = CLOSE_AFTER;
    visit->stream.ops->finish(&visit->stream, visit->broken);
    arena_release(&visit->arena);
    chunk_unref(visit->memory);
}

/* ---- the stages: true: go on with visit->stage ---- */

static bool read_head(struct visit *visit)
{
    enum status failure = visit->stream.failure;
    visit->stage = VISIT_BODY;
    if (failure != STATUS_OK) {
        whoami_answer_text(visit, status_http(failure) != 0 ? status_http(failure) : 400, str_from(status_text(failure)));
        visit->stream.close_after = CLOSE_AFTER;
        visit->stage = VISIT_SEND;
    } else if (visit->stream.request.expects_continue) {
        struct response interim = {.status = 100, .version = HTTP_1_1};
        fields_init(&interim.fields, &visit->arena, 0);
        visit->stream.ops->send_head(&visit->stream, &interim);
        visit->stream.sink.ops->flush(&visit->stream.sink);
    }
    return true;
}

static void count_body(struct visit *visit, const struct chunkq *piece)
{
    struct str front = chunkq_front(piece);
    if (visit->body_bytes < sizeof(visit->body_start)) {
        size_t room = sizeof(visit->body_start) - (size_t)visit->body_bytes;
        memcpy(visit->body_start + visit->body_bytes, front.data, front.len < room ? front.len : room);
    }
    visit->body_bytes += piece->bytes;
}

/* The body is read to its end, and only counted. */
static bool read_body(struct visit *visit)
{
    struct body_source *source = &visit->stream.source;
    struct chunkq piece;
    enum status status;
    chunkq_init(&piece);
    while ((status = source->ops->read(source, &piece, OUT_BYTES)) == STATUS_OK) {
        count_body(visit, &piece);
        chunkq_clear(&piece);
    }
    chunkq_release(&piece);
    if (status == STATUS_AGAIN)
        return false;
    visit->stage = VISIT_DELAY;
    if (status != STATUS_END) {
        whoami_answer_text(visit, 400, str_from(status_text(status)));
        visit->stream.close_after = CLOSE_AFTER;
        visit->stage = VISIT_SEND;
    }
    return true;
}

static bool delay(struct visit *visit)
{
    int64_t wait = whoami_delay(&visit->stream.request, &visit->arena);
    if (wait > 0 && !visit->waited) {
        if (!timer_armed(&visit->timer))
            timer_after(&visit->whoami->worker.loop, &visit->timer, wait);
        return false;
    }
    visit->stage = VISIT_ANSWER;
    if (wait < 0) {
        whoami_answer_text(visit, 400, S("wait is no duration"));
        visit->stage = VISIT_SEND;
    }
    return true;
}

static bool answer(struct visit *visit)
{
    visit->stage = whoami_answer(visit) ? VISIT_SEND : VISIT_ECHO;
    return true;
}

static enum status begin_response(struct visit *visit)
{
    struct stream *stream = &visit->stream;
    if (stream->response_begun)
        return STATUS_OK;
    if (stream->request.method == METHOD_HEAD) {
        chunkq_clear(&visit->out);
        visit->data_left = 0;
    }
    if (visit->whoami->stopping)
        stream->close_after = CLOSE_AFTER;
    return stream->ops->send_head(stream, &visit->response);
}

/* Writes until all is gone (OK) or the client takes no more now (AGAIN). */
static enum status write_out(struct visit *visit)
{
    struct body_sink *sink = &visit->stream.sink;
    for (;;) {
        if (visit->data_left != 0 && visit->out.bytes < OUT_BYTES)
            whoami_add_data(visit, OUT_BYTES - visit->out.bytes);
        bool end = visit->data_left == 0;
        enum status status = sink->ops->write(sink, &visit->out, end, NULL);
        if (status == STATUS_OK && !end)
            continue;
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return status;
        enum status flushed = sink->ops->flush(sink);
        if (flushed != STATUS_OK || status == STATUS_OK)
            return flushed;
    }
}

static bool send_answer(struct visit *visit)
{
    enum status status = begin_response(visit);
    if (status == STATUS_OK)
        status = write_out(visit);
    if (status == STATUS_AGAIN)
        return false;
    visit->broken = status != STATUS_OK;
    visit->stage = VISIT_END;
    return true;
}

static bool echo(struct visit *visit)
{
    if (!whoami_echo(visit))
        return false;
    visit->stage = VISIT_END;
    return true;
}

static void visit_run(struct visit *visit)
{
    static bool (*const stages[])(struct visit *visit) = {
        [VISIT_HEAD] = read_head, [VISIT_BODY] = read_body, [VISIT_DELAY] = delay,
        [VISIT_ANSWER] = answer,  [VISIT_SEND] = send_answer,      [VISIT_ECHO] = echo,
    };
    while (!visit->gone && visit->stage != VISIT_END)
        if (!stages[visit->stage](visit))
            break;
    if (visit->gone || visit->stage == VISIT_END)
        end_visit(visit);
}

static void on_facts(struct stream *stream, unsigned facts)
{
    struct visit *visit = (struct visit *)(void *)stream;
    if ((facts & FACT_CLOSED) != 0)
        visit->gone = visit->broken = true;
    visit_run(visit);
}

struct stream_handler whoami_handler = {.open = open_visit, .on_facts = on_facts};
