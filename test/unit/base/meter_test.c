#include "base/meter.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/time.h"
#include "test.h"

static const struct meter_bounds bounds = {.count = 3, .ends = {100 * TIME_MS, 300 * TIME_MS, 5 * TIME_S}};

static struct meter *new_meter(unsigned workers)
{
    return meter_get(S("router|a@test"), workers, &bounds);
}

static void count(struct meter *meter, unsigned worker, int status, int64_t duration)
{
    struct meter_sample sample = {
        .kind = METER_KIND(status, 1, 0), .duration = duration, .bytes_in = 3, .bytes_out = 10};
    meter_count(meter, worker, &sample);
}

static struct meter_sum sum_of(const struct meter *meter)
{
    struct meter_sum sum = {.count = 0};
    meter_sum(meter, &sum);
    return sum;
}

TEST(meter_buckets_end_where_a_native_histogram_of_schema_2_says)
{
    for (unsigned bucket = 0; bucket < METER_BUCKETS - 1; bucket++) {
        long double seconds = powl(2.0L, -14.0L + bucket / 4.0L);
        int64_t last = (int64_t)floorl(seconds * 1e9L);
        assert_int_equal(meter_bucket_of(last), bucket);
        assert_int_equal(meter_bucket_of(last + 1), bucket + 1);
        assert_true(fabs(meter_bucket_end(bucket) - (double)seconds) <= 1e-15 * (double)seconds);
    }
    assert_true(isinf(meter_bucket_end(METER_BUCKETS - 1)));
}

TEST(meter_buckets_hold_what_is_shorter_and_longer_than_all)
{
    assert_int_equal(meter_bucket_of(0), 0);
    assert_int_equal(meter_bucket_of(1), 0);
    assert_int_equal(meter_bucket_of(65 * TIME_S), METER_BUCKETS - 1);
    assert_int_equal(meter_bucket_of(INT64_MAX), METER_BUCKETS - 1);
}

TEST(meter_with_the_same_key_and_bounds_is_the_same_meter)
{
    static const struct meter_bounds others = {.count = 1, .ends = {TIME_S}};
    struct meter *first = new_meter(2), *second = new_meter(2), *apart = meter_get(S("router|a@test"), 2, &others);
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, apart);
    count(first, 0, 200, 1);
    meter_unref(first);
    assert_int_equal(meter_total(second), 1);
    meter_unref(second);
    struct meter *again = new_meter(2);
    assert_int_equal(meter_total(again), 0);
    meter_unref(again);
    meter_unref(apart);
    meter_unref(NULL);
}

TEST(meter_sums_what_its_workers_counted)
{
    struct meter *meter = new_meter(3);
    count(meter, 0, 200, TIME_MS);
    count(meter, 2, 200, TIME_MS);
    count(meter, 2, 404, 2 * TIME_MS);
    count(meter, 2, 502, TIME_S);
    meter_retry(meter, 0, 2);
    meter_retry(meter, 2, 1);
    struct meter_sum sum = sum_of(meter);
    assert_int_equal(meter_total(meter), 4);
    assert_int_equal(sum.count, 4);
    assert_int_equal(sum.errors, 1);
    assert_int_equal(sum.refused, 1);
    assert_int_equal(sum.bytes_in, 12);
    assert_int_equal(sum.bytes_out, 40);
    assert_int_equal(sum.duration, 4 * TIME_MS + TIME_S);
    assert_int_equal(sum.retries, 3);
    assert_int_equal(sum.buckets[meter_bucket_of(TIME_MS)], 2);
    assert_int_equal(sum.buckets[meter_bucket_of(TIME_S)], 1);
    meter_unref(meter);
}

TEST(meter_counts_in_two_at_once_or_in_one)
{
    struct meter *one = new_meter(1), *other = meter_get(S("entrypoint|web"), 1, &bounds);
    struct meter_sample sample = {.kind = METER_KIND(204, 2, 0), .duration = 301 * TIME_MS, .bytes_out = 7};
    meter_count_both(one, other, 0, &sample);
    meter_count_both(one, NULL, 0, &sample);
    struct meter_sum sum = sum_of(other);
    assert_int_equal(meter_total(one), 2);
    assert_int_equal(sum.count, 1);
    assert_int_equal(sum.bytes_out, 7);
    assert_int_equal(sum.buckets[meter_bucket_of(301 * TIME_MS)], 1);
    meter_unref(one);
    meter_unref(other);
}

TEST(meter_shows_what_its_joints_counted_and_keeps_it_when_they_go)
{
    struct arena arena;
    struct meter_cell_sum *cells;
    arena_init(&arena, ARENA_UNLIMITED);
    struct meter *service = meter_get(S("service|a"), 2, &bounds), *server = meter_get(S("server|a|1"), 2, &bounds);
    struct meter *joint = meter_join(service, server), *again = meter_join(service, server);
    assert_ptr_equal(joint, again);
    meter_unref(again);
    count(joint, 1, 200, TIME_MS);
    count(joint, 0, 502, TIME_MS);
    count(service, 0, 502, TIME_S);
    meter_fail(joint, 0, STATUS_UPSTREAM_CLOSED);
    meter_retry(joint, 1, 4);
    for (int round = 0; round < 2; round++) {
        uint64_t failures[STATUS_COUNT] = {0};
        assert_int_equal(meter_total(service), 3);
        assert_int_equal(meter_total(server), 2);
        assert_int_equal(sum_of(service).errors, 2);
        assert_int_equal(sum_of(service).retries, 4);
        assert_int_equal(sum_of(server).buckets[meter_bucket_of(TIME_MS)], 2);
        assert_int_equal(meter_cells(service, &arena, &cells), 2);
        assert_int_equal(cells[1].count, 2);
        assert_int_equal(cells[1].bytes_in, 6);
        assert_int_equal(cells[1].buckets[0], 1);
        assert_int_equal(cells[1].buckets[2], 1);
        meter_failures(server, failures);
        assert_int_equal(failures[STATUS_UPSTREAM_CLOSED], 1);
        if (round == 0)
            meter_unref(joint);
    }
    meter_unref(service);
    meter_unref(server);
    arena_release(&arena);
}

TEST(meter_tells_kinds_apart_and_puts_each_into_its_bound_bucket)
{
    struct arena arena;
    struct meter_cell_sum *cells;
    arena_init(&arena, ARENA_UNLIMITED);
    struct meter *meter = new_meter(2);
    count(meter, 0, 404, 100 * TIME_MS);          /* an end belongs to its bucket */
    count(meter, 0, 200, 100 * TIME_MS + 1);
    count(meter, 1, 404, 6 * TIME_S);
    count(meter, 0, 404, 1);
    assert_int_equal(meter_cells(meter, &arena, &cells), 2);
    assert_int_equal(cells[0].kind, METER_KIND(200, 1, 0));
    assert_int_equal(cells[0].count, 1);
    assert_int_equal(cells[0].buckets[1], 1);
    assert_int_equal(cells[1].count, 3);
    assert_int_equal(cells[1].buckets[0], 2);
    assert_int_equal(cells[1].buckets[3], 1);
    assert_int_equal(cells[1].duration, 100 * TIME_MS + 1 + 6 * TIME_S);
    assert_int_equal(cells[1].bytes_in, 9);
    meter_unref(meter);
    arena_release(&arena);
}

TEST(meter_has_a_last_kind_for_what_comes_beyond_its_cells)
{
    struct arena arena;
    struct meter_cell_sum *cells;
    arena_init(&arena, ARENA_UNLIMITED);
    struct meter *meter = new_meter(1);
    for (int round = 0; round < 2; round++)
        for (int status = 200; status < 200 + METER_CELLS_MAX + 44; status++)
            count(meter, 0, status, 1);
    assert_int_equal(meter_cells(meter, &arena, &cells), METER_CELLS_MAX);
    assert_int_equal(cells[0].count, 2);
    assert_int_equal(cells[METER_CELLS_MAX - 1].kind, METER_KIND_OTHER);
    assert_int_equal(cells[METER_CELLS_MAX - 1].count, 2 * 45);
    assert_int_equal(sum_of(meter).errors, 0);
    assert_int_equal(meter_total(meter), 2 * (METER_CELLS_MAX + 44));
    meter_unref(meter);
    arena_release(&arena);
}

TEST(meter_counts_failures_by_reason)
{
    uint64_t failures[STATUS_COUNT] = {0};
    struct meter *meter = new_meter(2);
    meter_failures(meter, failures);
    meter_fail(meter, 0, STATUS_UPSTREAM_REFUSED);
    meter_fail(meter, 1, STATUS_UPSTREAM_REFUSED);
    meter_fail(meter, 1, STATUS_INTERNAL);
    meter_failures(meter, failures);
    assert_int_equal(failures[STATUS_UPSTREAM_REFUSED], 2);
    assert_int_equal(failures[STATUS_INTERNAL], 1);
    assert_int_equal(failures[STATUS_OK], 0);
    assert_int_equal(meter_total(meter), 0);
    meter_unref(meter);
}

TEST(meter_quantiles_lie_in_the_bucket_that_holds_them)
{
    uint64_t buckets[METER_BUCKETS] = {0};
    assert_int_equal(meter_quantile(buckets, 0.5), 0);
    unsigned fast = meter_bucket_of(TIME_MS), slow = meter_bucket_of(TIME_S);
    buckets[fast] = 90;
    buckets[slow] = 10;
    assert_int_equal(meter_bucket_of(meter_quantile(buckets, 0.5)), fast);
    assert_int_equal(meter_bucket_of(meter_quantile(buckets, 0.9)), fast);
    assert_int_equal(meter_bucket_of(meter_quantile(buckets, 0.95)), slow);
    assert_int_equal(meter_bucket_of(meter_quantile(buckets, 1)), slow);
    int64_t lower = meter_quantile(buckets, 0.91), upper = meter_quantile(buckets, 0.99);
    assert_true(lower < upper);
    /* In the middle of a bucket's count stands the middle of its width. */
    double middle = (meter_bucket_end(slow - 1) + meter_bucket_end(slow)) / 2;
    assert_true(fabs((double)meter_quantile(buckets, 0.95) - middle * 1e9) < 10);
}

TEST(meter_quantile_of_what_is_longer_than_all_is_the_last_end)
{
    uint64_t buckets[METER_BUCKETS] = {0};
    buckets[METER_BUCKETS - 1] = 1;
    assert_int_equal(meter_quantile(buckets, 0.5), 64 * TIME_S);
}

/* ---- threads ---- */

#define ROUNDS 20000

struct counting {
    struct meter *meter;
    unsigned worker;
};

static void *count_many(void *argument)
{
    const struct counting *counting = argument;
    for (int i = 0; i < ROUNDS; i++) {
        count(counting->meter, counting->worker, 200 + i % 50, i);
        if (i % 64 == 0)
            meter_fail(counting->meter, counting->worker, STATUS_IO_ERROR);
    }
    return NULL;
}

TEST(meter_is_read_while_workers_count)
{
    struct meter *meter = new_meter(2);
    struct counting countings[2] = {{meter, 0}, {meter, 1}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, &countings[i]), 0);
    for (uint64_t seen = 0, before = 0; seen < 2 * ROUNDS; before = seen) {
        struct arena arena;
        struct meter_cell_sum *cells;
        uint64_t failures[STATUS_COUNT] = {0}, told = 0;
        arena_init(&arena, ARENA_UNLIMITED);
        seen = meter_total(meter);
        assert_true(seen >= before);
        size_t kinds = meter_cells(meter, &arena, &cells);
        for (size_t i = 0; i < kinds; i++)
            told += cells[i].count;
        assert_true(kinds <= 50 && told >= seen);
        meter_failures(meter, failures);
        assert_true(sum_of(meter).count >= told);
        arena_release(&arena);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sum_of(meter).bytes_out, 2 * ROUNDS * 10);
    meter_unref(meter);
}

/* More than there are chains at first, and then fewer again. */
TEST(meters_are_found_by_their_keys_however_many_there_are)
{
    enum { MANY = 1000 };
    static struct meter *meters[MANY];
    char key[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "r%d", i);
        meters[i] = meter_get(str_from(key), 1, &bounds);
    }
    for (int i = 0; i < MANY; i += 2)
        meter_unref(meters[i]);
    for (int i = 1; i < MANY; i += 2) {
        snprintf(key, sizeof(key), "r%d", i);
        struct meter *again = meter_get(str_from(key), 1, &bounds);
        assert_ptr_equal(again, meters[i]);
        meter_unref(again);
        meter_unref(meters[i]);
    }
}
