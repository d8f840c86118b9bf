/* Is the process about to end? Said once by whoever stops it, asked by ping@internal, so that a load balancer in front sees
 * it before connections are refused. Any thread. */
#ifndef SERVICE_STOPPING_H
#define SERVICE_STOPPING_H

#include <stdatomic.h>

extern _Atomic int stopping_status;

/* From now on ping answers with this status (ping.terminatingStatusCode). */
static inline void stopping_begin(int status)
{
    atomic_store(&stopping_status, status);
}
/* 0 while the process runs on. */
static inline int stopping_now(void)
{
    return atomic_load_explicit(&stopping_status, memory_order_relaxed);
}

#endif
