// What the parts of the load generator share: the counters, the clock, the connections, and the two
// ways to speak on them. One thread; all of it lives as long as the process.
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include <stdint.h>

struct connection;

struct counters {
    uint64_t lost; // requests whose connection ended before a byte of the answer
    uint64_t broken; // ... or within it
    uint64_t refused; // requests for which no connection could be made
    uint64_t handshake; // ... or on whose connection the TLS handshake failed
    uint64_t full; // requests on a connection that should have been resumed and was not
    uint64_t status; // answers with a wrong status
    uint64_t size; // answers of a wrong size
    uint64_t encoding; // answers that are not encoded as they should be
    uint64_t other; // no error: answers with the other status that is right, too
    uint64_t reopened; // no error: connections that the server closed between requests
    uint64_t bytes; // read, without what TLS adds
    uint64_t body; // ... of them bodies, in HTTP/1.1
};

extern struct counters count;

// How HTTP/1.1 and HTTP/2 differ for the generator. `on_ready` is called when a connection is open
// and TLS has shaken hands; `on_input` when there may be something to read; `on_failed` ends every
// request that the connection has under way, counted by `counter`, and shuts it. `flush` sends what
// `begin` and `on_input` have gathered, `on_sent` is called when a socket that was full has taken
// the rest of c->out; a protocol that gathers nothing has neither.
struct protocol {
    void (*begin)(struct connection *c, uint64_t started);
    void (*on_ready)(struct connection *c);
    void (*on_input)(struct connection *c);
    void (*on_failed)(struct connection *c, uint64_t *counter);
    void (*flush)(void);
    void (*on_sent)(struct connection *c);
};

extern const struct protocol http1, http2;
extern const struct protocol *protocol; // the one of this run

// Makes the fields that http2 sends. Before its first request.
void http2_prepare(void);

// Nanoseconds of the monotonic clock.
uint64_t now(void);

// Which of the plan's hosts the request that is sent now goes to: each in turn.
unsigned next_host(void);

// One request on `c` is over: answered rightly, or not as `counter` says. Its place is free for the
// next one.
void request_answered(struct connection *c, uint64_t started);
void request_failed(struct connection *c, uint64_t *counter);

#endif
