#include "upstream/name_watch.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"
#include "upstream/resolve.h"

#define NAMES_MAX 65536
#define NOTHING_PAUSE (10 * TIME_S)

static struct {
    struct loop *loop;               /* NULL: names are not watched */
    struct lookups *lookups;
} watches;

bool name_watch_runs(void)
{
    return watches.loop != NULL;
}

struct loop *name_watch_loop(void)
{
    return watches.loop;
}

/* ---- places ---- */

static int by_place(const void *a, const void *b)
{
    const struct lookup_place *left = a, *right = b;
    int order = memcmp(left->ip.bytes, right->ip.bytes, sizeof(left->ip.bytes));
    if (order == 0 && left->port != right->port)
        order = left->port < right->port ? -1 : 1;
    if (order == 0 && left->priority != right->priority)
        order = left->priority < right->priority ? -1 : 1;
    return order != 0 ? order : (int)left->weight - (int)right->weight;
}

static bool same_places(const struct name_watch *watch, const struct lookup_place *sorted, unsigned count)
{
    if (watch->count != count)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (by_place(&watch->places[i], &sorted[i]) != 0)
            return false;
    return true;
}

/* In an order of their own, so that the same ones in another order are no change. */
static bool take_places(struct name_watch *watch, const struct lookup_answer *answer)
{
    struct lookup_place *sorted = memory_alloc((answer->count + 1) * sizeof(*sorted));
    if (answer->count != 0)
        memcpy(sorted, answer->places, answer->count * sizeof(*sorted));
    qsort(sorted, answer->count, sizeof(*sorted), by_place);
    if (same_places(watch, sorted, answer->count)) {
        free(sorted);
        return false;
    }
    free(watch->places);
    watch->places = sorted;
    watch->count = answer->count;
    return true;
}

/* ---- looking ---- */

static int64_t pause_after(const struct name_watch *watch, const struct lookup_answer *answer)
{
    int64_t left = answer->holds_until - watches.loop->now;
    if (answer->failed) {
        int64_t pause = resolve_pause(watch->failures, 0);
        return pause < watch->rule.timeout || watch->rule.timeout < TIME_S ? pause : watch->rule.timeout;
    }
    if (answer->count == 0)
        return watch->rule.valid != 0 ? resolve_pause(0, watch->rule.valid) : NOTHING_PAUSE;
    return resolve_pause(0, left);
}

/* True: there are other places now. */
static bool take(struct name_watch *watch, const struct lookup_answer *answer)
{
    bool changed = false;
    if (answer->failed)
        watch->failures++;
    else
        watch->failures = 0;
    if (!answer->failed)
        changed = take_places(watch, answer);
    if (watches.loop == NULL)
        return false;
    timer_after(watches.loop, &watch->timer, pause_after(watch, answer));
    bool bad = answer->count == 0;
    if (bad && !watch->told && watch->on_failure != NULL)
        watch->on_failure(watch, answer->error);
    watch->told = bad;
    return changed;
}

static void on_answer(struct lookup *lookup, const struct lookup_answer *answer)
{
    struct name_watch *watch = container_of(lookup, struct name_watch, lookup);
    if (take(watch, answer))
        watch->on_change(watch);
}

static bool look(struct name_watch *watch)
{
    struct lookup_answer answer = {.failed = true, .error = "DNS cannot be asked"};
    enum status status = lookup_begin(watches.lookups, &watch->rule, watch->name, watch->service, &watch->lookup, &answer);
    return status != STATUS_AGAIN && take(watch, &answer);
}

static void on_timer(struct timer *timer)
{
    struct name_watch *watch = container_of(timer, struct name_watch, timer);
    if (look(watch))
        watch->on_change(watch);
}

void name_watch_begin(struct name_watch *watch)
{
    if (watches.loop == NULL)
        return;
    watch->begun = true;
    watch->lookup.done = on_answer;
    timer_init(&watch->timer, on_timer);
    struct lookup_answer last = lookup_last(watches.lookups, &watch->rule, watch->name, watch->service);
    if (last.count != 0)
        take_places(watch, &last);
    look(watch);
}

void name_watch_end(struct name_watch *watch)
{
    if (watch->begun) {
        timer_cancel(&watch->timer);
        lookup_cancel(&watch->lookup);
    }
    free(watch->places);
    watch->places = NULL;
    watch->count = 0;
    watch->begun = false;
}

void name_watches_start(struct loop *loop)
{
    watches.loop = loop;
    watches.lookups = lookups_new(loop, NAMES_MAX);
}

void name_watches_stop(void)
{
    watches.loop = NULL;
    lookups_free(watches.lookups);
    watches.lookups = NULL;
}
