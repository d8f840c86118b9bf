/* A request of our own that takes the way of a client's: through a location of the same site, with its chain and service, on the
 * same worker. For auth_request and mirror: who asks wants the status and the head; a body is read and thrown away, up to a bound.
 *
 * It has the parent's fields and variables' sources but no body unless told so, and nobody's access log is written for it.
 * Ownership: the parent exchange; when the parent ends first, the subrequest is abandoned (or goes on alone, for mirrors).
 * Worker's thread. */
#ifndef EXCHANGE_SUBREQUEST_H
#define EXCHANGE_SUBREQUEST_H

#include "exchange/exchange.h"

struct subrequest;

struct subrequest_order {
    struct str uri, query;        /* decoded path; query data NULL: none */
    struct str method;            /* empty: GET */
    bool with_body;               /* the parent's held body goes along */
    bool alone;                   /* it goes on when the parent has ended; nobody is told of its answer */
    /* Told once, from the loop, never from within subrequest_start; `answer` has head and status and is valid until it returns. */
    void (*done)(struct exchange *parent, struct exchange *answer, void *context);
    void *context;
};

/* NULL: it could not be begun (too many, one inside of another too deep, no memory). */
struct subrequest *subrequest_start(struct exchange *parent, const struct subrequest_order *order);

#endif
