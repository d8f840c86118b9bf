#include "net/name_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "test.h"

/* ---- answers ---- */

static uint8_t *put16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return out + 2;
}

static uint8_t *put_name(uint8_t *out, const char *name)
{
    for (const char *dot; *name != 0; name = dot + (*dot == '.')) {
        dot = strchrnul(name, '.');
        *out++ = (uint8_t)(dot - name);
        memcpy(out, name, (size_t)(dot - name));
        out += dot - name;
    }
    *out++ = 0;
    return out;
}

static uint8_t *put_data(uint8_t *out, const struct name_record *record)
{
    size_t len = strlen(record->text);
    switch (record->type) {
    case RECORD_A:
        assert_int_equal(inet_pton(AF_INET, record->text, out), 1);
        return out + 4;
    case RECORD_AAAA:
        assert_int_equal(inet_pton(AF_INET6, record->text, out), 1);
        return out + 16;
    case RECORD_SRV:
        out = put16(out, record->priority);
        out = put16(out, record->weight);
        return put_name(put16(out, record->port), record->text);
    default:
        memcpy(out, record->text, len);
        return out + len;
    }
}

/* For the question's name (a pointer to it). */
static uint8_t *put_record(uint8_t *out, const struct name_record *record)
{
    out = put16(out, 0xc00c);
    out = put16(out, record->type);
    out = put16(out, 1);
    out = put16(out, 0);
    out = put16(out, record->ttl);
    uint8_t *end = put_data(out + 2, record);
    put16(out, (unsigned)(end - out - 2));
    return end;
}

/* The question's name as text; its type and class stand where it ends. */
static size_t read_name(const uint8_t *query, char name[256])
{
    size_t at = 12, used = 0;
    for (; query[at] != 0; at += query[at] + 1U)
        used += (size_t)snprintf(name + used, 256 - used, "%s%.*s", used != 0 ? "." : "", query[at], (const char *)query + at + 1);
    name[used] = 0;
    return at + 1;
}

static bool is_of(const struct name_record *record, const char *name)
{
    return record->name == NULL || strcasecmp(record->name, name) == 0;
}

static size_t answer(const struct name_server *server, const uint8_t *query, size_t len, bool tcp, uint8_t *out)
{
    char name[256];
    size_t end = read_name(query, name);
    unsigned type = query[end + 1], count = 0;
    bool known = false, truncated = server->truncates && !tcp;
    end += 4;
    assert_true(end <= len);
    memcpy(out, query, end);
    uint8_t *at = out + end;
    for (unsigned i = 0; i < server->record_count; i++) {
        const struct name_record *record = &server->records[i];
        known |= is_of(record, name);
        if (record->type != type || !is_of(record, name) || truncated || server->unknown || server->fails)
            continue;
        at = put_record(at, record);
        count++;
    }
    unsigned code = server->fails ? 2 : server->unknown || !known ? 3 : 0;
    put16(out + 2, (truncated ? 0x8380 : 0x8180) | code);
    put16(out + 6, count + (server->mangles && count != 0));
    put16(out + 8, 0);
    put16(out + 10, 0);
    return (size_t)(at - out);
}

/* ---- sockets ---- */

static void on_udp(struct watch *watch, unsigned events)
{
    struct name_server *server = container_of(watch, struct name_server, udp);
    uint8_t query[512], reply[4096];
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

static struct name_server *tcp_server;      /* one at a time */

/* Served to its end before the loop goes on: c-ares sends all at once. */
static void on_tcp_data(struct watch *watch, unsigned events)
{
    struct name_server *server = tcp_server;
    uint8_t query[512], reply[4096], size[2];
    ssize_t first = recv(watch->fd, size, 1, MSG_PEEK);
    if (first <= 0) {
        int fd = watch->fd;
        loop_unwatch(server->loop, watch);
        close(fd);
        return;
    }
    read_whole(watch->fd, size, 2);
    size_t len = (size_t)size[0] << 8 | size[1];
    assert_true(len <= sizeof(query));
    read_whole(watch->fd, query, len);
    server->asked_tcp++;
    size_t reply_len = answer(server, query, len, true, reply + 2);
    put16(reply, (unsigned)reply_len);
    assert_int_equal(write(watch->fd, reply, reply_len + 2), reply_len + 2);
}

static void on_tcp(struct watch *watch, unsigned events)
{
    struct name_server *server = tcp_server = container_of(watch, struct name_server, tcp);
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0 && server->connection_count < NAME_SERVER_CONNECTIONS);
    struct watch *connection = &server->connections[server->connection_count++];
    *connection = (struct watch){.on_ready = on_tcp_data, .fd = -1};
    assert_true(loop_watch_level(server->loop, connection, fd));
}

/* ---- its life ---- */

void name_server_start(struct name_server *server, struct loop *loop)
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
    server->loop = loop;
    server->udp.on_ready = on_udp;
    server->tcp.on_ready = on_tcp;
    assert_true(loop_watch_level(loop, &server->udp, udp));
    assert_true(loop_watch_level(loop, &server->tcp, tcp));
}

void name_server_stop(struct name_server *server)
{
    for (int i = 0; i < server->connection_count; i++) {
        if (server->connections[i].fd >= 0)
            close(server->connections[i].fd);
    }
    server->connection_count = 0;
    close(server->udp.fd);
    close(server->tcp.fd);
}

void loop_hurry(struct loop *loop)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            LIST_FOREACH(&loop->wheel.slots[level][slot], link) {
                struct timer *timer = container_of(link, struct timer, link);
                if (timer_armed(timer))
                    timer_set(loop, timer, loop->now);
            }
}
