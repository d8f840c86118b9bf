#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/date.h"
#include "test.h"

/* ---- descriptors ---- */

struct probe {
    struct watch watch;
    struct loop *loop;
    unsigned events, calls;
    struct probe *closes;         /* whom it closes when it is ready */
    int reopens_with;             /* and registers anew with this descriptor; -1: not */
};

static void note(struct watch *watch, unsigned events)
{
    struct probe *probe = container_of(watch, struct probe, watch);
    probe->events |= events;
    probe->calls++;
    struct probe *other = probe->closes;
    if (other == NULL || other->watch.fd < 0)
        return;
    probe->closes = NULL;
    loop_unwatch(probe->loop, &other->watch);
    if (probe->reopens_with >= 0)
        assert_true(loop_watch(probe->loop, &other->watch, probe->reopens_with));
}

static struct probe probe_make(struct loop *loop)
{
    return (struct probe){.watch = {.on_ready = note, .fd = -1}, .loop = loop, .reopens_with = -1};
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

TEST(loop_reports_the_state_at_registration_then_only_changes)
{
    static struct loop loop;
    int pair[2];
    assert_true(loop_init(&loop));
    make_pair(pair);
    struct probe probe = probe_make(&loop);
    assert_int_equal(write(pair[1], "a", 1), 1);
    assert_true(loop_watch(&loop, &probe.watch, pair[0]));
    loop_turn(&loop, 0);
    assert_int_equal(probe.events, WATCH_READ | WATCH_WRITE);
    assert_int_equal(probe.calls, 1);
    loop_turn(&loop, 0);
    assert_int_equal(probe.calls, 1);          /* edge-triggered: nothing new */
    assert_int_equal(write(pair[1], "b", 1), 1);
    loop_turn(&loop, 0);
    assert_int_equal(probe.calls, 2);
    probe.events = 0;
    shutdown(pair[1], SHUT_WR);
    loop_turn(&loop, 0);
    assert_true(probe.events & WATCH_HANGUP);
    loop_unwatch(&loop, &probe.watch);
    close(pair[0]);
    close(pair[1]);
    loop_release(&loop);
}

TEST(loop_takes_few_events_in_a_turn_and_those_that_are_left_first_in_the_next)
{
    enum { COUNT = 2 * LOOP_EVENTS + 1 };
    static struct loop loop;
    static struct probe probes[COUNT];
    int pairs[COUNT][2], late = LOOP_EVENTS + 3;
    assert_true(loop_init(&loop));
    loop_turn(&loop, 0);
    for (int i = 0; i < COUNT; i++) {
        make_pair(pairs[i]);
        probes[i] = probe_make(&loop);
        assert_true(loop_watch_reading(&loop, &probes[i].watch, pairs[i][0]));
        if (i != late)
            assert_int_equal(write(pairs[i][1], "a", 1), 1);
    }
    loop_turn(&loop, 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(probes[i].calls, i < LOOP_EVENTS);
    /* Whoever is ready only now stands behind all of them. */
    assert_int_equal(write(pairs[late][1], "a", 1), 1);
    loop_turn(&loop, 0);
    loop_turn(&loop, 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(probes[i].calls, 1);
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    loop_release(&loop);
}

TEST(loop_drops_events_of_a_watch_that_was_closed_in_the_same_turn)
{
    static struct loop loop;
    int a[2], b[2];
    assert_true(loop_init(&loop));
    make_pair(a);
    make_pair(b);
    struct probe first = probe_make(&loop), second = probe_make(&loop);
    first.closes = &second;
    second.closes = &first;
    assert_true(loop_watch(&loop, &first.watch, a[0]));
    assert_true(loop_watch(&loop, &second.watch, b[0]));
    loop_turn(&loop, 0);
    assert_int_equal(first.calls + second.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
    loop_release(&loop);
}

TEST(loop_does_not_take_an_event_of_a_former_descriptor_for_one_of_its_successor)
{
    static struct loop loop;
    int a[2], b[2], c[2];
    assert_true(loop_init(&loop));
    make_pair(a);
    make_pair(b);
    make_pair(c);
    /* Both are ready to read; whichever comes first gives the other a new descriptor, not ready to read. */
    struct probe first = probe_make(&loop), second = probe_make(&loop);
    first.closes = &second;
    second.closes = &first;
    first.reopens_with = second.reopens_with = c[0];
    assert_int_equal(write(a[1], "x", 1) + write(b[1], "x", 1), 2);
    assert_true(loop_watch(&loop, &first.watch, a[0]));
    assert_true(loop_watch(&loop, &second.watch, b[0]));
    loop_turn(&loop, 0);
    assert_int_equal(first.calls + second.calls, 1);
    struct probe *successor = first.calls == 0 ? &first : &second;
    successor->closes = NULL;
    loop_turn(&loop, 0);
    assert_int_equal(successor->events, WATCH_WRITE);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
        close(c[i]);
    }
    loop_release(&loop);
}

TEST(loop_repeats_a_level_triggered_watch_until_other_events_are_wanted)
{
    static struct loop loop;
    int pair[2];
    assert_true(loop_init(&loop));
    make_pair(pair);
    struct probe probe = probe_make(&loop);
    assert_int_equal(write(pair[1], "a", 1), 1);
    assert_true(loop_watch_level(&loop, &probe.watch, pair[0]));
    loop_turn(&loop, 0);
    loop_turn(&loop, 0);
    assert_int_equal(probe.calls, 2);
    assert_int_equal(probe.events, WATCH_READ);
    assert_true(loop_rewatch(&loop, &probe.watch, 0));
    loop_turn(&loop, 0);
    assert_int_equal(probe.calls, 2);
    assert_true(loop_rewatch(&loop, &probe.watch, WATCH_WRITE));
    probe.events = 0;
    loop_turn(&loop, 0);
    assert_int_equal(probe.events, WATCH_WRITE);
    loop_unwatch(&loop, &probe.watch);
    assert_int_equal(probe.watch.fd, -1);
    loop_turn(&loop, 0);
    assert_int_equal(probe.calls, 3);
    close(pair[0]);
    close(pair[1]);
    loop_release(&loop);
}

TEST(loop_watch_fails_for_what_cannot_be_waited_for_and_leaves_the_watch_unregistered)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct probe probe = probe_make(&loop);
    assert_false(loop_watch(&loop, &probe.watch, 1 << 20));
    assert_int_equal(probe.watch.fd, -1);
    loop_release(&loop);
}

/* ---- time ---- */

static void count_expiry(struct timer *timer)
{
    timer->deadline = TIME_NEVER;
}

static struct loop *stop_this;
static int64_t stopped_at;
static void stop_on_expiry(struct timer *timer)
{
    stopped_at = stop_this->now;
    loop_stop(stop_this);
}

TEST(loop_sleeps_until_its_first_timer_and_never_wakes_it_early)
{
    static struct loop loop;
    struct timer timer, later;
    assert_true(loop_init(&loop));
    stop_this = &loop;
    timer_init(&timer, stop_on_expiry);
    timer_init(&later, count_expiry);
    int64_t begun = loop.now;
    timer_after(&loop, &later, 3600 * TIME_S);
    timer_after(&loop, &timer, 20 * TIME_MS);
    assert_true(timer_armed(&timer));
    loop_run(&loop);
    assert_false(timer_armed(&timer));
    assert_true(timer_armed(&later));
    assert_true(stopped_at >= begun + 20 * TIME_MS);
    timer_cancel(&later);
    assert_false(timer_armed(&later));
    loop_release(&loop);
}

struct part {
    struct timer timer;
    struct loop *loop;
    unsigned left, done;
};

static void do_part(struct timer *timer)
{
    struct part *part = container_of(timer, struct part, timer);
    part->done++;
    if (--part->left != 0)
        timer_next_turn(part->loop, timer);
}

TEST(loop_goes_on_in_the_next_turn_without_waiting_and_once_in_each)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct part parts[2] = {{.loop = &loop, .left = 3}, {.loop = &loop, .left = 1}};
    for (unsigned i = 0; i < 2; i++) {
        timer_init(&parts[i].timer, do_part);
        timer_next_turn(&loop, &parts[i].timer);
    }
    timer_cancel(&parts[1].timer);
    for (unsigned turn = 1; turn <= 3; turn++) {
        loop_turn(&loop, TIME_NEVER);
        assert_int_equal(parts[0].done, turn);
    }
    assert_int_equal(parts[1].done, 0);
    assert_false(timer_armed(&parts[0].timer));
    /* Moved meanwhile to a later time, it waits for that. */
    parts[0].left = 1;
    timer_next_turn(&loop, &parts[0].timer);
    timer_after(&loop, &parts[0].timer, 3600 * TIME_S);
    loop_turn(&loop, TIME_NEVER);
    assert_int_equal(parts[0].done, 3);
    assert_true(timer_armed(&parts[0].timer));
    timer_cancel(&parts[0].timer);
    loop_release(&loop);
}

static void do_long_part(struct timer *timer)
{
    for (int64_t began = time_monotonic(); time_monotonic() - began < LOOP_TURN_ENOUGH;)
        continue;
    do_part(timer);
}

TEST(loop_leaves_what_a_turn_has_no_time_for_and_keeps_its_order)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct part parts[3] = {{.loop = &loop, .left = 2}, {.loop = &loop, .left = 1}, {.loop = &loop, .left = 1}};
    for (unsigned i = 0; i < 3; i++) {
        timer_init(&parts[i].timer, do_long_part);
        timer_next_turn(&loop, &parts[i].timer);
    }
    /* One in each turn; the first, which has more to do, comes again behind the others. */
    static const unsigned done[][3] = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {2, 1, 1}};
    for (unsigned turn = 0; turn < 4; turn++) {
        loop_turn(&loop, TIME_NEVER);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(parts[i].done, done[turn][i]);
    }
    loop_release(&loop);
}

TEST(loop_serves_by_turns_what_begins_and_what_goes_on)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct part parts[3] = {{.loop = &loop, .left = 1}, {.loop = &loop, .left = 1}, {.loop = &loop, .left = 2}};
    for (unsigned i = 0; i < 3; i++)
        timer_init(&parts[i].timer, do_long_part);
    timer_begin_later(&loop, &parts[0].timer);
    timer_begin_later(&loop, &parts[1].timer);
    timer_next_turn(&loop, &parts[2].timer);
    static const unsigned done[][3] = {{0, 0, 1}, {1, 0, 1}, {1, 0, 2}, {1, 1, 2}};
    for (unsigned turn = 0; turn < 4; turn++) {
        assert_true(timer_armed(&parts[1].timer));
        loop_turn(&loop, TIME_NEVER);      /* waits for nothing while somebody is put off */
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(parts[i].done, done[turn][i]);
    }
    assert_false(timer_armed(&parts[1].timer));
    loop_release(&loop);
}

struct long_event {
    struct watch watch;
    struct part *puts_off;
};

static void take_long(struct watch *watch, unsigned events)
{
    struct long_event *event = container_of(watch, struct long_event, watch);
    for (int64_t began = time_monotonic(); time_monotonic() - began < LOOP_TURN_ENOUGH;)
        continue;
    timer_next_turn(event->puts_off->loop, &event->puts_off->timer);
}

TEST(loop_leaves_what_a_long_turn_puts_off_but_not_who_has_waited_before)
{
    static struct loop loop;
    int pair[2];
    assert_true(loop_init(&loop));
    loop_turn(&loop, 0);
    struct part parts[2] = {{.loop = &loop, .left = 9}, {.loop = &loop, .left = 1}};
    timer_init(&parts[0].timer, do_part);
    timer_init(&parts[1].timer, do_part);
    struct long_event event = {.watch = {.on_ready = take_long, .fd = -1}, .puts_off = &parts[0]};
    make_pair(pair);
    assert_true(loop_watch_reading(&loop, &event.watch, pair[0]));
    assert_int_equal(write(pair[1], "a", 1), 1);
    loop_turn(&loop, 0);
    assert_int_equal(parts[0].done, 0);
    loop_turn(&loop, 0);
    assert_int_equal(parts[0].done, 1);
    timer_cancel(&parts[0].timer);
    timer_begin_later(&loop, &parts[1].timer);
    assert_int_equal(write(pair[1], "a", 1), 1);
    loop_turn(&loop, 0);
    assert_int_equal(parts[0].done + parts[1].done, 2);
    close(pair[0]);
    close(pair[1]);
    loop_release(&loop);
}

TEST(loop_does_not_run_what_was_put_off_and_cancelled)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct part parts[2] = {{.loop = &loop, .left = 1}, {.loop = &loop, .left = 1}};
    for (unsigned i = 0; i < 2; i++) {
        timer_init(&parts[i].timer, do_part);
        timer_begin_later(&loop, &parts[i].timer);
    }
    timer_cancel(&parts[0].timer);
    assert_false(timer_armed(&parts[0].timer));
    loop_turn(&loop, 0);
    assert_int_equal(parts[0].done, 0);
    assert_int_equal(parts[1].done, 1);
    loop_release(&loop);
}

TEST(loop_keeps_wall_clock_and_date_in_step)
{
    static struct loop loop;
    char date[HTTP_DATE_LEN];
    int64_t before = time_wall();
    assert_true(loop_init(&loop));
    loop_turn(&loop, 0);
    int64_t after = time_wall();
    assert_true(loop.wall >= before - TIME_MS && loop.wall <= after + TIME_MS);
    assert_int_equal(loop.date_second, (loop.now + loop.wall_offset) / TIME_S);
    /* The last digits of the date are those of its second. */
    int64_t second = loop.date_second % 60;
    date[0] = (char)('0' + second / 10);
    date[1] = (char)('0' + second % 10);
    assert_memory_equal(loop.date + 23, date, 2);
    assert_memory_equal(loop.date + 25, " GMT", 5);
    loop_release(&loop);
}

TEST(loop_renews_the_date_when_its_second_has_ended)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    char expected[32];
    loop_turn(&loop, 0);
    memcpy(loop.date, "stale", 5);
    loop.second_ends = loop.now + 3600 * TIME_S;
    loop_turn(&loop, 0);
    assert_memory_equal(loop.date, "stale", 5);     /* within the second nothing is formatted */
    loop.second_ends = loop.now;
    loop_turn(&loop, 0);
    time_t second = (time_t)loop.date_second;
    struct tm at;
    strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&second, &at));
    assert_string_equal(loop.date, expected);       /* the tests run in the C locale */
    loop_release(&loop);
}

/* ---- the end of a turn ---- */

static char order[64];

struct chore {
    struct deferred deferred;
    struct loop *loop;
    char name;
    struct chore *flushes_next, *frees_next;
};

static void do_chore(struct deferred *deferred)
{
    struct chore *chore = container_of(deferred, struct chore, deferred);
    size_t len = strlen(order);
    order[len] = chore->name;
    order[len + 1] = '\0';
    if (chore->flushes_next != NULL)
        loop_defer_flush(chore->loop, &chore->flushes_next->deferred);
    if (chore->frees_next != NULL)
        loop_defer_free(chore->loop, &chore->frees_next->deferred);
}

TEST(loop_runs_flushes_in_order_then_what_they_defer_and_frees_last)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct chore chores[5];
    for (int i = 0; i < 5; i++)
        chores[i] = (struct chore){.deferred.run = do_chore, .loop = &loop, .name = (char)('a' + i)};
    chores[0].flushes_next = &chores[3];
    chores[0].frees_next = &chores[4];
    order[0] = '\0';
    loop_defer_free(&loop, &chores[2].deferred);
    loop_defer_flush(&loop, &chores[0].deferred);
    loop_defer_flush(&loop, &chores[1].deferred);
    loop_defer_flush(&loop, &chores[0].deferred);       /* asked twice, run once */
    loop_turn(&loop, TIME_NEVER);                       /* does not wait: there is work */
    assert_int_equal(strlen(order), 5);
    assert_memory_equal(order, "abd", 3);
    assert_true(strchr(order + 3, 'c') != NULL && strchr(order + 3, 'e') != NULL);
    order[0] = '\0';
    loop_turn(&loop, 0);
    assert_string_equal(order, "");
    loop_release(&loop);
}

TEST(loop_runs_a_flush_that_a_free_deferred)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct chore flush = {.deferred.run = do_chore, .loop = &loop, .name = 'f'};
    struct chore release = {.deferred.run = do_chore, .loop = &loop, .name = 'r', .flushes_next = &flush};
    order[0] = '\0';
    loop_defer_free(&loop, &release.deferred);
    loop_release(&loop);                                /* the last chance counts as well */
    assert_string_equal(order, "rf");
}

/* ---- messages ---- */

#define SENDERS 4
#define MESSAGES 5000

struct numbered {
    struct message message;
    int sender, number;
};

struct sender {
    struct loop *loop;
    int index;
    pthread_t thread;
};

static int last_number[SENDERS], received, out_of_order;
static struct loop *message_loop;

static void receive(struct message *message)
{
    struct numbered *numbered = container_of(message, struct numbered, message);
    out_of_order += numbered->number != last_number[numbered->sender] + 1;
    last_number[numbered->sender] = numbered->number;
    free(numbered);
    if (++received == SENDERS * MESSAGES)
        loop_stop(message_loop);
}

static void *send_all(void *argument)
{
    struct sender *sender = argument;
    for (int i = 1; i <= MESSAGES; i++) {
        struct numbered *numbered = malloc(sizeof(*numbered));
        *numbered = (struct numbered){.message.deliver = receive, .sender = sender->index, .number = i};
        loop_post(sender->loop, &numbered->message);
    }
    return NULL;
}

TEST(loop_delivers_every_message_of_every_thread_in_the_order_sent)
{
    static struct loop loop;
    struct sender senders[SENDERS];
    assert_true(loop_init(&loop));
    message_loop = &loop;
    received = out_of_order = 0;
    memset(last_number, 0, sizeof(last_number));
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.loop = &loop, .index = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    loop_run(&loop);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    assert_int_equal(received, SENDERS * MESSAGES);
    assert_int_equal(out_of_order, 0);
    loop_release(&loop);
}

static int echoes;
static void post_again(struct message *message)
{
    if (++echoes < 3)
        loop_post(message_loop, message);
    else
        loop_stop(message_loop);
}

TEST(loop_takes_a_message_that_is_posted_while_messages_are_delivered)
{
    static struct loop loop;
    struct message message = {.deliver = post_again};
    assert_true(loop_init(&loop));
    message_loop = &loop;
    echoes = 0;
    loop_post(&loop, &message);
    loop_run(&loop);
    assert_int_equal(echoes, 3);
    loop_release(&loop);
}

static int tops;
static void count_top(struct loop *loop)
{
    if (++tops == 2)
        loop_stop(loop);
}

TEST(loop_wake_ends_a_wait_and_each_turn_begins_with_before_wait)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    loop_turn(&loop, 0);            /* takes the first report of the eventfd */
    tops = 0;
    loop.before_wait = count_top;
    loop_wake(&loop);
    loop_run(&loop);                /* the first turn ends by the wake, the second stops before it waits */
    assert_int_equal(tops, 2);
    loop_release(&loop);
}

/* ---- the longest turn ---- */

enum { LONG_WORK = 12 * TIME_MS };            /* longer than any tick of a kernel's clock */

struct toil {
    struct deferred deferred;
    int64_t took;
};

static void work_for_long(struct deferred *deferred)
{
    struct toil *toil = container_of(deferred, struct toil, deferred);
    int64_t begun = time_monotonic();
    do
        toil->took = time_monotonic() - begun;
    while (toil->took < LONG_WORK);
}

TEST(loop_measures_a_turn_that_is_longer_than_a_clock_tick_exactly)
{
    static struct loop loop;
    assert_true(loop_init(&loop));
    struct toil toil = {.deferred.run = work_for_long};
    loop_defer_flush(&loop, &toil.deferred);
    int64_t begun = time_monotonic();
    loop_turn(&loop, 0);
    int64_t all = time_monotonic() - begun;
    assert_true(loop.longest_turn >= toil.took);
    assert_true(loop.longest_turn <= all);
    loop_release(&loop);
}
