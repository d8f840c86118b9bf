#include "connection.h"

#include "load.h"
#include "plan.h"
#include "tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, SOURCES = 62 };

struct connection *connections;
static int epoll_fd;

void connections_prepare(unsigned number)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(number, sizeof(*connections));
    if (epoll_fd < 0 || !connections) {
        perror("load");
        exit(1);
    }
    for (unsigned i = 0; i < number; i++)
        connections[i].fd = -1;
}

static void watch(struct connection *c, int operation, bool write)
{
    c->wants_write = write;
    struct epoll_event event = {.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.u32 = (uint32_t)(c - connections)};
    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

void connection_shut(struct connection *c)
{
    if (c->ssl)
        tls_detach(c);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->state = CLOSED;
    c->wants_write = c->upgraded = c->last = false;
    c->filled = c->sent = c->out_length = 0;
}

static void shake_hands(struct connection *c)
{
    switch (tls_shake_hands(c)) {
    case TLS_AGAIN:
        return;
    case TLS_FAILED:
        protocol->on_failed(c, &count.handshake);
        return;
    case TLS_NOT_RESUMED:
        protocol->on_failed(c, &count.full);
        return;
    case TLS_DONE:
        break;
    }
    protocol->on_ready(c);
    if (connection_has_more(c))
        protocol->on_input(c);
}

static void on_connected(struct connection *c)
{
    if (!plan.tls) {
        protocol->on_ready(c);
        return;
    }
    if (c->wants_write)
        watch(c, EPOLL_CTL_MOD, false);
    c->state = SHAKING_HANDS;
    tls_attach(c);
    shake_hands(c);
}

void connection_open(struct connection *c)
{
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr =
                                     htonl(INADDR_LOOPBACK + (c - connections) % SOURCES)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&source, sizeof(source)) < 0) {
        protocol->on_failed(c, &count.refused);
        return;
    }
    int result = connect(c->fd, (const struct sockaddr *)&plan.address, sizeof(plan.address));
    if (result < 0 && errno != EINPROGRESS) {
        protocol->on_failed(c, &count.refused);
        return;
    }
    watch(c, EPOLL_CTL_ADD, result < 0);
    if (result < 0)
        c->state = CONNECTING;
    else
        on_connected(c);
}

static void on_connect_result(struct connection *c)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        protocol->on_failed(c, &count.refused);
    else
        on_connected(c);
}

void connection_send(struct connection *c)
{
    while (c->sent < c->out_length) {
        const char *rest = c->out + c->sent;
        size_t length = c->out_length - c->sent;
        ssize_t n = c->ssl ? tls_write(c, rest, length) : send(c->fd, rest, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            protocol->on_failed(c, &count.lost);
            return;
        }
        c->sent += (size_t)n;
    }
    bool write = c->sent < c->out_length;
    if (write != c->wants_write)
        watch(c, EPOLL_CTL_MOD, write);
}

ssize_t connection_read(struct connection *c, void *buffer, size_t size)
{
    ssize_t n = c->ssl ? tls_read(c, buffer, size) : recv(c->fd, buffer, size, 0);
    if (n > 0)
        count.bytes += (uint64_t)n;
    return n;
}

// Plain bytes are thrown away in the kernel (MSG_TRUNC), so the generator stays cheap beside what
// it measures.
ssize_t connection_skip(struct connection *c, size_t size)
{
    static char nowhere[16 << 10]; // a TLS record
    if (c->ssl)
        return connection_read(c, nowhere, size < sizeof(nowhere) ? size : sizeof(nowhere));
    ssize_t n = recv(c->fd, nowhere, size, MSG_TRUNC);
    if (n > 0)
        count.bytes += (uint64_t)n;
    return n;
}

bool connection_has_more(const struct connection *c)
{
    return c->ssl && tls_has_more(c);
}

static void on_writable(struct connection *c)
{
    connection_send(c);
    if (c->fd >= 0 && !c->wants_write && protocol->on_sent)
        protocol->on_sent(c);
}

static void on_event(struct connection *c, uint32_t events)
{
    if (c->state == CONNECTING) {
        on_connect_result(c);
        return;
    }
    if (c->state == SHAKING_HANDS) {
        shake_hands(c);
        return;
    }
    if (c->wants_write && (events & EPOLLOUT))
        on_writable(c);
    if (c->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        protocol->on_input(c);
}

void connections_turn(uint64_t wait, void (*pump)(void))
{
    static struct epoll_event events[EVENTS];
    struct timespec limit = {.tv_sec = 0, .tv_nsec = (long)wait};
    int ready = epoll_pwait2(epoll_fd, events, EVENTS, &limit, NULL);
    for (int i = 0; i < ready; i++) {
        struct connection *c = &connections[events[i].data.u32];
        if (c->fd < 0)
            continue;
        on_event(c, events[i].events);
        pump();
    }
}

void connections_hold(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX}, ready;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
        return; // a file or /dev/null is at its end already
    while (epoll_wait(epoll_fd, &ready, 1, -1) != 1 || ready.data.u32 != UINT32_MAX)
        if (connections[ready.data.u32].fd >= 0)
            on_event(&connections[ready.data.u32], ready.events);
}
