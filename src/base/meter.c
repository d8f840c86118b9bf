/* The registry of meters and of the joints between them. Knows nothing of what is counted. */
#include "base/meter.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/meter_state.h"
#include "base/text.h"

pthread_mutex_t meter_lock = PTHREAD_MUTEX_INITIALIZER;

/* By identity: chains, as many as there may be meters. Tens of thousands have no more than a pointer here and one there. Made when the
 * first meter comes, gone with the last. */
static struct {
    struct meter_keyed **chains;
    uint32_t mask;                    /* chains - 1, a power of two */
    uint32_t count;
} registry;
#define CHAINS_FIRST 64

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

/* Behind the row of tallies: the identity's length, and the identity. */
static char *identity_place(const struct meter_keyed *keyed)
{
    return (char *)(uintptr_t)&keyed->meter.tallies[keyed->meter.workers + 1];
}

static struct str identity(const struct meter_keyed *keyed)
{
    uint32_t len;
    memcpy(&len, identity_place(keyed), sizeof(len));
    return str_of(identity_place(keyed) + sizeof(len), len);
}

static void set_identity(struct meter_keyed *keyed, struct str text)
{
    uint32_t len = (uint32_t)text.len;
    memcpy(identity_place(keyed), &len, sizeof(len));
    if (len != 0)
        memcpy(identity_place(keyed) + sizeof(len), text.data, len);
}

/* ---- the registry; under the lock ---- */

static struct meter_keyed **chain_of(struct str text)
{
    return &registry.chains[str_hash(text) & registry.mask];
}

static void lay_out(uint32_t chains)
{
    struct meter_keyed **former = registry.chains, *next;
    uint32_t count = former != NULL ? registry.mask + 1 : 0;
    registry.chains = memory_zalloc(chains * sizeof(struct meter_keyed *));
    registry.mask = chains - 1;
    for (uint32_t i = 0; i < count; i++)
        for (struct meter_keyed *it = former[i]; it != NULL; it = next) {
            struct meter_keyed **chain = chain_of(identity(it));
            next = it->next;
            it->next = *chain;
            *chain = it;
        }
    free(former);
}

static void register_meter(struct meter_keyed *keyed)
{
    if (registry.chains == NULL || registry.count > registry.mask)
        lay_out(registry.chains != NULL ? 2 * (registry.mask + 1) : CHAINS_FIRST);
    struct meter_keyed **chain = chain_of(identity(keyed));
    keyed->next = *chain;
    *chain = keyed;
    registry.count++;
}

static void unregister_meter(const struct meter_keyed *keyed)
{
    struct meter_keyed **at = chain_of(identity(keyed));
    while (*at != keyed)
        at = &(*at)->next;
    *at = keyed->next;
    if (--registry.count != 0)
        return;
    free(registry.chains);
    registry.chains = NULL;
}

/* ---- meters ---- */

static void init_meter(struct meter *meter, unsigned workers, const struct meter_bounds *bounds)
{
    assert(workers < UINT16_MAX);
    meter->workers = (uint16_t)workers;
    meter->bounds = bounds;
    atomic_init(&meter->refs, 1);
}

static size_t row_size(unsigned workers)
{
    return workers * sizeof(_Atomic(struct meter_tally *));
}

static struct meter *new_meter(struct str text, unsigned workers, const struct meter_bounds *bounds)
{
    struct meter_keyed *keyed = memory_zalloc(sizeof(*keyed) + row_size(workers + 1) + sizeof(uint32_t) + text.len);
    init_meter(&keyed->meter, workers, bounds);
    list_init(&keyed->joints[0]);
    list_init(&keyed->joints[1]);
    set_identity(keyed, text);
    register_meter(keyed);
    return &keyed->meter;
}

/* Under the lock; one reference is the caller's when there is one. */
static struct meter *find_meter(struct str text)
{
    struct meter_keyed *known = registry.chains != NULL ? *chain_of(text) : NULL;
    while (known != NULL && !str_equal(identity(known), text))
        known = known->next;
    return known != NULL ? meter_ref(&known->meter) : NULL;
}

struct meter *meter_get(struct str key, unsigned workers, const struct meter_bounds *bounds)
{
    struct text text;
    text_init(&text, SIZE_MAX / 2);
    const struct known_bounds *known = know_bounds(bounds);
    identity_of(key, workers, known->number, &text);
    pthread_mutex_lock(&meter_lock);
    struct meter *found = find_meter(text_str(&text));
    if (found == NULL)
        found = new_meter(text_str(&text), workers, &known->bounds);
    pthread_mutex_unlock(&meter_lock);
    text_release(&text);
    return found;
}

static struct meter *new_joint(struct meter *one, struct meter *other)
{
    struct meter_joint *joint = memory_zalloc(sizeof(*joint) + row_size(one->workers));
    init_meter(&joint->meter, one->workers, one->bounds);
    joint->meter.joint = true;
    joint->in[0] = meter_ref(one);
    joint->in[1] = meter_ref(other);
    for (unsigned i = 0; i < 2; i++)
        list_append(&meter_keyed_of(joint->in[i])->joints[i], &joint->links[i]);
    return &joint->meter;
}

static struct meter *find_joint(const struct meter *one, const struct meter *other)
{
    LIST_FOREACH(&meter_keyed_of(other)->joints[1], it)
    {
        struct meter_joint *joint = container_of(it, struct meter_joint, links[1]);
        if (joint->in[0] == one)
            return meter_ref(&joint->meter);
    }
    return NULL;
}

/* Under the lock. */
static struct meter *join(struct meter *one, struct meter *other)
{
    assert(one->workers == other->workers && one->bounds == other->bounds && !one->joint && !other->joint);
    struct meter *found = find_joint(one, other);
    return found != NULL ? found : new_joint(one, other);
}

struct meter *meter_join(struct meter *one, struct meter *other)
{
    pthread_mutex_lock(&meter_lock);
    struct meter *joint = join(one, other);
    pthread_mutex_unlock(&meter_lock);
    return joint;
}

struct meter *meter_try_join(struct meter *one, struct meter *other)
{
    if (pthread_mutex_trylock(&meter_lock) != 0)
        return NULL;
    struct meter *joint = join(one, other);
    pthread_mutex_unlock(&meter_lock);
    return joint;
}

struct meter *meter_ref(struct meter *meter)
{
    atomic_fetch_add_explicit(&meter->refs, 1, memory_order_relaxed);
    return meter;
}

/* A joint goes: what it counted stays with the meters that it joined. Under the lock. */
static void fold(struct meter_joint *joint)
{
    for (unsigned i = 0; i < 2; i++) {
        struct meter *meter = joint->in[i];
        list_remove(&joint->links[i]);
        for (unsigned j = 0; j < joint->meter.workers; j++) {
            const struct meter_tally *tally = atomic_load(&joint->meter.tallies[j]);
            if (tally != NULL)
                meter_fold_tally(tally, meter_own_tally(meter, meter->workers), meter->bounds->count);
        }
    }
}

/* Nobody finds it any more. Under the lock. */
static void forget(struct meter *meter)
{
    if (meter->joint) {
        fold(meter_joint_of(meter));
        return;
    }
    unregister_meter(meter_keyed_of(meter));
}

static void free_meter(struct meter *meter)
{
    for (unsigned i = 0; i < meter_tally_count(meter); i++)
        meter_free_tally(atomic_load(&meter->tallies[i]));
    if (!meter->joint) {
        free(meter_keyed_of(meter));
        return;
    }
    struct meter_joint *joint = meter_joint_of(meter);
    meter_unref(joint->in[0]);
    meter_unref(joint->in[1]);
    free(joint);
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
    pthread_mutex_lock(&meter_lock);
    bool last = atomic_fetch_sub_explicit(&meter->refs, 1, memory_order_acq_rel) == 1;
    if (last)
        forget(meter);
    pthread_mutex_unlock(&meter_lock);
    if (last)
        free_meter(meter);
}
