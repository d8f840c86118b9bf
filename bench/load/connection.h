// A connection to what is measured, with or without TLS. It moves bytes and says when there are
// some (struct protocol); what they mean is not its business. Each has its own source address in
// 127.0.0.0/26, so closed connections do not run out of ports.
#ifndef BENCH_LOAD_CONNECTION_H
#define BENCH_LOAD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st; // OpenSSL's SSL
struct ssl_session_st; // ... and SSL_SESSION

enum { INPUT_BYTES = 8192 };

enum state {
    CLOSED,
    CONNECTING,
    SHAKING_HANDS,
    IDLE,
    AWAIT_HEAD,
    AWAIT_BODY,
    AWAIT_CHUNK, // the line before one
    AWAIT_UPGRADE,
    AWAIT_ECHO,
    HELD,
    MULTIPLEXED, // HTTP/2
};

struct connection {
    int fd;
    enum state state;
    bool wants_write;
    bool upgraded;
    bool last; // the answer said Connection: close
    bool chunked; // the body comes in chunks
    bool last_chunk; // ... of which this is the last
    uint64_t started; // when the request was sent, or with a rate: when it was due
    const char *out; // what is being sent; the owner keeps it until sent == out_length
    size_t out_length, sent;
    uint64_t body_left; // of the body, or of a chunk and the line end behind it
    struct ssl_st *ssl;
    struct ssl_session_st *session; // to resume by: the last ticket that came here
    struct streams *streams; // HTTP/2
    size_t filled;
    char input[INPUT_BYTES];
};

// Makes `number` closed connections, connections[0] on. Ends the process when it cannot.
void connections_prepare(unsigned number);
extern struct connection *connections;

// Waits up to `wait` nanoseconds for something to happen, tells the protocol, and calls `pump`
// after each event.
void connections_turn(uint64_t wait, void (*pump)(void));

// Watches the connections until standard input ends.
void connections_hold(void);

// Opens `c`, which is CLOSED. Sooner or later protocol->on_ready or ->on_failed is called, perhaps
// before this returns.
void connection_open(struct connection *c);

// Closes at once. Nothing is counted. What is known for resumption stays.
void connection_shut(struct connection *c);

// Sends what is left of c->out, now or when the socket takes it. May end in protocol->on_failed.
void connection_send(struct connection *c);

// Reads as recv() does: bytes, 0 at the end, -1 with EAGAIN or an error. connection_skip throws up
// to `size` bytes away.
ssize_t connection_read(struct connection *c, void *buffer, size_t size);
ssize_t connection_skip(struct connection *c, size_t size);

// Whether there may be input that no event will tell of, since TLS has read it ahead.
bool connection_has_more(const struct connection *c);

#endif
