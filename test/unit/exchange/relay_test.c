#include "test.h"

#include <stdlib.h>
#include <unistd.h>

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
static enum status read_some(struct body_source *source, struct chunkq *into, size_t max)
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

static enum status write_some(struct body_sink *sink, struct chunkq *from, bool end, const struct fields *trailers)
{
    struct run *run = container_of(sink, struct run, sink);
    size_t len = from->bytes < run->room ? from->bytes : run->room;
    chunkq_drop(from, len);
    run->room -= len;
    run->taken += len;
    run->ended = end && from->bytes == 0;
    return from->bytes == 0 ? STATUS_OK : STATUS_AGAIN;
}

static enum status flush(struct body_sink *sink)
{
    struct run *run = container_of(sink, struct run, sink);
    run->flushes++;
    return run->room != 0 ? STATUS_OK : STATUS_AGAIN;
}

static const struct body_source_ops some_source = {.read = read_some};
static const struct body_sink_ops some_sink = {.write = write_some, .flush = flush};

static void begin(struct run *run)
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
static void begin_whole(struct run *run, unsigned reads)
{
    begin(run);
    run->reads_left = reads;
    run->ends = true;
}

static void end(struct run *run)
{
    relay_release(&run->relay);
    assert_int_equal(chunk_pool_in_use(&run->worker->chunks), 0);
    worker_release(run->worker);
    free(run->worker);
}

/* On a slow machine the turn may be over in the middle. */
static enum status pump(struct run *run)
{
    enum status status;
    do {
        run->worker->loop.now = time_monotonic();
        status = relay_pump(&run->relay);
    } while (status == STATUS_AGAIN && run->relay.yielded);
    return status;
}

TEST(relay_moves_a_body_to_its_end)
{
    struct run run;
    begin_whole(&run, 500);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 500000);
    assert_int_equal(run.relay.moved, 500000);
    assert_int_equal(run.relay.given, 500000);
    assert_true(run.ended);
    assert_int_equal(pump(&run), STATUS_OK);
    end(&run);
}

TEST(relay_leaves_the_rest_to_the_next_turn_when_this_one_is_long)
{
    struct run run;
    begin_whole(&run, 500);
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.yielded);
    assert_in_range(run.taken, RELAY_QUEUE_SLICES * 1000, 499000);
    assert_int_equal(run.flushes, 1);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 500000);
    end(&run);
}

TEST(relay_puts_a_long_body_off_when_the_turn_is_long_before_it_comes_up_and_then_goes_on)
{
    struct run run;
    begin(&run);
    run.reads_left = 100;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 100000);
    run.reads_left = 100;
    run.ends = true;
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.yielded);
    assert_int_equal(run.taken, 100000);
    /* Its place in the row has come: something moves, however long the turn is. */
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    relay_pump(&run.relay);
    assert_in_range(run.taken, 100000 + RELAY_QUEUE_SLICES * 1000, 200000);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 200000);
    end(&run);
}

/* The rest of the body, into a pipe; the test's numbers fit in one of the usual size. */
static enum status splice_in(struct body_source *source, int pipe, size_t max, size_t *ret_moved)
{
    static const char bytes[RELAY_SPLICE_FROM];
    struct run *run = container_of(source, struct run, source);
    if (max > run->plain_left)
        max = run->plain_left;
    ssize_t put = write(pipe, bytes, max < sizeof(bytes) ? max : sizeof(bytes));
    assert_true(put > 0);
    run->plain_left -= (size_t)put;
    *ret_moved = (size_t)put;
    return STATUS_OK;
}

static int64_t splice_ready(struct body_source *source)
{
    struct run *run = container_of(source, struct run, source);
    return run->reads_left == 0 ? (int64_t)run->plain_left : 0;
}

static enum status splice_out(struct body_sink *sink, int pipe, size_t max, size_t *ret_moved)
{
    struct run *run = container_of(sink, struct run, sink);
    char bytes[4096];
    ssize_t got = read(pipe, bytes, max < sizeof(bytes) ? max : sizeof(bytes));
    assert_true(got > 0);
    run->taken += (size_t)got;
    *ret_moved = (size_t)got;
    return STATUS_OK;
}

static bool may_splice(struct body_sink *sink)
{
    return true;
}

static const struct body_source_ops plain_source = {.read = read_some, .splice = splice_in, .splice_ready = splice_ready};
static const struct body_sink_ops plain_sink = {
    .write = write_some, .splice = splice_out, .splice_possible = may_splice, .flush = flush};

/* A body of which one read comes with the head, and the rest can go through a pipe. */
static void begin_plain(struct run *run, size_t plain)
{
    begin_whole(run, 1);
    run->source.ops = &plain_source;
    run->sink.ops = &plain_sink;
    run->plain_left = plain;
    run->relay.length = run->read_size + plain;
}

TEST(relay_sends_what_came_with_the_head_together_with_the_piece_behind_it)
{
    struct run run;
    begin_plain(&run, RELAY_SPLICE_FROM);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 1000 + RELAY_SPLICE_FROM);
    assert_int_equal(run.worker->pipe_count, 1);
    end(&run);
}

TEST(relay_flushes_nothing_alone_when_the_piece_behind_it_waits_for_the_next_turn)
{
    struct run run;
    begin_plain(&run, RELAY_SPLICE_FROM);
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.yielded);
    assert_int_equal(run.flushes, 0);
    assert_int_equal(run.taken, 1000);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 1000 + RELAY_SPLICE_FROM);
    end(&run);
}

static void do_nothing(struct timer *timer)
{
}

TEST(relay_puts_a_long_body_off_behind_others_that_wait)
{
    struct run run;
    struct timer other;
    begin(&run);
    run.reads_left = 100;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    run.reads_left = 100;
    run.ends = true;
    run.worker->loop.now = time_monotonic();
    timer_init(&other, do_nothing);
    timer_begin_later(&run.worker->loop, &other);
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.yielded);
    assert_int_equal(run.taken, 100000);
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 200000);
    timer_cancel(&other);
    end(&run);
}

TEST(relay_does_not_put_off_a_short_body)
{
    struct run run;
    begin(&run);
    run.reads_left = 10;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    run.reads_left = 10;
    run.ends = true;
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(relay_pump(&run.relay), STATUS_OK);
    assert_int_equal(run.taken, 20000);
    end(&run);
}

/* Takes a body in steps of 100 bytes and adds a tail, in a step of its own. */
struct slow_filter {
    struct filter filter;
    unsigned steps, flushes;
    struct chunk_pool *pool;
    bool tail_given;
};

static enum status process_slowly(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct slow_filter *slow = container_of(filter, struct slow_filter, filter);
    slow->steps++;
    bool tail = end && in->bytes == 0;
    if (tail && !slow->tail_given)
        assert_true(chunkq_add_copy(out, slow->pool, S("tail")));
    slow->tail_given = tail;
    chunkq_move(out, in, in->bytes < 100 ? in->bytes : 100);
    filter->more = in->bytes != 0 || (end && !tail);
    return STATUS_OK;
}

static enum status count_flush(struct filter *filter, struct chunkq *out)
{
    struct slow_filter *slow = container_of(filter, struct slow_filter, filter);
    assert_false(filter->more);
    slow->flushes++;
    return STATUS_OK;
}

static void begin_slow(struct run *run, struct slow_filter *slow)
{
    begin(run);
    *slow = (struct slow_filter){.filter = {.process = process_slowly, .flush = count_flush}, .pool = &run->worker->chunks};
    relay_add_filter(&run->relay, &slow->filter);
}

TEST(relay_comes_again_to_filters_that_work_in_steps)
{
    struct run run;
    struct slow_filter slow;
    begin_slow(&run, &slow);
    run.reads_left = 3;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 3000);
    assert_int_equal(slow.steps, 30);
    assert_int_equal(slow.flushes, 1);
    assert_false(run.ended);
    run.reads_left = 2;
    run.ends = true;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 5004);
    assert_int_equal(slow.steps, 51);
    assert_true(run.ended);
    end(&run);
}

TEST(relay_leaves_further_steps_of_filters_to_the_next_turn)
{
    struct run run;
    struct slow_filter slow;
    begin_slow(&run, &slow);
    run.reads_left = 3;
    run.ends = true;
    /* Late in a turn it does not begin. */
    run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.yielded);
    assert_int_equal(slow.steps, 0);
    for (unsigned steps = 1; steps <= 30; steps++) {
        run.worker->loop.now = time_monotonic() - LOOP_TURN_ENOUGH;
        assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
        assert_true(run.relay.yielded);
        assert_int_equal(slow.steps, steps);
        assert_int_equal(run.taken, 100 * steps);
        assert_false(run.ended);
    }
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 3004);
    assert_true(run.ended);
    end(&run);
}

TEST(relay_does_not_filter_for_a_sink_that_is_full)
{
    struct run run;
    struct slow_filter slow;
    begin_slow(&run, &slow);
    run.reads_left = 200;
    run.ends = true;
    run.room = 0;
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_in_range(run.relay.queue.bytes, 1, RELAY_QUEUE_BYTES + 100);
    run.room = SIZE_MAX;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 200004);
    end(&run);
}

TEST(relay_flushes_before_it_waits)
{
    struct run run;
    begin(&run);
    run.reads_left = 1;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 1000);
    assert_int_equal(run.flushes, 1);
    assert_false(run.ended);
    end(&run);
}

TEST(relay_stops_reading_when_the_sink_is_full)
{
    struct run run;
    begin(&run);
    run.reads_left = 1000000;
    run.read_size = 30000;
    run.room = 100;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_true(run.relay.stalled_on_sink);
    assert_in_range(run.relay.moved, RELAY_QUEUE_BYTES, RELAY_QUEUE_BYTES + 30000);
    run.room = SIZE_MAX;
    run.reads_left = 0;
    run.ends = true;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, run.relay.moved);
    end(&run);
}

TEST(relay_holds_few_buffers_of_a_peer_that_drips)
{
    struct run run;
    begin(&run);
    run.read_size = 1;
    run.room = 0;
    for (unsigned i = 0; i < 1000; i++) {
        run.reads_left++;
        assert_int_equal(pump(&run), STATUS_AGAIN);
    }
    assert_in_range(chunk_pool_in_use(&run.worker->chunks), 1, RELAY_QUEUE_SLICES * CHUNK_LARGE_SIZE);
    run.room = SIZE_MAX;
    run.ends = true;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 1000);
    end(&run);
}

TEST(relay_says_which_side_broke)
{
    struct run run;
    begin(&run);
    run.broken = STATUS_UPSTREAM_TRUNCATED;
    assert_int_equal(pump(&run), STATUS_UPSTREAM_TRUNCATED);
    assert_int_equal(run.relay.broken_side, RELAY_SOURCE);
    end(&run);
}

TEST(relay_ends_a_body_that_grows_beyond_its_limit)
{
    struct run run;
    begin(&run);
    run.relay.limit = 1500;
    run.reads_left = 2;
    assert_int_equal(pump(&run), STATUS_BODY_TOO_LARGE);
    end(&run);
}

/* ---- filters ---- */

/* Holds back all but what is told to go, and adds a tail. */
struct miser {
    struct filter filter;
    struct chunkq kept;
    bool released;
};

static enum status keep(struct filter *filter, struct chunkq *in, struct chunkq *out, bool is_end)
{
    struct miser *miser = container_of(filter, struct miser, filter);
    chunkq_move(&miser->kept, in, in->bytes);
    if (is_end) {
        chunkq_move(out, &miser->kept, miser->kept.bytes);
        chunkq_add_static(out, S("tail"));
    }
    return STATUS_OK;
}

static enum status let_go(struct filter *filter, struct chunkq *out)
{
    struct miser *miser = container_of(filter, struct miser, filter);
    chunkq_move(out, &miser->kept, miser->kept.bytes);
    return STATUS_OK;
}

static void release(struct filter *filter)
{
    container_of(filter, struct miser, filter)->released = true;
}

TEST(relay_lets_filters_hold_back_until_nothing_more_is_there)
{
    struct run run;
    struct miser first = {.filter = {.process = keep, .flush = let_go, .release = release}}, second = first;
    begin(&run);
    chunkq_init(&first.kept);
    chunkq_init(&second.kept);
    relay_add_filter(&run.relay, &first.filter);
    relay_add_filter(&run.relay, &second.filter);
    run.reads_left = 2;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 2000);
    run.reads_left = 1;
    run.ends = true;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 3000 + 4 + 4);
    assert_int_equal(run.relay.given, 3008);
    assert_int_equal(run.relay.moved, 3000);
    assert_true(run.ended);
    end(&run);
    assert_true(first.released && second.released);
}

static void begin_at_pace(struct run *run, struct pace *pace, unsigned reads)
{
    begin_whole(run, reads);
    chunkq_init(&pace->out);
    pace->began = run->worker->loop.now;
    run->relay.pace = pace;
}

/* The pace is one second's worth ahead; after that the clock is moved by the test. */
TEST(relay_keeps_a_pace)
{
    struct run run;
    struct pace pace = {.rate = 10000, .after = 500};
    begin_at_pace(&run, &pace, 40);
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_int_equal(run.taken, 10500);
    assert_true(pace.until > pace.began);
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_int_equal(run.taken, 10500);
    run.worker->loop.now = pace.until;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_in_range(run.taken, 10501, 15000);
    run.worker->loop.now = pace.began + INT64_C(10000000000);
    assert_int_equal(relay_pump(&run.relay), STATUS_OK);
    assert_int_equal(run.taken, 40000);
    assert_true(run.ended);
    assert_int_equal(pace.until, 0);
    end(&run);
}

/* What a sink holds back to fill packets does not wait until more may go. */
TEST(relay_at_a_pace_flushes_before_a_piece_that_may_not_go_yet)
{
    struct run run;
    struct pace pace = {.rate = 800};
    begin_plain(&run, RELAY_SPLICE_FROM);
    chunkq_init(&pace.out);
    pace.began = run.worker->loop.now;
    run.read_size = 800;
    run.relay.length = 800 + RELAY_SPLICE_FROM;
    run.relay.pace = &pace;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 800);
    assert_int_equal(run.flushes, 1);
    assert_true(pace.until > pace.began);
    end(&run);
}

TEST(relay_at_a_pace_waits_for_a_sink_that_is_full)
{
    struct run run;
    struct pace pace = {.rate = 10000};
    begin_at_pace(&run, &pace, 9);
    run.room = 100;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_int_equal(run.taken, 100);
    assert_true(run.relay.stalled_on_sink);
    run.room = SIZE_MAX;
    assert_int_equal(relay_pump(&run.relay), STATUS_OK);
    assert_int_equal(run.taken, 9000);
    assert_int_equal(run.relay.given, 9000);
    end(&run);
}

TEST(pace_wakes_up_once_for_each_stretch)
{
    struct pace pace = {.rate = 800};
    assert_int_equal(pace_allows(&pace, 0, 0), 800);
    assert_int_equal(pace_allows(&pace, 800, 0), 0);
    int64_t until = pace.until;
    assert_in_range(until, 124000000, 126000000);
    assert_int_equal(pace_allows(&pace, 800, until - 10000000), 0);
    assert_int_equal(pace_allows(&pace, 800, until), 100);
    assert_int_equal(pace.until, 0);
    struct pace slow = {.rate = 1};
    assert_int_equal(pace_allows(&slow, 0, 0), 1);
    assert_int_equal(pace_allows(&slow, 1, 0), 0);
    assert_in_range(slow.until, 999000000, 1001000000);
}

/* A tunnel through which something has gone already. */
static void begin_tunnel(struct run *run)
{
    begin(run);
    run->relay.tunnel = true;
    run->read_size = 128;
    run->reads_left = 1;
    assert_int_equal(relay_pump(&run->relay), STATUS_AGAIN);
    assert_int_equal(run->taken, 128);
    run->flushes = 0;
}

TEST(relay_of_a_tunnel_pushes_each_message_out_and_nothing_where_none_came)
{
    struct run run;
    begin_tunnel(&run);
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_int_equal(run.flushes, 0);
    for (unsigned i = 1; i <= 3; i++) {
        run.reads_left = 1;
        assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
        assert_int_equal(run.taken, 128 + i * 128);
        assert_int_equal(run.flushes, i);
        assert_int_equal(run.relay.given, run.relay.moved);
    }
    run.ends = true;
    assert_int_equal(relay_pump(&run.relay), STATUS_OK);
    assert_true(run.ended);
    end(&run);
}

TEST(relay_of_a_tunnel_takes_what_follows_a_message_and_long_stretches)
{
    struct run run;
    begin_tunnel(&run);
    run.reads_left = 500;
    assert_int_equal(pump(&run), STATUS_AGAIN);
    assert_int_equal(run.taken, 128 * 501);
    run.read_size = 30000;
    run.reads_left = 100;
    run.ends = true;
    assert_int_equal(pump(&run), STATUS_OK);
    assert_int_equal(run.taken, 128 * 501 + 3000000);
    assert_true(run.ended);
    end(&run);
}

TEST(relay_of_a_tunnel_keeps_what_a_full_sink_does_not_take)
{
    struct run run;
    begin_tunnel(&run);
    run.reads_left = 1;
    run.room = 100;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.stalled_on_sink);
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    run.room = SIZE_MAX;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_false(run.relay.stalled_on_sink);
    assert_int_equal(run.taken, 256);
    run.reads_left = 1;
    run.room = 128;      /* taken, but not out */
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_true(run.relay.stalled_on_sink);
    run.room = SIZE_MAX;
    assert_int_equal(relay_pump(&run.relay), STATUS_AGAIN);
    assert_false(run.relay.stalled_on_sink);
    assert_int_equal(run.taken, 384);
    end(&run);
}

TEST(relay_of_a_tunnel_says_when_its_source_broke)
{
    struct run run;
    begin_tunnel(&run);
    run.broken = STATUS_UPSTREAM_TRUNCATED;
    assert_int_equal(relay_pump(&run.relay), STATUS_UPSTREAM_TRUNCATED);
    assert_int_equal(run.relay.broken_side, RELAY_SOURCE);
    end(&run);
}

/* ---- tunnels whose sides take and put ---- */

#define MESSAGES_MAX 16

struct tunnel {
    struct run run;
    size_t messages[MESSAGES_MAX];      /* that come, in this order; 0: none more for now */
    unsigned next;
    size_t most;                        /* that one put takes */
    enum status broken;                 /* what the next put says; OK: nothing */
    unsigned puts;
};

static enum status take_message(struct body_source *source, char *memory, size_t size, size_t *ret_got)
{
    struct tunnel *tunnel = container_of(source, struct tunnel, run.source);
    size_t *left = &tunnel->messages[tunnel->next];
    if (tunnel->run.ends && *left == 0)
        return STATUS_END;
    if (*left == 0)
        return STATUS_AGAIN;
    *ret_got = *left < size ? *left : size;
    memset(memory, 'm', *ret_got);
    *left -= *ret_got;
    tunnel->next += *left == 0;
    return STATUS_OK;
}

static enum status put_message(struct body_sink *sink, struct str bytes, size_t *ret_sent)
{
    struct tunnel *tunnel = container_of(sink, struct tunnel, run.sink);
    tunnel->puts++;
    if (tunnel->broken != STATUS_OK)
        return tunnel->broken;
    if (tunnel->most == 0)
        return STATUS_AGAIN;
    *ret_sent = bytes.len < tunnel->most ? bytes.len : tunnel->most;
    tunnel->run.taken += *ret_sent;
    return STATUS_OK;
}

static const struct body_source_ops message_source = {.read = read_some, .take = take_message};
static const struct body_sink_ops message_sink = {.write = write_some, .put = put_message, .flush = flush};

static void begin_messages(struct tunnel *tunnel)
{
    memset(tunnel, 0, sizeof(*tunnel));
    begin(&tunnel->run);
    tunnel->run.source.ops = &message_source;
    tunnel->run.sink.ops = &message_sink;
    tunnel->run.relay.tunnel = true;
    tunnel->most = SIZE_MAX;
    assert_int_equal(pump(&tunnel->run), STATUS_AGAIN);
    assert_true(tunnel->run.relay.settled);
}

TEST(messages_of_a_tunnel_at_rest_need_no_buffers)
{
    struct tunnel tunnel;
    begin_messages(&tunnel);
    tunnel.messages[0] = 128;
    tunnel.messages[1] = 5;
    unsigned flushes = tunnel.run.flushes;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_int_equal(tunnel.run.taken, 133);
    assert_int_equal(tunnel.run.relay.moved, 133);
    assert_int_equal(tunnel.run.relay.given, 133);
    assert_int_equal(tunnel.run.flushes, flushes);
    assert_true(tunnel.run.relay.settled);
    end(&tunnel.run);
}

TEST(what_a_full_sink_leaves_of_a_message_is_queued)
{
    struct tunnel tunnel;
    begin_messages(&tunnel);
    tunnel.messages[0] = 128;
    tunnel.most = 28;
    tunnel.run.room = 60;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_int_equal(tunnel.run.taken, 88);
    assert_true(tunnel.run.relay.stalled_on_sink);
    assert_false(tunnel.run.relay.settled);
    tunnel.run.room = SIZE_MAX;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_int_equal(tunnel.run.taken, 128);
    assert_int_equal(tunnel.run.relay.given, 128);
    assert_true(tunnel.run.relay.settled);
    tunnel.messages[1] = 10;
    tunnel.most = 0;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_int_equal(tunnel.run.taken, 138);
    end(&tunnel.run);
}

TEST(a_tunnel_goes_on_by_reading_behind_a_long_message)
{
    struct tunnel tunnel;
    begin_messages(&tunnel);
    tunnel.messages[0] = 4096;
    tunnel.run.reads_left = 40;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_int_equal(tunnel.puts, 1);
    assert_int_equal(tunnel.run.taken, 4096 + 40000);
    assert_true(tunnel.run.relay.settled);
    end(&tunnel.run);
}

TEST(many_messages_of_a_tunnel_do_not_hold_the_turn)
{
    struct tunnel tunnel;
    begin_messages(&tunnel);
    for (unsigned i = 0; i < MESSAGES_MAX - 1; i++)
        tunnel.messages[i] = 10;
    assert_int_equal(pump(&tunnel.run), STATUS_AGAIN);
    assert_in_range(tunnel.puts, 2, MESSAGES_MAX - 2);
    end(&tunnel.run);
}

TEST(the_end_and_the_failure_of_a_tunnel_are_told)
{
    struct tunnel tunnel;
    begin_messages(&tunnel);
    tunnel.messages[0] = 10;
    tunnel.broken = STATUS_CLIENT_ABORTED;
    assert_int_equal(pump(&tunnel.run), STATUS_CLIENT_ABORTED);
    assert_int_equal(tunnel.run.relay.broken_side, RELAY_SINK);
    end(&tunnel.run);
    begin_messages(&tunnel);
    tunnel.messages[0] = 10;
    tunnel.run.ends = true;
    assert_int_equal(pump(&tunnel.run), STATUS_OK);
    assert_int_equal(tunnel.run.taken, 10);
    assert_true(tunnel.run.ended && tunnel.run.relay.done);
    end(&tunnel.run);
}

/* ---- gathering ---- */

/* A source whose bytes come in stretches, and what it was asked to gather. */
struct stretches {
    struct run run;
    size_t there, left;         /* bytes that have come, and of the body */
    int gathers;
    unsigned asked;
};

static struct stretches *of_source(struct body_source *source)
{
    return container_of(container_of(source, struct run, source), struct stretches, run);
}

static enum status splice_stretch(struct body_source *source, int pipe, size_t max, size_t *ret_moved)
{
    struct stretches *it = of_source(source);
    static const char bytes[4096];
    size_t len = it->there < max ? it->there : max;
    *ret_moved = 0;
    while (*ret_moved < len) {
        size_t piece = len - *ret_moved < sizeof(bytes) ? len - *ret_moved : sizeof(bytes);
        assert_int_equal(write(pipe, bytes, piece), piece);
        *ret_moved += piece;
    }
    it->there -= len;
    it->left -= len;
    return len != 0 ? STATUS_OK : it->left != 0 ? STATUS_AGAIN : STATUS_END;
}

static int64_t stretch_ready(struct body_source *source)
{
    return (int64_t)of_source(source)->left;
}

static enum status read_end(struct body_source *source, struct chunkq *into, size_t max)
{
    return of_source(source)->left != 0 ? STATUS_AGAIN : STATUS_END;
}

static void note_gather(struct body_source *source, int bytes)
{
    of_source(source)->gathers = bytes;
    of_source(source)->asked++;
}

static enum status take_spliced(struct body_sink *sink, int pipe, size_t max, size_t *ret_moved)
{
    char bytes[4096];
    for (*ret_moved = 0; *ret_moved < max;) {
        ssize_t got = read(pipe, bytes, max - *ret_moved < sizeof(bytes) ? max - *ret_moved : sizeof(bytes));
        assert_true(got > 0);
        *ret_moved += (size_t)got;
    }
    container_of(sink, struct run, sink)->taken += *ret_moved;
    return STATUS_OK;
}

static bool always(struct body_sink *sink)
{
    return true;
}

static const struct body_source_ops stretch_source = {
    .read = read_end, .splice = splice_stretch, .splice_ready = stretch_ready, .gather = note_gather};
static const struct body_sink_ops spliced_sink = {
    .write = write_some, .flush = flush, .splice = take_spliced, .splice_possible = always};

static void begin_stretches(struct stretches *it, size_t left)
{
    memset(it, 0, sizeof(*it));
    begin(&it->run);
    it->run.source.ops = &stretch_source;
    it->run.sink.ops = &spliced_sink;
    it->left = left;
    it->gathers = 1;
}

static enum status come(struct stretches *it, size_t bytes)
{
    it->there += bytes;
    return pump(&it->run);
}

TEST(relay_gathers_what_a_fast_source_brings_until_little_is_left)
{
    struct stretches it;
    begin_stretches(&it, 2000000);
    assert_int_equal(come(&it, RELAY_GATHER), STATUS_AGAIN);
    assert_int_equal(it.gathers, RELAY_GATHER);
    assert_true(it.run.relay.gathers_until > it.run.worker->loop.now);
    assert_int_equal(come(&it, RELAY_GATHER), STATUS_AGAIN);
    assert_int_equal(come(&it, 2000000 - 3 * RELAY_GATHER), STATUS_AGAIN);
    assert_int_equal(it.gathers, RELAY_GATHER);
    assert_int_equal(it.asked, 1);
    assert_int_equal(come(&it, 1000), STATUS_AGAIN);
    assert_int_equal(it.gathers, 1);
    assert_int_equal(it.run.relay.gathers_until, 0);
    assert_int_equal(come(&it, RELAY_GATHER - 1000), STATUS_OK);
    assert_int_equal(it.run.taken, 2000000);
    assert_int_equal(it.asked, 2);
    end(&it.run);
}

TEST(relay_looks_after_a_moment_at_what_a_source_brought_that_paused)
{
    struct stretches it;
    begin_stretches(&it, 2000000);
    assert_int_equal(come(&it, RELAY_GATHER), STATUS_AGAIN);
    /* Another reason to come: the time is not over. */
    it.run.worker->loop.now = it.run.relay.gathers_until - 1;
    assert_int_equal(relay_pump(&it.run.relay), STATUS_AGAIN);
    assert_int_equal(it.gathers, RELAY_GATHER);
    it.run.worker->loop.now = it.run.relay.gathers_until;
    assert_int_equal(relay_pump(&it.run.relay), STATUS_AGAIN);
    assert_int_equal(it.gathers, 1);
    assert_int_equal(it.run.relay.gathers_until, 0);
    assert_int_equal(come(&it, 100), STATUS_AGAIN);
    assert_int_equal(it.gathers, 1);
    assert_int_equal(it.run.taken, RELAY_GATHER + 100);
    end(&it.run);
}

TEST(relay_gathers_nothing_of_a_source_that_drips_or_of_a_tunnel)
{
    struct stretches it;
    begin_stretches(&it, 2000000);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(come(&it, 60000), STATUS_AGAIN);
    it.run.relay.tunnel = true;
    assert_int_equal(come(&it, RELAY_GATHER), STATUS_AGAIN);
    assert_int_equal(it.asked, 0);
    end(&it.run);
}
