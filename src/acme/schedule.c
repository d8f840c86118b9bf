#include "acme/schedule.h"

#define MINUTE (60 * TIME_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WAIT_MAX (7 * DAY)

/* 0 <= x < bound; the high bits of a product, so that every bit of the draw counts. */
static int64_t share(uint64_t draw, int64_t bound)
{
    return bound <= 0 ? 0 : (int64_t)((unsigned __int128)draw * (uint64_t)bound >> 64);
}

bool schedule_window_is_good(struct renewal_window window)
{
    return window.start > 0 && window.end > window.start;
}

int64_t schedule_renewal(int64_t not_before, int64_t not_after, struct renewal_window window, uint64_t draw)
{
    if (schedule_window_is_good(window))
        return window.start + share(draw, window.end - window.start);
    int64_t lifetime = not_after > not_before ? not_after - not_before : 0;
    return not_before + lifetime / 3 * 2 - share(draw, lifetime / 50);
}

/* `first`, doubled with each failure before this one, at most `last`. */
static int64_t doubled(int64_t first, int64_t last, unsigned failures)
{
    while (failures-- > 0 && first < last)
        first *= 2;
    return first < last ? first : last;
}

void backoff_fail(struct backoff *backoff, enum backoff_kind kind, int64_t now, int64_t not_before, uint64_t draw)
{
    int64_t wait = kind == BACKOFF_UNREACHABLE ? doubled(2 * TIME_S, HOUR, backoff->failures)
                                               : doubled(MINUTE, DAY, backoff->failures);
    wait += share(draw, wait / 5);
    if (kind == BACKOFF_REFUSED && wait > DAY)
        wait = DAY;
    int64_t asked = not_before > now + WAIT_MAX ? now + WAIT_MAX : not_before;
    backoff->until = now + wait > asked ? now + wait : asked;
    if (backoff->failures < UINT32_MAX)
        backoff->failures++;
}

int64_t order_rate_ready(const struct order_rate *rate, int64_t now)
{
    if (rate->count < ORDERS_AT_ONCE)
        return now;
    int64_t ready = rate->started[rate->next] + ORDERS_PERIOD;
    return ready > now ? ready : now;
}

void order_rate_note(struct order_rate *rate, int64_t now)
{
    rate->started[rate->next] = now;
    rate->next = (rate->next + 1) % ORDERS_AT_ONCE;
    if (rate->count < ORDERS_AT_ONCE)
        rate->count++;
}

bool name_rate_take(struct name_rate *rate, int64_t burst, int64_t period, int64_t now)
{
    if (!rate->running || now - rate->began >= period)
        *rate = (struct name_rate){.began = now, .running = true};
    if (rate->used >= burst)
        return false;
    rate->used++;
    return true;
}
