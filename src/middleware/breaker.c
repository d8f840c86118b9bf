#include "middleware/breaker.h"

#include <string.h>

#include "base/time.h"

enum { NETWORK_ERROR_RATIO, RESPONSE_CODE_RATIO, LATENCY_AT_QUANTILE_MS, REQUEST_THRESHOLD };

const struct expression_function breaker_functions[] = {
    [NETWORK_ERROR_RATIO] = {.name = "NetworkErrorRatio"},
    [RESPONSE_CODE_RATIO] = {.name = "ResponseCodeRatio", .arguments = 4},
    [LATENCY_AT_QUANTILE_MS] = {.name = "LatencyAtQuantileMS", .arguments = 1},
    [REQUEST_THRESHOLD] = {.name = "RequestThreshold"},
    {.name = NULL},
};

void breaker_init(void *memory)
{
    struct breaker *breaker = memory;
    pthread_mutex_init(&breaker->lock, NULL);
}

void breaker_release(void *memory)
{
    struct breaker *breaker = memory;
    pthread_mutex_destroy(&breaker->lock);
}

/* ---- measures ---- */

/* Bins grow by an eighth of a power of two, from a microsecond up. */
static unsigned bin_of(int64_t latency)
{
    uint64_t us = latency > 0 ? (uint64_t)latency / 1000 : 0;
    if (us < 8)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us);
    unsigned bin = (power - 2) * 8 + (unsigned)(us >> (power - 3) & 7);
    return bin < BREAKER_LATENCY_BINS ? bin : BREAKER_LATENCY_BINS - 1;
}

/* The middle of a bin, in ms. */
static double bin_ms(unsigned bin)
{
    if (bin < 8)
        return bin / 1000.0;
    unsigned power = bin / 8 + 2;
    double step = (double)(UINT64_C(1) << (power - 3));
    return (step * (8 + bin % 8) + step / 2) / 1000;
}

/* Slot numbers begin with 1, so that zeroed memory is of no time. */
static struct breaker_slot *present_slot(struct breaker *breaker, int64_t now)
{
    int64_t number = now / TIME_S + 1;
    struct breaker_slot *slot = &breaker->slots[number % BREAKER_SLOTS];
    if (slot->number != number) {
        memset(slot, 0, sizeof(*slot));
        slot->number = number;
    }
    return slot;
}

static struct breaker_latencies *present_latencies(struct breaker *breaker, int64_t now)
{
    int64_t number = now / (10 * TIME_S) + 1;
    struct breaker_latencies *slot = &breaker->latencies[number % BREAKER_LATENCY_SLOTS];
    if (slot->number != number) {
        memset(slot, 0, sizeof(*slot));
        slot->number = number;
    }
    return slot;
}

static void measure(struct breaker *breaker, const struct expression *condition, int64_t now, int status,
                    bool network_error, int64_t latency)
{
    struct breaker_slot *slot = present_slot(breaker, now);
    slot->total++;
    slot->network_errors += network_error;
    for (unsigned i = 0; i < condition->call_count; i++) {
        const struct expression_call *call = condition->calls[i];
        if (call->function == RESPONSE_CODE_RATIO) {
            slot->ranges[i][0] += status >= call->arguments[0] && status < call->arguments[1];
            slot->ranges[i][1] += status >= call->arguments[2] && status < call->arguments[3];
        } else if (call->function == LATENCY_AT_QUANTILE_MS) {
            struct breaker_latencies *latencies = present_latencies(breaker, now);
            latencies->total++;
            latencies->bins[bin_of(latency)]++;
        }
    }
}

static void forget_measures(struct breaker *breaker)
{
    memset(breaker->slots, 0, sizeof(breaker->slots));
    memset(breaker->latencies, 0, sizeof(breaker->latencies));
}

static double latency_at(const struct breaker *breaker, int64_t oldest, double quantile)
{
    uint64_t total = 0, seen = 0;
    for (unsigned i = 0; i < BREAKER_LATENCY_SLOTS; i++)
        total += breaker->latencies[i].number > oldest ? breaker->latencies[i].total : 0;
    for (unsigned bin = 0; bin < BREAKER_LATENCY_BINS && total != 0; bin++) {
        for (unsigned i = 0; i < BREAKER_LATENCY_SLOTS; i++)
            seen += breaker->latencies[i].number > oldest ? breaker->latencies[i].bins[bin] : 0;
        if (seen != 0 && (double)seen >= quantile / 100 * (double)total)
            return bin_ms(bin);
    }
    return 0;
}

struct view {
    const struct breaker *breaker;
    int64_t now;
};

static double value_of(const void *context, const struct expression_call *call)
{
    const struct view *view = context;
    if (call->function == LATENCY_AT_QUANTILE_MS)
        return latency_at(view->breaker, view->now / (10 * TIME_S) + 1 - BREAKER_LATENCY_SLOTS, call->arguments[0]);
    uint64_t total = 0, part = 0, whole = 0;
    for (unsigned i = 0; i < BREAKER_SLOTS; i++) {
        const struct breaker_slot *slot = &view->breaker->slots[i];
        if (slot->number <= view->now / TIME_S + 1 - BREAKER_SLOTS)
            continue;
        total += slot->total;
        part += call->function == NETWORK_ERROR_RATIO ? slot->network_errors : slot->ranges[call->index][0];
        whole += slot->ranges[call->index][1];
    }
    if (call->function == REQUEST_THRESHOLD)
        return (double)total;
    if (call->function == NETWORK_ERROR_RATIO)
        whole = total;
    return whole != 0 ? (double)part / (double)whole : 0;
}

/* ---- states ---- */

static void enter(struct breaker *breaker, enum breaker_state state, int64_t now, int64_t duration)
{
    breaker->since = now;
    breaker->until = now + duration;
    breaker->passed = breaker->refused = 0;
    atomic_store_explicit(&breaker->state, state, memory_order_release);
}

/* While recovering, what passes grows from nothing to half of what comes; then all of it does. */
static bool admit_part(struct breaker *breaker, const struct breaker_rule *rule, int64_t now)
{
    double share = 0.5 * (double)(now - breaker->since) / (double)rule->recovery_duration;
    double passed = breaker->passed + 1.0;
    bool pass = passed / (passed + breaker->refused) <= share;
    breaker->passed += pass;
    breaker->refused += !pass;
    return pass;
}

static bool admit_locked(struct breaker *breaker, const struct breaker_rule *rule, int64_t now,
                         enum breaker_change *ret_change)
{
    int state = atomic_load_explicit(&breaker->state, memory_order_relaxed);
    if (state == BREAKER_OPEN) {
        if (now < breaker->until)
            return false;
        enter(breaker, BREAKER_RECOVERING, now, rule->recovery_duration);
        *ret_change = BREAKER_RECOVERS;
    }
    if (state != BREAKER_CLOSED && now >= breaker->until) {
        enter(breaker, BREAKER_CLOSED, now, 0);
        *ret_change = BREAKER_CLOSES;
        return true;
    }
    return state == BREAKER_CLOSED || admit_part(breaker, rule, now);
}

bool breaker_admit(struct breaker *breaker, const struct breaker_rule *rule, int64_t now,
                   enum breaker_change *ret_change)
{
    *ret_change = BREAKER_SAME;
    if (atomic_load_explicit(&breaker->state, memory_order_acquire) == BREAKER_CLOSED)
        return true;
    pthread_mutex_lock(&breaker->lock);
    bool pass = admit_locked(breaker, rule, now, ret_change);
    breaker->kept_back += !pass;
    pthread_mutex_unlock(&breaker->lock);
    return pass;
}

enum breaker_change breaker_record(struct breaker *breaker, const struct breaker_rule *rule, int64_t now, int status,
                                   bool network_error, int64_t latency)
{
    enum breaker_change change = BREAKER_SAME;
    pthread_mutex_lock(&breaker->lock);
    measure(breaker, &rule->condition, now, status, network_error, latency);
    int state = atomic_load_explicit(&breaker->state, memory_order_relaxed);
    if (state != BREAKER_OPEN && now >= breaker->next_check) {
        breaker->next_check = now + rule->check_period;
        struct view view = {breaker, now};
        if (expression_is_true(&rule->condition, value_of, &view)) {
            enter(breaker, BREAKER_OPEN, now, rule->fallback_duration);
            forget_measures(breaker);
            breaker->opened++;
            change = BREAKER_OPENED;
        }
    }
    pthread_mutex_unlock(&breaker->lock);
    return change;
}

struct breaker_view breaker_look(struct breaker *breaker, int64_t now)
{
    pthread_mutex_lock(&breaker->lock);
    struct breaker_view view = {.state = (enum breaker_state)atomic_load_explicit(&breaker->state, memory_order_relaxed),
                                .since = breaker->since,
                                .until = breaker->until,
                                .opened = breaker->opened,
                                .kept_back = breaker->kept_back};
    for (unsigned i = 0; i < BREAKER_SLOTS; i++)
        if (breaker->slots[i].number > now / TIME_S + 1 - BREAKER_SLOTS)
            view.requests += breaker->slots[i].total;
    pthread_mutex_unlock(&breaker->lock);
    return view;
}
