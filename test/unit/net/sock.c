#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/listener.h"
#include "test.h"

static struct loop loop;
static unsigned seen, calls;

static void note_event(struct sock *sock, unsigned events)
{
    seen |= events;
    calls++;
}

static void begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    seen = calls = 0;
    assert_true(loop_init(&loop));
}

/* A sock on the loop and the plain descriptor of its peer. */
static void begin_pair(struct sock *sock, int *ret_peer)
{
    int pair[2];
    begin();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    sock_init(sock, &loop, note_event);
    assert_true(sock_take(sock, pair[0], false));
    *ret_peer = pair[1];
    loop_turn(&loop, 0);
}

static void end_pair(struct sock *sock, int peer)
{
    sock_close(sock);
    close(peer);
    loop_release(&loop);
}

/* A TCP listener on a free port of 127.0.0.1. */
static int tcp_listener(struct addr *ret_addr)
{
    int error = 0;
    struct addr any;
    bool udp;
    assert_true(addr_parse_listen(S("127.0.0.1:0"), &any, &udp));
    int fd = listener_bind(&any, 16, &error);
    assert_true(fd >= 0);
    ret_addr->len = sizeof(ret_addr->v6);
    assert_int_equal(getsockname(fd, &ret_addr->any, &ret_addr->len), 0);
    return fd;
}

static void tcp_pair(struct sock *sock, int *ret_peer)
{
    struct addr addr;
    int listening = tcp_listener(&addr);
    sock_init(sock, &loop, note_event);
    enum status status = sock_connect(sock, &addr, NULL);
    assert_true(status == STATUS_AGAIN || status == STATUS_OK);
    while (!sock->writable)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_connect_result(sock), STATUS_OK);
    while ((*ret_peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) < 0)
        assert_int_equal(errno, EAGAIN);
    close(listening);
}

static struct iovec vector_of(const char *text)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
}

TEST(sock_reads_until_a_short_read_and_spares_the_next_call)
{
    struct sock sock;
    int peer;
    char buffer[8];
    size_t got = 0;
    begin_pair(&sock, &peer);
    assert_false(sock.readable);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_AGAIN);
    assert_int_equal(write(peer, "0123456789", 10), 10);
    loop_turn(&loop, 0);
    assert_true(seen & WATCH_READ);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_OK);
    assert_int_equal(got, 8);
    assert_true(sock.readable);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_OK);
    assert_int_equal(got, 2);
    assert_false(sock.readable);
    end_pair(&sock, peer);
}

TEST(sock_reads_on_to_the_end_once_the_peer_has_closed)
{
    struct sock sock;
    int peer;
    char buffer[64];
    size_t got = 0;
    begin_pair(&sock, &peer);
    assert_int_equal(write(peer, "last", 4), 4);
    close(peer);
    loop_turn(&loop, 0);
    assert_true(sock.peer_done);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_OK);
    assert_int_equal(got, 4);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_END);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_END);
    sock_close(&sock);
    loop_release(&loop);
}

TEST(sock_finds_an_end_that_came_behind_a_short_read)
{
    struct sock sock;
    int peer;
    char buffer[64];
    size_t got = 0;
    begin_pair(&sock, &peer);
    assert_int_equal(write(peer, "data", 4), 4);
    loop_turn(&loop, 0);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_OK);
    shutdown(peer, SHUT_WR);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_AGAIN);
    loop_turn(&loop, 0);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_END);
    end_pair(&sock, peer);
}

TEST(sock_taken_wakes_nobody_only_because_it_can_be_written_to)
{
    struct sock sock;
    int peer;
    begin_pair(&sock, &peer);
    assert_int_equal(calls, 0);
    assert_true(sock.writable);
    assert_int_equal(write(peer, "a", 1), 1);
    loop_turn(&loop, TIME_S);
    assert_int_equal(seen, WATCH_READ);
    end_pair(&sock, peer);
}

TEST(sock_that_was_full_once_hears_of_room_behind_a_move_too)
{
    static char block[1 << 20], sink[1 << 16];
    struct sock sock, next;
    int peer;
    size_t sent = 0;
    begin_pair(&sock, &peer);
    struct iovec vector = {block, sizeof(block)};
    while (sock.writable)
        (void)sock_write(&sock, &vector, 1, false, &sent);
    sock_init(&next, &loop, note_event);
    assert_true(sock_move(&next, &sock));
    loop_turn(&loop, 0);
    loop_turn(&loop, 0);
    assert_false(next.writable);
    while (read(peer, sink, sizeof(sink)) > 0)
        continue;
    loop_turn(&loop, TIME_S);
    assert_true(next.writable);
    end_pair(&next, peer);
}

TEST(sock_write_that_fills_the_peer_waits_for_room_and_loses_nothing)
{
    static char block[1 << 20], sink[1 << 16];
    struct sock sock;
    int peer;
    size_t total = 0, drained = 0, sent = 0;
    begin_pair(&sock, &peer);
    struct iovec vectors[2] = {{block, sizeof(block)}, {block, sizeof(block)}};
    while (sock.writable) {
        if (sock_write(&sock, vectors, 2, false, &sent) == STATUS_OK)
            total += sent;
    }
    assert_true(total > 0 && total < 2 * sizeof(block));
    assert_int_equal(sock_write(&sock, vectors, 1, false, &sent), STATUS_AGAIN);
    seen = 0;
    while (drained < total) {
        ssize_t got = read(peer, sink, sizeof(sink));
        assert_true(got > 0);
        drained += (size_t)got;
    }
    loop_turn(&loop, 0);
    assert_true(seen & WATCH_WRITE);
    assert_int_equal(sock_write(&sock, vectors, 1, true, &sent), STATUS_OK);
    end_pair(&sock, peer);
}

TEST(sock_write_to_a_closed_peer_is_an_error_not_a_signal)
{
    struct sock sock;
    int peer;
    size_t sent;
    begin_pair(&sock, &peer);
    close(peer);
    struct iovec vector = vector_of("x");
    assert_int_equal(sock_write(&sock, &vector, 1, false, &sent), STATUS_IO_ERROR);
    assert_true(sock.broken);
    sock_close(&sock);
    loop_release(&loop);
}

TEST(sock_connects_over_tcp_without_delay_and_closes_with_events_pending)
{
    struct sock sock;
    int peer, no_delay = 0;
    socklen_t size = sizeof(no_delay);
    char buffer[8];
    size_t sent;
    begin();
    tcp_pair(&sock, &peer);
    assert_int_equal(getsockopt(sock.watch.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    assert_true(no_delay);
    assert_true(fcntl(sock.watch.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(sock.watch.fd, F_GETFD) & FD_CLOEXEC);
    struct iovec vector = vector_of("hello");
    assert_int_equal(sock_write(&sock, &vector, 1, false, &sent), STATUS_OK);
    assert_int_equal(read(peer, buffer, sizeof(buffer)), 5);
    assert_int_equal(write(peer, "x", 1), 1);
    calls = 0;
    sock_close(&sock);
    sock_close(&sock);
    loop_turn(&loop, 0);
    assert_int_equal(calls, 0);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &sent), STATUS_AGAIN);
    close(peer);
    loop_release(&loop);
}

TEST(sock_reset_gives_the_peer_an_error_instead_of_an_end)
{
    struct sock sock;
    int peer;
    char buffer[8];
    begin();
    tcp_pair(&sock, &peer);
    sock_reset(&sock);
    assert_int_equal(read(peer, buffer, sizeof(buffer)), -1);
    assert_int_equal(errno, ECONNRESET);
    close(peer);
    loop_release(&loop);
}

TEST(sock_shutdown_ends_one_direction_only)
{
    struct sock sock;
    int peer;
    char buffer[8];
    size_t got = 0;
    begin();
    tcp_pair(&sock, &peer);
    sock_shutdown(&sock);
    assert_int_equal(read(peer, buffer, sizeof(buffer)), 0);
    assert_int_equal(write(peer, "yes", 3), 3);
    while (sock_read(&sock, buffer, sizeof(buffer), &got) == STATUS_AGAIN)
        loop_turn(&loop, TIME_S);
    assert_int_equal(got, 3);
    end_pair(&sock, peer);
}

TEST(sock_read_of_a_reset_connection_is_an_error)
{
    struct sock sock;
    int peer;
    char buffer[8];
    size_t got;
    begin();
    tcp_pair(&sock, &peer);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(peer);
    while (!sock.broken)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_read(&sock, buffer, sizeof(buffer), &got), STATUS_IO_ERROR);
    sock_close(&sock);
    loop_release(&loop);
}

TEST(sock_connect_to_a_port_without_a_listener_is_refused)
{
    struct sock sock;
    struct addr addr;
    begin();
    close(tcp_listener(&addr));
    sock_init(&sock, &loop, note_event);
    enum status status = sock_connect(&sock, &addr, NULL);
    if (status == STATUS_AGAIN) {
        while (calls == 0)
            loop_turn(&loop, TIME_S);
        status = sock_connect_result(&sock);
    }
    assert_int_equal(status, STATUS_UPSTREAM_REFUSED);
    sock_close(&sock);
    loop_release(&loop);
}

TEST(sock_connect_uses_the_source_address_and_reports_impossible_ones)
{
    struct sock sock;
    struct addr addr, local;
    struct sock_from from = {.keep_alive = true};
    struct ip source;
    begin();
    int listening = tcp_listener(&addr);
    sock_init(&sock, &loop, note_event);
    assert_true(ip_parse(S("127.0.0.9"), &source));
    addr_from_ip(&source, 0, &from.addr);
    assert_int_not_equal(sock_connect(&sock, &addr, &from), STATUS_UPSTREAM_UNREACHABLE);
    while (calls == 0)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_connect_result(&sock), STATUS_OK);
    local.len = sizeof(local.v6);
    assert_int_equal(getsockname(sock.watch.fd, &local.any, &local.len), 0);
    struct ip used = addr_ip(&local);
    assert_true(ip_equal(&used, &source));
    sock_close(&sock);

    struct addr missing;
    assert_true(addr_unix(S("/nonexistent/x.sock"), &missing));
    assert_int_equal(sock_connect(&sock, &missing, NULL), STATUS_UPSTREAM_UNREACHABLE);
    assert_int_equal(sock.watch.fd, -1);
    close(listening);
    loop_release(&loop);
}

TEST(sock_splices_from_one_socket_to_another_through_a_pipe)
{
    struct sock from, to;
    int client, server, pipe[2];
    char buffer[16];
    size_t moved = 0;
    begin();
    tcp_pair(&from, &client);
    tcp_pair(&to, &server);
    assert_int_equal(pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(write(client, "through", 7), 7);
    while (!from.readable)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_splice_in(&from, pipe[1], 1 << 16, &moved), STATUS_OK);
    assert_int_equal(moved, 7);
    assert_int_equal(sock_splice_in(&from, pipe[1], 1 << 16, &moved), STATUS_AGAIN);
    assert_false(from.readable);
    assert_int_equal(sock_splice_out(&to, pipe[0], 7, false, &moved), STATUS_OK);
    assert_int_equal(moved, 7);
    assert_int_equal(read(server, buffer, sizeof(buffer)), 7);
    assert_memory_equal(buffer, "through", 7);
    close(client);
    while (!from.peer_done)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_splice_in(&from, pipe[1], 1 << 16, &moved), STATUS_END);
    sock_close(&from);
    sock_close(&to);
    close(server);
    close(pipe[0]);
    close(pipe[1]);
    loop_release(&loop);
}

TEST(sock_sends_a_stretch_of_a_file_and_notices_that_it_is_shorter)
{
    struct sock sock;
    int peer;
    char buffer[16], name[] = "/tmp/portico-unit-XXXXXX";
    size_t moved = 0;
    off_t offset = 2;
    begin();
    tcp_pair(&sock, &peer);
    int file = mkstemp(name);
    assert_true(file >= 0);
    unlink(name);
    assert_int_equal(write(file, "0123456789", 10), 10);
    assert_int_equal(sock_send_file(&sock, file, &offset, 100, false, &moved), STATUS_OK);
    assert_int_equal(moved, 8);
    assert_int_equal(offset, 10);
    assert_int_equal(sock_send_file(&sock, file, &offset, 92, false, &moved), STATUS_END);
    assert_int_equal(read(peer, buffer, sizeof(buffer)), 8);
    assert_memory_equal(buffer, "23456789", 8);
    sock_close(&sock);
    close(file);
    close(peer);
    loop_release(&loop);
}
