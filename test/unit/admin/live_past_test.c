#include "admin/live_past.h"

#include <stdlib.h>

#include "test.h"

static void check_kept(struct live_past **past, const struct meter_sum *sum)
{
    struct meter_sum again;
    memset(&again, 0xff, sizeof(again));
    *past = live_past_pack(*past, sum);
    live_past_unpack(*past, &again);
    assert_memory_equal(&again, sum, sizeof(again));
    assert_int_equal(live_past_count(*past), sum->count);
}

TEST(a_packed_sum_is_the_same_when_it_is_unpacked)
{
    struct live_past *past = NULL;
    struct meter_sum sum = {.count = 5, .errors = 1, .refused = 2, .bytes_in = 3, .bytes_out = 4, .retries = 6, .duration = 7,
                            .buckets = {[10] = 2, [12] = 3}};
    check_kept(&past, &sum);
    sum.buckets[0] = 1;
    sum.buckets[METER_BUCKETS - 1] = UINT64_MAX;
    check_kept(&past, &sum);
    check_kept(&past, &(struct meter_sum){.count = 9, .buckets = {[METER_BUCKETS - 1] = 9}});
    check_kept(&past, &(struct meter_sum){.count = 0});
    free(past);
}

TEST(what_was_never_packed_is_nothing)
{
    struct meter_sum sum = {.count = 1};
    live_past_unpack(NULL, &sum);
    assert_memory_equal(&sum, (&(struct meter_sum){.count = 0}), sizeof(sum));
    assert_int_equal(live_past_count(NULL), 0);
}
