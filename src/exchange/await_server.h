/* Requests that wait until a server of their service is ready (holdTimeout): while a container is replaced, nobody is refused.
 *
 * A request waits where its service names nobody, and nothing of it is lost: it was not sent, or can be sent again. Those of one
 * service wait in one queue on each worker, first come first served. A queue is looked at when the worker takes up another
 * configuration, and every few milliseconds as long as anybody waits. When the service is ready a few are let go, and each that was
 * answered lets two more go: a thousand requests do not fall upon a server that has just started. Where servers count as ready and
 * yet refuse, one at a time asks, less and less often. Whoever has waited for as long as it may is let go in any case: the service
 * then decides what becomes of it.
 *
 * The server that comes is mostly named by a newer configuration than the exchange began with. From then on the exchange holds
 * that one too, and service, server and transport are those of it; its chain and its entrypoint stay what they were.
 *
 * Threading: the worker's; the tally is anybody's. */
#ifndef EXCHANGE_AWAIT_SERVER_H
#define EXCHANGE_AWAIT_SERVER_H

#include <stdatomic.h>

#include "exchange/exchange.h"

/* What became of a service's requests, over all workers and through reloads. */
struct await_tally {
    _Atomic uint32_t waiting;         /* now */
    _Atomic uint64_t went_on;         /* of those that had waited: a server was asked */
    _Atomic uint64_t gave_up;         /* none became ready in time */
    _Atomic uint64_t left;            /* the client had gone */
};

/* A service's word on it; in the snapshot. */
struct await_rule {
    int64_t timeout;                  /* ns that a request may wait, all in all */
    unsigned max;                     /* that may wait at once, on all workers */
    struct await_tally *tally;
};

/* The service that was asked names nobody, and x->failure says why. True: x->waiting is set, or x->service is another one that may
 * be asked now. False: it is to be answered, by what x->failure says now. */
bool await_server(struct exchange *x);
/* The exchange, which has an `awaiting`, ends: nothing of it needs the graphs any more. */
void await_end(struct exchange *x);
/* Does it wait now? For people. */
bool await_is_waiting(const struct exchange *x);

/* The worker has taken up another graph. */
void await_graph_changed(struct worker *worker);
/* The worker stops: there is nothing to wait for. */
void await_give_up(struct worker *worker);
/* When no exchange lives any more. */
void await_release(struct worker *worker);

#endif
