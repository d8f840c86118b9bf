#include "upstream/shared.h"

#include <stdlib.h>

#include "base/memory.h"
#include "proto/h2/client.h"
#include "upstream/dial.h"

#define FIELDS_MAX 1000
#define STREAM_WINDOW ((uint32_t)262144)         /* bytes of a response that may wait here for a slow client */
#define CONNECTION_WINDOW ((uint32_t)8388608)    /* of all; it opens as they come */

struct shared {
    struct list link;                   /* in its pool */
    struct h2_client *connection;
    struct origin *origin;              /* owned */
    struct list waiters;                /* until the server has said what it can */
    struct deferred freeing;
};

/* ---- waiting ---- */

static void release_waiter(struct upstream_stream *stream, bool reusable)
{
    struct waiter *waiter = stream->connection;
    stream->connection = NULL;
    if (waiter->dial != NULL)
        dial_leave(waiter->dial, waiter);
    else
        list_remove(&waiter->link);
}

static const struct upstream_ops waiter_ops = {.release = release_waiter};

void waiter_fail(struct waiter *waiter, enum status why)
{
    struct upstream_stream *stream = waiter->stream;
    stream->failure = why;
    stream->on_facts(stream, FACT_CLOSED);
}

static struct waiter *new_waiter(struct worker *worker, struct server *server, const struct transport *transport,
                                 unsigned wishes, struct upstream_stream *stream)
{
    struct waiter *waiter = arena_alloc(stream->arena, sizeof(*waiter));
    if (waiter == NULL)
        return NULL;
    *waiter = (struct waiter){
        .stream = stream, .worker = worker, .server = server, .transport = transport, .wishes = wishes};
    list_init(&waiter->link);
    return waiter;
}

/* While it waits, the stream can only be released. */
static void bind_waiter(struct waiter *waiter)
{
    struct upstream_stream *stream = waiter->stream;
    stream->ops = &waiter_ops;
    stream->connection = waiter;
    stream->failure = STATUS_OK;
    stream->reused = stream->anything_sent = stream->anything_received = false;
    stream->bytes_in = stream->bytes_out = 0;
}

/* May what is dialled for it serve others too? Not when it will surely speak HTTP/1. */
static bool is_joint(const struct waiter *waiter)
{
    const struct server *server = waiter->server;
    if (server->h2c)
        return true;
    return waiter->transport->h2 && (waiter->wishes & UPSTREAM_UPGRADE) == 0 &&
           atomic_load_explicit(&server->speaks_h2, memory_order_relaxed) != SERVER_H2_NO;
}

/* Joins a connection that is being made, or begins one. */
static enum status wait_for_connection(struct waiter *waiter)
{
    bool joint = is_joint(waiter);
    struct dial *dial = joint ? dial_find(pool_of(waiter->worker, waiter->server->slot), waiter) : NULL;
    if (dial != NULL) {
        dial_join(dial, waiter);
        return STATUS_AGAIN;
    }
    struct origin *origin = origin_new(waiter->worker, waiter->server, waiter->transport);
    return origin != NULL ? dial_begin(origin, waiter, joint) : STATUS_UPSTREAM_UNRESOLVED;
}

void shared_wait_again(struct waiter *waiter)
{
    enum status status = wait_for_connection(waiter);
    if (status != STATUS_AGAIN)
        waiter_fail(waiter, status);
}

/* ---- connections ---- */

/* Who need not wait any more: all but those whose upgrade depends on settings that have not come. */
static struct waiter *next_waiter(struct shared *shared)
{
    bool settled = h2_client_is_settled(shared->connection);
    LIST_FOREACH(&shared->waiters, link) {
        struct waiter *waiter = container_of(link, struct waiter, link);
        if (settled || (waiter->wishes & UPSTREAM_UPGRADE) == 0)
            return waiter;
    }
    return NULL;
}

static void serve(struct shared *shared)
{
    struct waiter *waiter;
    while (shared->connection != NULL && (waiter = next_waiter(shared)) != NULL) {
        struct h2_client *connection = shared->connection;
        list_remove(&waiter->link);
        waiter->shared = NULL;
        if ((waiter->wishes & UPSTREAM_UPGRADE) != 0 && !h2_client_takes_upgrades(connection)) {
            waiter_fail(waiter, STATUS_UPSTREAM_PROTOCOL);
        } else if (h2_client_has_room(connection)) {
            h2_client_open(connection, waiter->stream);
            waiter->stream->on_facts(waiter->stream, FACT_WRITABLE);
        } else {
            shared_wait_again(waiter);
        }
    }
}

static void on_change(struct h2_client *connection)
{
    struct shared *shared = h2_client_owner_data(connection);
    serve(shared);
    if (shared->connection != NULL && origin_is_gone(shared->origin))
        h2_client_drain(connection);
}

static void free_shared(struct deferred *deferred)
{
    free(container_of(deferred, struct shared, freeing));
}

static void on_close(struct h2_client *connection)
{
    struct shared *shared = h2_client_owner_data(connection);
    struct list *link;
    list_remove(&shared->link);
    shared->connection = NULL;
    while ((link = list_pop(&shared->waiters)) != NULL)
        waiter_fail(container_of(link, struct waiter, link), STATUS_UPSTREAM_CLOSED);
    struct loop *loop = &shared->origin->worker->loop;
    origin_free(shared->origin);
    shared->freeing.run = free_shared;
    loop_defer_free(loop, &shared->freeing);
}

static const struct h2_client_owner owner = {.on_change = on_change, .on_close = on_close};

bool shared_adopt(struct origin *origin, struct sock *sock, struct list *waiters)
{
    struct h2_client_settings settings = {.max_head_bytes = origin->max_head_bytes,
                                          .max_fields = FIELDS_MAX,
                                          .stream_window = STREAM_WINDOW,
                                          .connection_window = CONNECTION_WINDOW,
                                          .idle_timeout = origin->idle_timeout,
                                          .read_idle_timeout = origin->read_idle_timeout,
                                          .ping_timeout = origin->ping_timeout};
    struct shared *shared = memory_zalloc(sizeof(*shared));
    struct list *link;
    shared->origin = origin;
    list_init(&shared->waiters);
    shared->connection = h2_client_adopt(origin->worker, sock, &settings, &owner, shared);
    if (shared->connection == NULL) {
        origin_free(origin);
        free(shared);
        return false;
    }
    list_append(&origin->pool->shared, &shared->link);
    while ((link = list_pop(waiters)) != NULL) {
        container_of(link, struct waiter, link)->shared = shared;
        list_append(&shared->waiters, link);
    }
    serve(shared);
    return true;
}

/* One with room. A request that failed on a stale connection does not try another that has been idle. */
static struct shared *find(const struct pool *pool, const struct server *server, uint64_t identity, unsigned wishes)
{
    LIST_FOREACH(&pool->shared, link) {
        struct shared *shared = container_of(link, struct shared, link);
        bool idle = h2_client_streams(shared->connection) == 0;
        if (shared->origin->server == server && shared->origin->identity == identity &&
            h2_client_has_room(shared->connection) && !(idle && (wishes & UPSTREAM_FRESH) != 0))
            return shared;
    }
    return NULL;
}

/* A WebSocket over a shared connection: OK, AGAIN, or END when it needs one of its own. */
static enum status open_upgrade(struct shared *shared, struct waiter *waiter)
{
    bool only_h2 = waiter->server->h2c;
    if ((waiter->wishes & UPSTREAM_WEBSOCKET) == 0)
        return STATUS_END;
    if (!h2_client_is_settled(shared->connection)) {
        if (!only_h2)
            return STATUS_END;
        waiter->shared = shared;
        list_append(&shared->waiters, &waiter->link);
        return STATUS_AGAIN;
    }
    if (!h2_client_takes_upgrades(shared->connection))
        return only_h2 ? STATUS_UPSTREAM_PROTOCOL : STATUS_END;
    h2_client_open(shared->connection, waiter->stream);
    return STATUS_OK;
}

static enum status open_stream(struct shared *shared, struct waiter *waiter)
{
    if ((waiter->wishes & UPSTREAM_UPGRADE) != 0)
        return open_upgrade(shared, waiter);
    h2_client_open(shared->connection, waiter->stream);
    return STATUS_OK;
}

__attribute__((noinline)) enum status shared_open(struct worker *worker, struct server *server,
                                                  const struct transport *transport, unsigned wishes,
                                                  struct upstream_stream *stream)
{
    struct pool *pool = pool_of(worker, server->slot);
    uint64_t identity = transport_identity(transport, server);
    /* Nothing but WebSocket is to be had over HTTP/2: other wishes are passed over where nothing else is spoken. */
    if (server->h2c && (wishes & UPSTREAM_WEBSOCKET) == 0)
        wishes &= ~(unsigned)UPSTREAM_UPGRADE;
    struct waiter *waiter = new_waiter(worker, server, transport, wishes, stream);
    if (waiter == NULL)
        return STATUS_OUT_OF_MEMORY;
    bind_waiter(waiter);
    struct shared *shared = find(pool, server, identity, wishes);
    enum status status = shared != NULL ? open_stream(shared, waiter) : STATUS_END;
    if (status != STATUS_END)
        return status;
    struct h1_client *idle =
        server->h2c || (wishes & UPSTREAM_FRESH) != 0 ? NULL : pool_take_idle(pool, server, identity);
    if (idle == NULL)
        return wait_for_connection(waiter);
    h1_client_bind(idle, stream);
    stream->address = &((const struct origin *)idle->owner_data)->address;
    return STATUS_OK;
}

void shared_sweep(struct pool *pool)
{
    LIST_FOREACH(&pool->shared, link) {
        struct shared *shared = container_of(link, struct shared, link);
        if (origin_is_gone(shared->origin))
            h2_client_drain(shared->connection);
    }
}

void shared_close_all(struct pool *pool)
{
    while (!list_empty(&pool->shared))
        h2_client_close(container_of(pool->shared.next, struct shared, link)->connection, STATUS_STOPPING);
}

unsigned shared_idle_count(const struct pool *pool)
{
    unsigned count = 0;
    LIST_FOREACH(&pool->shared, link)
        count += h2_client_streams(container_of(link, struct shared, link)->connection) == 0;
    return count;
}
