#include "cli/throttle.h"

#include "test.h"

static struct throttle throttle;
static unsigned runs;

static void run(void *owner)
{
    runs++;
    throttle_note(&throttle, *(int64_t *)owner);
}

static void begin(struct loop *loop, unsigned burst, int64_t *interval)
{
    runs = 0;
    assert_true(loop_init(loop));
    loop_turn(loop, 0);
    throttle_init(&throttle, loop, burst, run, interval);
}

TEST(a_throttle_lets_a_few_pass_at_once_and_makes_one_of_those_that_wait)
{
    struct loop loop;
    int64_t interval = 3600 * TIME_S;
    begin(&loop, 3, &interval);
    for (int i = 0; i < 10; i++)
        throttle_ask(&throttle, interval);
    assert_int_equal(runs, 3);
    assert_true(timer_armed(&throttle.timer));
    throttle_stop(&throttle);
    loop_release(&loop);
}

TEST(a_throttle_runs_what_waited_when_its_time_has_come)
{
    struct loop loop;
    int64_t interval = 20 * TIME_MS;
    begin(&loop, 1, &interval);
    throttle_ask(&throttle, interval);
    throttle_ask(&throttle, interval);
    throttle_ask(&throttle, interval);
    assert_int_equal(runs, 1);
    while (runs < 2)
        loop_turn(&loop, TIME_S);
    assert_false(timer_armed(&throttle.timer));
    throttle_stop(&throttle);
    loop_release(&loop);
}

TEST(a_throttle_forgets_what_waits_when_it_ran_for_another_reason)
{
    struct loop loop;
    int64_t interval = INT64_MAX;
    begin(&loop, 1, &interval);
    throttle_ask(&throttle, interval);
    throttle_ask(&throttle, interval);
    assert_true(timer_armed(&throttle.timer));
    throttle_note(&throttle, interval);
    assert_false(timer_armed(&throttle.timer));
    throttle_stop(&throttle);
    loop_release(&loop);
}

TEST(a_throttle_makes_nobody_wait_longer_for_runs_that_came_from_elsewhere)
{
    struct loop loop;
    int64_t interval = 3600 * TIME_S;
    begin(&loop, 2, &interval);
    for (int i = 0; i < 1000; i++)
        throttle_note(&throttle, interval);
    throttle_ask(&throttle, interval);
    assert_int_equal(runs, 0);
    assert_true(throttle.timer.deadline <= loop.now + interval);
    throttle_stop(&throttle);
    loop_release(&loop);
}
