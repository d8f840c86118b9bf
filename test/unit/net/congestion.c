#include "net/congestion.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "net/listener.h"
#include "net/sock.h"
#include "test.h"

static struct addr address_of(const char *text)
{
    struct ip ip;
    struct addr address;
    assert_true(ip_parse(str_from(text), &ip));
    addr_from_ip(&ip, 0, &address);
    return address;
}

static int new_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static void read_name(int fd, char out[CONGESTION_NAME_SIZE])
{
    socklen_t size = CONGESTION_NAME_SIZE;
    memset(out, 0, CONGESTION_NAME_SIZE);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &size), 0);
}

/* What a new socket has after congestion_set. */
static void set_and_read(const char *address_text, const char *name, char out[CONGESTION_NAME_SIZE])
{
    struct addr address = address_of(address_text);
    int fd = new_socket();
    congestion_set(fd, &address, name);
    read_name(fd, out);
    close(fd);
}

static void system_name(char out[CONGESTION_NAME_SIZE])
{
    int fd = new_socket();
    read_name(fd, out);
    close(fd);
}

static const char *check(struct str name)
{
    size_t offset, length;
    return congestion_check(name, NULL, &offset, &length);
}

TEST(congestion_control_is_the_systems_where_connections_leave_this_host)
{
    char expected[CONGESTION_NAME_SIZE], got[CONGESTION_NAME_SIZE];
    system_name(expected);
    set_and_read("192.0.2.1", "", got);
    assert_string_equal(got, expected);
    set_and_read("0.0.0.0", "", got);
    assert_string_equal(got, expected);
}

TEST(congestion_control_of_the_loopback_does_not_pace)
{
    char expected[CONGESTION_NAME_SIZE], got[CONGESTION_NAME_SIZE];
    system_name(expected);
    set_and_read("127.0.0.1", "", got);
    assert_true(strncmp(got, "bbr", 3) != 0);
    if (strncmp(expected, "bbr", 3) != 0)
        assert_string_equal(got, expected);
}

TEST(congestion_control_that_is_named_holds_everywhere)
{
    char got[CONGESTION_NAME_SIZE], named[CONGESTION_NAME_SIZE];
    set_and_read("127.0.0.1", "reno", got);
    assert_string_equal(got, "reno");
    set_and_read("192.0.2.1", "reno", got);
    assert_string_equal(got, "reno");
    system_name(named);      /* the system's own as well, be it one that paces */
    set_and_read("127.0.0.1", named, got);
    assert_string_equal(got, named);
}

TEST(congestion_control_that_the_system_does_not_have_is_a_mistake)
{
    assert_null(check(S("")));
    assert_null(check(S("reno")));
    assert_non_null(strstr(check(S("no-such-one")), "no congestion control of this system"));
    assert_non_null(check(S("much-longer-than-any-name")));
    assert_non_null(check(S("re\0no")));
}

TEST(congestion_control_of_a_listener_is_that_of_its_connections)
{
    struct listen_options options = {.backlog = 8, .congestion = "reno"};
    struct addr address = address_of("127.0.0.1");
    int error = 0, listening = listener_bind_with(&address, &options, &error);
    char got[CONGESTION_NAME_SIZE];
    assert_true(listening >= 0);
    address.len = sizeof(address.un);
    assert_int_equal(getsockname(listening, &address.any, &address.len), 0);
    int client = new_socket();
    assert_int_equal(connect(client, &address.any, address.len), 0);
    int accepted;
    while ((accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) < 0)
        ;
    read_name(accepted, got);
    assert_string_equal(got, "reno");
    close(accepted);
    close(client);
    close(listening);
}
