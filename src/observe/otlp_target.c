#include "observe/otlp_target.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"
#include "base/time.h"

#define SEND_TIMEOUT (10 * TIME_S)
#define BACKOFF_FIRST TIME_S
#define BACKOFF_MAX (30 * TIME_S)
#define AGE_MAX (300 * TIME_S)
#define TELL_EVERY (60 * TIME_S)

struct tally {
    _Atomic uint64_t sent, dropped, failures;
};
static struct tally tallies[OTLP_SIGNALS];
static _Atomic uint64_t waiting_bytes[OTLP_SIGNALS];

static const char *const signal_names[OTLP_SIGNALS] = {[OTLP_TRACES] = "traces", [OTLP_METRICS] = "metrics"};
static const char *const item_names[OTLP_SIGNALS] = {[OTLP_TRACES] = "spans", [OTLP_METRICS] = "data points"};

static void add(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

void otlp_count_dropped(enum otlp_signal signal, uint64_t items)
{
    add(&tallies[signal].dropped, items);
}

struct otlp_counts otlp_counts(enum otlp_signal signal)
{
    return (struct otlp_counts){.sent = tallies[signal].sent,
                                .dropped = tallies[signal].dropped,
                                .failures = tallies[signal].failures,
                                .waiting = waiting_bytes[signal]};
}

/* ---- life ---- */

struct otlp_target *otlp_target_new(const struct otlp_settings *settings, char *key)
{
    struct otlp_target *target = memory_zalloc(sizeof(*target));
    target->refs = 1;
    target->signal = settings->signal;
    target->limit = (uint64_t)settings->queue_limit;
    target->limit_option = settings->limit_option;
    target->key = key;
    target->sender = otlp_sender_new(settings);
    target->encoding = otlp_sender_encoding(target->sender);
    target->queue_end = &target->queue;
    return target;
}

struct otlp_target *otlp_target_ref(struct otlp_target *target)
{
    atomic_fetch_add_explicit(&target->refs, 1, memory_order_relaxed);
    return target;
}

enum otlp_encoding otlp_target_encoding(const struct otlp_target *target)
{
    return target->encoding;
}

void otlp_target_free(struct otlp_target *target)
{
    assert(otlp_target_idle(target) && target->inbox == NULL);
    otlp_sender_free(target->sender);
    free(target->key);
    free(target);
}

bool otlp_target_idle(const struct otlp_target *target)
{
    return target->queue == NULL && target->loaded == NULL;
}

/* ---- what waits ---- */

static void forget_bytes(struct otlp_target *target, size_t size)
{
    atomic_fetch_sub_explicit(&target->waiting, size, memory_order_relaxed);
    atomic_fetch_sub_explicit(&waiting_bytes[target->signal], size, memory_order_relaxed);
}

static void drop(struct otlp_target *target, uint64_t items)
{
    target->dropped += items;
    otlp_count_dropped(target->signal, items);
}

/* False when there is no room. */
static bool claim_bytes(struct otlp_target *target, size_t size)
{
    add(&waiting_bytes[target->signal], size);
    uint64_t before = atomic_fetch_add_explicit(&target->waiting, size, memory_order_relaxed);
    if (before + size <= target->limit)
        return true;
    forget_bytes(target, size);
    return false;
}

static void release_batch(struct otlp_batch *batch)
{
    batch->release(batch);
}

bool otlp_target_add(struct otlp_target *target, struct otlp_batch *batch, bool *ret_first)
{
    if (!claim_bytes(target, batch->size)) {
        add(&target->overflowed, batch->items);
        otlp_count_dropped(target->signal, batch->items);
        release_batch(batch);
        return false;
    }
    batch->handed_over_at = time_monotonic();
    struct otlp_batch *before = atomic_load_explicit(&target->inbox, memory_order_relaxed);
    do
        batch->next = before;
    while (!atomic_compare_exchange_weak_explicit(&target->inbox, &before, batch, memory_order_release, memory_order_relaxed));
    *ret_first = before == NULL;
    return true;
}

static void take_inbox(struct otlp_target *target)
{
    struct otlp_batch *batch = atomic_exchange_explicit(&target->inbox, NULL, memory_order_acquire), *oldest = NULL;
    while (batch != NULL) {
        struct otlp_batch *next = batch->next;
        batch->next = oldest;
        oldest = batch;
        batch = next;
    }
    *target->queue_end = oldest;
    while (*target->queue_end != NULL)
        target->queue_end = &(*target->queue_end)->next;
}

static struct otlp_batch *pop(struct otlp_target *target)
{
    struct otlp_batch *batch = target->queue;
    target->queue = batch->next;
    if (target->queue == NULL)
        target->queue_end = &target->queue;
    return batch;
}

static void drop_queue(struct otlp_target *target, int64_t older_than)
{
    while (target->queue != NULL && target->queue->handed_over_at < older_than) {
        struct otlp_batch *batch = pop(target);
        forget_bytes(target, batch->size);
        drop(target, batch->items);
        release_batch(batch);
    }
}

static void unload(struct otlp_target *target)
{
    forget_bytes(target, target->loaded->size);
    release_batch(target->loaded);
    target->loaded = NULL;
    target->failures = 0;
    target->due_at = 0;
}

static void load(struct otlp_target *target)
{
    struct otlp_batch *batch = target->loaded = pop(target);
    if (!batch->body.overflow)
        otlp_sender_frame(target->sender, &batch->body);
    if (!batch->body.overflow)
        return;
    drop(target, batch->items);
    unload(target);
}

/* ---- what the log is told ---- */

static void tell_trouble(struct otlp_target *target, const char *why, const char *hint, int64_t now)
{
    target->troubled = true;
    if (target->told_at != 0 && now - target->told_at < TELL_EVERY)
        return;
    target->told_at = now;
    target->told_overflowed = target->overflowed;
    log_with(LOG_WARN, FIELDS("collector", otlp_sender_shown(target->sender)), "%s cannot be sent: %s%s%s%s (%llu %s are lost so far)",
             signal_names[target->signal], why, hint != NULL ? " (" : "", hint != NULL ? hint : "", hint != NULL ? ")" : "",
             (unsigned long long)(target->dropped + target->overflowed), item_names[target->signal]);
}

static void tell_end(struct otlp_target *target)
{
    if (!target->troubled)
        return;
    target->troubled = false;
    target->told_at = 0;
    log_with(LOG_INFO, FIELDS("collector", otlp_sender_shown(target->sender)), "%s are sent again (%llu %s were lost)",
             signal_names[target->signal], (unsigned long long)(target->dropped + target->overflowed), item_names[target->signal]);
}

/* The collector takes everything, but not as fast as it comes. */
static void tell_overflow(struct otlp_target *target, int64_t now)
{
    uint64_t overflowed = target->overflowed;
    if (overflowed == target->told_overflowed || target->troubled || (target->told_at != 0 && now - target->told_at < TELL_EVERY))
        return;
    target->told_at = now;
    target->told_overflowed = overflowed;
    const char *option = target->limit_option;
    log_with(LOG_WARN, FIELDS("collector", otlp_sender_shown(target->sender)),
             "%s come faster than the collector takes them: %llu %s are lost so far%s%s", signal_names[target->signal],
             (unsigned long long)(target->dropped + overflowed), item_names[target->signal],
             option != NULL ? "; sample fewer, or raise " : "", option != NULL ? option : "");
}

/* ---- sending ---- */

static void begin(struct otlp_target *target, CURLM *multi)
{
    target->sending = true;
    otlp_sender_begin(target->sender, multi, text_str(&target->loaded->body), SEND_TIMEOUT, target);
}

void otlp_target_tend(struct otlp_target *target, CURLM *multi, int64_t now, bool hurry)
{
    take_inbox(target);
    drop_queue(target, now - AGE_MAX);
    while (target->loaded == NULL && target->queue != NULL)
        load(target);
    if (target->loaded != NULL && !target->sending && (hurry || now >= target->due_at))
        begin(target, multi);
    tell_overflow(target, now);
}

bool otlp_target_advance(struct otlp_target *target, CURLM *multi, int64_t now, bool last)
{
    CURLcode code;
    if (!target->sending || !otlp_sender_advance(target->sender, multi, target, &code))
        return false;
    otlp_target_finished(target, multi, code, now, last);
    return true;
}

/* Doubling, give or take a fifth, so that many do not come back at once. */
static int64_t backoff(const struct otlp_target *target)
{
    unsigned doublings = target->failures < 6 ? target->failures : 6;
    int64_t pause = BACKOFF_FIRST << (doublings - 1);
    if (pause > BACKOFF_MAX)
        pause = BACKOFF_MAX;
    return pause * (80 + rand_below(41)) / 100;
}

static void try_later(struct otlp_target *target, const struct otlp_result *result, int64_t now)
{
    if (now - target->loaded->handed_over_at > AGE_MAX) {
        drop(target, target->loaded->items);
        unload(target);
    } else {
        target->failures++;
        int64_t pause = backoff(target);
        target->due_at = now + (result->retry_after > pause ? result->retry_after : pause);
    }
}

void otlp_target_finished(struct otlp_target *target, CURLM *multi, CURLcode code, int64_t now, bool last)
{
    struct otlp_result result;
    otlp_sender_end(target->sender, multi, code, &result);
    target->sending = false;
    if (result.outcome == OTLP_SENT) {
        uint64_t rejected = result.rejected < target->loaded->items ? result.rejected : target->loaded->items;
        add(&tallies[target->signal].sent, target->loaded->items - rejected);
        drop(target, rejected);
        unload(target);
        if (rejected != 0)
            tell_trouble(target, "the collector took only a part", NULL, now);
        else
            tell_end(target);
        return;
    }
    add(&tallies[target->signal].failures, 1);
    if (result.outcome == OTLP_REFUSED) {
        drop(target, target->loaded->items);
        unload(target);
    } else {
        try_later(target, &result, now);
    }
    tell_trouble(target, result.why, result.hint, now);
    if (last && result.outcome == OTLP_AGAIN)
        otlp_target_give_up(target, multi);
}

void otlp_target_give_up(struct otlp_target *target, CURLM *multi)
{
    uint64_t before = target->dropped;
    if (target->sending)
        otlp_sender_abort(target->sender, multi);
    target->sending = false;
    if (target->loaded != NULL) {
        drop(target, target->loaded->items);
        unload(target);
    }
    take_inbox(target);
    drop_queue(target, INT64_MAX);
    if (target->dropped != before)
        log_with(LOG_WARN, FIELDS("collector", otlp_sender_shown(target->sender)), "%llu %s were not sent any more",
                 (unsigned long long)(target->dropped - before), item_names[target->signal]);
}

int64_t otlp_target_next(const struct otlp_target *target)
{
    if (target->closed_at != 0)
        return 0;
    return target->loaded != NULL && !target->sending ? target->due_at : TIME_NEVER;
}
