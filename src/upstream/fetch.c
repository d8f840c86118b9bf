/* Owns a request of our own from its head to the last byte of its response. Refuses to follow redirections or to judge a
 * status: that is for whoever asked. */
#include "upstream/fetch.h"

#define HEAD_BUDGET ((size_t)1 << 20)      /* of the arena: both heads, and what the caller puts there */

struct running {
    struct fetch fetch;              /* first, so that one pointer serves both */
    struct chunk *memory;            /* that this lies in */
    struct list link;                /* in upstream_fetches, from the start until it ended */
    struct upstream_stream stream;
    struct timer timer;
    int64_t deadline;                /* monotonic ns for everything; TIME_NEVER: none */
    struct chunkq sending;           /* what this try has still to send */
    struct chunkq gathered;
    struct deferred done;
    enum status outcome;
    bool bound, head_sent, upload_done, head_taken;
    bool weighed;                     /* as server_begin said */
    bool fresh;                      /* a try on a stale connection failed: no more of them */
    bool ended;
};

static void attempt(struct running *running);

struct fetch *fetch_new(struct worker *worker)
{
    _Static_assert(sizeof(struct running) < CHUNK_SMALL_SIZE / 2, "the rest of the chunk is the first of the arena");
    struct chunk *memory = chunk_new(&worker->chunks, false);
    if (memory == NULL)
        return NULL;
    struct running *running = (struct running *)(void *)memory->data;
    memset(running, 0, sizeof(*running));
    running->memory = memory;
    struct fetch *fetch = &running->fetch;
    fetch->worker = worker;
    arena_init_with(&fetch->arena, running + 1, memory->capacity - sizeof(*running), HEAD_BUDGET);
    fields_init(&fetch->request.fields, &fetch->arena, 0);
    chunkq_init(&fetch->body);
    chunkq_init(&running->sending);
    chunkq_init(&running->gathered);
    return fetch;
}

void fetch_free(struct fetch *fetch)
{
    struct running *running = (struct running *)(void *)fetch;
    server_unref(fetch->server);
    chunkq_release(&fetch->body);
    chunkq_release(&running->sending);
    chunkq_release(&running->gathered);
    arena_release(&fetch->arena);
    chunk_unref(running->memory);
}

static void let_go(struct running *running, bool reusable)
{
    if (!running->bound)
        return;
    running->bound = false;
    running->stream.ops->release(&running->stream, reusable);
    server_end(running->fetch.server, running->fetch.worker->index, running->weighed);
}

static void free_running(struct deferred *deferred)
{
    fetch_free(&container_of(deferred, struct running, done)->fetch);
}

/* At the end of the turn, so that whoever asked is never called from inside its own call or another connection's event. */
static void report(struct deferred *deferred)
{
    struct running *running = container_of(deferred, struct running, done);
    struct fetch *fetch = &running->fetch;
    if (fetch->on_done != NULL)
        fetch->on_done(fetch, running->outcome);
    deferred->run = free_running;
    loop_defer_free(&fetch->worker->loop, deferred);
}

/* All of the response's body as one stretch; false at the pool's limit. */
static bool join_body(struct running *running)
{
    struct chunkq *gathered = &running->gathered;
    if (gathered->count > 1) {
        struct chunk *whole = chunk_new_sized(&running->fetch.worker->chunks, gathered->bytes);
        if (whole == NULL)
            return false;
        while (gathered->bytes != 0) {
            struct str part = chunkq_front(gathered);
            memcpy(whole->data + whole->used, part.data, part.len);
            whole->used += (uint32_t)part.len;
            chunkq_drop(gathered, part.len);
        }
        chunkq_add(gathered, whole, whole->data, whole->used);
        chunk_unref(whole);
    }
    running->fetch.response_body = chunkq_front(gathered);
    return true;
}

static void end(struct running *running, enum status outcome)
{
    if (running->ended)
        return;
    running->ended = true;
    list_remove(&running->link);
    if (outcome == STATUS_OK)
        running->fetch.response.trailers = running->stream.response.trailers;
    running->fetch.detail = running->stream.detail;
    let_go(running, outcome == STATUS_OK);
    timer_cancel(&running->timer);
    if (outcome == STATUS_OK && !join_body(running))
        outcome = STATUS_OVERLOADED;
    running->outcome = outcome;
    running->done.run = report;
    loop_defer_flush(&running->fetch.worker->loop, &running->done);
}

/* A connection that the server closed while it was idle says nothing about the server: asked once more on a new one, if
 * asking twice can do no harm. */
static void fail(struct running *running, enum status status)
{
    const struct upstream_stream *stream = &running->stream;
    bool stale = stream->reused && !stream->anything_received && !running->fresh &&
                 (status == STATUS_UPSTREAM_CLOSED || status == STATUS_UPSTREAM_RESET);
    bool harmless = !stream->anything_sent || running->fetch.repeatable ||
                    method_is_idempotent(running->fetch.request.method);
    if (!stale || !harmless) {
        end(running, status);
        return;
    }
    let_go(running, false);
    running->fresh = true;
    attempt(running);
}

static bool keep(struct running *running, struct chunkq *piece)
{
    if (!running->fetch.discard_body)
        return chunkq_pack(&running->gathered, piece, &running->fetch.worker->chunks);
    chunkq_clear(piece);
    return true;
}

static void receive(struct running *running)
{
    struct body_source *source = &running->stream.source;
    struct chunkq piece;
    chunkq_init(&piece);
    enum status status;
    while ((status = source->ops->read(source, &piece, CHUNK_LARGE_SIZE)) == STATUS_OK) {
        if (!keep(running, &piece))
            status = STATUS_OVERLOADED;
        else if (running->gathered.bytes > running->fetch.max_body)
            status = STATUS_RESPONSE_TOO_LARGE;
        if (status != STATUS_OK)
            break;
    }
    chunkq_release(&piece);
    if (status == STATUS_END)
        end(running, STATUS_OK);
    else if (status != STATUS_AGAIN)
        end(running, status);
}

static void take_head(struct running *running)
{
    running->head_taken = true;
    running->fetch.response = running->stream.response;
    int64_t length = running->fetch.response.body_length;
    if (running->fetch.response.status == 101)
        end(running, STATUS_UPSTREAM_PROTOCOL);
    else if (!running->fetch.discard_body && length > 0 && (uint64_t)length > running->fetch.max_body &&
             running->fetch.request.method != METHOD_HEAD)
        end(running, STATUS_RESPONSE_TOO_LARGE);
    else
        receive(running);
}

/* Sends what the connection takes. A server that reads no more may still have an answer on its way. */
static void upload(struct running *running)
{
    struct body_sink *sink = &running->stream.sink;
    enum status status = STATUS_OK;
    if (!running->upload_done) {
        status = sink->ops->write(sink, &running->sending, true, NULL);
        running->upload_done = status == STATUS_OK;
    }
    if (status == STATUS_OK || status == STATUS_AGAIN)
        status = sink->ops->flush(sink);
    if (status == STATUS_OK || status == STATUS_AGAIN)
        return;
    running->upload_done = true;
    if (!running->stream.anything_sent || running->stream.reused)
        fail(running, status);
}

static void send_head(struct running *running)
{
    const struct fetch *fetch = &running->fetch;
    running->head_sent = true;
    if (running->deadline != TIME_NEVER)
        timer_set(&fetch->worker->loop, &running->timer, running->deadline);
    else
        timer_cancel(&running->timer);
    enum status status = running->stream.ops->send_head(&running->stream, &fetch->request);
    if (status != STATUS_OK) {
        end(running, status);
        return;
    }
    chunkq_clear(&running->sending);
    chunkq_share(&running->sending, &fetch->body, 0, fetch->body.bytes);
    running->upload_done = !fetch->request.has_body;
    upload(running);
}

static void on_facts(struct upstream_stream *stream, unsigned facts)
{
    struct running *running = stream->owner;
    if (running->ended)
        return;
    if ((facts & FACT_CLOSED) != 0) {
        fail(running, stream->failure);
    } else if (!running->head_sent) {
        if ((facts & FACT_WRITABLE) != 0)
            send_head(running);
    } else if ((facts & FACT_HEAD) != 0) {
        take_head(running);
    } else {
        if ((facts & FACT_WRITABLE) != 0)
            upload(running);
        if ((facts & FACT_READABLE) != 0 && running->head_taken && !running->ended)
            receive(running);
    }
}

static void on_timer(struct timer *timer)
{
    struct running *running = container_of(timer, struct running, timer);
    end(running, running->head_sent ? STATUS_UPSTREAM_TIMEOUT : STATUS_UPSTREAM_CONNECT_TIMEOUT);
}

static void limit_connecting(struct running *running)
{
    struct loop *loop = &running->fetch.worker->loop;
    int64_t dial = running->fetch.transport->dial_timeout;
    int64_t until = dial != 0 ? loop->now + dial : TIME_NEVER;
    if (running->deadline < until)
        until = running->deadline;
    if (until != TIME_NEVER)
        timer_set(loop, &running->timer, until);
}

static void attempt(struct running *running)
{
    struct fetch *fetch = &running->fetch;
    running->head_sent = running->head_taken = false;
    running->stream = (struct upstream_stream){.on_facts = on_facts, .owner = running, .arena = &fetch->arena};
    enum status status =
        upstream_open(fetch->worker, fetch->server, fetch->transport, running->fresh ? UPSTREAM_FRESH : 0, &running->stream);
    running->bound = status == STATUS_OK || status == STATUS_AGAIN;
    if (running->bound)
        running->weighed = server_begin(fetch->server, fetch->worker->index);
    if (status == STATUS_OK)
        send_head(running);
    else if (status == STATUS_AGAIN)
        limit_connecting(running);
    else
        end(running, status);
}

void fetch_start(struct fetch *fetch)
{
    struct running *running = (struct running *)(void *)fetch;
    timer_init(&running->timer, on_timer);
    running->deadline = fetch->timeout != 0 ? fetch->worker->loop.now + fetch->timeout : TIME_NEVER;
    fetch->request.version = HTTP_1_1;
    list_append(upstream_fetches(fetch->worker), &running->link);
    attempt(running);
}

struct fetch *fetch_of(struct list *link)
{
    return &container_of(link, struct running, link)->fetch;
}

void fetch_cancel(struct fetch *fetch)
{
    fetch->on_done = NULL;
    end((struct running *)(void *)fetch, STATUS_CLIENT_ABORTED);
}
