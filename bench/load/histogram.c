#include "histogram.h"

#define STEPS (UINT64_C(1) << HISTOGRAM_STEP_BITS)

static unsigned slot_of(uint64_t value)
{
    if (value < STEPS)
        return (unsigned)value;
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    unsigned slot = ((shift + 1) << HISTOGRAM_STEP_BITS) + (unsigned)((value >> shift) - STEPS);
    return slot < HISTOGRAM_SLOTS ? slot : HISTOGRAM_SLOTS - 1;
}

static uint64_t value_of(unsigned slot)
{
    if (slot < STEPS)
        return slot;
    unsigned shift = (slot >> HISTOGRAM_STEP_BITS) - 1;
    return ((slot & (STEPS - 1)) + STEPS) << shift;
}

void histogram_record(struct histogram *h, uint64_t nanoseconds)
{
    h->count++;
    if (nanoseconds > h->largest)
        h->largest = nanoseconds;
    h->slots[slot_of(nanoseconds)]++;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)((double)h->count * share), seen = 0;
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        seen += h->slots[slot];
        if (seen > wanted)
            return value_of(slot);
    }
    return h->largest;
}
