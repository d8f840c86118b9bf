#include "acme/schedule.h"

#include "test.h"

#define MINUTE (60 * TIME_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DAYS(n) ((int64_t)(n) * 86400)

static const struct renewal_window no_window;

TEST(a_renewal_without_a_window_comes_at_two_thirds_of_the_lifetime_or_a_little_before)
{
    static const int64_t lifetimes[] = {DAYS(90), DAYS(6), DAYS(397), 3600, 60};
    for (size_t i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++) {
        int64_t begin = 1700000000, life = lifetimes[i];
        assert_int_equal(schedule_renewal(begin, begin + life, no_window, 0), begin + life / 3 * 2);
        int64_t earliest = schedule_renewal(begin, begin + life, no_window, UINT64_MAX);
        assert_in_range(earliest - begin, life / 3 * 2 - life / 50, life / 3 * 2);
        if (life >= 3600)
            assert_true(earliest < begin + life / 3 * 2);
    }
}

TEST(a_certificate_without_a_lifetime_is_due_when_it_begins)
{
    assert_int_equal(schedule_renewal(1000, 1000, no_window, UINT64_MAX), 1000);
    assert_int_equal(schedule_renewal(1000, 10, no_window, 77), 1000);
}

TEST(a_window_is_used_from_its_start_to_just_before_its_end)
{
    struct renewal_window window = {5000, 9000};
    assert_int_equal(schedule_renewal(0, DAYS(90), window, 0), 5000);
    assert_int_equal(schedule_renewal(0, DAYS(90), window, UINT64_MAX / 2 + 1), 7000);
    assert_int_equal(schedule_renewal(0, DAYS(90), window, UINT64_MAX), 8999);
}

TEST(a_window_that_ends_before_it_starts_says_nothing)
{
    struct renewal_window window = {9000, 5000};
    assert_false(schedule_window_is_good(window));
    assert_int_equal(schedule_renewal(0, 300, window, 0), 200);
}

TEST(each_failure_doubles_the_wait_from_a_minute_to_a_day)
{
    struct backoff backoff = {0};
    int64_t expected = MINUTE;
    for (int i = 0; i < 40; i++) {
        backoff_fail(&backoff, BACKOFF_REFUSED, 1000, 0, 0);
        assert_int_equal(backoff.until, 1000 + expected);
        expected = expected * 2 < DAY ? expected * 2 : DAY;
    }
    assert_int_equal(backoff.failures, 40);
    backoff_fail(&backoff, BACKOFF_REFUSED, 0, 0, UINT64_MAX);
    assert_int_equal(backoff.until, DAY);
    backoff_succeed(&backoff);
    assert_true(backoff_is_over(&backoff, 0));
    assert_int_equal(backoff.failures, 0);
}

TEST(a_ca_that_is_not_reached_is_asked_again_soon)
{
    struct backoff backoff = {0};
    backoff_fail(&backoff, BACKOFF_UNREACHABLE, 0, 0, 0);
    assert_int_equal(backoff.until, 2 * TIME_S);
    for (int i = 0; i < 30; i++)
        backoff_fail(&backoff, BACKOFF_UNREACHABLE, 0, 0, 0);
    assert_int_equal(backoff.until, HOUR);
}

TEST(waits_differ_by_chance_by_up_to_a_fifth)
{
    struct backoff low = {0}, high = {0};
    backoff_fail(&low, BACKOFF_REFUSED, 0, 0, 0);
    backoff_fail(&high, BACKOFF_REFUSED, 0, 0, UINT64_MAX);
    assert_int_equal(low.until, MINUTE);
    assert_in_range(high.until, MINUTE + MINUTE / 6, MINUTE + MINUTE / 5);
}

TEST(the_moment_that_a_ca_names_is_honoured_when_it_is_later_up_to_a_week)
{
    struct backoff backoff = {0};
    backoff_fail(&backoff, BACKOFF_REFUSED, DAY, DAY + 3 * HOUR, 0);
    assert_int_equal(backoff.until, DAY + 3 * HOUR);
    backoff = (struct backoff){0};
    backoff_fail(&backoff, BACKOFF_REFUSED, DAY, DAY + TIME_S, 0);
    assert_int_equal(backoff.until, DAY + MINUTE);
    backoff_fail(&backoff, BACKOFF_REFUSED, DAY, INT64_MAX, 0);
    assert_int_equal(backoff.until, 8 * DAY);
}

TEST(the_fallback_is_tried_after_three_failures_and_then_both_in_turn)
{
    static const bool expected[] = {false, false, false, true, false, true, false};
    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(schedule_uses_fallback(i) == expected[i]);
}

TEST(ten_orders_begin_at_once_and_the_eleventh_ten_seconds_after_the_first)
{
    struct order_rate rate = {0};
    for (int i = 0; i < ORDERS_AT_ONCE; i++) {
        assert_int_equal(order_rate_ready(&rate, 100 + i), 100 + i);
        order_rate_note(&rate, 100 + i);
    }
    assert_int_equal(order_rate_ready(&rate, 200), 100 + ORDERS_PERIOD);
    order_rate_note(&rate, 100 + ORDERS_PERIOD);
    assert_int_equal(order_rate_ready(&rate, 100 + ORDERS_PERIOD), 101 + ORDERS_PERIOD);
    assert_int_equal(order_rate_ready(&rate, 50 * ORDERS_PERIOD), 50 * ORDERS_PERIOD);
}

TEST(names_on_demand_are_limited_in_each_period)
{
    struct name_rate rate = {0};
    assert_true(name_rate_take(&rate, 2, 1000, 5));
    assert_true(name_rate_take(&rate, 2, 1000, 6));
    assert_false(name_rate_take(&rate, 2, 1000, 1004));
    assert_true(name_rate_take(&rate, 2, 1000, 1005));
}
