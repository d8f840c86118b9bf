#include "net/wheel.h"

#define SLOT_BITS 6

void wheel_init(struct wheel *wheel, int64_t now)
{
    wheel->tick = wheel->clock = now >> WHEEL_TICK_SHIFT;
    wheel->next = INT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        wheel->used[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

/* The first tick that is not before the deadline. */
static int64_t tick_for(int64_t deadline)
{
    int64_t part = deadline & ((INT64_C(1) << WHEEL_TICK_SHIFT) - 1);
    return (deadline >> WHEEL_TICK_SHIFT) + (part != 0);
}

void wheel_file(struct wheel *wheel, struct timer *timer)
{
    int64_t tick = tick_for(timer->deadline);
    if (tick <= wheel->clock)
        tick = wheel->clock + 1;
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

/* A timer whose slot has come: it is due, was moved meanwhile, or stood in a coarser level. */
static void visit(struct wheel *wheel, struct timer *timer)
{
    timer->filed_for = TIME_NEVER;
    if (timer->deadline == TIME_NEVER)
        return;
    if (tick_for(timer->deadline) > wheel->clock) {
        wheel_file(wheel, timer);
        return;
    }
    timer->deadline = TIME_NEVER;
    timer->on_expire(timer);
}

static void empty_slot(struct wheel *wheel, struct list *slot)
{
    /* The timers move to a ring of their own first: a visit may file others into this very slot's level,
     * or cancel one that still waits here. */
    struct list due, *link;
    list_add_before(slot, &due);
    list_remove(slot);
    while ((link = list_pop(&due)) != NULL)
        visit(wheel, container_of(link, struct timer, link));
}

void wheel_expire(struct wheel *wheel, int64_t tick)
{
    wheel->clock = tick;
    for (;;) {
        unsigned level = 0;
        int64_t begins = first_used(wheel, &level);
        wheel->next = begins;
        if (begins > tick)
            break;
        struct list *slot = &wheel->slots[level][__builtin_ctzll(wheel->used[level])];
        wheel->tick = begins;
        wheel->used[level] &= wheel->used[level] - 1;
        empty_slot(wheel, slot);
    }
    wheel->tick = tick;
}
