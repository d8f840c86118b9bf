/* A relay between a source and a sink of the test's. */
#ifndef RELAY_RUN_H
#define RELAY_RUN_H

#include "test.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/memory.h"
#include "exchange/relay.h"

/* A source that gives what the test says, a sink that takes as much as the test says. */
struct run {
    struct worker *worker;
    struct body_source source;
    struct body_sink sink;
    struct relay relay;
    unsigned reads_left;        /* then AGAIN, or END */
    size_t read_size;
    size_t plain_left;          /* behind the reads, for a pipe */
    bool ends;
    enum status broken;         /* what the source says instead; OK: nothing */
    size_t room;                /* bytes that the sink still takes */
    size_t taken;
    unsigned flushes;
    bool ended;
};

/* Each read is a buffer of its own, as from a peer that drips. */
static inline enum status read_some(struct body_source *source, struct chunkq *into, size_t max)
{
    struct run *run = container_of(source, struct run, source);
    if (run->broken != STATUS_OK)
        return run->broken;
    if (run->reads_left == 0)
        return run->ends ? STATUS_END : STATUS_AGAIN;
    run->reads_left--;
    struct chunk *chunk = chunk_new(&run->worker->chunks, true);
    memset(chunk->data, 'x', run->read_size);
    chunk->used = (uint32_t)run->read_size;
    chunkq_add(into, chunk, chunk->data, run->read_size);
    chunk_unref(chunk);
    return STATUS_OK;
}

static inline enum status write_some(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct run *run = container_of(sink, struct run, sink);
    size_t len = from->bytes < run->room ? from->bytes : run->room;
    chunkq_drop(from, len);
    run->room -= len;
    run->taken += len;
    run->ended = end && from->bytes == 0;
    return from->bytes == 0 ? STATUS_OK : STATUS_AGAIN;
}

static inline enum status flush(struct body_sink *sink)
{
    struct run *run = container_of(sink, struct run, sink);
    run->flushes++;
    return run->room != 0 ? STATUS_OK : STATUS_AGAIN;
}

static const struct body_source_ops some_source = {.read = read_some};
static const struct body_sink_ops some_sink = {.write = write_some, .flush = flush};

static inline void begin(struct run *run)
{
    memset(run, 0, sizeof(*run));
    run->worker = memory_zalloc(sizeof(*run->worker));
    assert_true(worker_init(run->worker, 0));
    run->source.ops = &some_source;
    run->sink.ops = &some_sink;
    run->read_size = 1000;
    run->room = SIZE_MAX;
    relay_init(&run->relay, run->worker, &run->source, &run->sink);
}

/* The source has the whole of a body, in so many reads. */
static inline void begin_whole(struct run *run, unsigned reads)
{
    begin(run);
    run->reads_left = reads;
    run->ends = true;
}

static inline void end(struct run *run)
{
    relay_release(&run->relay);
    assert_int_equal(chunk_pool_in_use(&run->worker->chunks), 0);
    worker_release(run->worker);
    free(run->worker);
}

/* On a slow machine the turn may be over in the middle. */
static inline enum status pump(struct run *run)
{
    enum status status;
    do {
        run->worker->loop.now = time_monotonic();
        status = relay_pump(&run->relay);
    } while (status == STATUS_AGAIN && run->relay.yielded);
    return status;
}

#endif
