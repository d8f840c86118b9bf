/* A request of our own that takes the way of a client's: through a location of the same site (or, of a request that came by a rule,
 * through the entrypoint's rules), with its chain and service, on the same worker. For auth_request and mirror: who asks wants the
 * status and the head; a body is read and thrown away, up to a bound.
 *
 * It is an exchange whose stream has no connection. It has the parent's fields, client and what is known of it, but no body unless
 * told so, nobody's access log is written for it, and guards (middleware_type.guards) do not ask it anything: they have let the
 * parent in, or it is their own question.
 *
 * Memory: everything that it needs of the parent is copied into its own arena, so either may end first. It pins the parent's graph: a
 * reload takes nothing away from it. Ending: when the parent ends first it is broken off, unless it is `alone`; when the answer was
 * told, what is left of it ends by itself. When the worker stops, subrequests_close breaks off the rest.
 * Worker's thread. */
#ifndef EXCHANGE_SUBREQUEST_H
#define EXCHANGE_SUBREQUEST_H

#include "exchange/exchange.h"

/* One inside of another, so that a location which asks itself comes to an end. */
#define SUBREQUEST_DEPTH_MAX 5
/* Bytes of a body that are thrown away to keep the server's connection; of a longer one the connection is given up. */
#define SUBREQUEST_BODY_MAX ((uint64_t)65536)

struct subrequest_order {
    struct str uri, query;        /* decoded path; query data NULL: none */
    struct str method;            /* empty: GET */
    bool with_body;               /* the parent's held body goes along */
    bool alone;                   /* it goes on when the parent has ended; nobody is told of its answer */
    /* Told once, perhaps before subrequest_start returns, never after the parent's end. `answer` has head and status (0: it came to
     * no answer) and is valid until this returns. Whoever WAITs for it calls exchange_resume. */
    void (*done)(struct exchange *parent, struct exchange *answer, void *context);
    void *context;
};

/* False: it could not be begun (one inside of another too deep, no memory), and nobody will be told. */
bool subrequest_start(struct exchange *parent, const struct subrequest_order *order);

/* For the spine: the parent of x->waits_for ends. */
void subrequests_abandon(struct exchange *parent);
/* Breaks off those that stand alone; all others end with their clients' connections. */
void subrequests_close(struct worker *worker);

#endif
