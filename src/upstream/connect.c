/* Idle HTTP/1 connections per worker and server, and the making of new ones to servers without TLS. The others: shared.c. */
#include "upstream/connect.h"

#include <stdlib.h>

#include "base/memory.h"
#include "upstream/dial.h"
#include "upstream/fetch.h"
#include "upstream/lookup.h"
#include "upstream/shared.h"

#define NAMES_MAX 4096            /* that a worker remembers for requests */
#define WAVE (TIME_S / 2)         /* the idle connections that are too many are kept for so long */

static void sweep_on(struct timer *timer);

static struct upstream_pools *pools_of(struct worker *worker)
{
    if (worker->upstreams == NULL) {
        worker->upstreams = memory_zalloc(sizeof(*worker->upstreams));
        worker->upstreams->loop = &worker->loop;
        timer_init(&worker->upstreams->sweep, sweep_on);
        list_init(&worker->upstreams->fetches);
    }
    return worker->upstreams;
}

struct list *upstream_fetches(struct worker *worker)
{
    return &pools_of(worker)->fetches;
}

struct lookups *upstream_lookups(struct worker *worker)
{
    struct upstream_pools *pools = pools_of(worker);
    if (pools->lookups == NULL)
        pools->lookups = lookups_new(&worker->loop, NAMES_MAX);
    return pools->lookups;
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
    list_init(&pool->shared);
    list_init(&pool->dials);
    return pools->slots[slot] = pool;
}

struct pool *pool_of(struct worker *worker, unsigned slot)
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
    struct origin *origin = connection->owner_data;
    list_remove(&connection->link);
    origin->pool->count--;
    connection->wire.worker->upstreams->idle--;
}

void origin_free(struct origin *origin)
{
    server_unref(origin->server);
    free(origin);
}

static void on_close(struct h1_client *connection)
{
    leave_pool(connection);
    origin_free(connection->owner_data);
    connection->owner_data = NULL;
}

static bool is_gone(const struct upstream_pools *pools, const struct server *server)
{
    return atomic_load_explicit(&server->generation, memory_order_relaxed) < pools->generation;
}

bool origin_is_gone(const struct origin *origin)
{
    return is_gone(origin->worker->upstreams, origin->server);
}

/* For how long a connection may be idle here. Requests come in waves (a client's streams of HTTP/2 do so always): what is beyond
 * the limit between two of them is not closed only to be opened again. */
static int64_t idle_time(const struct origin *origin)
{
    int64_t limit = origin->idle_timeout;
    return origin->pool->count < origin->max_idle || (limit != 0 && limit < WAVE) ? limit : WAVE;
}

static bool has_served_its_time(const struct h1_client *connection, const struct origin *origin)
{
    return (origin->max_requests != 0 && connection->requests >= origin->max_requests) ||
           (origin->max_age != 0 && origin->worker->loop.now - origin->made_at >= origin->max_age);
}

static void on_idle(struct h1_client *connection)
{
    struct origin *origin = connection->owner_data;
    struct pool *pool = origin->pool;
    if (origin->max_idle == 0 || has_served_its_time(connection, origin) || is_gone(connection->wire.worker->upstreams, origin->server)) {
        h1_client_close(connection);
        return;
    }
    h1_client_expire_after(connection, idle_time(origin));
    list_push(&pool->idle, &connection->link);
    pool->count++;
    connection->wire.worker->upstreams->idle++;
}

bool origin_next_address(struct origin *origin, enum status status)
{
    if (origin->tries_left == 0 || status == STATUS_OVERLOADED)
        return false;
    origin->tries_left--;
    server_address_failed(origin->server, &origin->address);
    return server_next_address(origin->server, &origin->address);
}

static bool next_address(struct h1_client *connection, enum status status, struct addr *ret_addr)
{
    struct origin *origin = connection->owner_data;
    if (!origin_next_address(origin, status))
        return false;
    *ret_addr = origin->address;
    return true;
}

static const struct sock_from *from(const struct h1_client *connection)
{
    return ((const struct origin *)connection->owner_data)->from;
}

static const struct h1_client_owner owner = {
    .on_idle = on_idle, .on_close = on_close, .next_address = next_address, .from = from};

struct h1_client *pool_take_idle(struct pool *pool, const struct server *server, uint64_t identity)
{
    for (struct list *link = pool->idle.next, *next; link != &pool->idle; link = next) {
        struct h1_client *connection = container_of(link, struct h1_client, link);
        const struct origin *origin = connection->owner_data;
        bool fits = origin->server == server && origin->identity == identity;
        next = link->next;
        if (!fits && origin->server == server && origin->chosen)
            continue;                     /* another request's choice of certificate: one like it may come */
        leave_pool(connection);
        list_init(&connection->link);
        if (fits)
            return connection;
        h1_client_close(connection);      /* the slot's former tenant, or made by other options */
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

struct origin *origin_new(struct worker *worker, struct server *server, const struct transport *transport)
{
    struct addr address;
    if (!server_next_address(server, &address))
        return NULL;
    struct origin *origin = memory_alloc(sizeof(*origin));
    *origin = (struct origin){.worker = worker,
                              .server = server_ref(server),
                              .address = address,
                              .pool = pool_of(worker, server->slot),
                              .tries_left = further_addresses(server),
                              .max_idle = transport->max_idle,
                              .max_head_bytes = transport->max_head_bytes,
                              .idle_timeout = transport->idle_timeout,
                              .read_idle_timeout = transport->read_idle_timeout,
                              .ping_timeout = transport->ping_timeout,
                              .bare_feeds = transport->bare_feeds,
                              .max_age = transport->max_age,
                              .max_requests = transport->max_requests,
                              .identity = transport_identity(transport, server),
                              .chosen = transport->certificate != NULL || transport->shown != NULL};
    if (transport->from != NULL) {
        origin->own_from = *transport->from;
        origin->from = &origin->own_from;
    }
    origin->made_at = worker->loop.now;
    return origin;
}

static struct h1_limits limits_of(const struct origin *origin)
{
    return (struct h1_limits){.line_bytes = 65536, .head_bytes = origin->max_head_bytes, .field_count = 1000, .bare_feeds = origin->bare_feeds};
}

bool origin_adopt_h1(struct origin *origin, struct sock *sock, struct upstream_stream *stream)
{
    struct h1_limits limits = limits_of(origin);
    struct h1_client *connection = h1_client_adopt(origin->worker, sock, &limits, &owner, origin);
    if (connection == NULL) {
        origin_free(origin);
        return false;
    }
    h1_client_bind(connection, stream);
    stream->address = &origin->address;
    return true;
}

/* Apart, so that the way to an idle connection, which most requests take, needs no room for addresses. */
static __attribute__((noinline)) enum status open_new(struct worker *worker, struct server *server,
                                                      const struct transport *transport, struct upstream_stream *stream)
{
    struct origin *origin = origin_new(worker, server, transport);
    if (origin == NULL)
        return STATUS_UPSTREAM_UNRESOLVED;
    struct h1_limits limits = limits_of(origin);
    struct h1_client *connection;
    enum status status;
    do
        status = h1_client_new(worker, &origin->address, &limits, &owner, origin, &connection);
    while (status != STATUS_OK && status != STATUS_AGAIN && origin_next_address(origin, status));
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        origin_free(origin);
        return status;
    }
    h1_client_bind(connection, stream);
    stream->address = &origin->address;
    return status;
}

enum status upstream_open(struct worker *worker, struct server *server, const struct transport *transport,
                          unsigned wishes, struct upstream_stream *stream)
{
    if (server->secure || server->h2c)
        return shared_open(worker, server, transport, wishes, stream);
    bool fresh = (wishes & UPSTREAM_FRESH) != 0;
    struct h1_client *connection = fresh ? NULL : pool_take_idle(pool_of(worker, server->slot), server, transport_identity(transport, server));
    if (connection == NULL)
        return open_new(worker, server, transport, stream);
    h1_client_bind(connection, stream);
    stream->address = &((const struct origin *)connection->owner_data)->address;
    return STATUS_OK;
}

/* False: others have waited long enough. */
static bool sweep_pool(const struct loop *loop, struct pool *pool)
{
    LIST_FOREACH(&pool->idle, it) {
        struct h1_client *connection = container_of(it, struct h1_client, link);
        if (!origin_is_gone(connection->owner_data))
            continue;
        h1_client_close(connection);
        if (loop_turn_is_long(loop))
            return false;
    }
    shared_sweep(pool);
    return true;
}

#define POOLS_TO_LOOK 256      /* at the clock: most have nothing to close */

/* In parts, as servers that are gone may leave thousands of connections. */
static void sweep_on(struct timer *timer)
{
    struct upstream_pools *pools = container_of(timer, struct upstream_pools, sweep);
    while (pools->swept < pools->size) {
        struct pool *pool = pools->slots[pools->swept];
        bool enough = pool != NULL && !sweep_pool(pools->loop, pool);
        pools->swept += !enough;
        if (enough || (pools->swept % POOLS_TO_LOOK == 0 && loop_turn_is_long(pools->loop))) {
            timer_next_turn(pools->loop, timer);
            return;
        }
    }
}

void upstream_sweep(struct worker *worker, uint64_t generation)
{
    struct upstream_pools *pools = pools_of(worker);
    pools->generation = generation;
    pools->swept = 0;
    timer_next_turn(pools->loop, &pools->sweep);
}

static void free_pool(struct pool *pool)
{
    dial_cancel_all(pool);
    shared_close_all(pool);
    LIST_FOREACH(&pool->idle, it)
        h1_client_close(container_of(it, struct h1_client, link));
    if (pool->session != NULL)
        SSL_SESSION_free(pool->session);
    free(pool);
}

void upstream_forget_all(struct worker *worker)
{
    struct upstream_pools *pools = worker->upstreams;
    if (pools == NULL)
        return;
    LIST_FOREACH(&pools->fetches, it)
        fetch_cancel(fetch_of(it));
    for (unsigned slot = 0; slot < pools->size; slot++)
        if (pools->slots[slot] != NULL)
            free_pool(pools->slots[slot]);
    timer_cancel(&pools->sweep);
    lookups_free(pools->lookups);
    free(pools->slots);
    free(pools);
    worker->upstreams = NULL;
}

unsigned upstream_idle_count(const struct worker *worker)
{
    const struct upstream_pools *pools = worker->upstreams;
    unsigned count = pools != NULL ? pools->idle : 0;
    for (unsigned slot = 0; pools != NULL && slot < pools->size; slot++)
        if (pools->slots[slot] != NULL)
            count += shared_idle_count(pools->slots[slot]);
    return count;
}
