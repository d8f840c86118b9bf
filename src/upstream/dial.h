/* A connection that is being made: the socket, then TLS, then what ALPN chose. Those who wait are bound to it by a stream whose
 * only operation is release, which cancels. It fails or succeeds for all of its waiters; how long it may take is for them to say.
 *
 * Threading: the worker's. Ownership: it frees itself when it is done, or when nobody waits any more. */
#ifndef UPSTREAM_DIAL_H
#define UPSTREAM_DIAL_H

#include "upstream/shared.h"

/* How many may wait for one connection: what servers mostly allow at once. */
#define DIAL_WAITERS_MAX 100

/* Begins for a first waiter, over the origin's addresses; takes the origin over. `joint`: others may join. AGAIN, or why not
 * (nobody is told then). */
enum status dial_begin(struct origin *origin, struct waiter *waiter, bool joint);
/* One in the pool that the waiter may join; NULL: none. */
struct dial *dial_find(const struct pool *pool, const struct waiter *waiter);
void dial_join(struct dial *dial, struct waiter *waiter);
void dial_leave(struct dial *dial, struct waiter *waiter);
void dial_cancel_all(struct pool *pool);

#endif
