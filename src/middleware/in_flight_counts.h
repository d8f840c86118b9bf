/* How many requests of each source are under way, shared by all workers.
 *
 * A source has an entry while at least one of its requests runs, so there are never more entries
 * than requests. Threading: any thread; one short lock per call, one of many. */
#ifndef MIDDLEWARE_IN_FLIGHT_COUNTS_H
#define MIDDLEWARE_IN_FLIGHT_COUNTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "middleware/refused_sources.h"

#define IN_FLIGHT_SHARDS 64 /* a power of two */

struct in_flight_entry {
    uint64_t key;
    uint64_t count; /* 0: the place is free */
};

/* Open addressing; grows with malloc when half full, which is rare: it never shrinks. */
struct in_flight_shard {
    pthread_mutex_t mutex;
    struct in_flight_entry *entries;
    uint32_t used;
    uint32_t capacity; /* a power of two, or 0 */
    uint64_t entered; /* ever */
};

struct in_flight_counts {
    struct in_flight_shard shards[IN_FLIGHT_SHARDS];
    struct refused_sources refused;
};

/* For compile_shared: `memory` is zeroed. */
void in_flight_counts_init(void *memory);
void in_flight_counts_destroy(void *memory);

/* One more, unless `limit` are under way: then false. */
bool in_flight_counts_enter(struct in_flight_counts *counts, uint64_t key, uint64_t limit);
/* One that entered before has ended. */
void in_flight_counts_leave(struct in_flight_counts *counts, uint64_t key);

/* For people: requests that entered ever and that are under way, and their sources. Takes each lock once. */
struct in_flight_sum {
    uint64_t entered, under_way, sources, most; /* most: of one source */
};
struct in_flight_sum in_flight_counts_sum(struct in_flight_counts *counts);

#endif
