#include "net/ring.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/listener.h"
#include "test.h"

#define ENDS 6

static struct loop loop;
static struct chunk_pool pool;

/* A socket of the loop whose owner reads as it is told, and the descriptor of its peer. */
struct end {
    struct sock sock;
    int peer;
    enum ring_chunk wants;
    bool reads;                     /* on its event; else it is left for later */
    size_t room;                    /* of one read; 0: as much as fits below */
    void (*also)(struct end *end);
    struct end *other;
    unsigned events;
    bool came_ahead, taken_whole;
    enum status status;             /* of the last read */
    size_t len;
    char text[65536];
};
static struct end *ends;

static void read_all(struct end *end)
{
    do {
        size_t got = 0, room = end->room != 0 ? end->room : sizeof(end->text) - end->len;
        end->status = sock_may_read(&end->sock) ? sock_read(&end->sock, end->text + end->len, room, &got) : STATUS_AGAIN;
        end->len += got;
    } while (end->status == STATUS_OK);
}

static void on_end_event(struct sock *sock, unsigned events)
{
    struct end *end = container_of(sock, struct end, sock);
    end->events++;
    end->came_ahead = sock->layer != NULL;
    if (end->also != NULL)
        end->also(end);
    if (end->reads && sock->watch.fd >= 0)
        read_all(end);
}

static enum ring_chunk wants_of_end(const struct sock *sock)
{
    return container_of(sock, const struct end, sock)->wants;
}

static const struct ring_reader end_reader = {.on_event = on_end_event, .wants = wants_of_end};
REGISTER(ring_reader, end_reader);

static void begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    assert_true(loop_init(&loop));
    chunk_pool_init(&pool, 8, 8, 0);
    if (!ring_open(&loop, &pool))
        skip();
    ends = calloc(ENDS, sizeof(*ends));
    for (unsigned i = 0; i < ENDS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        sock_init(&ends[i].sock, &loop, on_end_event);
        assert_true(sock_take(&ends[i].sock, pair[0], false));
        ends[i].peer = pair[1];
    }
    loop_turn(&loop, 0);
    for (unsigned i = 0; i < ENDS; i++) {
        ends[i].wants = RING_SMALL;
        ends[i].reads = true;
        ends[i].events = 0;
    }
}

/* Every chunk must have come back by then. */
static void finish(void)
{
    for (unsigned i = 0; i < ENDS; i++) {
        sock_close(&ends[i].sock);
        if (ends[i].peer >= 0)
            close(ends[i].peer);
    }
    ring_close(&loop);
    loop_release(&loop);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunk_pool_release(&pool);
    free(ends);
}

static void say(struct end *end, const char *text, size_t len)
{
    assert_int_equal(write(end->peer, text, len), (ssize_t)len);
}

static void assert_got(const struct end *end, const char *text)
{
    assert_int_equal(end->len, strlen(text));
    assert_memory_equal(end->text, text, end->len);
}

TEST(what_several_sockets_hold_is_received_before_their_events)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "second", 6);
    say(&ends[2], "third", 5);
    loop_turn(&loop, 0);
    assert_got(&ends[0], "one");
    assert_got(&ends[1], "second");
    assert_got(&ends[2], "third");
    assert_true(ends[0].came_ahead && ends[1].came_ahead && ends[2].came_ahead);
    assert_int_equal(ends[2].status, STATUS_AGAIN);
    assert_null(ends[2].sock.layer);
    assert_false(ends[2].sock.buffered);
    assert_int_equal(ends[3].events, 0);
    finish();
}

TEST(a_socket_that_is_ready_alone_is_left_to_its_owner)
{
    begin();
    say(&ends[0], "one", 3);
    loop_turn(&loop, 0);
    assert_false(ends[0].came_ahead);
    assert_got(&ends[0], "one");
    finish();
}

TEST(who_does_not_read_at_once_is_not_read_ahead)
{
    begin();
    for (unsigned i = 0; i < 3; i++)
        say(&ends[i], "text", 4);
    ends[1].wants = RING_NONE;
    loop_turn(&loop, 0);
    assert_true(ends[0].came_ahead && ends[2].came_ahead);
    assert_false(ends[1].came_ahead);
    assert_got(&ends[1], "text");
    finish();
}

static void take_whole(struct end *end)
{
    struct chunk *chunk = ring_take(&end->sock);
    assert_non_null(chunk);
    end->taken_whole = true;
    memcpy(end->text + end->len, chunk->data, chunk->used);
    end->len += chunk->used;
    chunk_unref(chunk);
}

TEST(an_owner_may_take_the_chunk_and_knows_then_that_the_socket_is_drained)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "second", 6);
    ends[0].also = take_whole;
    ends[0].reads = false;
    loop_turn(&loop, 0);
    assert_true(ends[0].taken_whole);
    assert_got(&ends[0], "one");
    assert_false(sock_may_read(&ends[0].sock));
    assert_null(ring_take(&ends[1].sock));
    finish();
}

TEST(more_than_fits_in_the_chunk_is_read_on)
{
    begin();
    static char long_text[20000];
    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = (char)('a' + i % 26);
    say(&ends[0], long_text, sizeof(long_text));
    say(&ends[1], long_text, sizeof(long_text));
    ends[1].also = take_whole;
    loop_turn(&loop, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(ends[i].came_ahead);
        assert_int_equal(ends[i].len, sizeof(long_text));
        assert_memory_equal(ends[i].text, long_text, sizeof(long_text));
    }
    assert_true(ends[1].taken_whole);
    finish();
}

TEST(an_owner_that_reads_by_the_piece_gets_all_in_order)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "a longer text", 13);
    ends[1].room = 4;
    loop_turn(&loop, 0);
    assert_true(ends[1].came_ahead);
    assert_got(&ends[1], "a longer text");
    assert_int_equal(ends[1].status, STATUS_AGAIN);
    finish();
}

TEST(what_an_owner_left_waits_for_it)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "second", 6);
    ends[1].reads = false;
    loop_turn(&loop, 0);
    assert_int_equal(ends[1].len, 0);
    assert_true(sock_may_read(&ends[1].sock));
    say(&ends[0], "!", 1);
    say(&ends[1], " and more", 9);
    ends[1].reads = true;
    loop_turn(&loop, 0);
    assert_got(&ends[0], "one!");
    assert_got(&ends[1], "second and more");
    finish();
}

TEST(an_end_and_a_reset_are_told_as_a_read_tells_them)
{
    begin();
    say(&ends[0], "last words", 10);
    close(ends[0].peer);
    ends[0].peer = -1;
    say(&ends[1], "one", 3);
    say(&ends[2], "two", 3);
    /* A Unix socket whose peer left bytes unread is reset. */
    assert_int_equal(write(ends[3].sock.watch.fd, "unread", 6), 6);
    close(ends[3].peer);
    ends[3].peer = -1;
    loop_turn(&loop, 0);
    assert_got(&ends[0], "last words");
    assert_int_equal(ends[0].status, STATUS_END);
    assert_int_equal(ends[3].status, STATUS_IO_ERROR);
    assert_got(&ends[2], "two");
    finish();
}

static void close_other(struct end *end)
{
    sock_close(&end->other->sock);
}

TEST(a_socket_closed_by_an_earlier_event_of_the_turn_gives_its_chunk_back)
{
    begin();
    for (unsigned i = 0; i < 3; i++)
        say(&ends[i], "text", 4);
    /* Whichever comes first closes the next. */
    ends[0].also = ends[1].also = close_other;
    ends[0].other = &ends[1];
    ends[1].other = &ends[0];
    loop_turn(&loop, 0);
    assert_int_equal(ends[0].events + ends[1].events, 1);
    assert_int_equal(ends[0].len + ends[1].len, 4);
    assert_got(&ends[2], "text");
    finish();
}

static void end_peer(struct end *end)
{
    shutdown(end->other->peer, SHUT_WR);
}

TEST(an_end_that_comes_behind_what_was_received_is_a_new_event)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "two", 3);
    ends[0].also = end_peer;
    ends[0].other = &ends[1];
    ends[1].also = end_peer;
    ends[1].other = &ends[0];
    loop_turn(&loop, 0);
    assert_got(&ends[0], "one");
    assert_got(&ends[1], "two");
    for (unsigned turns = 0; turns < 3; turns++)
        loop_turn(&loop, 0);
    assert_int_equal(ends[0].status, STATUS_END);
    assert_int_equal(ends[1].status, STATUS_END);
    finish();
}

TEST(a_socket_that_moves_takes_along_what_was_received)
{
    begin();
    say(&ends[0], "one", 3);
    say(&ends[1], "two", 3);
    ends[1].reads = false;
    loop_turn(&loop, 0);
    assert_true(ends[1].came_ahead);
    struct end *home = calloc(1, sizeof(*home));
    sock_init(&home->sock, &loop, on_end_event);
    assert_true(sock_move(&home->sock, &ends[1].sock));
    home->reads = true;
    loop_turn(&loop, 0);
    assert_got(home, "two");
    sock_close(&home->sock);
    free(home);
    finish();
}

TEST(where_the_pool_is_at_its_limit_owners_are_left_to_themselves)
{
    begin();
    chunk_pool_limit(&pool, 1);
    say(&ends[0], "one", 3);
    say(&ends[1], "two", 3);
    loop_turn(&loop, 0);
    assert_false(ends[0].came_ahead);
    assert_got(&ends[0], "one");
    assert_got(&ends[1], "two");
    finish();
}

TEST(a_connection_that_the_peer_resets_ends_with_an_error)
{
    begin();
    struct addr addr;
    bool udp;
    int error = 0;
    assert_true(addr_parse_listen(S("127.0.0.1:0"), &addr, &udp));
    int listening = listener_bind(&addr, 16, &error);
    assert_int_equal(getsockname(listening, &addr.any, &addr.len), 0);
    struct end *home = calloc(1, sizeof(*home));
    sock_init(&home->sock, &loop, on_end_event);
    assert_true(sock_connect(&home->sock, &addr, NULL) != STATUS_UPSTREAM_REFUSED);
    while (!home->sock.writable)
        loop_turn(&loop, TIME_S);
    assert_int_equal(sock_connect_result(&home->sock), STATUS_OK);
    int peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    /* Its event and that of its neighbour are there when the reset comes. */
    say(&ends[0], "one", 3);
    assert_int_equal(send(peer, "text", 4, 0), 4);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger)), 0);
    close(peer);
    home->wants = RING_SMALL;
    home->reads = true;
    while (home->status != STATUS_IO_ERROR)
        loop_turn(&loop, TIME_S);
    assert_true(home->sock.broken);
    sock_close(&home->sock);
    close(listening);
    free(home);
    finish();
}
