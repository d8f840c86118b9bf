#include "cli/throttle.h"

#define INTERVAL_MAX (24 * 3600 * TIME_S)

static void on_timer(struct timer *timer)
{
    struct throttle *throttle = container_of(timer, struct throttle, timer);
    throttle->run(throttle->owner);
}

void throttle_init(struct throttle *throttle, struct loop *loop, unsigned burst, void (*run)(void *owner), void *owner)
{
    *throttle = (struct throttle){.loop = loop, .burst = burst, .run = run, .owner = owner};
    timer_init(&throttle->timer, on_timer);
}

void throttle_note(struct throttle *throttle, int64_t interval)
{
    int64_t now = throttle->loop->now;
    interval = interval < INTERVAL_MAX ? interval : INTERVAL_MAX;
    int64_t most = now + (int64_t)throttle->burst * interval;      /* runs that nobody asked for here make no longer debt */
    throttle->paid_until = (throttle->paid_until > now ? throttle->paid_until : now) + interval;
    throttle->paid_until = throttle->paid_until < most ? throttle->paid_until : most;
    timer_set(throttle->loop, &throttle->timer, TIME_NEVER);
}

void throttle_ask(struct throttle *throttle, int64_t interval)
{
    interval = interval < INTERVAL_MAX ? interval : INTERVAL_MAX;
    int64_t ready_at = throttle->paid_until - (int64_t)(throttle->burst - 1) * interval;
    if (interval == 0 || throttle->loop->now >= ready_at)
        throttle->run(throttle->owner);
    else if (!timer_armed(&throttle->timer))
        timer_set(throttle->loop, &throttle->timer, ready_at);
}

void throttle_stop(struct throttle *throttle)
{
    timer_cancel(&throttle->timer);
}
