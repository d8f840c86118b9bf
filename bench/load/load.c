// The load generator: one thread, one epoll, a fixed number of connections, and every answer
// checked for its status and size. Against a proxy it is the client; it prints one line of JSON
// with what happened.
//
// Bodies are thrown away in the kernel (MSG_TRUNC), so the generator stays cheap beside what it
// measures. Each connection has its own source address in 127.0.0.0/26, so closed connections do
// not run out of ports. Only bodies with a Content-Length are understood: anything else counts as a
// wrong size.

#include "../head.h"
#include "histogram.h"
#include "plan.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_BYTES = 8192, EVENTS = 512, SOURCES = 62, PORTIONS = 4 << 20 };
#define SECOND UINT64_C(1000000000)
#define GRACE (10 * SECOND) // how long an answer may be overdue at the end

enum state { CLOSED, CONNECTING, IDLE, AWAIT_HEAD, AWAIT_BODY, AWAIT_UPGRADE, AWAIT_ECHO, HELD };

struct connection {
    int fd;
    enum state state;
    bool wants_write;
    bool upgraded;
    bool last; // the answer said Connection: close
    uint64_t started; // when the request was sent, or with a rate: when it was due
    const struct request_bytes *out;
    size_t sent;
    uint64_t body_left;
    size_t filled;
    char input[INPUT_BYTES];
};

static struct plan plan;
static struct histogram latencies;
static struct connection *connections;
static unsigned *idle, idle_head, idle_count; // a ring: whoever waited longest goes first
static int epoll_fd;
static uint64_t start, begun, done, bytes;
static unsigned under_way;
static struct {
    uint64_t lost; // requests whose connection ended before a byte of the answer
    uint64_t broken; // ... or within it
    uint64_t refused; // requests for which no connection could be made
    uint64_t status; // answers with a wrong status
    uint64_t size; // answers of a wrong size
    uint64_t reopened; // no error: connections that the server closed between requests
} count;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void put_idle(struct connection *c)
{
    idle[(idle_head + idle_count++) % plan.connections] = (unsigned)(c - connections);
}

static void shut(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->state = CLOSED;
    c->wants_write = c->upgraded = c->last = false;
    c->filled = 0;
}

// The request under way on `c` will not be answered as it should.
static void fail(struct connection *c, uint64_t *counter)
{
    (*counter)++;
    under_way--;
    shut(c);
    put_idle(c);
}

static void watch(struct connection *c, int operation, bool write)
{
    c->wants_write = write;
    struct epoll_event event = {.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.u32 = (uint32_t)(c - connections)};
    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

static void send_rest(struct connection *c)
{
    while (c->sent < c->out->length) {
        ssize_t n = send(c->fd, c->out->bytes + c->sent, c->out->length - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            fail(c, &count.lost);
            return;
        }
        c->sent += (size_t)n;
    }
    bool write = c->sent < c->out->length;
    if (write != c->wants_write)
        watch(c, EPOLL_CTL_MOD, write);
}

static void send_request(struct connection *c)
{
    bool echo = plan.websocket && c->upgraded;
    c->state = echo ? AWAIT_ECHO : plan.websocket ? AWAIT_UPGRADE : AWAIT_HEAD;
    c->out = echo ? &plan.frame : &plan.variants[begun % plan.hosts];
    c->sent = 0;
    c->filled = 0;
    send_rest(c);
}

static void open_connection(struct connection *c)
{
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr =
                                     htonl(INADDR_LOOPBACK + (c - connections) % SOURCES)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&source, sizeof(source)) < 0) {
        fail(c, &count.refused);
        return;
    }
    int result = connect(c->fd, (const struct sockaddr *)&plan.address, sizeof(plan.address));
    if (result < 0 && errno != EINPROGRESS) {
        fail(c, &count.refused);
        return;
    }
    watch(c, EPOLL_CTL_ADD, result < 0);
    if (result < 0)
        c->state = CONNECTING;
    else
        send_request(c);
}

static void on_connected(struct connection *c)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail(c, &count.refused);
    else
        send_request(c);
}

static void begin(struct connection *c, uint64_t started)
{
    begun++;
    under_way++;
    c->started = started;
    if (c->state == CLOSED)
        open_connection(c);
    else
        send_request(c);
}

static void finish(struct connection *c)
{
    histogram_record(&latencies, now() - c->started);
    done++;
    under_way--;
    if (c->last || plan.close_each) {
        count.reopened += c->last && !plan.close_each;
        shut(c);
    } else {
        c->state = plan.hold ? HELD : IDLE;
    }
    if (c->state != HELD)
        put_idle(c);
}

static void on_upgraded(struct connection *c, unsigned status)
{
    if (status != 101) {
        fail(c, &count.status);
        return;
    }
    c->upgraded = true;
    c->started = now();
    send_request(c);
}

// Reads the head in the input, if it is whole.
static void read_head(struct connection *c)
{
    char *end = memmem(c->input, c->filled, "\r\n\r\n", 4);
    if (!end) {
        if (c->filled == INPUT_BYTES)
            fail(c, &count.broken);
        return;
    }
    size_t length = (size_t)(end + 4 - c->input);
    unsigned status = length > 12 ? (unsigned)strtoul(c->input + 9, NULL, 10) : 0;
    if (status >= 100 && status < 200 && status != 101) {
        c->filled -= length;
        memmove(c->input, c->input + length, c->filled);
        read_head(c);
        return;
    }
    if (c->state == AWAIT_UPGRADE) {
        on_upgraded(c, status);
        return;
    }
    const char *size = head_find(c->input, length, "Content-Length");
    const char *closing = head_find(c->input, length, "Connection");
    uint64_t body = size ? strtoull(size, NULL, 10) : UINT64_MAX, here = c->filled - length;
    c->last = closing && strncasecmp(closing, "close", 5) == 0;
    if (status != plan.status || body != plan.size || here > body) {
        fail(c, status != plan.status ? &count.status : &count.size);
        return;
    }
    c->body_left = body - here;
    c->state = AWAIT_BODY;
    if (c->body_left == 0)
        finish(c);
}

static void read_echo(struct connection *c)
{
    if (c->filled < plan.echo.length)
        return;
    if (c->filled == plan.echo.length && memcmp(c->input, plan.echo.bytes, c->filled) == 0)
        finish(c);
    else
        fail(c, &count.size);
}

static void on_end(struct connection *c)
{
    if (c->state == IDLE) {
        count.reopened++;
        shut(c); // it stays in the ring and is opened again when its turn comes
    } else if (c->state == HELD) {
        count.lost++;
        shut(c);
    } else {
        fail(c, c->filled || c->state == AWAIT_BODY ? &count.broken : &count.lost);
    }
}

static void on_readable(struct connection *c)
{
    static char nowhere[1];
    bool body = c->state == AWAIT_BODY;
    size_t room = body ? (c->body_left < PORTIONS ? (size_t)c->body_left : PORTIONS)
                       : INPUT_BYTES - c->filled;
    ssize_t n = recv(c->fd, body ? nowhere : c->input + c->filled, room, body ? MSG_TRUNC : 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || c->state == IDLE || c->state == HELD) {
        on_end(c);
        return;
    }
    bytes += (uint64_t)n;
    if (body) {
        c->body_left -= (uint64_t)n;
        if (c->body_left == 0)
            finish(c);
        return;
    }
    c->filled += (size_t)n;
    if (c->state == AWAIT_ECHO)
        read_echo(c);
    else
        read_head(c);
}

static bool is_over(uint64_t time)
{
    uint64_t wanted = plan.hold ? plan.connections : plan.requests;
    if (wanted && begun >= wanted)
        return true;
    return plan.seconds > 0 && time >= start + (uint64_t)(plan.seconds * (double)SECOND);
}

static uint64_t due(void)
{
    return start + (uint64_t)((double)begun / plan.rate * (double)SECOND);
}

// Begins what may be begun now. With a rate, a request that found no idle connection waits, and its
// wait counts.
static void pump(void)
{
    uint64_t time = now();
    while (idle_count > 0 && !is_over(time)) {
        if ((plan.rate > 0 && due() > time) || (plan.hold && under_way >= plan.in_flight))
            return;
        struct connection *c = &connections[idle[idle_head]];
        idle_head = (idle_head + 1) % plan.connections;
        idle_count--;
        begin(c, plan.rate > 0 ? due() : time);
        time = now();
    }
}

static void turn(void)
{
    static struct epoll_event events[EVENTS];
    uint64_t time = now(), wait = SECOND / 10;
    if (plan.rate > 0 && idle_count > 0 && due() < time + wait)
        wait = due() > time ? due() - time : 0;
    struct timespec limit = {.tv_sec = 0, .tv_nsec = (long)wait};
    int ready = epoll_pwait2(epoll_fd, events, EVENTS, &limit, NULL);
    for (int i = 0; i < ready; i++) {
        struct connection *c = &connections[events[i].data.u32];
        if (c->fd < 0)
            continue;
        if (c->state == CONNECTING)
            on_connected(c);
        else if (c->wants_write && (events[i].events & EPOLLOUT))
            send_rest(c);
        if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            on_readable(c);
        pump();
    }
}

static void report(double seconds, uint64_t stuck)
{
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"bytes\": %llu, \"lost\": %llu, \"broken\": "
           "%llu, \"refused\": %llu, "
           "\"bad_status\": %llu, \"bad_size\": %llu, \"stuck\": %llu, \"reopened\": %llu",
           (unsigned long long)done, seconds, (unsigned long long)bytes,
           (unsigned long long)count.lost, (unsigned long long)count.broken,
           (unsigned long long)count.refused, (unsigned long long)count.status,
           (unsigned long long)count.size, (unsigned long long)stuck,
           (unsigned long long)count.reopened);
    static const struct {
        const char *name;
        double share;
    } marks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        printf(", \"%s\": %.1f", marks[i].name,
               (double)histogram_percentile(&latencies, marks[i].share) / 1000);
    printf(", \"max\": %.1f}\n", (double)latencies.largest / 1000);
    fflush(stdout);
}

// Watches the held connections until standard input ends; one that the server closes counts as
// lost.
static void hold(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX}, ready;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
        return; // a file or /dev/null is at its end already
    while (epoll_wait(epoll_fd, &ready, 1, -1) != 1 || ready.data.u32 != UINT32_MAX)
        if (connections[ready.data.u32].fd >= 0)
            on_readable(&connections[ready.data.u32]);
}

static void prepare(void)
{
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(plan.connections, sizeof(*connections));
    idle = calloc(plan.connections, sizeof(*idle));
    if (epoll_fd < 0 || !connections || !idle) {
        perror("load");
        exit(1);
    }
    for (unsigned i = 0; i < plan.connections; i++) {
        connections[i].fd = -1;
        put_idle(&connections[i]);
    }
}

int main(int argc, char **argv)
{
    plan_parse(&plan, argc, argv);
    prepare();
    start = now();
    uint64_t last_progress = start, seen = 0;
    pump();
    while (under_way > 0 || !is_over(now())) {
        turn();
        pump();
        if (done != seen || under_way == 0)
            last_progress = now();
        seen = done;
        if (now() > last_progress + GRACE)
            break;
    }
    report((double)(now() - start) / (double)SECOND, under_way);
    if (plan.hold) {
        hold();
        report((double)(now() - start) / (double)SECOND, under_way);
    }
    return 0;
}
