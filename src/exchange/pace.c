#include "exchange/pace.h"

#include "base/time.h"

#define STRETCH_MAX INT64_C(65536)      /* enough for a wake-up to pay */
#define STRETCHES 8                     /* a second, where that is less */

/* One wake-up for each stretch: what may go is not looked for again before that much may. */
static int64_t stretch_of(const struct pace *pace)
{
    int64_t stretch = pace->rate / STRETCHES;
    return stretch < 1 ? 1 : stretch < STRETCH_MAX ? stretch : STRETCH_MAX;
}

size_t pace_allows(struct pace *pace, uint64_t given, int64_t now)
{
    double earned = (double)pace->after + (double)pace->rate * ((double)(now - pace->began) / (double)TIME_S + 1);
    double may = earned - (double)given;
    pace->until = 0;
    if (may >= 1 && (may >= (double)stretch_of(pace) || given == 0))
        return may < (double)(SIZE_MAX / 4) ? (size_t)may : SIZE_MAX / 4;
    double wait = ((double)stretch_of(pace) - may) / (double)pace->rate * (double)TIME_S;
    pace->until = wait < (double)(TIME_NEVER / 4) ? now + (int64_t)wait + 1 : TIME_NEVER / 4;
    return 0;
}
