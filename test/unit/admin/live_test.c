#include "admin/live.h"

#include "test.h"

TEST(a_difference_is_what_came_between)
{
    struct meter_sum former = {.count = 10, .errors = 2, .bytes_in = 100, .buckets = {[3] = 10}};
    struct meter_sum later = {.count = 15, .errors = 2, .refused = 1, .bytes_in = 150, .buckets = {[3] = 12, [4] = 3}};
    struct meter_sum difference;
    live_difference(&later, &former, &difference);
    assert_int_equal(difference.count, 5);
    assert_int_equal(difference.errors, 0);
    assert_int_equal(difference.refused, 1);
    assert_int_equal(difference.bytes_in, 50);
    assert_int_equal(difference.buckets[3], 2);
    assert_int_equal(difference.buckets[4], 3);
}

TEST(a_counter_that_went_back_began_anew)
{
    struct meter_sum former = {.count = 10}, later = {.count = 4}, difference;
    live_difference(&later, &former, &difference);
    assert_int_equal(difference.count, 4);
}

TEST(a_minute_is_the_last_minute)
{
    struct live_slot minute[LIVE_MINUTE_SLOTS] = {{0}};
    for (int64_t second = 100; second < 160; second++)
        live_note_minute(minute, second, 2, second % 2 == 0);
    assert_int_equal(live_sum_minute(minute, 159).requests, 120);
    assert_int_equal(live_sum_minute(minute, 159).errors, 30);
    assert_int_equal(live_sum_minute(minute, 190).requests, 60);      /* 100 to 129 are over */
    assert_int_equal(live_sum_minute(minute, 219).requests, 20);
    assert_int_equal(live_sum_minute(minute, 220).requests, 0);
    assert_int_equal(live_sum_minute(minute, 1000).requests, 0);
    live_note_minute(minute, 1000, 1, 0);
    assert_int_equal(live_sum_minute(minute, 1000).requests, 1);
}
