/* Moves bodies. Owns the queue between a source and a sink and, for plain bytes, the pipe that spares the copy. Refuses to know
 * what the bytes mean or who waits for them. */
#include "exchange/relay.h"

void relay_init(struct relay *relay, struct worker *worker, struct body_source *source, struct body_sink *sink)
{
    relay->source = source;
    relay->sink = sink;
    relay->filters = NULL;
    relay->worker = worker;
    relay->trailers = NULL;
    relay->pace = NULL;
    relay->late = NULL;
    relay->pipe.in = -1;
    relay->in_pipe = 0;
    relay->moved = relay->given = relay->limit = 0;
    relay->length = RELAY_ANY_LENGTH;
    relay->pace_moved = 0;
    relay->gathers_until = 0;
    relay->pace_from = worker->loop.now;
    relay->broken_side = RELAY_NEITHER;
    relay->source_ended = relay->done = relay->tunnel = relay->settled = relay->stalled_on_sink = relay->yielded = relay->filtering = relay->waits_for_filter = false;
    chunkq_init(&relay->queue);
    chunkq_init(&relay->raw);
}

/* An empty pipe serves the next relay; one with bytes of this body in it never may. */
static void give_pipe(struct relay *relay)
{
    if (relay->pipe.in < 0)
        return;
    if (relay->in_pipe == 0)
        worker_pipe_give(relay->worker, &relay->pipe);
    else
        worker_pipe_drop(relay->worker, &relay->pipe);
    relay->in_pipe = 0;
}

void relay_release(struct relay *relay)
{
    give_pipe(relay);
    for (struct filter *filter = relay->filters; filter != NULL; filter = filter->next) {
        chunkq_release(&filter->out);
        if (filter->release != NULL)
            filter->release(filter);
    }
    relay->filters = NULL;
    chunkq_release(&relay->queue);
    chunkq_release(&relay->raw);
    if (relay->pace != NULL)
        chunkq_release(&relay->pace->out);
    relay->pace = NULL;
}

static bool nothing_is_queued(const struct relay *relay)
{
    return relay->queue.bytes == 0 && (relay->pace == NULL || relay->pace->out.bytes == 0);
}

/* Of `max` bytes, what may go by now; 0: none yet. */
static size_t allowed(struct relay *relay, size_t max)
{
    if (relay->pace == NULL)
        return max;
    size_t may = pace_allows(relay->pace, relay->given + relay->pace->out.bytes, relay->worker->loop.now);
    return may < max ? may : max;
}

void relay_add_filter(struct relay *relay, struct filter *filter)
{
    struct filter **end = &relay->filters;
    while (*end != NULL)
        end = &(*end)->next;
    filter->next = NULL;
    filter->ended = filter->more = filter->waits = false;
    chunkq_init(&filter->out);
    *end = filter;
}

static enum status broken(struct relay *relay, enum relay_side side, enum status status)
{
    relay->broken_side = side;
    return status;
}

/* Counted in slices too: a peer that drips bytes would otherwise hold a buffer with each of them. */
static bool has_room(const struct relay *relay)
{
    return relay->queue.bytes + relay->raw.bytes < RELAY_QUEUE_BYTES &&
           relay->queue.count + relay->raw.count < RELAY_QUEUE_SLICES;
}

/* What comes next is long and plain enough for a pipe. */
static bool splice_pays(const struct relay *relay)
{
    return relay->filters == NULL && relay->source->ops->splice != NULL && relay->sink->ops->splice != NULL &&
           relay->source->ops->splice_ready(relay->source) >= RELAY_SPLICE_FROM &&
           relay->sink->ops->splice_possible(relay->sink);
}

static enum status read_once(struct relay *relay, struct chunkq *into)
{
    size_t before = into->bytes;
    enum status status = relay->source->ops->read(relay->source, into, RELAY_QUEUE_BYTES);
    relay->moved += into->bytes - before;
    if (relay->limit != 0 && relay->moved > relay->limit)
        return broken(relay, RELAY_FILTER, STATUS_BODY_TOO_LARGE);
    if (status == STATUS_OK && relay->moved == relay->length)
        status = STATUS_END;
    if (status == STATUS_END)
        relay->source_ended = true;
    else if (status != STATUS_OK && status != STATUS_AGAIN)
        return broken(relay, RELAY_SOURCE, status);
    return status;
}

/* Reads until the queue is full or the rest is better spliced (OK), nothing more has come (AGAIN), or the source has ended (END). */
static enum status read_source(struct relay *relay)
{
    struct chunkq *into = relay->filters != NULL ? &relay->raw : &relay->queue;
    while (has_room(relay)) {
        enum status status = read_once(relay, into);
        if (status != STATUS_OK)
            return status;
        if (splice_pays(relay))
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* One step of one filter. A flush is for when there is nothing left to do. */
static enum status run_filter(struct filter *filter, struct chunkq *in, bool end, bool flush)
{
    enum status status = STATUS_OK;
    if (!filter->ended && (in->bytes != 0 || end || filter->more))
        status = filter->process(filter, in, &filter->out, end);
    filter->ended = filter->ended || (end && in->bytes == 0 && !filter->more);
    if (status == STATUS_OK && flush && !filter->more && filter->flush != NULL && !filter->ended)
        status = filter->flush(filter, &filter->out);
    return status;
}

/* Lets what was read pass the row of filters into the queue, which may be full already of what they make of little. */
static enum status run_filters(struct relay *relay, bool flush)
{
    struct chunkq *in = &relay->raw;
    bool end = relay->source_ended;
    relay->filtering = relay->queue.bytes >= RELAY_QUEUE_BYTES;
    relay->waits_for_filter = false;
    if (relay->filtering)
        return STATUS_OK;
    for (struct filter *filter = relay->filters; filter != NULL; filter = filter->next) {
        enum status status = run_filter(filter, in, end, flush && !relay->filtering);
        relay->filtering = relay->filtering || filter->more;
        relay->waits_for_filter = relay->waits_for_filter || filter->waits;
        if (status != STATUS_OK)
            return broken(relay, RELAY_FILTER, status);
        in = &filter->out;
        end = filter->ended;
    }
    chunkq_move(&relay->queue, in, in->bytes);
    return STATUS_OK;
}

static bool everything_is_queued(const struct relay *relay)
{
    const struct filter *last = relay->filters;
    while (last != NULL && last->next != NULL)
        last = last->next;
    return relay->source_ended && (last == NULL || last->ended);
}

/* What the sink gets now: all that is queued, or as much of it as may go by now. */
static struct chunkq *due_bytes(struct relay *relay)
{
    struct pace *pace = relay->pace;
    if (pace == NULL)
        return &relay->queue;
    pace->until = 0;
    if (relay->queue.bytes != 0)
        chunkq_move(&pace->out, &relay->queue, allowed(relay, relay->queue.bytes));
    if (relay->queue.bytes != 0 && pace->until == 0)
        allowed(relay, 1);
    return &pace->out;
}

static enum status write_sink(struct relay *relay)
{
    struct chunkq *due = due_bytes(relay);
    bool end = everything_is_queued(relay) && (relay->pace == NULL || relay->queue.bytes == 0);
    if (due->bytes == 0 && !end)
        return STATUS_OK;
    if (end && relay->late != NULL) {
        relay->late->late(relay->late);
        relay->late = NULL;
    }
    size_t before = due->bytes;
    enum status status = relay->sink->ops->write(relay->sink, due, end, end ? relay->trailers : NULL);
    relay->given += before - due->bytes;
    relay->stalled_on_sink = status == STATUS_AGAIN;
    return status == STATUS_OK || status == STATUS_AGAIN ? status : broken(relay, RELAY_SINK, status);
}

static enum status flush_sink(struct relay *relay)
{
    enum status status = relay->sink->ops->flush(relay->sink);
    relay->stalled_on_sink = status == STATUS_AGAIN;
    return status == STATUS_OK || status == STATUS_AGAIN ? status : broken(relay, RELAY_SINK, status);
}

/* Nothing more may go by now, and what the sink holds back to fill packets would wait for it. */
static enum status flush_what_is_due(struct relay *relay)
{
    enum status status = flush_sink(relay);
    return status == STATUS_OK ? STATUS_AGAIN : status;
}

/* ---- through a pipe ---- */

/* Others have waited long enough: the rest in the next turn. */
static bool yields(struct relay *relay)
{
    relay->yielded = loop_turn_is_long(&relay->worker->loop);
    return relay->yielded;
}

static enum status splice_out(struct relay *relay)
{
    while (relay->in_pipe != 0) {
        size_t moved = 0;
        enum status status = relay->sink->ops->splice(relay->sink, relay->pipe.out, relay->in_pipe, &moved);
        relay->in_pipe -= moved;
        relay->given += moved;
        if (status == STATUS_AGAIN) {
            relay->stalled_on_sink = true;
            return status;
        }
        if (status != STATUS_OK)
            return broken(relay, RELAY_SINK, status);
    }
    relay->stalled_on_sink = false;
    return STATUS_OK;
}

#define GATHER_TIME (2 * TIME_MS)         /* what a byte may have to wait when a fast source pauses */

static void stop_gathering(struct relay *relay)
{
    relay->gathers_until = 0;
    relay->source->ops->gather(relay->source, 1);
}

/* Nothing more is there, after `got` bytes. A source that gave much will give much again soon: then many wakes for little each would cost
 * more than what they move. */
static void gather(struct relay *relay, size_t got)
{
    int64_t now = relay->worker->loop.now;
    bool fast = got >= RELAY_GATHER / 2 && relay->source->ops->gather != NULL && !relay->tunnel &&
                relay->source->ops->splice_ready(relay->source) >= RELAY_GATHER;
    if (got == 0 && relay->gathers_until > now)
        return;
    if (fast && relay->gathers_until == 0)
        relay->source->ops->gather(relay->source, RELAY_GATHER);
    if (fast)
        relay->gathers_until = now + GATHER_TIME;
    else if (relay->gathers_until != 0)
        stop_gathering(relay);
}

static size_t splice_slice(const struct relay *relay)
{
    return relay->pipe.size < RELAY_SLICE ? relay->pipe.size : RELAY_SLICE;
}

/* OK: the plain stretch is through (or no pipe is to be had): go on by reading. */
static enum status splice_through(struct relay *relay)
{
    uint64_t before = relay->moved;
    while (nothing_is_queued(relay) && splice_pays(relay)) {
        if (relay->pipe.in < 0 && !worker_pipe_take(relay->worker, &relay->pipe))
            return STATUS_OK;
        size_t moved = 0, max = allowed(relay, splice_slice(relay));
        if (max == 0) {
            give_pipe(relay);
            return flush_what_is_due(relay);
        }
        enum status status = relay->source->ops->splice(relay->source, relay->pipe.in, max, &moved);
        relay->in_pipe += moved;
        relay->moved += moved;
        if (status != STATUS_OK) {
            give_pipe(relay);
            if (status == STATUS_AGAIN)
                gather(relay, relay->moved - before);
            return status == STATUS_AGAIN || status == STATUS_END ? STATUS_OK : broken(relay, RELAY_SOURCE, status);
        }
        if (relay->limit != 0 && relay->moved > relay->limit)
            return broken(relay, RELAY_FILTER, STATUS_BODY_TOO_LARGE);
        if (relay->moved == relay->length)
            relay->source_ended = true;
        if (relay->gathers_until != 0 && relay->source->ops->splice_ready(relay->source) < RELAY_GATHER)
            stop_gathering(relay);
        status = splice_out(relay);
        if (status != STATUS_OK)
            return status;
        if (!relay->source_ended && yields(relay)) {
            give_pipe(relay);
            return STATUS_AGAIN;
        }
    }
    give_pipe(relay);
    return STATUS_OK;
}

/* ---- out of a file ---- */

static bool may_send_file(const struct relay *relay)
{
    return relay->source->ops->file != NULL && relay->filters == NULL && nothing_is_queued(relay) &&
           relay->sink->ops->send_file != NULL && relay->sink->ops->splice_possible(relay->sink);
}

/* OK: what comes next is no stretch of a file: go on by reading. */
static enum status send_file(struct relay *relay)
{
    off_t *offset;
    int64_t *left;
    int file;
    while (may_send_file(relay) && (file = relay->source->ops->file(relay->source, &offset, &left)) >= 0) {
        size_t moved = 0, max = *left < (int64_t)RELAY_SLICE ? (size_t)*left : RELAY_SLICE;
        max = allowed(relay, max);
        if (max == 0)
            return flush_what_is_due(relay);
        enum status status = relay->sink->ops->send_file(relay->sink, file, offset, max, &moved);
        *left -= (int64_t)moved;
        relay->moved += moved;
        relay->given += moved;
        relay->stalled_on_sink = status == STATUS_AGAIN;
        if (status == STATUS_END)
            return broken(relay, RELAY_SOURCE, STATUS_FILE_ERROR);
        if (status != STATUS_OK)
            return status == STATUS_AGAIN ? status : broken(relay, RELAY_SINK, status);
        if (*left != 0 && yields(relay))
            return STATUS_AGAIN;
    }
    return STATUS_OK;
}

/* ---- through a tunnel ---- */

#define MESSAGE_BYTES ((size_t)4096)      /* what is longer is likely to go on */

#define MESSAGES_AT_ONCE 8                /* then others have their turn, if it has been a long one */

/* Messages go straight on, through no buffer of the pool and no queue. What the sink does not take waits in the queue. */
static enum status pass_messages(struct relay *relay)
{
    static _Thread_local char memory[MESSAGE_BYTES];
    relay->settled = false;
    for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
        size_t got = 0, sent = 0;
        enum status status = relay->source->ops->take(relay->source, memory, sizeof(memory), &got);
        relay->settled = status == STATUS_AGAIN;
        if (status != STATUS_OK)
            return status == STATUS_AGAIN ? status : status == STATUS_END ? STATUS_OK : broken(relay, RELAY_SOURCE, status);
        relay->moved += got;
        status = relay->sink->ops->put(relay->sink, str_of(memory, got), &sent);
        relay->given += sent;
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return broken(relay, RELAY_SINK, status);
        if (sent != got && !chunkq_add_copy(&relay->queue, &relay->worker->chunks, str_of(memory + sent, got - sent)))
            return broken(relay, RELAY_SOURCE, STATUS_OVERLOADED);
        if (sent != got || got == sizeof(memory))
            break;
    }
    return STATUS_OK;
}

/* What has come since the last pump, mostly one message for one of two relays. AGAIN: it is out, and nothing more has come. OK: there
 * is more to it, and whoever moves bodies goes on from here. */
static enum status pump_message(struct relay *relay)
{
    if (relay->source->ops->take != NULL && relay->sink->ops->put != NULL && relay->pace == NULL && relay->limit == 0)
        return pass_messages(relay);
    if (relay->pace != NULL)
        relay->pace->until = 0;
    enum status status = read_once(relay, &relay->queue);
    if (status == STATUS_AGAIN)
        return status;
    relay->settled = false;
    if (status != STATUS_OK || relay->queue.bytes > MESSAGE_BYTES)
        return relay->broken_side != RELAY_NEITHER ? status : STATUS_OK;
    if ((status = write_sink(relay)) != STATUS_OK)
        return status == STATUS_AGAIN ? STATUS_OK : status;
    if ((status = flush_sink(relay)) != STATUS_OK)
        return status;
    status = read_once(relay, &relay->queue);
    relay->settled = status == STATUS_AGAIN;
    return relay->settled || relay->broken_side != RELAY_NEITHER ? status : STATUS_OK;
}

/* Most bodies are short and have come with their head: one word with each neighbour moves them. True: all of it went out. Whatever else
 * there is to say is said by the loop below, which goes on from here. */
static bool pump_at_once(struct relay *relay)
{
    if (relay->length >= RELAY_SPLICE_FROM || relay->moved != 0 || relay->limit != 0 || relay->filters != NULL || relay->pace != NULL)
        return false;
    enum status status = relay->source->ops->read(relay->source, &relay->queue, RELAY_QUEUE_BYTES);
    relay->moved = relay->queue.bytes;
    if (relay->moved != relay->length || (status != STATUS_OK && status != STATUS_END))
        return false;
    relay->source_ended = true;
    relay->given = relay->moved;
    status = relay->sink->ops->write(relay->sink, &relay->queue, true, relay->trailers);
    relay->given -= relay->queue.bytes;
    relay->done = status == STATUS_OK && relay->sink->ops->flush(relay->sink) == STATUS_OK;
    return relay->done;
}

/* A long body comes up, or one that filters work on, when others have waited long enough already or are put off themselves. What was put
 * off before goes on, whatever the time: it is its turn. */
static bool is_put_off(struct relay *relay)
{
    if (relay->yielded || relay->tunnel || (relay->moved < RELAY_QUEUE_BYTES && relay->filters == NULL))
        return false;
    relay->yielded = loop_is_busy(&relay->worker->loop);
    return relay->yielded;
}

static __attribute__((noinline)) enum status pump_body(struct relay *relay)
{
    if (relay->done || pump_at_once(relay))
        return STATUS_OK;
    if (is_put_off(relay))
        return STATUS_AGAIN;
    relay->yielded = false;
    if (relay->pace != NULL)
        relay->pace->until = 0;
    enum status status = splice_out(relay);
    if (status != STATUS_OK)
        return status;
    for (;;) {
        status = send_file(relay);
        if (status == STATUS_OK)
            status = splice_through(relay);
        if (status != STATUS_OK)
            return status;
        enum status read = relay->source_ended ? STATUS_END : read_source(relay);
        if (relay->broken_side != RELAY_NEITHER)
            return read;
        if (relay->filters != NULL && (status = run_filters(relay, read == STATUS_AGAIN)) != STATUS_OK)
            return status;
        bool last = everything_is_queued(relay);
        status = write_sink(relay);
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return status;
        bool taken = status == STATUS_OK, held_back = relay->pace != NULL && relay->queue.bytes != 0;
        bool more = taken && (read == STATUS_OK || relay->filtering) && !held_back && !relay->waits_for_filter;
        if (more && !yields(relay))
            continue;      /* more is there before a flush pays; a splice pushes out what is queued before it */
        if (more && splice_pays(relay))
            return STATUS_AGAIN;      /* it does so in the next turn as well: a packet of its own would be one too many */
        status = flush_sink(relay);
        if (status != STATUS_OK)
            return status;
        if (taken && (held_back || more || relay->waits_for_filter))
            return STATUS_AGAIN;
        if (taken && last) {
            relay->done = true;
            give_pipe(relay);
            return STATUS_OK;
        }
        if (taken && read == STATUS_AGAIN) {
            relay->settled = relay->tunnel;
            return STATUS_AGAIN;
        }
    }
}

enum status relay_pump(struct relay *relay)
{
    if (relay->settled) {
        enum status status = pump_message(relay);
        if (status != STATUS_OK)
            return status;
    }
    return pump_body(relay);
}
