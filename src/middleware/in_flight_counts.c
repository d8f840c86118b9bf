#include "middleware/in_flight_counts.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define FIRST_CAPACITY 16

void in_flight_counts_init(void *memory)
{
    struct in_flight_counts *counts = memory;
    for (size_t i = 0; i < IN_FLIGHT_SHARDS; i++)
        pthread_mutex_init(&counts->shards[i].mutex, NULL);
    refused_sources_init(&counts->refused);
}

void in_flight_counts_destroy(void *memory)
{
    struct in_flight_counts *counts = memory;
    for (size_t i = 0; i < IN_FLIGHT_SHARDS; i++) {
        free(counts->shards[i].entries);
        pthread_mutex_destroy(&counts->shards[i].mutex);
    }
    refused_sources_release(&counts->refused);
}

/* The low bits choose the shard, the others the place in it. */
static struct in_flight_shard *shard_of(struct in_flight_counts *counts, uint64_t key)
{
    return &counts->shards[key & (IN_FLIGHT_SHARDS - 1)];
}

static uint32_t home_of(const struct in_flight_shard *shard, uint64_t key)
{
    return (uint32_t)(key / IN_FLIGHT_SHARDS) & (shard->capacity - 1);
}

static struct in_flight_entry *find(struct in_flight_shard *shard, uint64_t key)
{
    uint32_t at = home_of(shard, key);
    while (shard->entries[at].count != 0 && shard->entries[at].key != key)
        at = (at + 1) & (shard->capacity - 1);
    return &shard->entries[at];
}

static void grow(struct in_flight_shard *shard)
{
    struct in_flight_entry *old = shard->entries;
    uint32_t old_capacity = shard->capacity;
    shard->capacity = old_capacity != 0 ? old_capacity * 2 : FIRST_CAPACITY;
    shard->entries = memory_zalloc(shard->capacity * sizeof(*old));
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].count != 0)
            *find(shard, old[i].key) = old[i];
    }
    free(old);
}

/* Closes the gap at `at`: entries behind it that would no longer be found move up. */
static void remove_at(struct in_flight_shard *shard, uint32_t at)
{
    uint32_t mask = shard->capacity - 1;
    for (uint32_t next = (at + 1) & mask; shard->entries[next].count != 0;
         next = (next + 1) & mask) {
        uint32_t home = home_of(shard, shard->entries[next].key);
        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        shard->entries[at] = shard->entries[next];
        at = next;
    }
    shard->entries[at].count = 0;
    shard->used--;
}

bool in_flight_counts_enter(struct in_flight_counts *counts, uint64_t key, uint64_t limit)
{
    struct in_flight_shard *shard = shard_of(counts, key);
    pthread_mutex_lock(&shard->mutex);
    if (shard->used * 2 >= shard->capacity)
        grow(shard);
    struct in_flight_entry *entry = find(shard, key);
    bool entered = entry->count < limit;
    if (entered) {
        shard->used += entry->count == 0;
        entry->key = key;
        entry->count++;
        shard->entered++;
    }
    pthread_mutex_unlock(&shard->mutex);
    return entered;
}

void in_flight_counts_leave(struct in_flight_counts *counts, uint64_t key)
{
    struct in_flight_shard *shard = shard_of(counts, key);
    pthread_mutex_lock(&shard->mutex);
    struct in_flight_entry *entry = find(shard, key);
    assert(entry->count != 0);
    if (entry->count == 1)
        remove_at(shard, (uint32_t)(entry - shard->entries));
    else
        entry->count--;
    pthread_mutex_unlock(&shard->mutex);
}

struct in_flight_sum in_flight_counts_sum(struct in_flight_counts *counts)
{
    struct in_flight_sum sum = {0};
    for (size_t i = 0; i < IN_FLIGHT_SHARDS; i++) {
        struct in_flight_shard *shard = &counts->shards[i];
        pthread_mutex_lock(&shard->mutex);
        sum.entered += shard->entered;
        sum.sources += shard->used;
        for (uint32_t at = 0; at < shard->capacity; at++) {
            sum.under_way += shard->entries[at].count;
            sum.most = shard->entries[at].count > sum.most ? shard->entries[at].count : sum.most;
        }
        pthread_mutex_unlock(&shard->mutex);
    }
    return sum;
}
