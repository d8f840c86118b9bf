/* State with an identity, kept from one snapshot to the next by key: buckets of limiters, circuit breakers, counters of
 * requests in flight. Control thread. The memory itself is used by workers as its owner sees fit. */
#ifndef SNAPSHOT_SHARED_H
#define SNAPSHOT_SHARED_H

#include "base/str.h"

struct shared;

/* One reference; made and inited when the key is new. A key whose size has changed gets new memory. */
struct shared *shared_get(struct str key, size_t size, void (*init)(void *memory), void (*destroy)(void *memory));
void *shared_memory(struct shared *shared);
void shared_unref(struct shared *shared);

#endif
