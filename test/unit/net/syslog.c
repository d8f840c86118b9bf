#include "net/syslog.h"

#include "test.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

static void assert_address(const char *text, const char *expected)
{
    struct addr addr;
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_true(syslog_address(str_from(text), &addr));
    assert_str_equal(addr_format(&addr, &arena), str_from(expected));
    arena_release(&arena);
}

TEST(syslog_server_has_a_customary_port)
{
    assert_address("10.0.0.1", "10.0.0.1:514");
    assert_address("10.0.0.1:99", "10.0.0.1:99");
    assert_address("[::1]", "[::1]:514");
    assert_address("::1", "[::1]:514");
    assert_address("[::1]:99", "[::1]:99");
    assert_address("unix:/dev/log", "unix:/dev/log");
}

TEST(syslog_server_that_is_none_is_refused)
{
    struct addr addr;
    assert_false(syslog_address(S(""), &addr));
    assert_false(syslog_address(S("not an address"), &addr));
    assert_false(syslog_address(S("10.0.0.1:x"), &addr));
}

TEST(syslog_message_begins_with_priority_time_host_and_tag)
{
    struct syslog_target target = {.facility = 23, .severity = -1, .tag = S("web"), .host = S("here")};
    struct text text;
    const char *former = getenv("TZ");
    setenv("TZ", "UTC", 1);
    tzset();
    text_init(&text, 4096);
    syslog_begin(&target, SYSLOG_ERROR, 1767322985 * TIME_S, &text);
    assert_string_equal(text_c(&text), "<187>Jan  2 03:03:05 here web: ");
    text_clear(&text);
    target.severity = SYSLOG_INFO;
    target.host = STR_NONE;
    syslog_begin(&target, SYSLOG_ERROR, 1767322985 * TIME_S, &text);
    assert_string_equal(text_c(&text), "<190>Jan  2 03:03:05 web: ");
    text_release(&text);
    if (former == NULL)
        unsetenv("TZ");
    tzset();
}

TEST(syslog_messages_go_one_by_one)
{
    struct addr bound = {.len = 0};
    struct syslog_target target = {.facility = 1, .tag = S("x")};
    static const size_t ends[] = {3, 8};
    char got[16];
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    bool udp;
    assert_true(addr_parse_listen(S("127.0.0.1:0"), &bound, &udp));
    assert_int_equal(bind(server, &bound.any, bound.len), 0);
    assert_int_equal(getsockname(server, &bound.any, &bound.len), 0);
    target.address = bound;
    int fd = syslog_open(&target);
    assert_true(fd >= 0);
    assert_int_equal(syslog_send(fd, S("oneother"), ends, 2), 2);
    assert_int_equal(recv(server, got, sizeof(got), 0), 3);
    assert_memory_equal(got, "one", 3);
    assert_int_equal(recv(server, got, sizeof(got), 0), 5);
    assert_memory_equal(got, "other", 5);
    close(fd);
    close(server);
}
