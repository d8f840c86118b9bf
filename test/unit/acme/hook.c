#include "acme/hook.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static struct loop loop;
static char what[2048];
static bool went_well;
static int calls;

static void on_done(void *owner, bool good, struct str text)
{
    snprintf(what, sizeof(what), "%.*s", STR_ARGS(text));
    went_well = good;
    calls++;
}

static struct hook *start(const char *command, int64_t limit)
{
    struct hook_call call = {.command = str_from(command), .arguments = {STR("present"), STR("_acme-challenge.a.example."), STR("v w")},
                             .limit = limit, .on_done = on_done};
    calls = 0;
    return hook_start(&loop, &call);
}

static void run(const char *command, int64_t limit)
{
    assert_true(loop_init(&loop));
    start(command, limit);
    assert_int_equal(calls, 0);
    while (calls == 0)
        loop_turn(&loop, TIME_S);
    loop_turn(&loop, 0);
    assert_int_equal(calls, 1);
    loop_release(&loop);
}

TEST(a_hook_that_ends_well_says_nothing)
{
    run("echo  hello", 10 * TIME_S);
    assert_true(went_well);
    assert_string_equal(what, "");
}

TEST(a_hook_gets_its_own_arguments_and_ours_behind_them_without_a_shell)
{
    run("ls -d /tmp *", 10 * TIME_S);
    assert_false(went_well);
    assert_non_null(strstr(what, "exit status 2: "));
    assert_non_null(strstr(what, "'*'"));
    assert_non_null(strstr(what, "'_acme-challenge.a.example.'"));
    assert_non_null(strstr(what, "'v w'"));
    assert_null(strchr(what, '\n'));
}

TEST(a_hook_that_cannot_be_started_is_reported)
{
    run("/nonexistent/hook", 10 * TIME_S);
    assert_false(went_well);
    assert_string_equal(what, "it cannot be started: No such file or directory");
    run("   ", 10 * TIME_S);
    assert_false(went_well);
}

TEST(a_hook_that_takes_too_long_is_ended)
{
    run("tail -q -f /dev/null", TIME_S / 20);
    assert_false(went_well);
    assert_non_null(strstr(what, "did not end within"));
}

TEST(a_cancelled_hook_is_gone_and_calls_nobody)
{
    assert_true(loop_init(&loop));
    struct hook *hook = start("sleep 1000 --", 10 * TIME_S);
    hook_cancel(hook);
    hook = start("true", 10 * TIME_S);
    hook_abandon(hook);
    hook_cancel(NULL);
    loop_turn(&loop, TIME_S / 100);
    assert_int_equal(calls, 0);
    loop_release(&loop);
}
