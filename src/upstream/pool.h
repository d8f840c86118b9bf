/* The connections of one worker to one server: for the files of this folder that make and keep them.
 * Idle HTTP/1 connections are connect.c's, shared HTTP/2 ones shared.c's, those that are being made dial.c's.
 *
 * A pool belongs to a slot of servers and lives as long as the worker: a former tenant's connections are told by their origin.
 * Threading: the worker's. */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include <openssl/ssl.h>

#include "proto/h1/client.h"
#include "upstream/connect.h"

struct pool {
    struct list idle;                 /* HTTP/1 connections, the most recently used first: the others may grow old and go */
    struct list shared;               /* HTTP/2 connections (struct shared) */
    struct list dials;                /* that others may wait for too (struct dial) */
    unsigned count;                   /* of the idle ones */
    SSL_SESSION *session;             /* the last that the server gave, to be resumed; NULL: none */
    uint64_t session_server, session_identity;      /* whose it is: server.serial, transport.tls_identity */
};

struct upstream_pools {
    struct pool **slots;
    unsigned size;
    unsigned idle;
    uint64_t generation;              /* of the configuration that runs: see upstream_sweep */
    struct loop *loop;
    struct timer sweep;               /* armed: its rest is to be done */
    unsigned swept;                   /* slots that it has done */
    struct list fetches;              /* under way */
    struct lookups *lookups;          /* names that are looked up for requests; NULL: none was */
};

/* What a connection keeps of where it came from. */
struct origin {
    struct worker *worker;
    struct server *server;            /* one reference */
    struct addr address;              /* the one that is tried or was reached */
    struct pool *pool;                /* of the server's slot */
    unsigned tries_left;              /* further addresses of the name */
    unsigned max_idle;
    uint32_t max_head_bytes;
    int64_t idle_timeout, read_idle_timeout, ping_timeout;
    uint64_t identity;                /* of the transport, for this server: transport_identity */
    bool chosen;                      /* each request chooses what the server is shown: identities take turns */
    bool bare_feeds;
    int64_t made_at, max_age;         /* monotonic ns; 0: any age */
    uint64_t max_requests;            /* 0: any number */
    const struct sock_from *from;     /* `own_from`, or NULL */
    struct sock_from own_from;
};

/* connect.c */
struct pool *pool_of(struct worker *worker, unsigned slot);
/* With the first address. NULL: the name is not resolved. */
struct origin *origin_new(struct worker *worker, struct server *server, const struct transport *transport);
void origin_free(struct origin *origin);
/* The next address after one that failed; false: none is left. */
bool origin_next_address(struct origin *origin, enum status status);
/* The configuration that runs does not name the server any more. */
bool origin_is_gone(const struct origin *origin);
/* A connected socket becomes an HTTP/1 connection, bound to the stream; takes the origin over. False without descriptors: both
 * are gone then. */
bool origin_adopt_h1(struct origin *origin, struct sock *sock, struct upstream_stream *stream);
/* An idle HTTP/1 connection, taken out of its pool; NULL: none. */
struct h1_client *pool_take_idle(struct pool *pool, const struct server *server, uint64_t identity);

#endif
