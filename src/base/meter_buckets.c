/* The buckets of latencies: where they end, and what lies in them. */
#include <math.h>

#include "base/meter.h"

/* The ends of the last four buckets that have one but the very last: 2^6, 2^6.25, 2^6.5 and 2^6.75 s in whole ns. Those of
 * the octaves below are halves of them, rounded down as they are: no ns lies between an end and its floor. */
static const int64_t top_ends[4] = {INT64_C(64000000000), INT64_C(76109255360), INT64_C(90509667991), INT64_C(107634741152)};

#define LAST (METER_BUCKETS - 1)      /* without end */
#define OCTAVES (LAST / 4)            /* from 2^-14 s to 2^6 s */

static inline int64_t end_of(unsigned bucket)
{
    return top_ends[bucket % 4] >> (OCTAVES - bucket / 4);
}

/* The first end is 61,035 ns, a little less than 2^16: what lies from 2^16 to 2^17 is in one of four buckets from the second
 * on, and so is each octave above. */
unsigned meter_bucket_of(int64_t ns)
{
    if (ns < 1 << 16)
        return ns > end_of(0);
    unsigned bucket = (unsigned)(63 - __builtin_clzll((uint64_t)ns) - 16) * 4 + 1;
    while (bucket < LAST && ns > end_of(bucket))
        bucket++;
    return bucket < LAST ? bucket : LAST;
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
        double from = i != 0 ? (double)end_of(i - 1) : 0, to = (double)end_of(i);
        double within = (wanted - (double)below) / (double)buckets[i];
        return (int64_t)(from + (to - from) * (within > 0 ? within : 0));
    }
    return end_of(LAST - 1);
}
