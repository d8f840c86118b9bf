/* Owns what is kept of sessions: their serialised form by their ids. What may be resumed is the library's to judge (its time, the
 * context that it was begun in). */
#include "tls/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/secret.h"

#define SHARDS 8
#define SHARED_FROM ((size_t)256 * 1024)  /* bytes from which on a cache is worth several locks */
#define SESSION_BYTES_MAX 16384           /* a client's chain may be in it */
#define BUCKET_BYTES 512                  /* a bucket for so many of a shard */
#define ID_MAX SSL_MAX_SSL_SESSION_ID_LENGTH

struct session {
    struct list age;                /* in its shard, the oldest first */
    struct session *next;           /* in its bucket */
    int64_t ends;                   /* Unix seconds */
    uint32_t len;
    uint8_t id_len;
    uint8_t id[ID_MAX];
    uint8_t bytes[];
};

struct shard {
    pthread_mutex_t lock;
    struct list ages;
    struct session **buckets;
    size_t mask, bytes, limit, count;
} __attribute__((aligned(64)));

struct sessions {
    struct shard shards[SHARDS];
    unsigned shard_count;
    struct list link;
    unsigned refs;                  /* under `registry.lock`, as are names and sizes */
    char *name;
    size_t name_len;
};

static struct {
    pthread_mutex_t lock;
    struct list caches;
    int index;                      /* of a context's cache among its data */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .caches = LIST_INIT(registry.caches), .index = -1};

/* ---- one shard, under its lock ---- */

/* Ids are ours and random; what a client makes up finds nothing wherever it looks. */
static struct session **place_of(struct shard *shard, const uint8_t *id, size_t id_len)
{
    uint64_t hash = 0;
    memcpy(&hash, id, id_len < sizeof(hash) ? id_len : sizeof(hash));
    struct session **place = &shard->buckets[hash & shard->mask];
    while (*place != NULL && ((*place)->id_len != id_len || memcmp((*place)->id, id, id_len) != 0))
        place = &(*place)->next;
    return place;
}

static size_t cost_of(const struct session *session)
{
    return sizeof(*session) + session->len;
}

static void drop(struct shard *shard, struct session **place)
{
    struct session *session = *place;
    *place = session->next;
    list_remove(&session->age);
    shard->bytes -= cost_of(session);
    shard->count--;
    secret_wipe(session->bytes, session->len);
    free(session);
}

static void drop_oldest(struct shard *shard)
{
    struct session *oldest = container_of(shard->ages.next, struct session, age);
    drop(shard, place_of(shard, oldest->id, oldest->id_len));
}

/* Those that have ended go two at a time, so that no handshake pays for all of them. */
static void make_room(struct shard *shard, size_t bytes, int64_t now)
{
    for (int i = 0; i < 2 && !list_empty(&shard->ages); i++) {
        if (container_of(shard->ages.next, struct session, age)->ends > now)
            break;
        drop_oldest(shard);
    }
    while (shard->bytes + bytes > shard->limit && !list_empty(&shard->ages))
        drop_oldest(shard);
}

static void shard_init(struct shard *shard, size_t limit)
{
    size_t buckets = 16;
    while (buckets * BUCKET_BYTES < limit && buckets < 65536)
        buckets *= 2;
    pthread_mutex_init(&shard->lock, NULL);
    list_init(&shard->ages);
    shard->buckets = memory_zalloc(buckets * sizeof(struct session *));
    shard->mask = buckets - 1;
    shard->limit = limit;
}

static void shard_release(struct shard *shard)
{
    while (!list_empty(&shard->ages))
        drop_oldest(shard);
    free(shard->buckets);
    pthread_mutex_destroy(&shard->lock);
}

static struct shard *shard_of(struct sessions *cache, const uint8_t *id, size_t id_len)
{
    return &cache->shards[id_len != 0 ? id[id_len - 1] % cache->shard_count : 0];
}

/* ---- caches by name, under registry.lock ---- */

static void set_size(struct sessions *cache, size_t bytes)
{
    for (unsigned i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        shard->limit = bytes / cache->shard_count;
        make_room(shard, 0, 0);
        pthread_mutex_unlock(&shard->lock);
    }
}

static struct sessions *new_cache(struct str name, size_t bytes)
{
    struct sessions *cache = aligned_alloc(_Alignof(struct sessions), sizeof(*cache));
    if (cache == NULL)
        abort();
    memset(cache, 0, sizeof(*cache));
    cache->shard_count = bytes >= SHARED_FROM ? SHARDS : 1;
    for (unsigned i = 0; i < cache->shard_count; i++)
        shard_init(&cache->shards[i], bytes / cache->shard_count);
    cache->name = memory_copy_text(name.data, name.len);
    cache->name_len = name.len;
    list_append(&registry.caches, &cache->link);
    return cache;
}

struct sessions *sessions_get(struct str name, size_t bytes)
{
    struct sessions *cache = NULL;
    bytes = bytes < SESSIONS_BYTES_MIN ? SESSIONS_BYTES_MIN : bytes;
    pthread_mutex_lock(&registry.lock);
    for (struct list *it = registry.caches.next; it != &registry.caches && cache == NULL; it = it->next) {
        struct sessions *known = container_of(it, struct sessions, link);
        if (str_equal(str_of(known->name, known->name_len), name))
            cache = known;
    }
    if (cache != NULL)
        set_size(cache, bytes);
    else
        cache = new_cache(name, bytes);
    cache->refs++;
    pthread_mutex_unlock(&registry.lock);
    return cache;
}

void sessions_unref(struct sessions *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_lock(&registry.lock);
    bool last = --cache->refs == 0;
    if (last)
        list_remove(&cache->link);
    pthread_mutex_unlock(&registry.lock);
    if (!last)
        return;
    for (unsigned i = 0; i < cache->shard_count; i++)
        shard_release(&cache->shards[i]);
    free(cache->name);
    free(cache);
}

size_t sessions_count(struct sessions *cache)
{
    size_t count = 0;
    for (unsigned i = 0; i < cache->shard_count; i++) {
        pthread_mutex_lock(&cache->shards[i].lock);
        count += cache->shards[i].count;
        pthread_mutex_unlock(&cache->shards[i].lock);
    }
    return count;
}

/* ---- for the library ---- */

static struct sessions *cache_of(const SSL_CTX *context)
{
    return SSL_CTX_get_ex_data(context, registry.index);
}

static struct session *new_session(SSL_SESSION *from, int len)
{
    unsigned id_len = 0;
    const unsigned char *id = SSL_SESSION_get_id(from, &id_len);
    struct session *session = len > 0 && len <= SESSION_BYTES_MAX && id_len != 0 ? malloc(sizeof(*session) + (size_t)len) : NULL;
    if (session == NULL)
        return NULL;
    unsigned char *out = session->bytes;
    session->len = (uint32_t)i2d_SSL_SESSION(from, &out);
    session->id_len = (uint8_t)id_len;
    memcpy(session->id, id, id_len);
    session->ends = SSL_SESSION_get_time(from) + SSL_SESSION_get_timeout(from);
    list_init(&session->age);
    return session;
}

static void add(struct shard *shard, struct session *session, int64_t now)
{
    struct session **place = place_of(shard, session->id, session->id_len);
    if (*place != NULL)
        drop(shard, place);
    make_room(shard, cost_of(session), now);
    if (cost_of(session) > shard->limit) {
        secret_wipe(session->bytes, session->len);
        free(session);
        return;
    }
    place = place_of(shard, session->id, session->id_len);
    session->next = NULL;
    *place = session;
    list_append(&shard->ages, &session->age);
    shard->bytes += cost_of(session);
    shard->count++;
}

/* 0: no reference is kept. The library tells of sessions of TLS 1.3 whose tickets hold all of them, too. */
static int on_new(SSL *ssl, SSL_SESSION *session)
{
    if (SSL_version(ssl) == TLS1_3_VERSION && (SSL_get_options(ssl) & SSL_OP_NO_TICKET) == 0)
        return 0;
    struct session *kept = new_session(session, i2d_SSL_SESSION(session, NULL));
    if (kept == NULL)
        return 0;
    struct shard *shard = shard_of(cache_of(SSL_get_SSL_CTX(ssl)), kept->id, kept->id_len);
    int64_t now = SSL_SESSION_get_time(session);
    pthread_mutex_lock(&shard->lock);
    add(shard, kept, now);
    pthread_mutex_unlock(&shard->lock);
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int id_len, int *ret_kept)
{
    uint8_t bytes[SESSION_BYTES_MAX];
    const unsigned char *from = bytes;
    long len = 0;
    *ret_kept = 0;
    if (id_len <= 0 || id_len > ID_MAX)
        return NULL;
    struct shard *shard = shard_of(cache_of(SSL_get_SSL_CTX(ssl)), id, (size_t)id_len);
    pthread_mutex_lock(&shard->lock);
    const struct session *found = *place_of(shard, id, (size_t)id_len);
    if (found != NULL) {
        len = (long)found->len;
        memcpy(bytes, found->bytes, found->len);
    }
    pthread_mutex_unlock(&shard->lock);
    SSL_SESSION *session = len != 0 ? d2i_SSL_SESSION(NULL, &from, len) : NULL;
    secret_wipe(bytes, (size_t)len);
    return session;
}

/* It was found wrong, or has ended. */
static void on_remove(SSL_CTX *context, SSL_SESSION *session)
{
    unsigned id_len = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &id_len);
    if (id_len == 0)
        return;
    struct shard *shard = shard_of(cache_of(context), id, id_len);
    pthread_mutex_lock(&shard->lock);
    struct session **place = place_of(shard, id, id_len);
    if (*place != NULL)
        drop(shard, place);
    pthread_mutex_unlock(&shard->lock);
}

bool sessions_use(SSL_CTX *context, struct sessions *cache)
{
    pthread_mutex_lock(&registry.lock);
    if (registry.index < 0)
        registry.index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    pthread_mutex_unlock(&registry.lock);
    if (registry.index < 0 || SSL_CTX_set_ex_data(context, registry.index, cache) != 1)
        return false;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new);
    SSL_CTX_sess_set_get_cb(context, on_get);
    SSL_CTX_sess_set_remove_cb(context, on_remove);
    return true;
}
