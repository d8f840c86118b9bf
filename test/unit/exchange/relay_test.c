#include "relay_run.h"

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
