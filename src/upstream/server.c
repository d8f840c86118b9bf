/* The registry of servers: by key, with a small number for each. It owns the structs until the last reference goes;
 * it neither connects nor decides who is picked. */
#include "upstream/server.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/vec.h"
#include "upstream/resolve.h"
#include "upstream/server_meters.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map by_key;                       /* made when the first server comes, gone with the last */
static VEC(struct server *) slots;              /* NULL: free */
static uint64_t last_serial;

/* FNV-1a, then mixed. */
uint64_t server_stable_hash(struct str text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

static unsigned slot_take(struct server *server)
{
    for (size_t i = 0; i < slots.count; i++) {
        if (slots.items[i] == NULL) {
            slots.items[i] = server;
            return (unsigned)i;
        }
    }
    VEC_PUSH(&slots, server);
    return (unsigned)(slots.count - 1);
}

/* The parts are parsed again from the server's own copy, so that they are views into it. */
static void set_url(struct server *server)
{
    struct server_url parts;
    const char *why = server_url_parse(server->url, &parts);
    assert(why == NULL);
    struct ip ip;
    server->scheme = parts.scheme;
    server->authority = parts.authority;
    server->host = parts.host;
    server->base_path = parts.path;
    server->port = parts.port;
    server->unix_socket = parts.unix_socket;
    server->secure = parts.secure;
    server->h2c = parts.h2c;
    if (parts.unix_socket) {
        server->address_count = addr_unix(parts.host, &server->addresses[0]) ? 1 : 0;
    } else if (ip_parse(parts.host, &ip)) {
        addr_from_ip(&ip, parts.port, &server->addresses[0]);
        server->address_count = 1;
    } else {
        server->named = true;
    }
}

/* The name stands behind the URL in the key: one service may have two that lead to the same address. */
static void set_name(struct server *server, struct str authority)
{
    ptrdiff_t colon = str_find_last_char(authority, ':');
    server->called = true;
    server->authority = authority;
    server->host = colon >= 0 ? str_first(authority, (size_t)colon) : authority;
}

static struct server *server_new(struct str key, size_t service_length, size_t url_length)
{
    struct server *server = memory_zalloc(sizeof(*server));
    server->key = str_of(memory_copy_text(key.data, key.len), key.len);
    server->service = str_first(server->key, service_length);
    server->url = str_first(str_from_index(server->key, service_length + 1), url_length);
    atomic_store(&server->refs, 1);
    atomic_store(&server->healthy, true);
    atomic_store(&server->ordered, SERVER_AS_CONFIGURED);
    atomic_store(&server->ordered_weight, -1);
    server->id_hash = server_stable_hash(server->url);
    server->tally_count = server_tally_count();
    server->tallies = memory_zalloc(server->tally_count * sizeof(server->tallies[0]));
    pthread_mutex_init(&server->lock, NULL);
    set_url(server);
    if (service_length + 1 + url_length < key.len)
        set_name(server, str_from_index(server->key, service_length + url_length + 2));
    return server;
}

void server_free(struct server *server)
{
    pthread_mutex_destroy(&server->lock);
    server_meters_release(server);
    for (unsigned i = 0; i < server->tally_count; i++)
        free(atomic_load(&server->tallies[i]));
    free((void *)(uintptr_t)server->tallies);
    free((char *)(uintptr_t)server->key.data);
    free(server);
}

struct server_tally *server_new_tally(struct server *server, unsigned worker)
{
    assert(worker < server->tally_count);
    struct server_tally *tally = memory_zalloc_apart(sizeof(*tally));
    atomic_store_explicit(&server->tallies[worker], tally, memory_order_release);
    return tally;
}

uint32_t server_active(const struct server *server)
{
    uint32_t active = 0;
    for (unsigned i = 0; i < server->tally_count; i++) {
        const struct server_tally *tally = atomic_load_explicit(&server->tallies[i], memory_order_acquire);
        active += tally != NULL ? atomic_load_explicit(&tally->active, memory_order_relaxed) : 0;
    }
    return active;
}

uint64_t server_requests(const struct server *server)
{
    uint64_t requests = 0;
    for (unsigned i = 0; i < server->tally_count; i++) {
        const struct server_tally *tally = atomic_load_explicit(&server->tallies[i], memory_order_acquire);
        requests += tally != NULL ? atomic_load_explicit(&tally->requests, memory_order_relaxed) : 0;
    }
    return requests;
}

static struct str trim_slashes(struct str url)
{
    while (url.len != 0 && url.data[url.len - 1] == '/')
        url.len--;
    return url;
}

static _Atomic uint64_t present_generation;

void server_new_generation(uint64_t generation)
{
    atomic_store(&present_generation, generation);
}

struct server *server_get(struct str service, struct str url)
{
    return server_get_called(service, url, STR_NONE);
}

static void make_key(struct text *key, struct str service, struct str url, struct str authority)
{
    text_init(key, service.len + url.len + authority.len + 3);
    text_add(key, service);
    text_add_char(key, '|');
    text_add(key, url);
    if (authority.len != 0) {
        text_add_char(key, '|');
        text_add(key, authority);
    }
}

struct server *server_get_called(struct str service, struct str url, struct str authority)
{
    struct server_url parts;
    if (server_url_parse(url, &parts) != NULL)
        return NULL;
    struct text key;
    url = trim_slashes(url);
    make_key(&key, service, url, authority);

    pthread_mutex_lock(&registry_lock);
    if (by_key.live == 0)
        map_init(&by_key, false);
    struct server *server = map_get(&by_key, text_str(&key));
    bool is_new = server == NULL;
    if (is_new) {
        server = server_new(text_str(&key), service.len, url.len);
        server->slot = slot_take(server);
        server->serial = ++last_serial;
        map_put(&by_key, server->key, server);
    } else {
        server_ref(server);
    }
    server_meters_renew(server);
    if (!server_is_leaving(server))
        atomic_store(&server->generation, atomic_load(&present_generation));
    pthread_mutex_unlock(&registry_lock);
    text_release(&key);
    if (is_new && server->named)
        resolve_begin(server);
    return server;
}

void server_forget(struct server *server)
{
    atomic_store(&server->generation, 0);
}

struct server *server_ref(struct server *server)
{
    atomic_fetch_add_explicit(&server->refs, 1, memory_order_relaxed);
    return server;
}

/* Gives back a reference that is not the last one; false when it may be. */
static bool drop_one_of_many(struct server *server)
{
    unsigned refs = atomic_load_explicit(&server->refs, memory_order_relaxed);
    while (refs > 1)
        if (atomic_compare_exchange_weak_explicit(&server->refs, &refs, refs - 1, memory_order_release,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* The last reference goes only under the registry's lock, so server_get never meets a server that is being freed. */
void server_unref(struct server *server)
{
    if (server == NULL || drop_one_of_many(server))
        return;
    pthread_mutex_lock(&registry_lock);
    bool last = atomic_fetch_sub_explicit(&server->refs, 1, memory_order_acq_rel) == 1;
    if (last) {
        map_remove(&by_key, server->key);
        slots.items[server->slot] = NULL;
        while (slots.count != 0 && slots.items[slots.count - 1] == NULL)
            slots.count--;
        if (by_key.live == 0) {
            map_release(&by_key);
            VEC_RELEASE(&slots);
        }
    }
    pthread_mutex_unlock(&registry_lock);
    if (last && !resolve_end(server))
        server_free(server);
}

void server_for_each(void (*each)(struct server *server, void *owner), void *owner)
{
    pthread_mutex_lock(&registry_lock);
    for (size_t i = 0; i < slots.count; i++)
        if (slots.items[i] != NULL)
            each(slots.items[i], owner);
    pthread_mutex_unlock(&registry_lock);
}

unsigned server_slot_count(void)
{
    pthread_mutex_lock(&registry_lock);
    unsigned count = (unsigned)slots.count;
    pthread_mutex_unlock(&registry_lock);
    return count;
}

/* Under the lock, so that of two that change something the later one has seen both. */
static void note_orders(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    atomic_store(&server->is_ordered, atomic_load(&server->ordered) != SERVER_AS_CONFIGURED ||
                                          atomic_load(&server->ordered_weight) >= 0 || server_is_leaving(server));
    pthread_mutex_unlock(&server->lock);
}

/* A generation that no configuration has: its connections count as those of a server that is gone. */
void server_note_leaving(struct server *server, enum server_leaving leaving)
{
    if (atomic_exchange(&server->leaving, (int)leaving) == (int)leaving)
        return;
    atomic_store(&server->generation, leaving != SERVER_STAYS ? 0 : atomic_load(&present_generation));
    if (leaving == SERVER_STAYS)
        atomic_store(&server->ready_since, time_monotonic());
    note_orders(server);
}

struct leaving_order {
    struct str origin;
    enum server_leaving leaving;
};

static void order_leaving(struct server *server, void *owner)
{
    const struct leaving_order *order = owner;
    if (str_equal(server_url_origin(server->url), order->origin))
        server_note_leaving(server, order->leaving);
}

void server_set_leaving(struct str url, enum server_leaving leaving)
{
    struct server_url parts;
    if (server_url_parse(url, &parts) != NULL)
        return;
    struct leaving_order order = {.origin = server_url_origin(trim_slashes(url)), .leaving = leaving};
    server_for_each(order_leaving, &order);
}

void server_order(struct server *server, enum server_state state)
{
    int former = atomic_exchange(&server->ordered, (int)state);
    bool was_out = former == SERVER_DRAINING || former == SERVER_DOWN;
    if (was_out && (state == SERVER_READY || state == SERVER_AS_CONFIGURED))
        atomic_store(&server->ready_since, time_monotonic());
    note_orders(server);
}

void server_order_weight(struct server *server, int weight)
{
    atomic_store(&server->ordered_weight, weight);
    note_orders(server);
}
