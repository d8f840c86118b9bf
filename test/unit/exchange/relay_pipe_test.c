#include "relay_run.h"

#include <unistd.h>

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
