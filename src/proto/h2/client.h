/* A connection to a server that speaks HTTP/2: many requests at once, each bound to the upstream_stream of whoever asks.
 *
 * Life: h2_client_adopt takes a connected socket (TLS and ALPN are done) -> h2_client_open per request -> streams end ->
 * idle -> closed by the owner, by the server (GOAWAY: open streams go on, new ones go elsewhere) or by its idle limit.
 * A stream that the server refused unprocessed (REFUSED_STREAM, or above GOAWAY's last id) reports UPSTREAM_CLOSED with
 * `reused` set and nothing received, so that it is tried again as after a stale connection.
 * Threading: the worker's. Ownership: it frees itself at the end of a turn, after owner->on_close. */
#ifndef PROTO_H2_CLIENT_H
#define PROTO_H2_CLIENT_H

#include "base/list.h"
#include "http/stream.h"
#include "net/sock.h"
#include "net/worker.h"

struct h2_client;

struct h2_client_owner {
    /* Room for new streams has come, or gone (h2_client_has_room tells); also when the last stream has ended. */
    void (*on_change)(struct h2_client *connection);
    /* About to be closed; bound streams have been told. The memory is freed after this turn. */
    void (*on_close)(struct h2_client *connection);
};

struct h2_client_settings {
    uint32_t max_head_bytes, max_fields;
    uint32_t stream_window, connection_window;      /* bytes granted ahead */
    int64_t idle_timeout;                           /* ns; 0: none */
    int64_t read_idle_timeout, ping_timeout;        /* ns: a PING after so long without a frame, closed when none answers; 0: none */
};

/* Takes the socket over. NULL without memory or descriptors (the socket is closed then). */
struct h2_client *h2_client_adopt(struct worker *worker, struct sock *from, const struct h2_client_settings *settings,
                                  const struct h2_client_owner *owner, void *owner_data);
void *h2_client_owner_data(const struct h2_client *connection);
/* May another request begin now? (Not when closing, going away, or as many run as the server allows.) */
bool h2_client_has_room(const struct h2_client *connection);
unsigned h2_client_streams(const struct h2_client *connection);
/* The server takes extended CONNECT (RFC 8441). */
bool h2_client_takes_upgrades(const struct h2_client *connection);
/* Binds a stream; only with room. send_head may be called at once. */
void h2_client_open(struct h2_client *connection, struct upstream_stream *stream);
/* At once; bound streams hear FACT_CLOSED with `why`. */
void h2_client_close(struct h2_client *connection, enum status why);

#endif
