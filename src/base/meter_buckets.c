/* The buckets of latencies: where they end, and what lies in them. */
#include <math.h>

#include "base/meter.h"

/* 2^6, 2^6.25, 2^6.5 and 2^6.75 s in whole ns; the ends of the octaves below are halves of them. All are rounded down, as no ns
 * lies between an end and its floor. */
#define OCTAVE(o) \
    INT64_C(64000000000) >> (20 - (o)), INT64_C(76109255360) >> (20 - (o)), INT64_C(90509667991) >> (20 - (o)), \
    INT64_C(107634741152) >> (20 - (o))

static const int64_t ends[METER_BUCKETS] = {
    OCTAVE(0),  OCTAVE(1),  OCTAVE(2),  OCTAVE(3),  OCTAVE(4),  OCTAVE(5),  OCTAVE(6),
    OCTAVE(7),  OCTAVE(8),  OCTAVE(9),  OCTAVE(10), OCTAVE(11), OCTAVE(12), OCTAVE(13),
    OCTAVE(14), OCTAVE(15), OCTAVE(16), OCTAVE(17), OCTAVE(18), OCTAVE(19), INT64_C(64000000000), INT64_MAX};

#define LAST (METER_BUCKETS - 1)      /* without end */

/* The first end is 61,035 ns, a little less than 2^16: what lies from 2^16 to 2^17 is in one of four buckets from the second
 * on, and so is each octave above. */
unsigned meter_bucket_of(int64_t ns)
{
    if (ns < 1 << 16)
        return ns > ends[0];
    unsigned bucket = (unsigned)(63 - __builtin_clzll((uint64_t)ns) - 16) * 4 + 1;
    if (bucket > LAST)
        return LAST;
    while (ns > ends[bucket])
        bucket++;
    return bucket;
}

double meter_bucket_end(unsigned bucket)
{
    return bucket < LAST ? exp2(-14 + (double)bucket / 4) : INFINITY;
}

int64_t meter_quantile(const uint64_t buckets[METER_BUCKETS], double part)
{
    uint64_t all = 0, below = 0;
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        all += buckets[i];
    if (all == 0)
        return 0;
    double wanted = part * (double)all;
    for (unsigned i = 0; i < LAST; i++) {
        if (buckets[i] == 0 || (double)(below + buckets[i]) < wanted) {
            below += buckets[i];
            continue;
        }
        double from = i != 0 ? (double)ends[i - 1] : 0, to = (double)ends[i];
        double within = (wanted - (double)below) / (double)buckets[i];
        return (int64_t)(from + (to - from) * (within > 0 ? within : 0));
    }
    return ends[LAST - 1];
}
