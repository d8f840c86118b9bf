#include "net/wheel.h"

#define SLOT_BITS 6

void wheel_init(struct wheel *wheel, int64_t now)
{
    wheel->tick = now >> WHEEL_TICK_SHIFT;
    wheel->next = INT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        wheel->used[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

/* The first tick that is not before the deadline; the last there is for the last deadlines. */
static int64_t tick_for(int64_t deadline)
{
    int64_t tick = deadline >> WHEEL_TICK_SHIFT;
    bool exact = tick << WHEEL_TICK_SHIFT == deadline;
    return exact || tick == INT64_MAX >> WHEEL_TICK_SHIFT ? tick : tick + 1;
}

void wheel_file(struct wheel *wheel, struct timer *timer)
{
    int64_t tick = tick_for(timer->deadline);
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    unsigned highest = 63 - (unsigned)__builtin_clzll((uint64_t)(tick ^ wheel->tick));
    unsigned level = highest / SLOT_BITS, shift = level * SLOT_BITS;
    unsigned slot = (unsigned)(tick >> shift) & (WHEEL_SLOTS - 1);

    list_remove(&timer->link);
    list_append(&wheel->slots[level][slot], &timer->link);
    wheel->used[level] |= UINT64_C(1) << slot;
    timer->filed_for = timer->deadline;
    int64_t slot_begins = tick >> shift << shift;
    if (slot_begins < wheel->next)
        wheel->next = slot_begins;
}

/* Where the first used slot begins; INT64_MAX when there is none. */
static int64_t first_used(const struct wheel *wheel, unsigned *ret_level)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        if (wheel->used[level] == 0)
            continue;
        unsigned shift = level * SLOT_BITS;
        int64_t block = wheel->tick >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
        *ret_level = level;
        return block | (int64_t)__builtin_ctzll(wheel->used[level]) << shift;
    }
    return INT64_MAX;
}

/* A slot whose time has come: what is due goes to `due`, the rest (moved meanwhile, or in a coarse level) is filed
 * anew, and what was disarmed is forgotten. */
static void sort_out(struct wheel *wheel, struct list *slot, int64_t tick, struct list *due)
{
    struct list *link;
    while ((link = list_pop(slot)) != NULL) {
        struct timer *timer = container_of(link, struct timer, link);
        timer->filed_for = TIME_NEVER;
        if (timer->deadline == TIME_NEVER)
            continue;
        if (tick_for(timer->deadline) > tick)
            wheel_file(wheel, timer);
        else
            list_append(due, link);
    }
}

void wheel_expire(struct wheel *wheel, int64_t tick)
{
    struct list due = LIST_INIT(due), *link;
    unsigned level = 0;
    int64_t begins;
    while ((begins = first_used(wheel, &level)) <= tick) {
        struct list *slot = &wheel->slots[level][__builtin_ctzll(wheel->used[level])];
        wheel->used[level] &= wheel->used[level] - 1;
        wheel->tick = begins;
        sort_out(wheel, slot, tick, &due);
    }
    wheel->tick = tick;
    wheel->next = begins;

    /* Only now, with the wheel in order: a call may set, move and cancel any timer, one in `due` as well. */
    while ((link = list_pop(&due)) != NULL) {
        struct timer *timer = container_of(link, struct timer, link);
        if (timer->deadline == TIME_NEVER)
            continue;
        timer->deadline = TIME_NEVER;
        timer->on_expire(timer);
    }
}
