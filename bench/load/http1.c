// HTTP/1.1, and WebSocket frames after an upgrade: one request at a time on a connection. Bodies
// have a Content-Length, or with --any-size perhaps chunks: anything else counts as a wrong size.

#include "../head.h"
#include "connection.h"
#include "load.h"
#include "plan.h"

#include <errno.h>
#include <stdlib.h>

enum { PORTIONS = 4 << 20, CHUNK_LINE = 64 };

static void send_bytes(struct connection *c, enum state next, const struct request_bytes *bytes)
{
    c->state = next;
    c->out = bytes->bytes;
    c->out_length = bytes->length;
    c->sent = 0;
    c->filled = 0;
    connection_send(c);
}

static void send_request(struct connection *c)
{
    if (plan.websocket && c->upgraded)
        send_bytes(c, AWAIT_ECHO, &plan.frame);
    else
        send_bytes(c, plan.websocket ? AWAIT_UPGRADE : AWAIT_HEAD, &plan.variants[next_host()]);
}

static void begin(struct connection *c, uint64_t started)
{
    c->started = started;
    if (c->state == CLOSED)
        connection_open(c);
    else
        send_request(c);
}

static void on_failed(struct connection *c, uint64_t *counter)
{
    connection_shut(c);
    request_failed(c, counter);
}

static void finish(struct connection *c)
{
    if (c->last || plan.close_each) {
        count.reopened += c->last && !plan.close_each;
        connection_shut(c);
    } else {
        c->state = plan.hold ? HELD : IDLE;
    }
    request_answered(c, c->started);
}

static void on_upgraded(struct connection *c, unsigned status)
{
    if (status != 101) {
        on_failed(c, &count.status);
        return;
    }
    c->upgraded = true;
    c->started = now();
    send_request(c);
}

static void take(struct connection *c, size_t length)
{
    c->filled -= length;
    memmove(c->input, c->input + length, c->filled);
}

// Works off what the input holds of a chunked body.
static void read_chunks(struct connection *c)
{
    for (;;) {
        size_t here = c->filled < c->body_left ? c->filled : (size_t)c->body_left;
        c->body_left -= here;
        take(c, here);
        c->state = AWAIT_BODY;
        if (c->body_left > 0)
            return;
        if (c->last_chunk)
            break;
        char *end = memmem(c->input, c->filled, "\r\n", 2), *stop = NULL;
        c->state = AWAIT_CHUNK;
        if (!end && c->filled < CHUNK_LINE)
            return;
        uint64_t size = end ? strtoull(c->input, &stop, 16) : 0;
        if (!end || stop == c->input) {
            on_failed(c, &count.broken);
            return;
        }
        count.body += size;
        c->body_left = size + 2;
        c->last_chunk = size == 0;
        take(c, (size_t)(end + 2 - c->input));
    }
    if (c->filled > 0)
        on_failed(c, &count.size);
    else
        finish(c);
}

// What is wrong with an answer by its head; NULL: nothing.
static uint64_t *why_wrong(const struct connection *c, size_t length, unsigned status,
                           uint64_t body)
{
    if (status != plan.status)
        return plan.also && status == plan.also ? NULL : &count.status;
    if (!c->chunked && (body == UINT64_MAX || (!plan.any_size && body != plan.size)))
        return &count.size;
    if (!plan.encoding)
        return NULL;
    const char *encoding = head_find(c->input, length, "Content-Encoding");
    bool is_that = encoding && strncmp(encoding, plan.encoding, strlen(plan.encoding)) == 0;
    return is_that ? NULL : &count.encoding;
}

// The head of an answer, `length` bytes of the input, is whole.
static void begin_body(struct connection *c, size_t length, unsigned status)
{
    const char *size = head_find(c->input, length, "Content-Length");
    const char *closing = head_find(c->input, length, "Connection");
    const char *coding = plan.any_size ? head_find(c->input, length, "Transfer-Encoding") : NULL;
    uint64_t body = size ? strtoull(size, NULL, 10) : UINT64_MAX, here = c->filled - length;
    c->last = closing && strncasecmp(closing, "close", 5) == 0;
    c->chunked = coding && strncasecmp(coding, "chunked", 7) == 0;
    c->last_chunk = false;
    uint64_t *wrong = why_wrong(c, length, status, body);
    if (!wrong && !c->chunked && (body == UINT64_MAX || here > body))
        wrong = &count.size;
    if (wrong) {
        on_failed(c, wrong);
        return;
    }
    count.other += status != plan.status;
    if (c->chunked) {
        take(c, length);
        c->body_left = 0;
        read_chunks(c);
        return;
    }
    count.body += body;
    c->body_left = body - here;
    c->state = AWAIT_BODY;
    if (c->body_left == 0)
        finish(c);
}

// Reads the head in the input, if it is whole.
static void read_head(struct connection *c)
{
    char *end = memmem(c->input, c->filled, "\r\n\r\n", 4);
    if (!end) {
        if (c->filled == INPUT_BYTES)
            on_failed(c, &count.broken);
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
    begin_body(c, length, status);
}

static void read_echo(struct connection *c)
{
    if (c->filled < plan.echo.length)
        return;
    if (c->filled == plan.echo.length && memcmp(c->input, plan.echo.bytes, c->filled) == 0)
        finish(c);
    else
        on_failed(c, &count.size);
}

static void on_end(struct connection *c)
{
    if (c->state == IDLE) {
        count.reopened++;
        connection_shut(c); // it stays in the ring and is opened again when its turn comes
    } else if (c->state == HELD) {
        count.lost++;
        connection_shut(c);
    } else {
        on_failed(c, c->filled || c->state == AWAIT_BODY || c->state == AWAIT_CHUNK ? &count.broken : &count.lost);
    }
}

static void on_body(struct connection *c, size_t length)
{
    c->body_left -= length;
    if (c->body_left > 0)
        return;
    c->filled = 0;
    if (c->chunked)
        read_chunks(c);
    else
        finish(c);
}

static void on_bytes(struct connection *c, size_t length)
{
    c->filled += length;
    if (c->state == AWAIT_ECHO)
        read_echo(c);
    else if (c->state == AWAIT_CHUNK)
        read_chunks(c);
    else
        read_head(c);
}

// Reads once. Returns whether something came.
static bool read_some(struct connection *c)
{
    bool body = c->state == AWAIT_BODY;
    ssize_t n = body ? connection_skip(c, c->body_left < PORTIONS ? (size_t)c->body_left : PORTIONS)
                     : connection_read(c, c->input + c->filled, INPUT_BYTES - c->filled);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0 || c->state == IDLE || c->state == HELD)
        on_end(c);
    else if (body)
        on_body(c, (size_t)n);
    else
        on_bytes(c, (size_t)n);
    return true;
}

static void on_input(struct connection *c)
{
    while (read_some(c) && c->fd >= 0 && connection_has_more(c))
        ;
}

const struct protocol http1 = {
    .begin = begin, .on_ready = send_request, .on_input = on_input, .on_failed = on_failed};
