#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

static struct loop loop;
static int accepted[64];
static int accepted_count;
static struct addr last_peer;
static bool stop_at_first;

static void take(struct listener *listener, int fd, const struct addr *peer)
{
    assert_true(accepted_count < 64);
    accepted[accepted_count++] = fd;
    last_peer = *peer;
    if (stop_at_first && accepted_count == 1)
        listener_stop(listener);
}

static void begin(void)
{
    accepted_count = 0;
    stop_at_first = false;
    assert_true(loop_init(&loop));
}

static void finish(struct listener *listener)
{
    listener_stop(listener);
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
    loop_release(&loop);
}

static int bind_text(struct str text, struct addr *ret_bound)
{
    struct addr addr;
    bool udp;
    int error = 0;
    assert_true(addr_parse_listen(text, &addr, &udp));
    int fd = listener_bind(&addr, 32, &error);
    if (fd < 0)
        fail_msg("bind: %s", strerror(error));
    ret_bound->len = sizeof(ret_bound->un);
    assert_int_equal(getsockname(fd, &ret_bound->any, &ret_bound->len), 0);
    return fd;
}

static int dial(const struct addr *to)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to->any, to->len), 0);
    return fd;
}

TEST(listener_accepts_one_in_a_turn_and_the_next_in_a_turn_that_comes_at_once)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    int clients[5], value = 0;
    socklen_t size = sizeof(value);
    begin();
    int fd = bind_text(S("127.0.0.1:0"), &bound);
    assert_true(listener_start(&listener, &loop, fd));
    assert_false(listener.unix_socket);
    for (int i = 0; i < 5; i++)
        clients[i] = dial(&bound);
    for (int i = 0; i < 5; i++) {
        loop_turn(&loop, TIME_NEVER);
        assert_int_equal(accepted_count, i + 1);
    }
    struct ip ip = addr_ip(&last_peer);
    assert_true(ip_is_loopback(&ip));
    assert_true(addr_port(&last_peer) > 0);
    assert_true(fcntl(accepted[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(accepted[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(accepted[0], IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
    assert_true(value);
    for (int i = 0; i < 5; i++)
        close(clients[i]);
    finish(&listener);
}

/* Eight turns at each pace: 8 + 16 are 24, and the ninth of the second eight takes four. */
TEST(listener_accepts_more_in_a_turn_where_somebody_always_waits)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    int clients[30];
    begin();
    assert_true(listener_start(&listener, &loop, bind_text(S("127.0.0.1:0"), &bound)));
    for (int i = 0; i < 30; i++)
        clients[i] = dial(&bound);
    for (int turn = 1; turn <= 8; turn++)
        loop_turn(&loop, 0);
    assert_int_equal(accepted_count, 8);
    for (int turn = 1; turn <= 8; turn++)
        loop_turn(&loop, 0);
    assert_int_equal(accepted_count, 24);
    loop_turn(&loop, 0);
    assert_int_equal(accepted_count, 28);
    loop_turn(&loop, 0);            /* nobody is left behind the 30th */
    assert_int_equal(accepted_count, 30);
    int late[2] = {dial(&bound), dial(&bound)};
    loop_turn(&loop, 0);
    assert_int_equal(accepted_count, 31);
    for (int i = 0; i < 30; i++)
        close(clients[i]);
    close(late[0]);
    close(late[1]);
    finish(&listener);
}

static void take_slowly(struct listener *listener, int fd, const struct addr *peer)
{
    take(listener, fd, peer);
    for (int64_t began = time_monotonic(); time_monotonic() - began < LOOP_TURN_ENOUGH;)
        continue;
}

TEST(listener_leaves_for_the_next_turn_those_for_whom_there_is_no_time)
{
    struct listener listener = {.on_accept = take_slowly};
    struct addr bound;
    int clients[30];
    begin();
    assert_true(listener_start(&listener, &loop, bind_text(S("127.0.0.1:0"), &bound)));
    for (int i = 0; i < 30; i++)
        clients[i] = dial(&bound);
    /* As behind many turns in which somebody waited. */
    listener.streak = 1000;
    listener.turn = loop.turn;
    loop_turn(&loop, 0);
    assert_in_range(accepted_count, 1, 10);
    for (int turn = 0; turn < 30; turn++)
        loop_turn(&loop, 0);
    assert_int_equal(accepted_count, 30);
    for (int i = 0; i < 30; i++)
        close(clients[i]);
    finish(&listener);
}

TEST(listener_that_defers_accepts_when_the_first_bytes_have_come)
{
    struct listener listener = {.on_accept = take};
    struct listen_options options = {.backlog = 8, .deferred = true};
    struct addr bound;
    int error = 0;
    begin();
    assert_int_equal(addr_parse_listen(S("127.0.0.1:0"), &bound, &(bool){false}), true);
    int fd = listener_bind_with(&bound, &options, &error);
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, &bound.any, &bound.len), 0);
    assert_true(listener_start(&listener, &loop, fd));
    int silent = dial(&bound), speaking = dial(&bound);
    assert_int_equal(write(speaking, "G", 1), 1);
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 1);
    struct addr of_speaking = {.len = sizeof(of_speaking.v6)};
    assert_int_equal(getsockname(speaking, &of_speaking.any, &of_speaking.len), 0);
    assert_int_equal(addr_port(&last_peer), addr_port(&of_speaking));
    while (accepted_count == 1)             /* the silent one is not forgotten */
        loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 2);
    close(silent);
    close(speaking);
    finish(&listener);
}

TEST(listener_gives_connections_that_notice_a_vanished_peer)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    int on = 0, idle = 0, between = 0;
    socklen_t size = sizeof(int);
    begin();
    listener_start(&listener, &loop, bind_text(S("127.0.0.1:0"), &bound));
    int client = dial(&bound);
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 1);
    assert_int_equal(getsockopt(accepted[0], SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    assert_int_equal(getsockopt(accepted[0], IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size), 0);
    assert_int_equal(getsockopt(accepted[0], IPPROTO_TCP, TCP_KEEPINTVL, &between, &size), 0);
    assert_true(on != 0 && idle == 15 && between == 15);
    close(client);
    finish(&listener);
}

TEST(listener_on_all_addresses_takes_ipv4_as_well)
{
    struct listener listener = {.on_accept = take};
    struct addr bound, v4;
    struct ip loopback;
    begin();
    int fd = bind_text(S(":0"), &bound);
    assert_true(listener_start(&listener, &loop, fd));
    assert_true(ip_parse(S("127.0.0.1"), &loopback));
    addr_from_ip(&loopback, addr_port(&bound), &v4);
    int client = dial(&v4);
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 1);
    struct ip peer = addr_ip(&last_peer);
    assert_true(ip_equal(&peer, &loopback));
    close(client);
    finish(&listener);
}

TEST(listener_shares_its_port_with_another_of_the_same_process)
{
    struct addr bound, again;
    int error = 0;
    begin();
    int first = bind_text(S("127.0.0.1:0"), &bound);
    int second = listener_bind(&bound, 32, &error);
    assert_true(second >= 0);
    close(second);
    close(first);
    /* An address of nobody here (TEST-NET-1). */
    struct ip foreign;
    assert_true(ip_parse(S("192.0.2.1"), &foreign));
    addr_from_ip(&foreign, 0, &again);
    assert_int_equal(listener_bind(&again, 32, &error), -1);
    assert_int_equal(error, EADDRNOTAVAIL);
    loop_release(&loop);
}

TEST(listener_tells_whether_a_port_is_taken_that_would_be_shared)
{
    struct addr addr = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, .len = sizeof(addr.v4)};
    int error = 0;
    int fd = listener_bind(&addr, 8, &error);
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, &addr.any, &addr.len), 0);
    assert_true(listener_is_taken(&addr));
    close(fd);
    assert_false(listener_is_taken(&addr));
}

TEST(listener_stop_accepts_what_waits_first)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    begin();
    int fd = bind_text(S("127.0.0.1:0"), &bound);
    assert_true(listener_start(&listener, &loop, fd));
    int client = dial(&bound);
    listener_stop(&listener);
    assert_int_equal(accepted_count, 1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    listener_stop(&listener);
    close(client);
    finish(&listener);
}

TEST(listener_can_be_stopped_by_its_own_callback)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    begin();
    int fd = bind_text(S("127.0.0.1:0"), &bound);
    assert_true(listener_start(&listener, &loop, fd));
    int clients[3];
    for (int i = 0; i < 3; i++)
        clients[i] = dial(&bound);
    stop_at_first = true;
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 3);
    assert_int_equal(listener.watch.fd, -1);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    finish(&listener);
}

TEST(listener_pauses_without_descriptors_and_goes_on_later)
{
    struct listener listener = {.on_accept = take};
    struct addr bound;
    struct rlimit before, none;
    begin();
    int fd = bind_text(S("127.0.0.1:0"), &bound);
    assert_true(listener_start(&listener, &loop, fd));
    int client = dial(&bound);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    loop_turn(&loop, TIME_S);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(accepted_count, 0);
    assert_true(timer_armed(&listener.pause));
    loop_turn(&loop, 0);                    /* it does not spin meanwhile */
    assert_int_equal(accepted_count, 0);
    listener.pause.on_expire(&listener.pause);
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 1);
    close(client);
    finish(&listener);
}

TEST(listener_replaces_a_stale_unix_socket_but_not_one_in_use)
{
    struct listener listener = {.on_accept = take};
    struct addr addr, peer;
    char directory[] = "/tmp/portico-unit-XXXXXX", path[64];
    int error = 0;
    begin();
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/x.sock", directory);
    assert_true(addr_unix(str_from(path), &addr));
    int fd = listener_bind(&addr, 8, &error);
    assert_true(fd >= 0);
    assert_int_equal(listener_bind(&addr, 8, &error), -1);
    assert_int_equal(error, EADDRINUSE);
    close(fd);                              /* the file stays: stale */
    fd = listener_bind(&addr, 8, &error);
    assert_true(fd >= 0);
    assert_true(listener_start(&listener, &loop, fd));
    assert_true(listener.unix_socket);
    peer = addr;
    int client = dial(&peer);
    loop_turn(&loop, TIME_S);
    assert_int_equal(accepted_count, 1);
    assert_int_equal(last_peer.any.sa_family, AF_UNIX);
    close(client);
    finish(&listener);
    unlink(path);
    rmdir(directory);
}

TEST(listener_does_not_remove_a_file_that_is_no_socket)
{
    struct addr addr;
    char path[] = "/tmp/portico-unit-XXXXXX";
    int error = 0;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_true(addr_unix(str_from(path), &addr));
    assert_int_equal(listener_bind(&addr, 8, &error), -1);
    assert_int_equal(error, EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
}
