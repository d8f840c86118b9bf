/* What Priority fields say, and the token buckets. */
#include "test.h"

#include "proto/h2/serving.h"

static nghttp2_extpri read(const char *text)
{
    nghttp2_extpri priority = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    h2_priority_read(str_from(text), &priority);
    return priority;
}

TEST(urgency_and_incremental_are_read)
{
    assert_int_equal(read("u=0").urgency, 0);
    assert_int_equal(read("i").inc, 1);
    assert_int_equal(read("i").urgency, 3);
    nghttp2_extpri both = read("u=5, i=?1");
    assert_true(both.urgency == 5 && both.inc == 1);
    assert_int_equal(read("i, i=?0").inc, 0);
    assert_int_equal(read("u=1;x=y, foo=\"bar\"").urgency, 1);
}

TEST(a_malformed_priority_changes_nothing)
{
    assert_int_equal(read("u=8").urgency, 3);
    assert_int_equal(read("i, u=a").inc, 0);
    assert_int_equal(read("u=42").urgency, 3);
    assert_int_equal(read("").urgency, 3);
}

TEST(a_budget_gives_its_burst_at_once_and_then_its_rate)
{
    struct h2_budget budget = {0};
    int64_t now = 1000 * TIME_S;
    for (int i = 0; i < 5; i++)
        assert_true(h2_budget_spend(&budget, now, 5, 10));
    assert_false(h2_budget_spend(&budget, now, 5, 10));
    assert_true(h2_budget_spend(&budget, now + 100 * TIME_MS, 5, 10));
    assert_false(h2_budget_spend(&budget, now + 100 * TIME_MS, 5, 10));
    for (int i = 0; i < 5; i++)
        assert_true(h2_budget_spend(&budget, now + 10 * TIME_S, 5, 10));
    assert_false(h2_budget_spend(&budget, now + 10 * TIME_S, 5, 10));
}

TEST(a_budget_without_a_rate_has_no_limit)
{
    struct h2_budget budget = {0};
    for (int i = 0; i < 1000; i++)
        assert_true(h2_budget_spend(&budget, TIME_S, 1, 0));
}
