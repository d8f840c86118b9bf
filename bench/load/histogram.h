// A histogram of latencies in nanoseconds: 64 steps for each power of two, so a percentile is exact
// to 1.6 per cent. One thread; the memory is the caller's; recording costs a few instructions.
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEP_BITS = 6, HISTOGRAM_SLOTS = 60 << HISTOGRAM_STEP_BITS };

struct histogram {
    uint64_t count;
    uint64_t largest; // nanoseconds
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_record(struct histogram *h, uint64_t nanoseconds);

// The latency in nanoseconds that `share` (0 to 1) of the recorded ones did not exceed; 0 when
// there are none.
uint64_t histogram_percentile(const struct histogram *h, double share);

#endif
