/* When to ask again: what is polled (RFC 8555 7.5.1), and what failed in a way that passes. Pure. */
#ifndef ACME_PACE_H
#define ACME_PACE_H

#include "acme/failure.h"
#include "acme/http.h"

struct acme_pace {
    unsigned polls;
    int64_t deadline;               /* monotonic ns */
};

static inline void acme_pace_start(struct acme_pace *pace, const struct loop *loop, int64_t time_left)
{
    *pace = (struct acme_pace){.deadline = loop->now + time_left};
}
/* Sets the timer for the next question: at `not_before` (Unix seconds, 0: not said), else after an ever longer while. False:
 * that would be too late. */
bool acme_pace_next(struct acme_pace *pace, struct loop *loop, struct timer *timer, int64_t not_before);
/* Is it worth asking again soon: no answer, an error of the CA's own, or too many questions at once? */
bool acme_failure_passes(const struct acme_failure *failure);

#endif
