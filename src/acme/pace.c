#include "acme/pace.h"

#define FIRST_WAIT (250 * TIME_MS)
#define LONGEST_WAIT (5 * TIME_S)
#define LONGEST_WISH (60 * TIME_S)

bool acme_pace_next(struct acme_pace *pace, struct loop *loop, struct timer *timer, int64_t not_before)
{
    int64_t wait = pace->polls < 5 ? FIRST_WAIT << pace->polls : LONGEST_WAIT;
    if (not_before != 0) {
        int64_t wish = not_before > INT64_MAX / TIME_S ? INT64_MAX : not_before * TIME_S - loop->wall;
        wait = wish < FIRST_WAIT ? FIRST_WAIT : wish > LONGEST_WISH ? LONGEST_WISH : wish;
    }
    pace->polls++;
    if (loop->now + wait > pace->deadline)
        return false;
    timer_after(loop, timer, wait);
    return true;
}

bool acme_failure_passes(const struct acme_failure *failure)
{
    return failure->trouble == ACME_UNREACHABLE || failure->status >= 500 || failure->status == 429;
}
