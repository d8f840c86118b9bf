/* Against a name server of our own, on the loop of the test, over UDP and TCP. */
#include "net/dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static struct loop loop;

/* ---- the name server ---- */

struct server {
    struct watch udp, tcp;
    char address[32];
    bool truncates;            /* over UDP says only "ask by TCP" */
    bool silent;
    bool unknown;              /* NXDOMAIN for all */
    bool mangles;              /* says that there is one record more */
    int asked_udp, asked_tcp;
};

static uint8_t *put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return out + 2;
}

/* A record for the question's name (a pointer to it). */
static uint8_t *put_record(uint8_t *out, unsigned type, unsigned ttl, const void *data, unsigned len)
{
    out = put16(out, 0xc00c);
    out = put16(out, type);
    out = put16(out, 1);
    out = put16(out, 0);
    out = put16(out, ttl);
    out = put16(out, len);
    memcpy(out, data, len);
    return out + len;
}

/* A questions: two addresses with TTLs 77 and 33; AAAA: one with 500; TXT: two, the first of two strings. */
static size_t answer(const struct server *server, const uint8_t *query, size_t len, bool tcp, uint8_t *out)
{
    size_t end = 12;
    while (query[end] != 0)
        end += query[end] + 1U;
    unsigned type = query[end + 2];
    end += 5;
    assert_true(end <= len);
    memcpy(out, query, end);
    bool truncated = server->truncates && !tcp;
    put16(out + 2, truncated ? 0x8380 : server->unknown ? 0x8183 : 0x8180);
    put16(out + 8, 0);
    put16(out + 10, 0);
    put16(out + 6, 0);
    uint8_t *at = out + end;
    if (truncated || server->unknown)
        return end;
    if (type == 1) {
        put16(out + 6, 2);
        at = put_record(at, 1, 77, (uint8_t[]){10, 9, 8, 7}, 4);
        at = put_record(at, 1, 33, (uint8_t[]){10, 9, 8, 6}, 4);
    } else if (type == 28) {
        put16(out + 6, 1);
        at = put_record(at, 28, 500, (uint8_t[16]){0xfd, [15] = 1}, 16);
    } else if (type == 16) {
        put16(out + 6, 2);
        at = put_record(at, 16, 5, "\3one\4-two", 9);
        at = put_record(at, 16, 5, "\5three", 6);
    }
    out[7] += server->mangles;
    return (size_t)(at - out);
}

static void on_udp(struct watch *watch, unsigned events)
{
    struct server *server = container_of(watch, struct server, udp);
    uint8_t query[512], reply[1024];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(watch->fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
    assert_true(len > 12);
    server->asked_udp++;
    if (server->silent)
        return;
    size_t reply_len = answer(server, query, (size_t)len, false, reply);
    sendto(watch->fd, reply, reply_len, 0, (struct sockaddr *)&from, from_len);
}

static void read_whole(int fd, uint8_t *out, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = read(fd, out + got, len - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
}

/* One connection at a time, served to its end before the loop goes on: c-ares sends all at once. */
static void on_tcp_data(struct watch *watch, unsigned events);
static struct server *tcp_server;
static struct watch connections[4];
static int connection_count;

static void on_tcp(struct watch *watch, unsigned events)
{
    tcp_server = container_of(watch, struct server, tcp);
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0 && connection_count < 4);
    connections[connection_count] = (struct watch){.on_ready = on_tcp_data, .fd = -1};
    assert_true(loop_watch_level(&loop, &connections[connection_count++], fd));
}

static void on_tcp_data(struct watch *watch, unsigned events)
{
    uint8_t query[512], reply[1024], size[2];
    ssize_t first = recv(watch->fd, size, 1, MSG_PEEK);
    if (first <= 0) {
        int fd = watch->fd;
        loop_unwatch(&loop, watch);
        close(fd);
        return;
    }
    read_whole(watch->fd, size, 2);
    size_t len = (size_t)size[0] << 8 | size[1];
    assert_true(len <= sizeof(query));
    read_whole(watch->fd, query, len);
    tcp_server->asked_tcp++;
    size_t reply_len = answer(tcp_server, query, len, true, reply + 2);
    put16(reply, (unsigned)reply_len);
    assert_int_equal(write(watch->fd, reply, reply_len + 2), reply_len + 2);
}

static void server_start(struct server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), tcp = -1;
    /* The port that TCP got, and UDP under the same number: another pair if it is taken. */
    for (int tries = 0; tries < 50; tries++) {
        at.sin_port = 0;
        tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(tcp, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(getsockname(tcp, (struct sockaddr *)&at, &len), 0);
        if (bind(udp, (struct sockaddr *)&at, sizeof(at)) == 0)
            break;
        close(tcp);
        tcp = -1;
    }
    assert_true(tcp >= 0);
    assert_int_equal(listen(tcp, 4), 0);
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(at.sin_port));
    server->udp.on_ready = on_udp;
    server->tcp.on_ready = on_tcp;
    assert_true(loop_watch_level(&loop, &server->udp, udp));
    assert_true(loop_watch_level(&loop, &server->tcp, tcp));
}

static void server_stop(struct server *server)
{
    for (int i = 0; i < connection_count; i++) {
        if (connections[i].fd >= 0)
            close(connections[i].fd);
    }
    connection_count = 0;
    close(server->udp.fd);
    close(server->tcp.fd);
}

/* ---- the client's side ---- */

struct asked {
    struct dns_answer answer;
    int answers;
};

static void note(void *owner, const struct dns_answer *dns_answer)
{
    struct asked *asked = owner;
    asked->answer = *dns_answer;
    asked->answers++;
}

static bool has(const struct dns_answer *dns_answer, struct str address)
{
    struct ip ip;
    assert_true(ip_parse(address, &ip));
    for (size_t i = 0; i < dns_answer->count; i++) {
        if (ip_equal(&dns_answer->addresses[i], &ip))
            return true;
    }
    return false;
}

static void wait_for(struct asked *asked)
{
    while (asked->answers == 0)
        loop_turn(&loop, TIME_S);
    loop_turn(&loop, 0);
    assert_int_equal(asked->answers, 1);
}

/* Everything is asked of `server`. */
static struct dns *dns_of(struct server *server)
{
    assert_true(loop_init(&loop));
    server_start(server);
    struct dns *dns = dns_new(&loop);
    assert_true(dns_use_servers(dns, str_from(server->address)));
    return dns;
}

static void end(struct dns *dns, struct server *server)
{
    dns_free(dns);
    server_stop(server);
    loop_release(&loop);
}

TEST(dns_answers_literals_at_once_without_a_server)
{
    struct asked v4 = {0}, v6 = {0}, empty = {0}, nul = {0};
    assert_true(loop_init(&loop));
    struct dns *dns = dns_new(&loop);
    assert_non_null(dns);
    dns_resolve(dns, S("10.1.2.3"), note, &v4);
    dns_resolve(dns, S("[::1]"), note, &v6);
    dns_resolve(dns, S(""), note, &empty);
    dns_resolve(dns, str_of("a\0b", 3), note, &nul);
    assert_int_equal(v4.answers, 1);
    assert_int_equal(v4.answer.count, 1);
    assert_true(has(&v4.answer, S("10.1.2.3")));
    assert_true(v4.answer.ttl >= 3600 * TIME_S && loop.now + v4.answer.ttl > loop.now);
    assert_true(has(&v6.answer, S("::1")));
    assert_int_equal(empty.answer.count, 0);
    assert_non_null(empty.answer.error);
    assert_int_equal(nul.answer.count, 0);
    dns_free(dns);
    loop_release(&loop);
}

TEST(dns_finds_both_families_and_the_smallest_ttl)
{
    struct server server = {0};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_null(asked.answer.error);
    assert_int_equal(asked.answer.count, 3);
    assert_true(has(&asked.answer, S("10.9.8.7")));
    assert_true(has(&asked.answer, S("10.9.8.6")));
    assert_true(has(&asked.answer, S("fd00::1")));
    assert_true(asked.answer.ttl == 33 * TIME_S);
    end(dns, &server);
}

TEST(dns_asks_again_by_tcp_when_the_answer_did_not_fit)
{
    struct server server = {.truncates = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 3);
    assert_true(server.asked_udp >= 2 && server.asked_tcp >= 2);
    end(dns, &server);
}

TEST(dns_reports_a_name_that_does_not_exist)
{
    struct server server = {.unknown = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("nobody.portico.test."), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 0);
    assert_non_null(asked.answer.error);
    assert_true(asked.answer.ttl >= TIME_S);
    end(dns, &server);
}

TEST(dns_takes_a_malformed_answer_for_a_failure_and_not_for_nothing)
{
    struct server server = {.mangles = true};
    struct asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_resolve(dns, S("backend.portico.test"), note, &asked);
    wait_for(&asked);
    assert_int_equal(asked.answer.count, 0);
    assert_false(asked.answer.nothing);
    assert_non_null(asked.answer.error);
    end(dns, &server);
}

TEST(dns_knows_localhost_where_the_system_is_asked)
{
    struct asked asked = {0};
    assert_true(loop_init(&loop));
    struct dns *dns = dns_new(&loop);
    assert_non_null(dns);
    dns_resolve(dns, S("localhost"), note, &asked);
    wait_for(&asked);
    assert_true(has(&asked.answer, S("127.0.0.1")) || has(&asked.answer, S("::1")));
    assert_true(asked.answer.ttl >= TIME_S);
    dns_free(dns);
    loop_release(&loop);
}

struct chained {
    struct dns *dns;
    int answers, failures;
};

static void resolve_again(void *owner, const struct dns_answer *dns_answer)
{
    struct chained *chained = owner;
    chained->failures += dns_answer->count == 0;
    if (++chained->answers < 3)
        dns_resolve(chained->dns, S("another.portico.test"), resolve_again, chained);
}

TEST(dns_free_reports_a_failure_to_all_that_still_wait)
{
    struct server server = {.silent = true};
    struct asked first = {0}, second = {0};
    struct dns *dns = dns_of(&server);
    struct chained chained = {.dns = dns};
    dns_resolve(dns, S("a.portico.test"), note, &first);
    dns_resolve(dns, S("b.portico.test"), note, &second);
    dns_resolve(dns, S("c.portico.test"), resolve_again, &chained);
    while (server.asked_udp == 0)
        loop_turn(&loop, TIME_S);
    assert_int_equal(first.answers + second.answers + chained.answers, 0);
    dns_free(dns);
    assert_int_equal(first.answers, 1);
    assert_int_equal(second.answers, 1);
    assert_int_equal(first.answer.count, 0);
    assert_non_null(first.answer.error);
    assert_int_equal(chained.answers, 3);      /* asked anew while closing: failed at once */
    assert_int_equal(chained.failures, 3);
    server_stop(&server);
    loop_release(&loop);
}

TEST(dns_lets_a_callback_ask_for_the_next_name)
{
    struct server server = {0};
    struct dns *dns = dns_of(&server);
    struct chained chained = {.dns = dns};
    dns_resolve(dns, S("first.portico.test"), resolve_again, &chained);
    while (chained.answers < 3)
        loop_turn(&loop, TIME_S);
    assert_int_equal(chained.failures, 0);
    end(dns, &server);
}

struct texts_asked {
    char texts[2][32];
    size_t count;
    bool failed;
    int answers;
};

static void note_texts(void *owner, const struct dns_texts *answer)
{
    struct texts_asked *asked = owner;
    asked->count = answer->count;
    asked->failed = answer->error != NULL;
    for (size_t i = 0; i < answer->count && i < 2; i++)
        snprintf(asked->texts[i], sizeof(asked->texts[i]), "%.*s", STR_ARGS(answer->items[i]));
    asked->answers++;
}

TEST(dns_finds_texts_and_joins_the_strings_of_each)
{
    struct server server = {0};
    struct texts_asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_find_texts(dns, S("_acme-challenge.portico.test."), note_texts, &asked);
    while (asked.answers == 0)
        loop_turn(&loop, TIME_S);
    assert_int_equal(asked.count, 2);
    assert_string_equal(asked.texts[0], "one-two");
    assert_string_equal(asked.texts[1], "three");
    server.unknown = true;
    dns_find_texts(dns, S("_acme-challenge.other.test."), note_texts, &asked);
    while (asked.answers == 1)
        loop_turn(&loop, TIME_S);
    assert_true(asked.failed && asked.count == 0);
    end(dns, &server);
}

TEST(dns_free_ends_a_question_for_texts)
{
    struct server server = {.silent = true};
    struct texts_asked asked = {0};
    struct dns *dns = dns_of(&server);
    dns_find_texts(dns, S("_acme-challenge.portico.test."), note_texts, &asked);
    dns_free(dns);
    assert_true(asked.failed && asked.answers == 1);
    server_stop(&server);
    loop_release(&loop);
}
