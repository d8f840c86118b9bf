#include "test.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "middleware/breaker.h"

struct lab {
    struct arena arena;
    struct breaker *breaker;
    struct breaker_rule rule;
    int64_t now;
};

static void open_lab(struct lab *lab, const char *condition)
{
    struct str error;
    size_t offset;
    *lab = (struct lab){.now = 1000 * TIME_S,
                        .rule = {.check_period = 100 * TIME_MS, .fallback_duration = 10 * TIME_S,
                                 .recovery_duration = 10 * TIME_S}};
    arena_init(&lab->arena, ARENA_UNLIMITED);
    lab->breaker = memory_zalloc(sizeof(*lab->breaker));
    breaker_init(lab->breaker);
    assert_true(expression_parse(str_from(condition), breaker_functions, &lab->arena, &lab->rule.condition, &error,
                                 &offset));
}

static void close_lab(struct lab *lab)
{
    breaker_release(lab->breaker);
    free(lab->breaker);
    arena_release(&lab->arena);
}

/* A request that ended so; the clock goes on by a check period. */
static enum breaker_change record(struct lab *lab, int status, bool network_error, int64_t latency)
{
    lab->now += lab->rule.check_period;
    return breaker_record(lab->breaker, &lab->rule, lab->now, status, network_error, latency);
}

static bool admits(struct lab *lab)
{
    enum breaker_change change;
    return breaker_admit(lab->breaker, &lab->rule, lab->now, &change);
}

TEST(breaker_opens_on_network_errors_and_refuses)
{
    struct lab lab;
    open_lab(&lab, "NetworkErrorRatio() > 0.5");
    assert_true(admits(&lab));
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 502, true, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 502, true, 0), BREAKER_OPENED);
    assert_false(admits(&lab));
    lab.now += lab.rule.fallback_duration - 1;
    assert_false(admits(&lab));
    close_lab(&lab);
}

TEST(breaker_lets_ever_more_pass_while_it_recovers)
{
    struct lab lab;
    open_lab(&lab, "NetworkErrorRatio() > 0.5");
    assert_int_equal(record(&lab, 502, true, 0), BREAKER_OPENED);
    lab.now += lab.rule.fallback_duration;
    unsigned passed[2] = {0, 0};
    for (unsigned i = 0; i < 1000; i++, lab.now += lab.rule.recovery_duration / 1001)
        passed[i / 500] += admits(&lab);
    assert_in_range(passed[0], 50, 200);
    assert_in_range(passed[1], passed[0] * 2, 450);
    lab.now += TIME_S;
    for (unsigned i = 0; i < 10; i++)
        assert_true(admits(&lab));
    close_lab(&lab);
}

TEST(breaker_opens_again_while_it_recovers)
{
    struct lab lab;
    open_lab(&lab, "ResponseCodeRatio(500, 600, 0, 600) > 0.5");
    assert_int_equal(record(&lab, 503, false, 0), BREAKER_OPENED);
    lab.now += lab.rule.fallback_duration + TIME_S;
    admits(&lab);
    assert_int_equal(record(&lab, 503, false, 0), BREAKER_OPENED);
    assert_false(admits(&lab));
    close_lab(&lab);
}

TEST(breaker_forgets_after_ten_seconds)
{
    struct lab lab;
    open_lab(&lab, "RequestThreshold() > 5");
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    lab.now += 11 * TIME_S;
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_OPENED);
    close_lab(&lab);
}

TEST(breaker_code_ranges_exclude_their_end)
{
    struct lab lab;
    open_lab(&lab, "ResponseCodeRatio(500, 503, 200, 600) >= 0.5");
    assert_int_equal(record(&lab, 503, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 502, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 500, false, 0), BREAKER_OPENED);
    close_lab(&lab);
}

TEST(breaker_knows_latencies_by_quantile)
{
    struct lab lab;
    open_lab(&lab, "LatencyAtQuantileMS(50.0) > 100");
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(record(&lab, 200, false, 10 * TIME_MS), BREAKER_SAME);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(record(&lab, 200, false, 150 * TIME_MS), BREAKER_SAME);
    assert_int_equal(record(&lab, 200, false, 150 * TIME_MS), BREAKER_SAME);
    assert_int_equal(record(&lab, 200, false, 150 * TIME_MS), BREAKER_OPENED);
    close_lab(&lab);
}

TEST(breaker_checks_no_oftener_than_its_period)
{
    struct lab lab;
    open_lab(&lab, "RequestThreshold() > 2");
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_SAME);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(breaker_record(lab.breaker, &lab.rule, lab.now + 1, 200, false, 0), BREAKER_SAME);
    assert_int_equal(record(&lab, 200, false, 0), BREAKER_OPENED);
    close_lab(&lab);
}
