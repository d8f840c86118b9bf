/* Owns a loop's ring: receives what is ready, at once, and keeps it at the socket until its owner reads. Never waits: a receive
 * that would block ends with EAGAIN within the same system call, so no buffer is ever the kernel's between two turns. */
#include "net/ring.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/memory.h"

#define READINGS 256      /* as many as a turn has events */

struct reading {
    struct sock *sock;
    struct chunk *chunk;
};

struct ring {
    struct io_uring uring;
    struct chunk_pool *pool;
    struct reading readings[READINGS];
};

bool ring_open(struct loop *loop, struct chunk_pool *pool)
{
    struct ring *ring = memory_zalloc(sizeof(*ring));
    /* All or none are tried, whatever becomes of the first: Linux 5.18. */
    int error = io_uring_queue_init(READINGS, &ring->uring, IORING_SETUP_SUBMIT_ALL);
    if (error < 0) {
        free(ring);
        errno = -error;
        return false;
    }
    ring->pool = pool;
    loop->ring = ring;
    return true;
}

void ring_close(struct loop *loop)
{
    if (loop->ring == NULL)
        return;
    io_uring_queue_exit(&loop->ring->uring);
    free(loop->ring);
    loop->ring = NULL;
}

/* ---- what waits at a socket ---- */

static void leave(struct sock *sock)
{
    sock->layer = NULL;
    sock->layer_state = NULL;
    sock->buffered = false;
}

/* An owner that reads by the piece: what is left, `used` bytes, moves to the front. Whether the socket is drained stays open, and one
 * more read finds it out. */
static enum status read_bytes(struct sock *sock, void *buffer, size_t size, size_t *ret_got)
{
    struct chunk *chunk = sock->layer_state;
    size_t got = size < chunk->used ? size : chunk->used;
    memcpy(buffer, chunk->data, got);
    *ret_got = got;
    chunk->used -= (uint32_t)got;
    memmove(chunk->data, chunk->data + got, chunk->used);
    if (chunk->used == 0) {
        leave(sock);
        chunk_unref(chunk);
    }
    return STATUS_OK;
}

/* The end, or the error that the kernel tells only once. */
static enum status read_end(struct sock *sock, void *buffer, size_t size, size_t *ret_got)
{
    int error = (int)(intptr_t)sock->layer_state;
    leave(sock);
    if (error == 0) {
        sock->peer_done = true;
        return STATUS_END;
    }
    sock->broken = true;
    errno = error;
    return STATUS_IO_ERROR;
}

static void ignore(struct sock *sock)
{
}

static void drop_bytes(struct sock *sock, bool orderly)
{
    chunk_unref(sock->layer_state);
}

static void drop_end(struct sock *sock, bool orderly)
{
}

static const struct sock_layer bytes_layer = {
    .read = read_bytes, .write = sock_write_plain, .shutdown = ignore, .release = drop_bytes, .moved = ignore};
static const struct sock_layer end_layer = {
    .read = read_end, .write = sock_write_plain, .shutdown = ignore, .release = drop_end, .moved = ignore};

struct chunk *ring_take(struct sock *sock)
{
    if (sock->layer != &bytes_layer)
        return NULL;
    struct chunk *chunk = sock->layer_state;
    /* Less than there was room for has drained the socket, as in sock_read. */
    if (chunk->used < chunk->capacity && !sock->peer_done)
        sock->readable = false;
    leave(sock);
    return chunk;
}

/* ---- reading ahead ---- */

static enum ring_chunk wanted(const struct sock *sock)
{
    REGISTRY_FOREACH(ring_reader, const struct ring_reader, it)
    {
        if ((*it)->on_event == sock->on_event)
            return (*it)->wants(sock);
    }
    return RING_NONE;
}

/* Where the end or an error is known already, or the event is a former descriptor's, the owner sees for itself. */
static bool begin(struct ring *ring, struct reading *reading, const struct epoll_event *event, uint32_t turn)
{
    struct watch *watch = event->data.ptr;
    if ((event->events & ~(uint32_t)EPOLLOUT) != EPOLLIN || watch->fd < 0 || watch->since == turn || !sock_owns(watch))
        return false;
    struct sock *sock = container_of(watch, struct sock, watch);
    if (sock->layer != NULL || sock->peer_done || sock->broken || sock->connecting)
        return false;
    enum ring_chunk kind = wanted(sock);
    struct chunk *chunk = kind != RING_NONE ? chunk_new(ring->pool, kind == RING_LARGE) : NULL;
    *reading = (struct reading){.sock = sock, .chunk = chunk};
    return chunk != NULL;
}

static void finish(struct reading *reading, int result)
{
    struct sock *sock = reading->sock;
    if (result <= 0)
        chunk_unref(reading->chunk);
    if (result == -EAGAIN || result == -EINTR)
        return;
    if (result > 0)
        reading->chunk->used = (uint32_t)result;
    sock->layer = result > 0 ? &bytes_layer : &end_layer;
    sock->layer_state = result > 0 ? (void *)reading->chunk : (void *)(intptr_t)-result;
    sock->buffered = true;
}

/* Gives how many were begun; those are done when it returns. */
static unsigned receive(struct ring *ring, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct chunk *chunk = ring->readings[i].chunk;
        struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);
        assert(entry != NULL);
        io_uring_prep_recv(entry, ring->readings[i].sock->watch.fd, chunk->data, chunk->capacity, MSG_DONTWAIT);
        io_uring_sqe_set_data64(entry, i);
    }
    int begun = io_uring_submit_and_wait(&ring->uring, count);
    struct io_uring_cqe *first;
    while (begun > 0 && io_uring_cq_ready(&ring->uring) < (unsigned)begun)
        io_uring_wait_cqe_nr(&ring->uring, &first, (unsigned)begun);
    return begun > 0 ? (unsigned)begun : 0;
}

static void take_results(struct ring *ring)
{
    unsigned head, seen = 0;
    struct io_uring_cqe *it;
    io_uring_for_each_cqe(&ring->uring, head, it)
    {
        finish(&ring->readings[it->user_data], it->res);
        seen++;
    }
    io_uring_cq_advance(&ring->uring, seen);
}

void ring_read_ahead(struct loop *loop, const struct epoll_event *events, int count)
{
    struct ring *ring = loop->ring;
    unsigned wishes = 0;
    if (ring == NULL || count < 2)
        return;
    for (int i = 0; i < count && wishes < READINGS; i++)
        if (begin(ring, &ring->readings[wishes], &events[i], loop->turn))
            wishes++;
    /* One costs its owner no more. */
    unsigned begun = wishes > 1 ? receive(ring, wishes) : 0;
    take_results(ring);
    for (unsigned i = begun; i < wishes; i++)
        chunk_unref(ring->readings[i].chunk);
    /* The kernel took less than it was given, for want of memory: nothing relies on it then. */
    if (wishes > 1 && begun < wishes)
        ring_close(loop);
}
