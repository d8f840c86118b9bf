#include "middleware/leaky_zone.h"

#include <stdatomic.h>

#define NOBODY UINT32_MAX
#define FEWEST 8                 /* sources that the smallest zone has room for */
#define SHARDED_FROM 1024        /* sources: below, one lock and one order for all */
#define BACKWARDS_MAX INT64_C(60000)

struct bucket {
    uint64_t key;
    int64_t excess, last;
    uint32_t next;               /* of its chain */
    uint32_t newer, older;       /* in the order of last use */
};

struct shard {
    pthread_mutex_t mutex;
    struct bucket *buckets;
    uint32_t *heads;             /* chains by key */
    uint32_t capacity, head_mask, used;
    uint32_t newest, oldest;
    uint64_t taken;
};

struct leaky_zone {
    struct shard shards[LEAKY_SHARDS];
    struct refused_sources refused;
    _Atomic uint64_t delayed;
    uint32_t shard_count;        /* 0: not settled yet */
};

struct shape {
    uint32_t shards, capacity, heads;      /* the latter of one shard */
};

static struct shape shape_of(int64_t size)
{
    int64_t sources = size / LEAKY_SOURCE_BYTES;
    if (sources < FEWEST)
        sources = FEWEST;
    if (sources > INT64_C(1) << 28)
        sources = INT64_C(1) << 28;
    struct shape shape = {.shards = sources >= SHARDED_FROM ? LEAKY_SHARDS : 1, .heads = 1};
    shape.capacity = (uint32_t)sources / shape.shards;
    while (shape.heads < shape.capacity)
        shape.heads *= 2;
    return shape;
}

size_t leaky_zone_memory(int64_t size)
{
    struct shape shape = shape_of(size);
    size_t one = shape.capacity * sizeof(struct bucket) + shape.heads * sizeof(uint32_t);
    return sizeof(struct leaky_zone) + shape.shards * ((one + 7) & ~(size_t)7);
}

void leaky_zone_init(void *memory)
{
    struct leaky_zone *zone = memory;
    for (size_t i = 0; i < LEAKY_SHARDS; i++)
        pthread_mutex_init(&zone->shards[i].mutex, NULL);
    refused_sources_init(&zone->refused);
}

void leaky_zone_destroy(void *memory)
{
    struct leaky_zone *zone = memory;
    for (size_t i = 0; i < LEAKY_SHARDS; i++)
        pthread_mutex_destroy(&zone->shards[i].mutex);
    refused_sources_release(&zone->refused);
}

void leaky_zone_settle(struct leaky_zone *zone, int64_t size)
{
    if (zone->shard_count != 0)
        return;
    struct shape shape = shape_of(size);
    char *at = (char *)(zone + 1);
    for (uint32_t i = 0; i < shape.shards; i++) {
        struct shard *shard = &zone->shards[i];
        shard->buckets = (struct bucket *)(void *)at;
        shard->heads = (uint32_t *)(void *)(shard->buckets + shape.capacity);
        shard->capacity = shape.capacity;
        shard->head_mask = shape.heads - 1;
        shard->newest = shard->oldest = NOBODY;
        for (uint32_t head = 0; head < shape.heads; head++)
            shard->heads[head] = NOBODY;
        at += (shape.capacity * sizeof(struct bucket) + shape.heads * sizeof(uint32_t) + 7) & ~(size_t)7;
    }
    zone->shard_count = shape.shards;
}

static struct shard *lock_shard(struct leaky_zone *zone, uint64_t key)
{
    struct shard *shard = &zone->shards[key & (zone->shard_count - 1)];
    pthread_mutex_lock(&shard->mutex);
    return shard;
}

static uint32_t *head_of(struct shard *shard, uint64_t key)
{
    return &shard->heads[(uint32_t)(key / LEAKY_SHARDS) & shard->head_mask];
}

/* ---- the order of last use ---- */

static void take_out(struct shard *shard, uint32_t index)
{
    const struct bucket *bucket = &shard->buckets[index];
    *(bucket->newer != NOBODY ? &shard->buckets[bucket->newer].older : &shard->newest) = bucket->older;
    *(bucket->older != NOBODY ? &shard->buckets[bucket->older].newer : &shard->oldest) = bucket->newer;
}

static void put_first(struct shard *shard, uint32_t index)
{
    struct bucket *bucket = &shard->buckets[index];
    bucket->newer = NOBODY;
    bucket->older = shard->newest;
    *(shard->newest != NOBODY ? &shard->buckets[shard->newest].newer : &shard->oldest) = index;
    shard->newest = index;
}

/* ---- buckets ---- */

static struct bucket *find(struct shard *shard, uint64_t key)
{
    for (uint32_t index = *head_of(shard, key); index != NOBODY; index = shard->buckets[index].next) {
        if (shard->buckets[index].key != key)
            continue;
        take_out(shard, index);
        put_first(shard, index);
        return &shard->buckets[index];
    }
    return NULL;
}

static uint32_t forget_oldest(struct shard *shard)
{
    uint32_t index = shard->oldest;
    take_out(shard, index);
    uint32_t *at = head_of(shard, shard->buckets[index].key);
    while (*at != index)
        at = &shard->buckets[*at].next;
    *at = shard->buckets[index].next;
    return index;
}

static struct bucket *add(struct shard *shard, uint64_t key, int64_t now)
{
    uint32_t index = shard->used < shard->capacity ? shard->used++ : forget_oldest(shard);
    uint32_t *head = head_of(shard, key);
    struct bucket *bucket = &shard->buckets[index];
    *bucket = (struct bucket){.key = key, .last = now, .next = *head};
    *head = index;
    put_first(shard, index);
    return bucket;
}

/* Workers read their clocks each for itself, so `now` may be a little before the last. */
static int64_t passed_since(const struct bucket *bucket, int64_t now)
{
    int64_t ms = now - bucket->last;
    if (ms >= 0)
        return ms;
    return ms < -BACKWARDS_MAX ? 1 : 0;
}

static int64_t excess_with(const struct bucket *bucket, int64_t rate, int64_t ms)
{
    int64_t leaked;
    if (__builtin_mul_overflow(rate, ms, &leaked))
        return 0;
    int64_t excess = bucket->excess - leaked / 1000 + LEAKY_UNIT;
    return excess > 0 ? excess : 0;
}

int64_t leaky_zone_look(struct leaky_zone *zone, uint64_t key, int64_t rate, int64_t now)
{
    struct shard *shard = lock_shard(zone, key);
    const struct bucket *bucket = find(shard, key);
    int64_t excess = bucket != NULL ? excess_with(bucket, rate, passed_since(bucket, now)) : 0;
    pthread_mutex_unlock(&shard->mutex);
    return excess;
}

int64_t leaky_zone_take(struct leaky_zone *zone, uint64_t key, int64_t rate, int64_t most, int64_t now)
{
    struct shard *shard = lock_shard(zone, key);
    struct bucket *bucket = find(shard, key);
    int64_t excess = 0;
    if (bucket == NULL) {
        add(shard, key, now);
        shard->taken++;
    } else {
        int64_t ms = passed_since(bucket, now);
        excess = excess_with(bucket, rate, ms);
        if (excess <= most) {
            bucket->excess = excess;
            if (ms != 0)
                bucket->last = now;
            shard->taken++;
        }
    }
    pthread_mutex_unlock(&shard->mutex);
    return excess;
}

/* ---- for people ---- */

struct leaky_counts leaky_zone_counts(struct leaky_zone *zone)
{
    struct leaky_counts counts = {.delayed = atomic_load_explicit(&zone->delayed, memory_order_relaxed)};
    for (uint32_t i = 0; i < zone->shard_count; i++) {
        struct shard *shard = &zone->shards[i];
        pthread_mutex_lock(&shard->mutex);
        counts.taken += shard->taken;
        counts.sources += shard->used;
        pthread_mutex_unlock(&shard->mutex);
    }
    return counts;
}

void leaky_zone_note_delay(struct leaky_zone *zone)
{
    atomic_fetch_add_explicit(&zone->delayed, 1, memory_order_relaxed);
}

struct refused_sources *leaky_zone_refused(struct leaky_zone *zone)
{
    return &zone->refused;
}
