#include "admin/live_past.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"

struct live_past {
    uint64_t numbers[offsetof(struct meter_sum, buckets) / sizeof(uint64_t)];      /* what stands before the buckets */
    uint32_t first, count;
    uint64_t buckets[];
};

_Static_assert(sizeof(((struct live_past *)0)->numbers) == offsetof(struct meter_sum, buckets), "whole numbers alone");

struct live_past *live_past_pack(struct live_past *former, const struct meter_sum *sum)
{
    uint32_t first = 0, end = METER_BUCKETS;
    while (first < end && sum->buckets[first] == 0)
        first++;
    while (end > first && sum->buckets[end - 1] == 0)
        end--;
    struct live_past *past = former;
    if (past == NULL || past->count != end - first)
        past = memory_resize(past, sizeof(*past) + (end - first) * sizeof(past->buckets[0]));
    memcpy(past->numbers, sum, sizeof(past->numbers));
    past->first = first;
    past->count = end - first;
    memcpy(past->buckets, &sum->buckets[first], (end - first) * sizeof(past->buckets[0]));
    return past;
}

_Static_assert(offsetof(struct meter_sum, count) == 0, "the first number");

uint64_t live_past_count(const struct live_past *past)
{
    return past != NULL ? past->numbers[0] : 0;
}

void live_past_unpack(const struct live_past *past, struct meter_sum *ret_sum)
{
    memset(ret_sum, 0, sizeof(*ret_sum));
    if (past == NULL)
        return;
    memcpy(ret_sum, past->numbers, sizeof(past->numbers));
    memcpy(&ret_sum->buckets[past->first], past->buckets, past->count * sizeof(past->buckets[0]));
}
