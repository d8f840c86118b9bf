/* A build without io_uring: for ring.h. */
#ifndef NET_RING_NONE_H
#define NET_RING_NONE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct chunk_pool;
struct epoll_event;
struct loop;
struct sock;

#define RING_BUILT false

static inline bool ring_open(struct loop *loop, struct chunk_pool *pool)
{
    errno = ENOSYS;
    return false;
}
static inline void ring_close(struct loop *loop)
{
}
static inline void ring_read_ahead(struct loop *loop, const struct epoll_event *events, int count)
{
}
static inline struct chunk *ring_take(struct sock *sock)
{
    return NULL;
}

#endif
