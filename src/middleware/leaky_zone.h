/* Leaky buckets of many sources in memory of a fixed size, shared by all workers: requests drip in, and leak out at a rate. The
 * arithmetic is nginx's, to the unit, since limits are tuned by its numbers:
 *
 *     excess = max(0, excess - rate * ms / 1000 + 1000)
 *
 * in thousandths of a request, with whole milliseconds. A source that is not known has an excess of 0. Where there is no room for
 * one more, the source that was not seen for the longest time is forgotten.
 *
 * Threading: any thread; one short lock per call, in larger zones one of several (each then forgets by itself). */
#ifndef MIDDLEWARE_LEAKY_ZONE_H
#define MIDDLEWARE_LEAKY_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "middleware/refused_sources.h"

#define LEAKY_SHARDS 16          /* a power of two */
#define LEAKY_SOURCE_BYTES 128   /* what a zone's size is divided by, as for keys of up to 64 bytes in nginx */
#define LEAKY_UNIT INT64_C(1000) /* of a request */

struct leaky_zone;

/* Bytes of memory for a zone that is said to have `size` bytes. */
size_t leaky_zone_memory(int64_t size);
/* For compile_shared: `memory` is zeroed. */
void leaky_zone_init(void *memory);
void leaky_zone_destroy(void *memory);
/* Once after that, with the same size; again does nothing. Control thread. */
void leaky_zone_settle(struct leaky_zone *zone, int64_t size);

/* The excess that one more request would make; nothing is taken. Times in ms that never go back, rates in thousandths a second. */
int64_t leaky_zone_look(struct leaky_zone *zone, uint64_t key, int64_t rate, int64_t now);
/* The same, and the request is taken unless that is over `most`. */
int64_t leaky_zone_take(struct leaky_zone *zone, uint64_t key, int64_t rate, int64_t most, int64_t now);

/* For people. */
struct leaky_counts {
    uint64_t taken, delayed, sources;
};
struct leaky_counts leaky_zone_counts(struct leaky_zone *zone);
void leaky_zone_note_delay(struct leaky_zone *zone);
struct refused_sources *leaky_zone_refused(struct leaky_zone *zone);

#endif
