/* Idle connections per worker and server, and the making of new ones. */
#include "upstream/connect.h"

#include <stdlib.h>

#include "base/memory.h"
#include "proto/h1/client.h"
#include "upstream/fetch.h"

/* The idle connections of one worker to one server, the most recently used first: the others may grow old and go. */
struct pool {
    struct list idle;
    unsigned count;
    const struct server *server;      /* compared only: tells a slot's new tenant from the former one */
};

struct upstream_pools {
    struct pool **slots;
    unsigned size;
    unsigned idle;
    uint64_t generation;              /* of the configuration that runs: see upstream_sweep */
    struct list fetches;              /* under way */
};

/* What a connection keeps of where it came from. */
struct attempt {
    struct server *server;            /* one reference */
    struct addr address;              /* the one that is tried or was reached */
    struct pool *pool;                /* of the server's slot; lives as long as the worker */
    unsigned tries_left;              /* further addresses of the name */
    unsigned max_idle;
    int64_t idle_timeout;
};

static struct upstream_pools *pools_of(struct worker *worker)
{
    if (worker->upstreams == NULL) {
        worker->upstreams = memory_zalloc(sizeof(*worker->upstreams));
        list_init(&worker->upstreams->fetches);
    }
    return worker->upstreams;
}

struct list *upstream_fetches(struct worker *worker)
{
    return &pools_of(worker)->fetches;
}

static __attribute__((noinline)) struct pool *new_pool(struct worker *worker, unsigned slot)
{
    struct upstream_pools *pools = pools_of(worker);
    if (slot >= pools->size) {
        unsigned size = slot + 16;
        pools->slots = memory_resize(pools->slots, size * sizeof(*pools->slots));
        memset(pools->slots + pools->size, 0, (size - pools->size) * sizeof(*pools->slots));
        pools->size = size;
    }
    struct pool *pool = memory_zalloc(sizeof(*pool));
    list_init(&pool->idle);
    return pools->slots[slot] = pool;
}

static struct pool *pool_of(struct worker *worker, unsigned slot)
{
    struct upstream_pools *pools = worker->upstreams;
    if (pools == NULL || slot >= pools->size || pools->slots[slot] == NULL)
        return new_pool(worker, slot);
    return pools->slots[slot];
}

static void leave_pool(struct h1_client *connection)
{
    if (list_empty(&connection->link))
        return;
    struct attempt *attempt = connection->owner_data;
    list_remove(&connection->link);
    attempt->pool->count--;
    connection->wire.worker->upstreams->idle--;
}

static void on_close(struct h1_client *connection)
{
    leave_pool(connection);
    struct attempt *attempt = connection->owner_data;
    server_unref(attempt->server);
    free(attempt);
    connection->owner_data = NULL;
}

static bool is_gone(const struct upstream_pools *pools, const struct server *server)
{
    return atomic_load_explicit(&server->generation, memory_order_relaxed) < pools->generation;
}

static void on_idle(struct h1_client *connection)
{
    struct attempt *attempt = connection->owner_data;
    struct pool *pool = attempt->pool;
    if (pool->count >= attempt->max_idle || is_gone(connection->wire.worker->upstreams, attempt->server)) {
        h1_client_close(connection);
        return;
    }
    list_push(&pool->idle, &connection->link);
    pool->count++;
    connection->wire.worker->upstreams->idle++;
    h1_client_expire_after(connection, attempt->idle_timeout);
}

static bool next_address(struct h1_client *connection, enum status status, struct addr *ret_addr)
{
    struct attempt *attempt = connection->owner_data;
    if (attempt->tries_left == 0 || status == STATUS_OVERLOADED)
        return false;
    attempt->tries_left--;
    server_address_failed(attempt->server, &attempt->address);
    if (!server_next_address(attempt->server, ret_addr))
        return false;
    attempt->address = *ret_addr;
    return true;
}

static const struct h1_client_owner owner = {.on_idle = on_idle, .on_close = on_close, .next_address = next_address};

static struct h1_client *take_idle(struct worker *worker, const struct server *server)
{
    struct pool *pool = pool_of(worker, server->slot);
    while (!list_empty(&pool->idle)) {
        struct h1_client *connection = container_of(pool->idle.next, struct h1_client, link);
        struct attempt *attempt = connection->owner_data;
        leave_pool(connection);
        list_init(&connection->link);
        if (attempt->server == server)
            return connection;
        h1_client_close(connection);      /* the slot's former tenant */
    }
    return NULL;
}

/* How many addresses a name has beside the one that is tried first. */
static unsigned further_addresses(struct server *server)
{
    struct addr addresses[SERVER_ADDRESSES_MAX];
    unsigned count = server->named ? server_addresses(server, addresses) : 0;
    return count > 1 ? count - 1 : 0;
}

static enum status open_new(struct worker *worker, struct server *server, const struct transport *transport,
                            struct upstream_stream *stream)
{
    struct addr address;
    if (!server_next_address(server, &address))
        return STATUS_UPSTREAM_UNRESOLVED;
    struct attempt *attempt = memory_zalloc(sizeof(*attempt));
    *attempt = (struct attempt){.server = server_ref(server),
                                .address = address,
                                .pool = pool_of(worker, server->slot),
                                .tries_left = further_addresses(server),
                                .max_idle = transport->max_idle,
                                .idle_timeout = transport->idle_timeout};
    struct h1_limits limits = {
        .line_bytes = 65536, .head_bytes = transport->max_head_bytes, .field_count = 1000};
    struct h1_client *connection;
    enum status status = h1_client_new(worker, &address, &limits, &owner, attempt, &connection);
    while (status != STATUS_OK && status != STATUS_AGAIN && attempt->tries_left != 0) {
        attempt->tries_left--;
        server_address_failed(server, &attempt->address);
        if (!server_next_address(server, &attempt->address))
            break;
        status = h1_client_new(worker, &attempt->address, &limits, &owner, attempt, &connection);
    }
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        server_unref(server);
        free(attempt);
        return status;
    }
    h1_client_bind(connection, stream);
    return status;
}

enum status upstream_open(struct worker *worker, struct server *server, const struct transport *transport,
                          bool fresh, struct upstream_stream *stream)
{
    struct h1_client *connection = fresh ? NULL : take_idle(worker, server);
    if (connection == NULL)
        return open_new(worker, server, transport, stream);
    h1_client_bind(connection, stream);
    return STATUS_OK;
}

void upstream_sweep(struct worker *worker, uint64_t generation)
{
    struct upstream_pools *pools = pools_of(worker);
    pools->generation = generation;
    for (unsigned slot = 0; slot < pools->size; slot++) {
        if (pools->slots[slot] == NULL)
            continue;
        LIST_FOREACH(&pools->slots[slot]->idle, it) {
            struct h1_client *connection = container_of(it, struct h1_client, link);
            if (is_gone(pools, ((const struct attempt *)connection->owner_data)->server))
                h1_client_close(connection);
        }
    }
}

void upstream_forget_all(struct worker *worker)
{
    struct upstream_pools *pools = worker->upstreams;
    if (pools == NULL)
        return;
    LIST_FOREACH(&pools->fetches, it)
        fetch_cancel(fetch_of(it));
    for (unsigned slot = 0; slot < pools->size; slot++) {
        if (pools->slots[slot] == NULL)
            continue;
        LIST_FOREACH(&pools->slots[slot]->idle, it)
            h1_client_close(container_of(it, struct h1_client, link));
        free(pools->slots[slot]);
    }
    free(pools->slots);
    free(pools);
    worker->upstreams = NULL;
}

unsigned upstream_idle_count(const struct worker *worker)
{
    return worker->upstreams != NULL ? worker->upstreams->idle : 0;
}
