/* Not too often: what is asked for runs at once, up to `burst` times in a row, and then once in each interval; several wishes that
 * have to wait are one. Threading: one loop's. */
#ifndef CLI_THROTTLE_H
#define CLI_THROTTLE_H

#include "net/loop.h"

struct throttle {
    struct loop *loop;
    struct timer timer;
    unsigned burst;
    int64_t paid_until;               /* monotonic ns: each run pays for one interval */
    void (*run)(void *owner);
    void *owner;
};

void throttle_init(struct throttle *throttle, struct loop *loop, unsigned burst, void (*run)(void *owner), void *owner);
/* Runs now, before it returns, or later on the loop. `interval` in ns; 0: always now. */
void throttle_ask(struct throttle *throttle, int64_t interval);
/* It ran for another reason: what waits is done with. */
void throttle_note(struct throttle *throttle, int64_t interval);
void throttle_stop(struct throttle *throttle);

#endif
