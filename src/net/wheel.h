/* Timers in a hierarchical wheel: filing, moving and cancelling in constant time, whatever their number.
 *
 * A tick is 2^22 ns (4.2 ms). Level 0 has a slot per tick, each level above one per 64 slots of the level below;
 * seven levels span all of int64_t, so no deadline is too far. A timer stands in the level of the highest group of
 * 6 bits in which its tick differs from the wheel's. So at every level the used slots lie ahead of the wheel's
 * own index, a lower level is always due before a higher one, and the next expiry is one bit scan.
 *
 * Ownership: timers are embedded in what they watch over; cancel before that memory goes. Threading: the loop's.
 * Others use the wheel through net/loop.h. */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include "base/list.h"
#include "base/time.h"

/* A point in time at which something is to be looked at. Setting a later deadline costs a store; the wheel
 * finds out when the earlier one passes. Resolution 4 ms; never early. */
struct timer {
    struct list link;
    void (*on_expire)(struct timer *timer);
    int64_t deadline;             /* monotonic ns; TIME_NEVER: not armed */
    int64_t filed_for;            /* deadline under which it stands in the wheel; TIME_NEVER: it does not */
};

#define WHEEL_LEVELS 7
#define WHEEL_SLOTS 64
#define WHEEL_TICK_SHIFT 22

struct wheel {
    int64_t tick;                 /* up to here timers have expired */
    int64_t next;                 /* no timer stands before this tick; INT64_MAX: there is none */
    uint64_t used[WHEEL_LEVELS];  /* a bit per slot that may hold timers */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, int64_t now);
/* Puts a timer where its deadline belongs; one that has passed is due at the next tick. */
void wheel_file(struct wheel *wheel, struct timer *timer);
/* Calls on_expire of all that is due at `tick`. What these calls set, however early, waits for a later tick; what
 * they cancel or move does not expire. */
void wheel_expire(struct wheel *wheel, int64_t tick);

/* Once per turn. `now` never goes back. */
static inline void wheel_advance(struct wheel *wheel, int64_t now)
{
    int64_t tick = now >> WHEEL_TICK_SHIFT;
    if (tick >= wheel->next)
        wheel_expire(wheel, tick);
    else
        wheel->tick = tick;
}

/* Monotonic ns at which wheel_advance may have something to do, TIME_NEVER when nothing is filed. */
static inline int64_t wheel_due(const struct wheel *wheel)
{
    return wheel->next == INT64_MAX ? TIME_NEVER : wheel->next << WHEEL_TICK_SHIFT;
}

#endif
