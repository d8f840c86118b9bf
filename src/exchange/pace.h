/* How much of a response's body may go by now: so many bytes a second, one second's worth ahead, after so many that are free. What
 * waits for its time is the relay's (exchange/relay.h). Pure but for its queue. Times are monotonic ns. */
#ifndef EXCHANGE_PACE_H
#define EXCHANGE_PACE_H

#include "base/chunkq.h"

struct pace {
    int64_t rate;                 /* bytes a second, over 0 */
    int64_t after;                /* bytes that are free */
    int64_t began;
    int64_t until;                /* when the next stretch may go; 0: nothing waits for its time */
    struct chunkq out;            /* whose time has come, and the sink has not taken it yet */
};

/* Bytes that may go now, of which `given` have gone; 0: none, and pace->until says when. */
size_t pace_allows(struct pace *pace, uint64_t given, int64_t now);

#endif
