// The cheapest honest origin: an HTTP/1.1 server on one thread that answers by path from memory, so
// that what a benchmark measures is the proxy and not the application behind it.
//
//   build/bench/origin PORT        listens on 127.0.0.1:PORT
//
//   GET  /0                             2 bytes: "ok"
//   GET  /1k /10k /100k /1m /10m        1 KiB, 10 KiB, ..., 10 MiB of a fixed pattern
//   GET  /10g                           10 GB of it
//   GET  /json                          100 KiB of records in JSON, for what compresses
//   GET  /slow                          "ok", a second later
//   GET  /who                           the port it listens on, to tell two origins apart
//   POST any path                       reads Content-Length bytes, then answers as GET would
//   GET  /ws with Upgrade: websocket    echoes text and binary frames of up to 4 KiB
//
// It reads only what it needs of a request and trusts its peer: it is no model of how to parse
// HTTP.

#include "head.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    INPUT_BYTES = 8192,
    EVENTS = 512,
    DESCRIPTORS = 20000,
    LARGEST_FRAME = 4096,
    HEAD_BYTES = 512,
    PATTERN_BYTES = 1 << 20, // of a body that is too long for the memory: it is sent over and over
    SLOW_MS = 1000
};

#define LARGEST_IN_MEMORY (UINT64_C(16) << 20)

// The answer that belongs to the only key that bench/load sends (RFC 6455, section 1.3).
#define WEBSOCKET_ANSWER                                                                           \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

struct answer {
    const char *path;
    uint64_t body_bytes;
    void (*fill)(char *body, size_t size);
    bool slow;
    const char *type;
    char *bytes; // head and body in one piece, so that one send() carries both
    size_t held; // of them; what is missing at the end is the last PATTERN_BYTES again and again
    uint64_t length;
};

static void fill_pattern(char *body, size_t size);
static void fill_json(char *body, size_t size);
static void fill_ok(char *body, size_t size);
static void fill_port(char *body, size_t size);

static struct answer answers[] = {
    {.path = "/0", .body_bytes = 2, .fill = fill_ok},
    {.path = "/1k", .body_bytes = 1 << 10},
    {.path = "/10k", .body_bytes = 10 << 10},
    {.path = "/100k", .body_bytes = 100 << 10},
    {.path = "/1m", .body_bytes = 1 << 20},
    {.path = "/10m", .body_bytes = 10 << 20},
    {.path = "/10g", .body_bytes = UINT64_C(10000000000)},
    {.path = "/json", .body_bytes = 100 << 10, .fill = fill_json, .type = "application/json"},
    {.path = "/slow", .body_bytes = 2, .fill = fill_ok, .slow = true},
    {.path = "/who", .body_bytes = 5, .fill = fill_port},
    {.path = NULL, .body_bytes = 3, .fill = fill_ok}, // the 404
};

enum { ANSWERS = sizeof(answers) / sizeof(answers[0]) };

struct connection {
    int fd;
    bool websocket;
    bool last; // the peer asked for Connection: close
    bool wants_write; // EPOLLOUT is armed
    const struct answer *answer; // what is on its way out, or will be when the body has been read
    uint64_t sent;
    uint64_t due; // when a slow answer may go, in ms; 0: now
    struct connection *next_slow; // in the order of `due`
    uint64_t body_left;
    size_t filled;
    char input[INPUT_BYTES];
};

static struct connection *connections[DESCRIPTORS];
static struct connection *first_slow, *last_slow;
static int epoll_fd, port;

static void fail(const char *what)
{
    fprintf(stderr, "origin: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void fill_pattern(char *body, size_t size)
{
    for (size_t i = 0; i < size; i++)
        body[i] = "0123456789abcde\n"[i % 16];
}

static void fill_ok(char *body, size_t size)
{
    memcpy(body, size == 2 ? "ok" : "no\n", size);
}

static void fill_port(char *body, size_t size)
{
    char text[8];
    snprintf(text, sizeof(text), "%05d", port);
    memcpy(body, text, size);
}

// Numbers that look random and are the same in every run (Knuth's MMIX generator).
static unsigned draw(unsigned below)
{
    static uint64_t state = 42;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % below;
}

// What an API of a shop might answer: an array of records whose names repeat and whose values do
// not.
static void fill_json(char *body, size_t size)
{
    static const char *const words[] = {"blue", "small", "iron",  "north", "quiet", "glass",
                                        "open", "paper", "river", "stone", "amber", "field"};
    enum { WORDS = sizeof(words) / sizeof(words[0]) };
    size_t at = (size_t)sprintf(body, "{\"items\":[");
    char record[256];
    for (unsigned id = 1000;; id++) {
        int length = snprintf(record, sizeof(record),
                              "{\"id\":%u,\"name\":\"%s %s\",\"price\":%u.%02u,\"stock\":%u,\"tags\":["
                              "\"%s\",\"%s\"],\"updated\":\"2026-%02u-%02uT%02u:%02u:%02uZ\",\"sku\":"
                              "\"%08x\",\"active\":%s},",
                              id, words[draw(WORDS)], words[draw(WORDS)], draw(900) + 1, draw(100),
                              draw(5000), words[draw(WORDS)], words[draw(WORDS)], draw(12) + 1,
                              draw(28) + 1, draw(24), draw(60), draw(60), draw(UINT32_MAX),
                              draw(4) ? "true" : "false");
        if (at + (size_t)length + 2 > size)
            break;
        memcpy(body + at, record, (size_t)length);
        at += (size_t)length;
    }
    body[at - 1] = ']'; // instead of the last comma
    memset(body + at, ' ', size - at - 1);
    body[size - 1] = '}';
}

static void prepare_answer(struct answer *answer, const char *status)
{
    char date[64];
    time_t time_now = time(NULL);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&time_now));
    size_t body = answer->body_bytes > LARGEST_IN_MEMORY ? PATTERN_BYTES : answer->body_bytes;
    answer->bytes = malloc(body + HEAD_BYTES);
    if (!answer->bytes)
        fail("malloc");
    int head = snprintf(answer->bytes, HEAD_BYTES,
                        "HTTP/1.1 %s\r\nDate: %s\r\nServer: origin\r\nContent-Type: "
                        "%s\r\nContent-Length: %llu\r\n\r\n",
                        status, date, answer->type ? answer->type : "text/plain",
                        (unsigned long long)answer->body_bytes);
    (answer->fill ? answer->fill : fill_pattern)(answer->bytes + head, body);
    answer->held = (size_t)head + body;
    answer->length = (uint64_t)head + answer->body_bytes;
}

static void prepare_answers(void)
{
    for (int i = 0; i < ANSWERS; i++)
        prepare_answer(&answers[i], answers[i].path ? "200 OK" : "404 Not Found");
}

static const struct answer *find_answer(const char *path, size_t length)
{
    const struct answer *answer = answers;
    while (answer->path &&
           (strlen(answer->path) != length || memcmp(answer->path, path, length) != 0))
        answer++;
    return answer;
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void forget_slow(struct connection *c)
{
    struct connection **at = &first_slow, *before = NULL;
    while (*at != c) {
        before = *at;
        at = &before->next_slow;
    }
    *at = c->next_slow;
    if (last_slow == c)
        last_slow = before;
    c->due = 0;
}

// All wait equally long, so who comes last is due last.
static void put_off(struct connection *c)
{
    c->due = now_ms() + SLOW_MS;
    c->next_slow = NULL;
    if (last_slow)
        last_slow->next_slow = c;
    else
        first_slow = c;
    last_slow = c;
}

static void drop(struct connection *c)
{
    if (c->due)
        forget_slow(c);
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

static void watch(struct connection *c, bool write)
{
    if (c->wants_write == write)
        return;
    c->wants_write = write;
    struct epoll_event event = {.events = write ? EPOLLOUT : EPOLLIN, .data.fd = c->fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

// Returns false when the connection is gone.
static bool send_answer(struct connection *c)
{
    const struct answer *answer = c->answer;
    while (c->sent < answer->length) {
        uint64_t at = c->sent, left = answer->length - c->sent;
        if (at >= answer->held) // the pattern again
            at = answer->held - PATTERN_BYTES + (at - answer->held) % PATTERN_BYTES;
        size_t length = left < answer->held - at ? (size_t)left : (size_t)(answer->held - at);
        ssize_t n = send(c->fd, answer->bytes + at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(c, true);
            return true;
        }
        if (n < 0) {
            drop(c);
            return false;
        }
        c->sent += (size_t)n;
    }
    c->answer = NULL;
    watch(c, false);
    if (!c->last)
        return true;
    drop(c);
    return false;
}

static bool upgrade(struct connection *c)
{
    c->websocket = true;
    ssize_t n = send(c->fd, WEBSOCKET_ANSWER, sizeof(WEBSOCKET_ANSWER) - 1, MSG_NOSIGNAL);
    if (n == sizeof(WEBSOCKET_ANSWER) - 1)
        return true;
    drop(c);
    return false;
}

// Takes one head (of `length` bytes, blank line included) out of the input. Returns false when the
// connection is gone.
static bool take_head(struct connection *c, size_t length)
{
    const char *path = memchr(c->input, ' ', length);
    const char *end = path ? memchr(path + 1, ' ', length - (size_t)(path + 1 - c->input)) : NULL;
    if (!end) {
        drop(c);
        return false;
    }
    const char *close_field = head_find(c->input, length, "Connection");
    const char *size = c->input[0] == 'P' ? head_find(c->input, length, "Content-Length") : NULL;
    bool websocket = end - path == 4 && memcmp(path, " /ws", 4) == 0;
    c->last = close_field && strncasecmp(close_field, "close", 5) == 0;
    c->answer = find_answer(path + 1, (size_t)(end - path - 1));
    c->sent = 0;
    if (c->answer->slow)
        put_off(c);
    c->body_left = size ? strtoull(size, NULL, 10) : 0;
    c->filled -= length;
    memmove(c->input, c->input + length, c->filled);
    if (!websocket)
        return true;
    c->answer = NULL;
    return upgrade(c);
}

// Answers every whole frame in the input. Returns false when the connection is gone.
static bool echo_frames(struct connection *c)
{
    for (;;) {
        const unsigned char *in = (const unsigned char *)c->input;
        if (c->filled < 6)
            return true;
        size_t length = in[1] & 0x7f, prefix = 2;
        if (length == 126) {
            length = (size_t)in[2] << 8 | in[3];
            prefix = 4;
        }
        if (length > LARGEST_FRAME || (in[0] & 0x0f) == 8)
            break;
        if (c->filled < prefix + 4 + length)
            return true;
        unsigned char out[LARGEST_FRAME + 4];
        memcpy(out, in, prefix);
        out[1] &= 0x7f;
        for (size_t i = 0; i < length; i++)
            out[prefix + i] = in[prefix + 4 + i] ^ in[prefix + (i & 3)];
        if (send(c->fd, out, prefix + length, MSG_NOSIGNAL) != (ssize_t)(prefix + length))
            break;
        c->filled -= prefix + 4 + length;
        memmove(c->input, c->input + prefix + 4 + length, c->filled);
    }
    drop(c);
    return false;
}

// Works off what the input holds. Returns false when the connection is gone.
static bool process(struct connection *c)
{
    for (;;) {
        if (c->websocket)
            return echo_frames(c);
        if (c->body_left > 0) {
            size_t taken = c->filled < c->body_left ? c->filled : (size_t)c->body_left;
            c->body_left -= taken;
            c->filled -= taken;
            memmove(c->input, c->input + taken, c->filled);
        }
        if (c->body_left > 0 || c->due)
            return true;
        if (c->answer && !send_answer(c))
            return false;
        if (c->answer)
            return true; // the rest goes out when the socket takes it
        char *end = memmem(c->input, c->filled, "\r\n\r\n", 4);
        if (!end)
            return true;
        if (!take_head(c, (size_t)(end + 4 - c->input)))
            return false;
    }
}

static void on_readable(struct connection *c)
{
    ssize_t n;
    if (c->body_left > 0 && c->filled == 0) {
        // The kernel throws the body away without copying it.
        static char nowhere[1];
        size_t want = c->body_left < (1 << 20) ? (size_t)c->body_left : 1 << 20;
        n = recv(c->fd, nowhere, want, MSG_TRUNC);
        if (n > 0)
            c->body_left -= (uint64_t)n;
    } else {
        n = recv(c->fd, c->input + c->filled, INPUT_BYTES - c->filled, 0);
        if (n > 0)
            c->filled += (size_t)n;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN))
        drop(c);
    else if (n > 0 && process(c) && c->filled == INPUT_BYTES)
        drop(c); // a head larger than the buffer
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = fd < DESCRIPTORS ? malloc(sizeof(*c)) : NULL;
        if (!c) {
            close(fd);
            continue;
        }
        memset(c, 0, offsetof(struct connection, input));
        c->fd = fd;
        connections[fd] = c;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void send_slow(void)
{
    while (first_slow && first_slow->due <= now_ms()) {
        struct connection *c = first_slow;
        forget_slow(c);
        if (process(c) && c->filled == INPUT_BYTES)
            drop(c);
    }
}

static int time_to_wait(void)
{
    uint64_t time_now = now_ms();
    return first_slow->due > time_now ? (int)(first_slow->due - time_now) : 0;
}

static int listen_on(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 4096) < 0)
        fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

int main(int argc, char **argv)
{
    port = argc == 2 ? atoi(argv[1]) : 0;
    if (port <= 0 || port > 65535) {
        fprintf(stderr, "usage: origin PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    prepare_answers();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on();
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS, first_slow ? time_to_wait() : -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = connections[events[i].data.fd];
            if (events[i].data.fd == listener)
                accept_all(listener);
            else if (c && c->wants_write)
                (void)(send_answer(c) && !c->answer && process(c));
            else if (c)
                on_readable(c);
        }
        if (first_slow)
            send_slow();
    }
}
