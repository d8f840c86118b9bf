/* How many connections and requests a worker has and had, for whoever wants to know at any time: written by the worker alone, read by
 * any thread (relaxed atomics: each number is right, together they may be a request apart). */
#ifndef NET_TRAFFIC_H
#define NET_TRAFFIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"

struct traffic {
    _Atomic uint64_t accepted;        /* connections since the worker began */
    _Atomic uint64_t requests;        /* of clients */
    _Atomic uint64_t open;            /* connections */
    _Atomic uint64_t running;         /* exchanges */
    _Atomic uint64_t reading;         /* of them: a head that did not come at once is awaited */
    struct list link;                 /* of all workers' */
};

/* By the worker's own thread. */
static inline void traffic_count(_Atomic uint64_t *number, int64_t change)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + (uint64_t)change, memory_order_relaxed);
}
static inline uint64_t traffic_value(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* A worker comes, and goes. */
void traffic_join(struct traffic *traffic);
void traffic_leave(struct traffic *traffic);

struct traffic_sum {
    uint64_t accepted, requests, open, running, reading;
};
/* Of all workers that are there. Any thread. */
struct traffic_sum traffic_sum(void);

#endif
