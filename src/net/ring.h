/* Reading ahead by io_uring, an option of the build (`make URING=1`). What a turn of the loop found ready is received by one
 * system call, before its events are handed out; each owner then reads as ever and finds its bytes there. Nothing is written
 * by a ring, and waiting stays epoll's. In other builds, and where the kernel gives no ring (container runtimes forbid it), each
 * owner's read is a system call of its own, and nothing else differs.
 *
 * What came and waits for its owner is a layer of the socket (struct sock_layer) that goes with the read that takes it. A socket
 * is read ahead only where its owner's next act is to read: who wants that registers a reader.
 *
 * Threading: the loop's. */
#ifndef NET_RING_H
#define NET_RING_H

#include "base/chunkq.h"
#include "base/registry.h"
#include "net/sock.h"

struct epoll_event;

/* The chunk that an owner would read into. */
enum ring_chunk { RING_NONE /* it does not read now, or not at once */, RING_SMALL, RING_LARGE };

/* Sockets are known as this owner's by their callback. */
struct ring_reader {
    void (*on_event)(struct sock *sock, unsigned events);
    enum ring_chunk (*wants)(const struct sock *sock);
};
REGISTRY(ring_reader, const struct ring_reader);

#ifdef PORTICO_URING
/* A ring for the loop; chunks come from `pool`, which lives as long. False with errno: it does without. */
bool ring_open(struct loop *loop, struct chunk_pool *pool);
void ring_close(struct loop *loop);
/* The loop's, before it hands out `events`. */
void ring_read_ahead(struct loop *loop, const struct epoll_event *events, int count);
/* What was read ahead, as a chunk of which the caller gets the reference; counts as a sock_read with as much room. NULL: nothing
 * was, or not in one piece. */
struct chunk *ring_take(struct sock *sock);
#define RING_BUILT true
#else
#include "net/ring_none.h"
#endif

#endif
