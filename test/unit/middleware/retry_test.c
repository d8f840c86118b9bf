#include "test.h"

#include "base/time.h"
#include "middleware/retry.h"

static struct status_interval interval = {500, 599};
static const struct status_ranges five_hundreds = {.items = &interval, .count = 1};
static const struct status_ranges none = {.count = 0};

TEST(retry_tries_again_after_a_network_error)
{
    struct retry retry = {.attempts = 3};
    struct retry_outcome outcome = {.tries = 1, .status = 502, .network_error = true, .repeatable = true, .sent = true};
    assert_true(retry_is_worth_it(&retry, &none, &outcome));
    outcome.tries = 3;
    assert_false(retry_is_worth_it(&retry, &none, &outcome));
}

TEST(retry_repeats_a_post_only_while_nothing_of_it_was_sent)
{
    struct retry retry = {.attempts = 3};
    struct retry_outcome outcome = {.tries = 1, .status = 502, .network_error = true, .sent = true};
    assert_false(retry_is_repeatable(&retry, METHOD_POST, S("POST")));
    assert_false(retry_is_repeatable(&retry, METHOD_OTHER, S("LOCK")));
    assert_true(retry_is_repeatable(&retry, METHOD_PUT, S("PUT")));
    assert_false(retry_is_worth_it(&retry, &none, &outcome));
    outcome.sent = false;
    assert_true(retry_is_worth_it(&retry, &none, &outcome));
    retry.retry_non_idempotent_method = true;
    assert_true(retry_is_repeatable(&retry, METHOD_POST, S("POST")));
}

TEST(retry_takes_listed_statuses_of_repeatable_requests)
{
    struct retry retry = {.attempts = 2};
    struct retry_outcome outcome = {.tries = 1, .status = 503, .repeatable = true, .sent = true};
    assert_true(retry_is_worth_it(&retry, &five_hundreds, &outcome));
    assert_false(retry_is_worth_it(&retry, &none, &outcome));
    outcome.repeatable = false;
    assert_false(retry_is_worth_it(&retry, &five_hundreds, &outcome));
    outcome = (struct retry_outcome){.tries = 1, .status = 404, .repeatable = true};
    assert_false(retry_is_worth_it(&retry, &five_hundreds, &outcome));
}

TEST(retry_leaves_network_errors_when_told_so)
{
    struct retry retry = {.attempts = 2, .disable_retry_on_network_error = true};
    struct retry_outcome outcome = {.tries = 1, .status = 502, .network_error = true, .repeatable = true};
    assert_false(retry_is_worth_it(&retry, &none, &outcome));
    assert_true(retry_is_worth_it(&retry, &five_hundreds, &outcome));
}

TEST(retry_ends_when_its_time_is_up)
{
    struct retry retry = {.attempts = 9, .timeout = TIME_S};
    struct retry_outcome outcome = {.tries = 1, .network_error = true, .repeatable = true, .elapsed = TIME_S - 1};
    assert_true(retry_is_worth_it(&retry, &none, &outcome));
    outcome.elapsed = TIME_S;
    assert_false(retry_is_worth_it(&retry, &none, &outcome));
}
