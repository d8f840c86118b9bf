#include "middleware/leaky_zone.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "middleware/rig.h"

static struct rig rig;

static struct leaky_zone *new_zone(int64_t size)
{
    struct leaky_zone *zone = memory_zalloc(leaky_zone_memory(size));
    leaky_zone_init(zone);
    leaky_zone_settle(zone, size);
    leaky_zone_settle(zone, size);
    return zone;
}

static void free_zone(struct leaky_zone *zone)
{
    leaky_zone_destroy(zone);
    free(zone);
}

/* --- the arithmetic --- */

#define NO_BOUND INT64_MAX

TEST(a_leaky_zone_counts_in_thousandths_of_a_request)
{
    static const struct {
        int64_t rate, most;
        int64_t at, excess;
    } steps[] = {
        /* 10r/s: a request every 100 ms leaks out */
        {10000, NO_BOUND, 1000, 0},    {10000, NO_BOUND, 1000, 1000}, {10000, NO_BOUND, 1000, 2000},
        {10000, NO_BOUND, 1050, 2500}, {10000, NO_BOUND, 1250, 1500}, {10000, NO_BOUND, 9000, 0},
        /* what is over the bound takes nothing, and the time that it came at does not count */
        {10000, 500, 9010, 900},       {10000, 500, 9020, 800},       {10000, 500, 9060, 400},
        /* a clock that is a little behind has not moved */
        {10000, NO_BOUND, 9050, 1400}, {10000, NO_BOUND, 9060, 2400},
        /* 1r/m is 16 thousandths a second, cut to whole ones */
        {16, NO_BOUND, 9160, 3399},    {16, NO_BOUND, 9222, 4399},
    };
    struct leaky_zone *zone = new_zone(65536);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int64_t looked = leaky_zone_look(zone, 7, steps[i].rate, steps[i].at);
        int64_t excess = leaky_zone_take(zone, 7, steps[i].rate, steps[i].most, steps[i].at);
        if (excess != steps[i].excess || looked != excess)
            fail_msg("step %zu: %lld, looked at %lld, expected %lld", i, (long long)excess, (long long)looked,
                     (long long)steps[i].excess);
    }
    free_zone(zone);
}

TEST(a_clock_that_went_far_back_counts_as_one_millisecond)
{
    struct leaky_zone *zone = new_zone(65536);
    assert_int_equal(leaky_zone_take(zone, 7, 1000000, NO_BOUND, 100000), 0);
    assert_int_equal(leaky_zone_take(zone, 7, 1000, NO_BOUND, 30000), 999);
    free_zone(zone);
}

TEST(a_source_of_a_leaky_zone_that_is_looked_at_is_not_taken)
{
    struct leaky_zone *zone = new_zone(65536);
    for (int i = 0; i < 3; i++)
        assert_int_equal(leaky_zone_look(zone, 7, 1000, 1000), 0);
    assert_int_equal(leaky_zone_take(zone, 7, 1000, NO_BOUND, 1000), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(leaky_zone_look(zone, 7, 1000, 1000), 1000);
    assert_int_equal(leaky_zone_counts(zone).taken, 1);
    free_zone(zone);
}

TEST(a_full_leaky_zone_forgets_who_was_not_seen_longest)
{
    struct leaky_zone *zone = new_zone(8 * LEAKY_SOURCE_BYTES);
    for (uint64_t key = 1; key <= 8; key++)
        assert_int_equal(leaky_zone_take(zone, key, 1000, NO_BOUND, 1000), 0);
    assert_int_equal(leaky_zone_take(zone, 1, 1000, NO_BOUND, 1000), 1000);
    assert_int_equal(leaky_zone_take(zone, 9, 1000, NO_BOUND, 1000), 0);
    assert_int_equal(leaky_zone_look(zone, 1, 1000, 1000), 2000);
    assert_int_equal(leaky_zone_look(zone, 2, 1000, 1000), 0);
    assert_int_equal(leaky_zone_look(zone, 3, 1000, 1000), 1000);
    assert_int_equal(leaky_zone_counts(zone).sources, 8);
    free_zone(zone);
}

TEST(a_large_leaky_zone_holds_as_many_sources_as_fit)
{
    struct leaky_zone *zone = new_zone(1 << 20);
    for (uint64_t key = 1; key <= 100000; key++)
        leaky_zone_take(zone, key * 0x9e3779b97f4a7c15, 1000, NO_BOUND, 1000);
    assert_int_equal(leaky_zone_counts(zone).sources, 8192);
    assert_int_equal(leaky_zone_counts(zone).taken, 100000);
    for (uint64_t key = 99000; key <= 100000; key++)
        assert_int_equal(leaky_zone_look(zone, key * 0x9e3779b97f4a7c15, 1000, 1000), 1000);
    free_zone(zone);
}

/* --- rateLimit by zones --- */

/* What 25 requests at once come to. */
struct outcome {
    int passed, delayed, refused;
    int64_t longest_delay; /* ms */
};

static struct outcome ask_at_once(int count, const char *url)
{
    struct outcome outcome = {0};
    for (int i = 0; i < count; i++) {
        rig_begin(&rig, "GET", url);
        timer_init(&rig.x.timer, NULL);
        enum verdict verdict = rig_request(&rig);
        outcome.passed += verdict == VERDICT_NEXT;
        outcome.delayed += verdict == VERDICT_WAIT;
        outcome.refused += verdict == VERDICT_ANSWER;
        if (verdict == VERDICT_WAIT)
            outcome.longest_delay = (rig.x.timer.deadline - rig.worker->loop.now) / TIME_MS;
        timer_cancel(&rig.x.timer);
        rig_finish(&rig);
    }
    return outcome;
}

TEST(bursts_of_a_leaky_zone_pass_wait_or_are_refused)
{
    static const struct {
        const char *options;
        struct outcome outcome;
    } rows[] = {
        {"rate: 10r/s, burst: 20, noDelay: true", {21, 0, 4, 0}},
        {"rate: 10r/s, burst: 20", {1, 20, 4, 2000}},
        {"rate: 10r/s", {1, 0, 24, 0}},
        {"rate: 10r/s, burst: 20, delay: 8", {9, 12, 4, 1200}},
        {"rate: 30r/m, burst: 2", {1, 2, 22, 4000}},
        {"rate: 1r/m, burst: 1", {1, 1, 23, 62500}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char options[200];
        snprintf(options, sizeof(options), "{zones: [{zone: one, key: '${binary_remote_addr}', %s}]}", rows[i].options);
        rig_init(&rig);
        assert_true(rig_configure(&rig, "rateLimit", options));
        struct outcome got = ask_at_once(25, "http://foo/");
        const struct outcome *want = &rows[i].outcome;
        if (got.passed != want->passed || got.delayed != want->delayed || got.refused != want->refused ||
            got.longest_delay != want->longest_delay)
            fail_msg("%s: %d passed, %d delayed by up to %lld, %d refused", rows[i].options, got.passed, got.delayed,
                     (long long)got.longest_delay, got.refused);
        rig_release(&rig);
    }
}

TEST(a_request_that_one_zone_refuses_is_counted_by_none)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit",
                              "{zones: [{zone: all, key: all, rate: 1r/s, burst: 3, noDelay: true},"
                              " {zone: path, key: '${arg_a}', rate: 1r/s, noDelay: true}], rejectStatusCode: 429}"));
    assert_int_equal(ask_at_once(1, "http://foo/?a=1").passed, 1);
    assert_int_equal(ask_at_once(5, "http://foo/?a=1").refused, 5);
    assert_int_equal(rig.x.response.status, 429);
    assert_int_equal(rig.x.rate_status, LIMIT_REJECTED);
    /* three are left of the first zone's four, and an empty key is not limited by the second */
    assert_int_equal(ask_at_once(5, "http://foo/").passed, 3);
    rig_release(&rig);
}

TEST(the_strictest_delay_of_several_zones_holds)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit",
                              "{zones: [{zone: slow, key: all, rate: 1r/s, burst: 5},"
                              " {zone: fast, key: all, rate: 10r/s, burst: 5}]}"));
    assert_int_equal(ask_at_once(1, "http://foo/").passed, 1);
    struct outcome outcome = ask_at_once(2, "http://foo/");
    assert_int_equal(outcome.delayed, 2);
    assert_int_equal(outcome.longest_delay, 2000);
    rig_release(&rig);
}

TEST(a_dry_run_of_zones_lets_everything_pass_and_says_what_it_would_do)
{
    static const unsigned statuses[] = {LIMIT_PASSED, LIMIT_DELAYED_DRY_RUN, LIMIT_REJECTED_DRY_RUN};
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{zones: [{zone: one, key: all, rate: 1r/m, burst: 1}], dryRun: true}"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask_at_once(1, "http://foo/").passed, 1);
        assert_int_equal(rig.x.rate_status, statuses[i]);
    }
    rig_release(&rig);
}

TEST(a_limit_that_was_settled_before_is_not_asked_again)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "rateLimit", "{zones: [{zone: one, key: all, rate: 1r/m}]}"));
    assert_int_equal(ask_at_once(1, "http://foo/").passed, 1);
    rig_begin(&rig, "GET", "http://foo/");
    rig.x.rate_settled = true;
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_int_equal(ask_at_once(1, "http://foo/").refused, 1);
    rig_release(&rig);
}

TEST(zones_have_rates_and_keys_of_their_own)
{
    static const char *const bad[][2] = {
        {"{zones: [{zone: a, key: a, rate: 10}]}", "is no rate"},
        {"{zones: [{zone: a, key: a, rate: 0r/s}]}", "is no rate"},
        {"{zones: [{zone: a, key: a, rate: 1r/h}]}", "is no rate"},
        {"{zones: [{zone: a, key: a, rate: 1r/s}], average: 5}", "do not go with them"},
        {"{zones: [{zone: a, key: '${no_such_thing}', rate: 1r/s}]}", "unknown variable"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rig_init(&rig);
        assert_false(rig_configure(&rig, "rateLimit", bad[i][0]));
        assert_non_null(strstr(rig_reported(&rig), bad[i][1]));
        rig_release(&rig);
    }
}

/* --- inFlightReq by zones --- */

TEST(requests_under_way_are_counted_by_zone_until_they_end)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "inFlightReq",
                              "{zones: [{zone: all, key: all, amount: 2}, {zone: one, key: '${arg_a}', amount: 1}]}"));
    rig_begin(&rig, "GET", "http://foo/?a=1");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_int_equal(rig.x.connections_status, LIMIT_PASSED);
    rig_begin(&rig, "GET", "http://foo/?a=1");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 503);
    assert_int_equal(rig.x.connections_status, LIMIT_REJECTED);
    rig_finish(&rig);
    /* the one that was refused has left the first zone again */
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);
    rig_begin(&rig, "GET", "http://foo/?a=2");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(a_dry_run_of_requests_under_way_lets_them_pass)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "inFlightReq", "{zones: [{zone: all, key: all, amount: 1}], dryRun: true}"));
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_begin(&rig, "GET", "http://foo/");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_int_equal(rig.x.connections_status, LIMIT_REJECTED_DRY_RUN);
    rig_finish(&rig);
    rig_release(&rig);
}

TEST(requests_under_way_are_limited_by_an_amount_or_by_zones)
{
    static const char *const bad[][2] = {{"{}", "'amount' is missing"},
                                         {"{amount: 1, zones: [{zone: a, key: a, amount: 1}]}", "do not go with them"},
                                         {"{zones: [{zone: a, key: a}]}", "amount"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rig_init(&rig);
        assert_false(rig_configure(&rig, "inFlightReq", bad[i][0]));
        assert_non_null(strstr(rig_reported(&rig), bad[i][1]));
        rig_release(&rig);
    }
}
