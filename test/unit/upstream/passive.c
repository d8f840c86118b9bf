#include "test.h"

#include "base/time.h"
#include "upstream/measure.h"
#include "upstream/passive.h"

static struct server *make_server(void)
{
    return server_get(S("passive@test"), S("http://10.0.0.1"));
}

static const struct passive_check strict = {.failure_window = 10 * TIME_S, .max_failed_attempts = 1};
static const struct passive_check patient = {.failure_window = 10 * TIME_S, .max_failed_attempts = 3};

TEST(passive_check_ejects_for_a_window_after_enough_failures)
{
    struct server *server = make_server();
    int64_t now = 100 * TIME_S;
    assert_int_equal(passive_failure(server, &patient, now), PASSIVE_SAME);
    assert_int_equal(passive_failure(server, &patient, now + TIME_S), PASSIVE_SAME);
    assert_true(server_is_ready(server, now + TIME_S));
    assert_int_equal(passive_failure(server, &patient, now + 2 * TIME_S), PASSIVE_EJECTED);
    assert_false(server_is_ready(server, now + 12 * TIME_S - 1));
    assert_true(server_is_ready(server, now + 12 * TIME_S));
    server_unref(server);
}

TEST(passive_check_forgets_failures_beyond_the_window)
{
    struct server *server = make_server();
    for (int64_t i = 1; i <= 10; i++)
        assert_int_equal(passive_failure(server, &patient, i * 11 * TIME_S), PASSIVE_SAME);
    server_unref(server);
}

TEST(passive_check_forgets_failures_after_a_success)
{
    struct server *server = make_server();
    for (int64_t i = 1; i <= 10; i++) {
        assert_int_equal(passive_failure(server, &patient, i), PASSIVE_SAME);
        assert_int_equal(passive_failure(server, &patient, i), PASSIVE_SAME);
        assert_int_equal(passive_success(server, i), PASSIVE_SAME);
    }
    server_unref(server);
}

TEST(passive_check_lets_one_request_probe_until_it_succeeds)
{
    struct server *server = make_server();
    int64_t now = 100 * TIME_S;
    assert_int_equal(passive_failure(server, &strict, now), PASSIVE_EJECTED);
    assert_false(passive_admit(server, &strict, now + 9 * TIME_S, false));
    now += 10 * TIME_S;
    assert_true(passive_admit(server, &strict, now, false));
    assert_false(passive_admit(server, &strict, now, false));
    assert_false(server_is_ready(server, now));
    assert_int_equal(passive_failure(server, &strict, now), PASSIVE_SAME);
    now += 10 * TIME_S;
    assert_true(passive_admit(server, &strict, now, false));
    assert_int_equal(passive_success(server, now), PASSIVE_RESTORED);
    assert_true(server_is_ready(server, now));
    assert_true(passive_admit(server, &strict, now, false));
    assert_int_equal(atomic_load(&server->ready_since), now);
    server_unref(server);
}

TEST(passive_probe_that_never_reports_frees_the_place)
{
    struct server *server = make_server();
    passive_failure(server, &strict, TIME_S);
    assert_true(passive_admit(server, &strict, 11 * TIME_S, false));
    assert_false(passive_admit(server, &strict, 20 * TIME_S, false));
    assert_true(passive_admit(server, &strict, 21 * TIME_S, false));
    server_unref(server);
}

TEST(passive_success_of_a_request_begun_before_does_not_end_an_ejection)
{
    struct server *server = make_server();
    passive_failure(server, &strict, TIME_S);
    assert_int_equal(passive_success(server, TIME_S), PASSIVE_SAME);
    assert_false(server_is_ready(server, 2 * TIME_S));
    assert_true(passive_admit(server, &strict, 2 * TIME_S, true));      /* panic */
    assert_int_equal(passive_success(server, 2 * TIME_S), PASSIVE_RESTORED);
    server_unref(server);
}

TEST(passive_failures_are_the_servers_own)
{
    assert_true(passive_is_failure(STATUS_UPSTREAM_REFUSED, 0));
    assert_true(passive_is_failure(STATUS_UPSTREAM_TIMEOUT, 0));
    assert_true(passive_is_failure(STATUS_UPSTREAM_UNRESOLVED, 0));
    assert_true(passive_is_failure(STATUS_OK, 500));
    assert_false(passive_is_failure(STATUS_OK, 499));
    assert_false(passive_is_failure(STATUS_CLIENT_ABORTED, 0));
    assert_false(passive_is_failure(STATUS_STOPPING, 0));
}

TEST(measure_moves_towards_new_times)
{
    struct server *server = make_server();
    server_weigh(server);
    assert_int_equal(measure_expected(server, 0), 0);
    measure_response(server, 0, 8000, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 8000);
    measure_response(server, 0, 16000, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 9000);
    measure_response(server, 0, 1000, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 8000);
    server_unref(server);
}

TEST(measure_fades_with_time_but_never_to_nothing)
{
    struct server *server = make_server();
    server_weigh(server);
    measure_response(server, 0, 8000, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S + MEASURE_HALF_LIFE), 4000);
    assert_int_equal(measure_expected(server, TIME_S + 3 * MEASURE_HALF_LIFE), 1000);
    assert_int_equal(measure_expected(server, TIME_S + 1000 * MEASURE_HALF_LIFE), 1);
    server_unref(server);
}

TEST(measure_counts_a_failure_as_a_slow_answer)
{
    struct server *server = make_server();
    server_weigh(server);
    measure_response(server, 0, 1000, TIME_S);
    measure_failure(server, 0, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 100 * TIME_MS);
    measure_failure(server, 0, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 200 * TIME_MS);
    for (unsigned i = 0; i < 100; i++)
        measure_failure(server, 0, TIME_S);
    assert_int_equal(measure_expected(server, TIME_S), 10 * TIME_S);
    server_unref(server);
}

TEST(measures_are_each_workers_own_while_nobody_goes_by_them)
{
    struct server *server = make_server();
    assert_int_equal(measure_shown(server), 0);
    measure_response(server, 0, 8000, TIME_S);
    measure_response(server, 1, 2000, 2 * TIME_S);
    assert_int_equal(measure_expected(server, 2 * TIME_S), 0);
    assert_int_equal(measure_shown(server), 2000);
    measure_response(server, 0, 16000, 3 * TIME_S);
    assert_int_equal(measure_shown(server), 9000);
    server_weigh(server);
    measure_response(server, 1, 5000, 4 * TIME_S);
    assert_int_equal(measure_expected(server, 4 * TIME_S), 5000);
    assert_int_equal(measure_shown(server), 5000);
    server_unref(server);
}
