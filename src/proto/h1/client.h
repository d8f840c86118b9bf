/* A connection to a server that speaks HTTP/1: one request at a time, bound to the upstream_stream of whoever asks.
 *
 * Life: h1_client_new begins to connect (or h1_client_adopt takes over what is connected, under TLS) -> (bound to a stream) connected, request and response -> released: idle in its
 * owner's pool, or closed and freed at the end of the turn. Threading: the worker's. */
#ifndef PROTO_H1_CLIENT_H
#define PROTO_H1_CLIENT_H

#include "base/list.h"
#include "http/stream.h"
#include "proto/h1/body.h"

struct h1_client;

/* What the owner (upstream/connect.c) wants to know. */
struct h1_client_owner {
    /* Not bound any more and good for another request. */
    void (*on_idle)(struct h1_client *connection);
    /* About to be closed, bound or idle; the memory is freed after this turn. */
    void (*on_close)(struct h1_client *connection);
    /* Connecting failed with `status`: give another address and return true, or return false. */
    bool (*next_address)(struct h1_client *connection, enum status status, struct addr *ret_addr);
    /* What its sockets are made from; NULL: anything. The hook itself may be NULL. */
    const struct sock_from *(*from)(const struct h1_client *connection);
};

struct h1_client {
    struct h1_wire wire;
    struct timer timer;                 /* the idle limit */
    struct list link;                   /* in the pool while idle */
    const struct h1_client_owner *owner;
    void *owner_data;
    struct upstream_stream *stream;     /* NULL while idle */
    struct h1_limits limits;
    struct h1_head head;
    struct h1_body_in body_in;
    struct h1_body_out body_out;
    struct chunkq out;
    enum method method;                 /* of the request under way: frames the response */
    uint64_t requests;
    struct deferred freeing;
    bool connected, closed, upgraded, upgrade_asked;
    bool head_complete;
    bool spliced;                       /* the last body went through a pipe: little of the next is read along with its head */
};

/* Begins to connect to `address`. The status is that of sock_connect; on failure no connection is made. */
enum status h1_client_new(struct worker *worker, const struct addr *address, const struct h1_limits *limits,
                          const struct h1_client_owner *owner, void *owner_data, struct h1_client **ret_connection);
/* Takes a connected socket over. NULL without descriptors (the socket is closed then). */
struct h1_client *h1_client_adopt(struct worker *worker, struct sock *from, const struct h1_limits *limits,
                                  const struct h1_client_owner *owner, void *owner_data);
/* Binds an idle or connecting connection to a stream. */
void h1_client_bind(struct h1_client *connection, struct upstream_stream *stream);
/* At once; a bound stream is not told. */
void h1_client_close(struct h1_client *connection);
/* An idle connection closes by itself after this long; 0: never. */
void h1_client_expire_after(struct h1_client *connection, int64_t ns);

#endif
