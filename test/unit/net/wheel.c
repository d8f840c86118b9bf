/* The wheel under a clock of our own. */
#include "net/wheel.h"

#include "base/rand.h"
#include "test.h"

#define TICK (INT64_C(1) << WHEEL_TICK_SHIFT)
#define START (INT64_C(90061) * TIME_S)

struct alarm {
    struct timer timer;
    struct wheel *wheel;
    int64_t expired_at;        /* of `clock`; -1: not yet */
    int expirations;
    int64_t again;             /* the next deadline to set on expiry, or 0 */
    struct alarm *victim;      /* is cancelled on expiry, */
    int64_t postponed_to;      /* or moved to this deadline */
};

static int64_t clock_now;

static void set(struct wheel *wheel, struct timer *timer, int64_t deadline)
{
    timer->deadline = deadline;
    if (deadline < timer->filed_for)
        wheel_file(wheel, timer);
}

static void cancel(struct timer *timer)
{
    list_remove(&timer->link);
    timer->deadline = timer->filed_for = TIME_NEVER;
}

static void ring(struct timer *timer)
{
    struct alarm *alarm = container_of(timer, struct alarm, timer);
    alarm->expired_at = clock_now;
    alarm->expirations++;
    if (alarm->again != 0)
        set(alarm->wheel, timer, alarm->again);
    if (alarm->victim != NULL && alarm->postponed_to != 0)
        set(alarm->wheel, &alarm->victim->timer, alarm->postponed_to);
    else if (alarm->victim != NULL)
        cancel(&alarm->victim->timer);
}

static void alarm_init(struct alarm *alarm, struct wheel *wheel)
{
    *alarm = (struct alarm){.wheel = wheel, .expired_at = -1};
    list_init(&alarm->timer.link);
    alarm->timer.on_expire = ring;
    alarm->timer.deadline = alarm->timer.filed_for = TIME_NEVER;
}

static void begin(struct wheel *wheel, struct alarm *alarms, unsigned count)
{
    wheel_init(wheel, START);
    for (unsigned i = 0; i < count; i++)
        alarm_init(&alarms[i], wheel);
}

/* Two alarms of the same slot, of which the one that rings first sees to the other. */
static void begin_pair(struct wheel *wheel, struct alarm pair[2])
{
    begin(wheel, pair, 2);
    pair[0].victim = &pair[1];
    set(wheel, &pair[0].timer, START + TIME_S);
    set(wheel, &pair[1].timer, START + TIME_S);
}

static void advance(struct wheel *wheel, int64_t now)
{
    clock_now = now;
    wheel_advance(wheel, now);
}

TEST(wheel_expires_a_timer_never_early_and_at_most_a_tick_late)
{
    static struct wheel wheel;
    struct alarm alarm;
    static const int64_t spans[] = {1, TICK - 1, TICK, 5 * TIME_MS, 300 * TIME_MS, 60 * TIME_S,
                                    3600 * TIME_S, 90 * 24 * 3600 * TIME_S};
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        int64_t deadline = START + spans[i];
        begin(&wheel, &alarm, 1);
        set(&wheel, &alarm.timer, deadline);
        advance(&wheel, deadline - 1);
        assert_int_equal(alarm.expirations, 0);
        advance(&wheel, deadline + TICK);
        assert_int_equal(alarm.expirations, 1);
        assert_true(wheel_due(&wheel) == TIME_NEVER);
    }
}

TEST(wheel_says_when_it_is_due_so_that_sleeping_until_then_finds_each_timer_in_time)
{
    static struct wheel wheel;
    static struct alarm alarms[500];
    int expired = 0;
    begin(&wheel, alarms, 500);
    for (int i = 0; i < 500; i++)
        set(&wheel, &alarms[i].timer, START + (int64_t)(rand_u64() >> (24 + rand_below(24))));
    static int64_t deadlines[500];
    for (int i = 0; i < 500; i++)
        deadlines[i] = alarms[i].timer.deadline;
    for (int64_t now = START; wheel_due(&wheel) != TIME_NEVER;) {
        assert_true(wheel_due(&wheel) > now);
        now = wheel_due(&wheel);
        advance(&wheel, now);
    }
    for (int i = 0; i < 500; i++) {
        expired += alarms[i].expirations;
        assert_true(alarms[i].expired_at >= deadlines[i]);
        assert_true(alarms[i].expired_at <= deadlines[i] + TICK);
    }
    assert_int_equal(expired, 500);
}

TEST(wheel_gives_the_same_expiries_in_leaps_of_any_length)
{
    static struct wheel wheel;
    static struct alarm alarms[300];
    static int64_t deadlines[300];
    int64_t now = START;
    begin(&wheel, alarms, 300);
    for (int turn = 0; turn < 3000; turn++) {
        int i = (int)rand_below(300);
        deadlines[i] = now + (int64_t)(rand_u64() >> (26 + rand_below(20)));
        alarms[i].expirations = 0;
        cancel(&alarms[i].timer);
        set(&wheel, &alarms[i].timer, deadlines[i]);
        now += (int64_t)(rand_u64() >> (28 + rand_below(20)));
        advance(&wheel, now);
        for (int j = 0; j < 300; j++) {
            if (deadlines[j] == 0)
                continue;
            /* Due by a whole tick: it rang. Not due: it did not. */
            if (deadlines[j] + TICK <= now)
                assert_int_equal(alarms[j].expirations, 1);
            if (deadlines[j] > now)
                assert_int_equal(alarms[j].expirations, 0);
        }
    }
}

TEST(wheel_moves_a_timer_later_without_touching_it_and_it_rings_once)
{
    static struct wheel wheel;
    struct alarm alarm;
    begin(&wheel, &alarm, 1);
    set(&wheel, &alarm.timer, START + TIME_S);
    struct list *stands_before = alarm.timer.link.next;
    set(&wheel, &alarm.timer, START + 10 * TIME_S);
    assert_ptr_equal(alarm.timer.link.next, stands_before);
    advance(&wheel, START + 2 * TIME_S);
    assert_int_equal(alarm.expirations, 0);
    advance(&wheel, START + 10 * TIME_S - 1);
    assert_int_equal(alarm.expirations, 0);
    advance(&wheel, START + 10 * TIME_S + TICK);
    assert_int_equal(alarm.expirations, 1);
}

TEST(wheel_moves_a_timer_to_an_earlier_deadline)
{
    static struct wheel wheel;
    struct alarm alarm;
    begin(&wheel, &alarm, 1);
    set(&wheel, &alarm.timer, START + 100 * TIME_S);
    set(&wheel, &alarm.timer, START + TIME_S);
    advance(&wheel, START + TIME_S + TICK);
    assert_int_equal(alarm.expirations, 1);
    advance(&wheel, START + 200 * TIME_S);
    assert_int_equal(alarm.expirations, 1);
}

TEST(wheel_forgets_a_disarmed_timer_when_its_slot_comes)
{
    static struct wheel wheel;
    struct alarm alarm;
    begin(&wheel, &alarm, 1);
    set(&wheel, &alarm.timer, START + TIME_S);
    set(&wheel, &alarm.timer, TIME_NEVER);
    advance(&wheel, START + 5 * TIME_S);
    assert_int_equal(alarm.expirations, 0);
    assert_true(alarm.timer.filed_for == TIME_NEVER);
    set(&wheel, &alarm.timer, START + 6 * TIME_S);
    advance(&wheel, START + 7 * TIME_S);
    assert_int_equal(alarm.expirations, 1);
}

TEST(wheel_lets_a_passed_deadline_expire_at_the_next_tick_not_in_the_same_turn)
{
    static struct wheel wheel;
    struct alarm alarm;
    begin(&wheel, &alarm, 1);
    alarm.again = START - TIME_S;      /* sets itself again, always in the past */
    set(&wheel, &alarm.timer, START + TIME_S);
    advance(&wheel, START + 3 * TIME_S);
    assert_int_equal(alarm.expirations, 1);
    advance(&wheel, START + 3 * TIME_S + TICK);
    assert_int_equal(alarm.expirations, 2);
}

TEST(wheel_lets_one_expiring_timer_cancel_another_of_the_same_slot)
{
    static struct wheel wheel;
    struct alarm pair[2];
    begin_pair(&wheel, pair);
    advance(&wheel, START + 2 * TIME_S);
    assert_int_equal(pair[0].expirations, 1);
    assert_int_equal(pair[1].expirations, 0);
}

TEST(wheel_lets_one_expiring_timer_postpone_another_that_is_due_as_well)
{
    static struct wheel wheel;
    struct alarm pair[2];
    begin_pair(&wheel, pair);
    pair[0].postponed_to = START + 10 * TIME_S;
    advance(&wheel, START + 2 * TIME_S);
    assert_int_equal(pair[1].expirations, 0);
    advance(&wheel, START + 11 * TIME_S);
    assert_int_equal(pair[1].expirations, 1);
}

TEST(wheel_holds_the_farthest_deadline_there_is)
{
    static struct wheel wheel;
    struct alarm alarm;
    begin(&wheel, &alarm, 1);
    set(&wheel, &alarm.timer, TIME_NEVER - 1);
    advance(&wheel, START + 1000 * 24 * 3600 * TIME_S);
    assert_int_equal(alarm.expirations, 0);
    assert_true(wheel_due(&wheel) > START + 1000 * 24 * 3600 * TIME_S);
}
