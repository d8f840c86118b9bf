/* A client's HTTP/2 connection (RFC 9113): every stream that opens becomes a stream of the product (http/stream.h), as an
 * HTTP/1 request would. Framing and HPACK are nghttp2's; flow control, limits, and what a stream means are decided here.
 *
 * Back-pressure: room is granted to the client (WINDOW_UPDATE) only as bytes leave by source.read; a sink is full while its
 * stream's bytes wait for the client's window or for the connection's output queue. What all streams of one turn wrote leaves
 * together at the end of the turn.
 * Priorities (RFC 9218): `priority` of the request, then PRIORITY_UPDATE, then the response's field; urgency orders streams,
 * incremental ones take turns.
 * Extended CONNECT (RFC 8441): a WebSocket over a stream looks to the product like an HTTP/1 request with Upgrade.
 * Abuse: see h2_settings; what is beyond a budget gets GOAWAY with ENHANCE_YOUR_CALM, and the status says which.
 *
 * Life: h2_server_adopt -> streams come and go -> GOAWAY (drain, max_age, max_requests, idle) -> last stream ends -> closed,
 * freed at the end of the loop's turn. Threading: the worker's. Ownership: it frees itself; `settings` and the list outlive
 * it. */
#ifndef PROTO_H2_SERVER_H
#define PROTO_H2_SERVER_H

#include "net/worker.h"
#include "proto/connection.h"
#include "proto/settings.h"

/* Takes the socket over (sock_move) with what was already read (`input` NULL: nothing; a reference that is taken over), joins
 * `connections`. False without memory or descriptors: the socket is closed then, and the input let go of. */
bool h2_server_adopt(struct worker *worker, struct sock *from, struct chunk *input, uint32_t input_at,
                     const struct client *client, const struct server_settings *settings, struct list *connections);

#endif
