/* A connection to a server that speaks HTTP/2 (RFC 9113): many requests at once, each bound to the upstream_stream of whoever
 * asks. Framing and HPACK are nghttp2's; flow control, limits, and what the end of a stream means are decided here.
 *
 * Life: h2_client_adopt takes a connected socket (TLS and ALPN are done) -> h2_client_open per request -> streams end ->
 * idle -> closed by the owner, by the server (GOAWAY: open streams go on, new ones go elsewhere) or by its idle limit.
 * A stream that the server refused unprocessed (REFUSED_STREAM, or above GOAWAY's last id) reports UPSTREAM_CLOSED with
 * `reused` set and nothing sent or received, so that it is tried again as after a stale connection.
 * Back-pressure: a stream's window opens as its body is read, so `stream_window` bytes are held for each at most; the
 * connection's opens as bytes come, so that a slow reader holds up nobody else. A sink is full while STREAM_OUT_BYTES wait.
 * An upgrade to WebSocket becomes an extended CONNECT (RFC 8441), whose 2xx is reported as the 101 that was asked for.
 * What all streams of a turn wrote leaves together at its end.
 * Threading: the worker's. Ownership: it frees itself once it is closed and its last stream was released. */
#ifndef PROTO_H2_CLIENT_H
#define PROTO_H2_CLIENT_H

#include "base/list.h"
#include "http/stream.h"
#include "net/sock.h"
#include "net/worker.h"

struct h2_client;

struct h2_client_owner {
    /* Room for new streams has come, or gone (h2_client_has_room tells); when the server's settings have come; also when the
     * last stream has ended. */
    void (*on_change)(struct h2_client *connection);
    /* About to be closed; bound streams have been told. Once. */
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
struct sock *h2_client_sock(struct h2_client *connection);
/* May another request begin now? (Not when closing, going away, or as many run as the server allows.) */
bool h2_client_has_room(const struct h2_client *connection);
/* Requests that are bound now. */
unsigned h2_client_streams(const struct h2_client *connection);
/* The server has said what it can: before, takes_upgrades knows nothing. */
bool h2_client_is_settled(const struct h2_client *connection);
/* The server takes extended CONNECT (RFC 8441). */
bool h2_client_takes_upgrades(const struct h2_client *connection);
/* Binds a stream; only with room. send_head may be called at once. */
void h2_client_open(struct h2_client *connection, struct upstream_stream *stream);
/* No new streams; closed when the last has ended. */
void h2_client_drain(struct h2_client *connection);
/* At once; bound streams hear FACT_CLOSED with `why`, and are still to be released. */
void h2_client_close(struct h2_client *connection, enum status why);

#endif
