#include "test.h"

#include <stdlib.h>

#include "base/memory.h"
#include "middleware/in_flight_counts.h"
#include "middleware/rig.h"
#include "middleware/token_buckets.h"

static struct rig rig;

/* --- token buckets --- */

static struct token_buckets *new_buckets(void)
{
    struct token_buckets *buckets = memory_zalloc(sizeof(*buckets));
    token_buckets_init(buckets);
    return buckets;
}

static void free_buckets(struct token_buckets *buckets)
{
    token_buckets_destroy(buckets);
    free(buckets);
}

TEST(a_token_rate_waits_for_half_a_token_at_most)
{
    struct token_rate rate = token_rate_of(100, TIME_S, 50);
    assert_int_equal(rate.interval, 10 * TIME_MS);
    assert_int_equal(rate.span, 500 * TIME_MS);
    assert_int_equal(rate.longest_wait, 5 * TIME_MS);
    assert_int_equal(token_rate_of(6, 60 * TIME_S, 1).longest_wait, 500 * TIME_MS);
    assert_int_equal(token_rate_of(3, 2 * TIME_S, 1).longest_wait, 500 * TIME_MS);
    assert_int_equal(token_rate_of(1, TIME_S, INT64_MAX).span, INT64_MAX / 4);
}

TEST(a_token_bucket_lets_a_burst_pass_and_then_the_rate)
{
    struct token_buckets *buckets = new_buckets();
    struct token_rate rate = token_rate_of(10, TIME_S, 3);
    int64_t now = 1000 * TIME_S;
    for (int i = 0; i < 3; i++)
        assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 0);
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 100 * TIME_MS);
    /* Nothing was taken by the one that was refused. */
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now + 100 * TIME_MS), 0);
    /* A little early: taken, but to be waited for. */
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now + 160 * TIME_MS), 40 * TIME_MS);
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now + 200 * TIME_MS), 100 * TIME_MS);
    /* Another source has its own. */
    assert_int_equal(token_buckets_take(buckets, &rate, 8, now), 0);
    free_buckets(buckets);
}

TEST(a_token_bucket_never_holds_more_than_its_burst)
{
    struct token_buckets *buckets = new_buckets();
    struct token_rate rate = token_rate_of(10, TIME_S, 2);
    int64_t now = 1000 * TIME_S;
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 0);
    now += 3600 * TIME_S;
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 0);
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 0);
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 100 * TIME_MS);
    free_buckets(buckets);
}

TEST(a_refusal_of_a_token_changes_nothing)
{
    struct token_buckets *buckets = new_buckets();
    struct token_rate rate = token_rate_of(1, 60 * TIME_S, 1);
    int64_t now = 1000 * TIME_S;
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(token_buckets_take(buckets, &rate, 7, now + TIME_S), 59 * TIME_S);
    assert_int_equal(token_buckets_sums(buckets).taken, 1);
    assert_int_equal(token_buckets_take(buckets, &rate, 7, now + 60 * TIME_S), 0);
    assert_int_equal(token_buckets_sums(buckets).taken, 2);
    free_buckets(buckets);
}

TEST(token_buckets_forget_the_fullest_of_a_full_set)
{
    struct token_buckets *buckets = new_buckets();
    struct token_rate rate = token_rate_of(1, TIME_S, 1);
    int64_t now = 1000 * TIME_S;
    for (uint64_t i = 0; i < BUCKETS_WAYS; i++)
        assert_int_equal(
            token_buckets_take(buckets, &rate, 1 + (i + 1) * BUCKETS_SETS, now + (int64_t)i), 0);
    /* All are still there. */
    for (uint64_t i = 0; i < BUCKETS_WAYS; i++)
        assert_true(
            token_buckets_take(buckets, &rate, 1 + (i + 1) * BUCKETS_SETS, now + (int64_t)i) > 0);
    /* One more takes the place of the first. */
    assert_int_equal(token_buckets_take(buckets, &rate, 1 + 100 * BUCKETS_SETS, now + 20), 0);
    assert_true(token_buckets_take(buckets, &rate, 1 + 2 * BUCKETS_SETS, now + 20) > 0);
    assert_int_equal(token_buckets_take(buckets, &rate, 1 + 1 * BUCKETS_SETS, now + 20), 0);
    free_buckets(buckets);
}

/* --- rateLimit --- */

static void request_passes(void)
{
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);
}

TEST(rate_limit_refuses_with_the_time_to_come_back)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 1, period: 4s, burst: 2}"));
    for (int i = 0; i < 2; i++)
        request_passes();
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 429);
    assert_int_equal(rig.x.failure, STATUS_RATE_LIMITED);
    assert_str_equal(rig_response_field(&rig, "Retry-After"), S("4"));
    assert_str_equal(rig_response_field(&rig, "X-Retry-In"), S("4s"));
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(rate_limit_lets_a_request_that_is_a_little_early_wait)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 40}"));
    request_passes();
    /* 13 of the 25 ms that a token takes are over: what is left is within the longest wait. */
    rig.worker->loop.now += 13 * TIME_MS;
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_WAIT);
    assert_int_equal(rig_request(&rig), VERDICT_WAIT);
    rig_wait(&rig);
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(rate_limit_forgets_its_timer_when_the_client_leaves)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 40}"));
    request_passes();
    rig.worker->loop.now += 13 * TIME_MS;
    rig_begin(&rig, "GET", "http://foo/");
    rig.x.waiting = true;
    assert_int_equal(rig_request(&rig), VERDICT_WAIT);
    rig_finish(&rig);
    for (int i = 0; i < 6; i++)
        loop_turn(&rig.worker->loop, 10 * TIME_MS);
    assert_true(rig.x.waiting);
    rig_release(&rig);
}

TEST(rate_limit_of_zero_limits_nothing)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 0}"));
    for (int i = 0; i < 100; i++)
        request_passes();
    assert_null(rig.shared);
    rig_release(&rig);
}

TEST(rate_limit_remembers_over_a_reload)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 1, period: 1h}"));
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_true(rig_configure(&rig, "rateLimit", "{average: 1, period: 2h}"));
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    rig_release(&rig);
}

TEST(rate_limit_counts_by_the_source_that_was_asked_for)
{
    rig_init(&rig);
    assert_true(
        rig_configure(&rig, "rateLimit",
                      "{average: 1, period: 1h, sourceCriterion: {requestHeaderName: X-User}}"));
    const char *const users[] = {"ann", "bob", "ann"};
    const enum verdict expected[] = {VERDICT_NEXT, VERDICT_NEXT, VERDICT_ANSWER};
    for (size_t i = 0; i < 3; i++) {
        rig_begin(&rig, "GET", "http://foo/");
        rig_field(&rig, "X-User", users[i]);
        assert_int_equal(rig_request(&rig), expected[i]);
    }
    rig_release(&rig);
}

/* --- in flight --- */

TEST(in_flight_counts_hold_many_sources_and_let_them_go)
{
    struct in_flight_counts *counts = memory_zalloc(sizeof(*counts));
    in_flight_counts_init(counts);
    /* Keys that share one shard and collide there: odd ones come and go among those that stay. */
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(in_flight_counts_enter(counts, (i % 50 + i * 1024) * IN_FLIGHT_SHARDS + 3, 1));
    for (uint64_t i = 1; i < 1000; i += 2)
        in_flight_counts_leave(counts, (i % 50 + i * 1024) * IN_FLIGHT_SHARDS + 3);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(
            in_flight_counts_enter(counts, (i % 50 + i * 1024) * IN_FLIGHT_SHARDS + 3, 1), i % 2);
    for (uint64_t i = 0; i < 1000; i++)
        in_flight_counts_leave(counts, (i % 50 + i * 1024) * IN_FLIGHT_SHARDS + 3);
    assert_int_equal(counts->shards[3].used, 0);
    in_flight_counts_destroy(counts);
    free(counts);
}

TEST(in_flight_req_refuses_beyond_the_amount_until_one_ends)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "inFlightReq", "amount: 1"));
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    void *first = memory_alloc(rig.m.type->exchange_size);
    memcpy(first, rig.own, rig.m.type->exchange_size);

    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 429);
    assert_int_equal(rig.x.failure, STATUS_IN_FLIGHT_LIMITED);
    rig_finish(&rig); /* was not counted, so frees no place */
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    rig_finish(&rig);

    /* Another host is another source. */
    rig_begin(&rig, "GET", "http://bar/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);

    rig.own = first;
    rig_finish(&rig);
    request_passes();
    free(first);
    rig_release(&rig);
}
