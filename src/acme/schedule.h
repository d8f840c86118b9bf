/* When to do what: renewals, the next try after a failure, how many orders at once. Arithmetic alone: no clock, no I/O, no
 * memory. Moments of certificates are Unix seconds; what is waited for is in ns of one clock, the caller's.
 *
 * `draw` is a random number, the caller's; the same draw gives the same answer. Drawn from the certificate's own digest, a
 * renewal's moment stays where it is through restarts and is the same for all who share a storage. */
#ifndef ACME_SCHEDULE_H
#define ACME_SCHEDULE_H

#include "base/time.h"

/* What the CA suggests (ARI, RFC 9773 4.2), Unix seconds; `end` 0: nothing. */
struct renewal_window {
    int64_t start, end;
};

/* The Unix second at which a certificate is to be renewed. With a window: a uniformly random moment in it, which may have
 * passed. Else at two thirds of its lifetime, less up to a fiftieth of it, so that certificates of one day part ways. */
int64_t schedule_renewal(int64_t not_before, int64_t not_after, struct renewal_window window, uint64_t draw);
/* A window that says something: it ends behind its start. A CA may also say nonsense. */
bool schedule_window_is_good(struct renewal_window window);

/* Failures in a row, of one set of names or of one CA. Zeroed: none. */
struct backoff {
    unsigned failures;
    int64_t until;              /* not before */
};
enum backoff_kind {
    BACKOFF_REFUSED,            /* the CA said no: 1 minute, doubled each time, up to a day */
    BACKOFF_UNREACHABLE,        /* it was not reached, which costs it nothing: 2 seconds, doubled, up to an hour */
};
/* Counts a failure; `not_before`: when the CA wants to see us again (0: it did not say), which is honoured up to a week. Each
 * wait is up to a fifth longer by chance. */
void backoff_fail(struct backoff *backoff, enum backoff_kind kind, int64_t now, int64_t not_before, uint64_t draw);
static inline void backoff_succeed(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}
static inline bool backoff_is_over(const struct backoff *backoff, int64_t now)
{
    return backoff->until <= now;
}

/* Which CA is asked after so many failures: false: the first, three times; then both in turn. */
#define FALLBACK_AFTER 3
static inline bool schedule_uses_fallback(unsigned failures)
{
    return failures >= FALLBACK_AFTER && (failures - FALLBACK_AFTER) % 2 == 0;
}

/* At most so many events in any stretch of so long. Zeroed: nothing happened yet. */
#define ORDERS_AT_ONCE 10
#define ORDERS_PERIOD (10 * TIME_S)
struct order_rate {
    int64_t started[ORDERS_AT_ONCE];    /* a ring, the oldest at `next` */
    unsigned next, count;
};
/* When the next one may begin: `now` or later. */
int64_t order_rate_ready(const struct order_rate *rate, int64_t now);
void order_rate_note(struct order_rate *rate, int64_t now);

/* Names that may be got on demand: `burst` in a stretch of `period`. */
struct name_rate {
    int64_t began;
    int64_t used;
    bool running;
};
/* Takes one; false: used up. */
bool name_rate_take(struct name_rate *rate, int64_t burst, int64_t period, int64_t now);

#endif
