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

/* Fine buckets come in groups, made when one of a group is first counted in: what a router has to do takes about as long each time. */
#define METER_GROUP 8
#define METER_GROUPS ((METER_BUCKETS + METER_GROUP - 1) / METER_GROUP)

struct meter_tally {
    struct meter_cell *last;          /* the writer's: the one counted in last */
    unsigned cell_count;              /* the writer's */
    _Atomic(struct meter_cell *) cells;       /* the newest first */
    _Atomic(meter_counter *) failures;      /* by enum status; NULL: all went well */
    meter_counter retries;
    _Atomic(meter_counter *) fine[METER_GROUPS];    /* NULL: nothing yet */
};

static inline void meter_add(meter_counter *number, uint64_t amount)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + amount, memory_order_relaxed);
}

static inline uint64_t meter_value(const meter_counter *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* What is in the fine bucket with this number. */
static inline uint64_t meter_fine(const struct meter_tally *tally, unsigned bucket)
{
    const meter_counter *group = atomic_load_explicit(&tally->fine[bucket / METER_GROUP], memory_order_acquire);
    return group != NULL ? meter_value(&group[bucket % METER_GROUP]) : 0;
}

/* A meter with a key. The lists are under the lock, and so is the last tally, which no worker counts in: there is what joints had
 * counted that are gone. There are tens of thousands of these and of joints, so they are small. */
struct meter_keyed {
    struct meter_keyed *next;         /* in the registry */
    struct list joints[2];            /* struct meter_joint.links of the same index: those in which it is the one, and the other */
    struct meter meter;               /* last: its row of tallies follows, and what tells it apart: the key and more */
};

struct meter_joint {
    struct list links[2];             /* in the lists of... */
    struct meter *in[2];              /* ... these; a reference each */
    struct meter meter;               /* last: its row of tallies follows, without a last one that is nobody's */
};

static inline unsigned meter_tally_count(const struct meter *meter)
{
    return meter->workers + (meter->joint ? 0u : 1u);
}

static inline struct meter_keyed *meter_keyed_of(const struct meter *meter)
{
    return container_of(meter, struct meter_keyed, meter);
}

static inline struct meter_joint *meter_joint_of(const struct meter *meter)
{
    return container_of(meter, struct meter_joint, meter);
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
