/* The registry of meters and of the joints between them. Knows nothing of what is counted. */
#include "base/meter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/meter_state.h"
#include "base/text.h"

pthread_mutex_t meter_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map registry;           /* by identity; made when the first meter comes, gone with the last */

/* A set of bounds that was ever asked for: few, and kept. */
struct known_bounds {
    struct known_bounds *next;
    unsigned number;
    struct meter_bounds bounds;
};
static struct known_bounds *known_bounds;

static bool bounds_equal(const struct meter_bounds *one, const struct meter_bounds *other)
{
    return one->count == other->count && memcmp(one->ends, other->ends, one->count * sizeof(one->ends[0])) == 0;
}

/* The registry's own copy, so that thousands of meters share it. */
static const struct known_bounds *know_bounds(const struct meter_bounds *bounds)
{
    pthread_mutex_lock(&meter_lock);
    struct known_bounds *known = known_bounds;
    while (known != NULL && !bounds_equal(&known->bounds, bounds))
        known = known->next;
    if (known == NULL) {
        known = memory_zalloc(sizeof(*known));
        known->bounds = *bounds;
        known->bounds.ends[bounds->count] = INT64_MAX;
        known->number = known_bounds != NULL ? known_bounds->number + 1 : 0;
        known->next = known_bounds;
        known_bounds = known;
    }
    pthread_mutex_unlock(&meter_lock);
    return known;
}

static struct str identity_of(struct str key, unsigned workers, unsigned bounds, struct text *text)
{
    text_add(text, key);
    text_addf(text, "|%u|%u", workers, bounds);
    return text_str(text);
}

static struct meter_registered *new_meter(struct str identity, size_t key_length, unsigned workers, const struct meter_bounds *bounds)
{
    struct meter_registered *registered =
        memory_zalloc(sizeof(*registered) + (workers + 1) * sizeof(registered->meter.tallies[0]));
    struct meter *meter = &registered->meter;
    registered->identity = str_of(memory_copy_text(identity.data, identity.len), identity.len);
    list_init(&registered->joints);
    meter->key = str_first(registered->identity, key_length);
    meter->workers = workers;
    meter->bounds = bounds;
    atomic_init(&meter->refs, 1);
    map_put(&registry, registered->identity, registered);
    return registered;
}

/* Under the lock; one reference is the caller's when there is one. */
static struct meter_registered *find_meter(struct str identity)
{
    if (registry.live == 0)
        map_init(&registry, false);
    struct meter_registered *known = map_get(&registry, identity);
    if (known != NULL)
        meter_ref(&known->meter);
    return known;
}

struct meter *meter_get(struct str key, unsigned workers, const struct meter_bounds *bounds)
{
    struct text text;
    text_init(&text, SIZE_MAX / 2);
    const struct known_bounds *known = know_bounds(bounds);
    struct str identity = identity_of(key, workers, known->number, &text);
    pthread_mutex_lock(&meter_lock);
    struct meter_registered *found = find_meter(identity);
    if (found == NULL)
        found = new_meter(identity, key.len, workers, &known->bounds);
    pthread_mutex_unlock(&meter_lock);
    text_release(&text);
    return &found->meter;
}

static void join(struct meter_registered *joint, struct meter_joint *place, struct meter *meter)
{
    *place = (struct meter_joint){.self = joint, .in = meter_registered_of(meter_ref(meter))};
    list_append(&place->in->joints, &place->link);
}

struct meter *meter_join(struct meter *one, struct meter *other)
{
    assert(one->workers == other->workers && one->bounds == other->bounds);
    struct text text;
    text_init(&text, SIZE_MAX / 2);
    text_add(&text, meter_registered_of(one)->identity);
    text_add(&text, S(" & "));
    text_add(&text, meter_registered_of(other)->identity);
    pthread_mutex_lock(&meter_lock);
    struct meter_registered *found = find_meter(text_str(&text));
    if (found == NULL) {
        found = new_meter(text_str(&text), text.len, one->workers, one->bounds);
        join(found, &found->places[0], one);
        join(found, &found->places[1], other);
    }
    pthread_mutex_unlock(&meter_lock);
    text_release(&text);
    return &found->meter;
}

struct meter *meter_ref(struct meter *meter)
{
    atomic_fetch_add_explicit(&meter->refs, 1, memory_order_relaxed);
    return meter;
}

/* A joint goes: what it counted stays with the meters that it joined. Under the lock. */
static void fold(struct meter_registered *joint)
{
    for (unsigned i = 0; i < 2 && joint->places[i].in != NULL; i++) {
        struct meter *meter = &joint->places[i].in->meter;
        list_remove(&joint->places[i].link);
        for (unsigned j = 0; j < joint->meter.workers; j++) {
            const struct meter_tally *tally = atomic_load(&joint->meter.tallies[j]);
            if (tally != NULL)
                meter_fold_tally(tally, meter_own_tally(meter, meter->workers), meter->bounds->count);
        }
    }
}

static void free_meter(struct meter_registered *registered)
{
    for (unsigned i = 0; i <= registered->meter.workers; i++)
        meter_free_tally(atomic_load(&registered->meter.tallies[i]));
    for (unsigned i = 0; i < 2; i++)
        if (registered->places[i].in != NULL)
            meter_unref(&registered->places[i].in->meter);
    free((char *)(uintptr_t)registered->identity.data);
    free(registered);
}

/* Gives back a reference that is not the last one; false when it may be. */
static bool drop_one_of_many(struct meter *meter)
{
    unsigned refs = atomic_load_explicit(&meter->refs, memory_order_relaxed);
    while (refs > 1)
        if (atomic_compare_exchange_weak_explicit(&meter->refs, &refs, refs - 1, memory_order_release, memory_order_relaxed))
            return true;
    return false;
}

/* The last reference goes only under the registry's lock, so meter_get never meets a meter that is being freed. */
void meter_unref(struct meter *meter)
{
    if (meter == NULL || drop_one_of_many(meter))
        return;
    struct meter_registered *registered = meter_registered_of(meter);
    pthread_mutex_lock(&meter_lock);
    bool last = atomic_fetch_sub_explicit(&meter->refs, 1, memory_order_acq_rel) == 1;
    if (last) {
        fold(registered);
        map_remove(&registry, registered->identity);
        if (registry.live == 0)
            map_release(&registry);
    }
    pthread_mutex_unlock(&meter_lock);
    if (last)
        free_meter(registered);
}
