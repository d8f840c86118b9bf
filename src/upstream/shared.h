/* Connections to servers that may speak HTTP/2: by TLS and ALPN, or from the first byte (h2c). Requests share them; while one is
 * being made, others wait for it. For upstream/connect.c. Threading: the worker's. */
#ifndef UPSTREAM_SHARED_H
#define UPSTREAM_SHARED_H

#include "upstream/pool.h"

struct dial;
struct shared;

/* A request that waits for a connection: in its stream's arena, in the list of what it waits for. */
struct waiter {
    struct list link;
    struct upstream_stream *stream;
    struct dial *dial;                /* that it waits for; NULL: for `shared` to be settled, or for nothing any more */
    struct shared *shared;
    struct worker *worker;
    struct server *server;            /* whoever waits holds it */
    const struct transport *transport;
    unsigned wishes;                  /* enum upstream_wish */
};

/* As upstream_open, for a server that is secure or h2c. */
enum status shared_open(struct worker *worker, struct server *server, const struct transport *transport, unsigned wishes,
                        struct upstream_stream *stream);
/* A connected socket (of a dial) becomes a shared connection, which takes its waiters and the origin over. False without memory
 * or descriptors: socket and origin are gone then, the waiters are as they were. */
bool shared_adopt(struct origin *origin, struct sock *sock, struct list *waiters);
/* Waits again, for another connection: after one that had no room for it. */
void shared_wait_again(struct waiter *waiter);
/* Nothing came of it; the stream's detail says more, if anything does. */
void waiter_fail(struct waiter *waiter, enum status why);
/* Those without requests to servers that are gone are closed, others end with their last request. */
void shared_sweep(struct pool *pool);
void shared_close_all(struct pool *pool);
unsigned shared_idle_count(const struct pool *pool);

#endif
