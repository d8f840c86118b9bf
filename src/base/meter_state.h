/* What meters are made of, for the files that make them up (meter*.c). Nobody else includes this. */
#ifndef BASE_METER_STATE_H
#define BASE_METER_STATE_H

#include <pthread.h>

#include "base/list.h"
#include "base/meter.h"

/* A number that one thread adds to and any may read: no locked instruction is needed. */
typedef _Atomic uint64_t meter_counter;

/* What came of one kind. The buckets are by the meter's bounds; together they are how many came. */
struct meter_cell {
    struct meter_cell *next;          /* older; never changed once the cell can be seen */
    uint32_t kind;
    meter_counter duration, bytes_in, bytes_out;
    meter_counter buckets[];
};

struct meter_tally {
    struct meter_cell *last;          /* the writer's: the one counted in last */
    unsigned cell_count;              /* the writer's */
    _Atomic(struct meter_cell *) cells;       /* the newest first */
    _Atomic(meter_counter *) failures;      /* by enum status; NULL: all went well */
    meter_counter retries;
    meter_counter buckets[METER_BUCKETS];
};

static inline void meter_add(meter_counter *number, uint64_t amount)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + amount, memory_order_relaxed);
}

static inline uint64_t meter_value(const meter_counter *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

struct meter_registered;

/* A joint's place in one of the two meters that it joins. */
struct meter_joint {
    struct list link;
    struct meter_registered *self, *in;     /* in: NULL, this is no joint */
};

/* A meter as the registry knows it. The lists are under the lock, and so is the last tally, which no worker counts in: there is
 * what joints had counted that are gone. */
struct meter_registered {
    struct str identity;              /* begins with the key */
    struct meter_joint places[2];
    struct list joints;               /* struct meter_joint.link */
    struct meter meter;               /* last: its row of tallies follows */
};

static inline struct meter_registered *meter_registered_of(const struct meter *meter)
{
    return container_of(meter, struct meter_registered, meter);
}

/* Of the registry, of joints, and of the last tally of each meter. */
extern pthread_mutex_t meter_lock;

/* The tally with this index, made when there is none; for whoever alone counts in it. */
struct meter_tally *meter_new_tally(struct meter *meter, unsigned index);
static inline struct meter_tally *meter_own_tally(struct meter *meter, unsigned index)
{
    struct meter_tally *tally = atomic_load_explicit(&meter->tallies[index], memory_order_relaxed);
    return tally != NULL ? tally : meter_new_tally(meter, index);
}
/* Adds all of it to another one of the same meter's bounds; both are nobody else's. */
void meter_fold_tally(const struct meter_tally *tally, struct meter_tally *into, unsigned bounds);
void meter_free_tally(struct meter_tally *tally);

#endif
