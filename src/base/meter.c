/* Counts of what passed: per meter one tally for each worker, per tally a cell for each kind of answer. Owns the registry of
 * meters; knows nothing of what a kind means but that its upper half is a status. */
#include "base/meter.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"

/* A number that one thread adds to and any may read: no locked instruction is needed. */
typedef _Atomic uint64_t counter;

/* What came of one kind. The buckets are by the meter's bounds; together they are how many came. */
struct meter_cell {
    struct meter_cell *next;          /* older; never changed once the cell can be seen */
    uint32_t kind;
    counter duration, bytes_in, bytes_out;
    counter buckets[];
};

struct meter_tally {
    struct meter_cell *last;          /* the worker's: the one counted in last; NULL: none yet */
    unsigned cell_count;              /* the worker's */
    _Atomic(struct meter_cell *) cells;       /* the newest first */
    _Atomic(counter *) failures;      /* by enum status; NULL: all went well */
    counter retries;
    counter buckets[METER_BUCKETS];
};

static inline void add(counter *number, uint64_t amount)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + amount, memory_order_relaxed);
}

static inline uint64_t value(const counter *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* ---- the registry ---- */

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map registry;           /* by identity; made when the first meter comes, gone with the last */

/* A meter as the registry knows it: by key, bounds and number of workers. */
struct registered {
    struct str identity;              /* begins with the key */
    struct meter meter;               /* last: its row of tallies follows */
};

static struct registered *registered_of(struct meter *meter)
{
    return container_of(meter, struct registered, meter);
}

static struct str identity_of(struct str key, unsigned workers, const struct meter_bounds *bounds, struct text *text)
{
    text_add(text, key);
    text_addf(text, "|%u", workers);
    for (unsigned i = 0; i < bounds->count; i++)
        text_addf(text, "|%lld", (long long)bounds->ends[i]);
    return text_str(text);
}

static struct meter *new_meter(struct str identity, size_t key_length, unsigned workers, const struct meter_bounds *bounds)
{
    struct registered *registered = memory_zalloc(sizeof(*registered) + workers * sizeof(registered->meter.tallies[0]));
    struct meter *meter = &registered->meter;
    registered->identity = str_of(memory_copy_text(identity.data, identity.len), identity.len);
    meter->key = str_first(registered->identity, key_length);
    meter->workers = workers;
    meter->bounds = *bounds;
    atomic_init(&meter->refs, 1);
    map_put(&registry, registered->identity, registered);
    return meter;
}

struct meter *meter_get(struct str key, unsigned workers, const struct meter_bounds *bounds)
{
    struct text text;
    text_init(&text, SIZE_MAX / 2);
    struct str identity = identity_of(key, workers, bounds, &text);
    pthread_mutex_lock(&registry_lock);
    if (registry.live == 0)
        map_init(&registry, false);
    struct registered *known = map_get(&registry, identity);
    struct meter *meter = known != NULL ? meter_ref(&known->meter) : new_meter(identity, key.len, workers, bounds);
    pthread_mutex_unlock(&registry_lock);
    text_release(&text);
    return meter;
}

struct meter *meter_ref(struct meter *meter)
{
    atomic_fetch_add_explicit(&meter->refs, 1, memory_order_relaxed);
    return meter;
}

static void free_tally(struct meter_tally *tally)
{
    if (tally == NULL)
        return;
    struct meter_cell *cell = atomic_load_explicit(&tally->cells, memory_order_relaxed);
    while (cell != NULL) {
        struct meter_cell *next = cell->next;
        free(cell);
        cell = next;
    }
    free(atomic_load_explicit(&tally->failures, memory_order_relaxed));
    free(tally);
}

static void free_meter(struct meter *meter)
{
    struct registered *registered = registered_of(meter);
    for (unsigned i = 0; i < meter->workers; i++)
        free_tally(atomic_load_explicit(&meter->tallies[i], memory_order_relaxed));
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
    pthread_mutex_lock(&registry_lock);
    bool last = atomic_fetch_sub_explicit(&meter->refs, 1, memory_order_acq_rel) == 1;
    if (last) {
        map_remove(&registry, registered_of(meter)->identity);
        if (registry.live == 0)
            map_release(&registry);
    }
    pthread_mutex_unlock(&registry_lock);
    if (last)
        free_meter(meter);
}

/* ---- buckets ---- */

/* The ends of the last four buckets that have one but the very last: 2^6, 2^6.25, 2^6.5 and 2^6.75 s in whole ns. Those of
 * the octaves below are halves of them, rounded down as they are: no ns lies between an end and its floor. */
static const int64_t top_ends[4] = {INT64_C(64000000000), INT64_C(76109255360), INT64_C(90509667991), INT64_C(107634741152)};

#define LAST (METER_BUCKETS - 1)      /* without end */
#define OCTAVES (LAST / 4)            /* from 2^-14 s to 2^6 s */

static inline int64_t end_of(unsigned bucket)
{
    return top_ends[bucket % 4] >> (OCTAVES - bucket / 4);
}

/* The first end is 61,035 ns, a little less than 2^16: what lies from 2^16 to 2^17 is in one of four buckets from the second
 * on, and so is each octave above. */
unsigned meter_bucket_of(int64_t ns)
{
    if (ns < 1 << 16)
        return ns > end_of(0);
    unsigned bucket = (unsigned)(63 - __builtin_clzll((uint64_t)ns) - 16) * 4 + 1;
    while (bucket < LAST && ns > end_of(bucket))
        bucket++;
    return bucket < LAST ? bucket : LAST;
}

double meter_bucket_end(unsigned bucket)
{
    return bucket < LAST ? exp2(-14 + (double)bucket / 4) : INFINITY;
}

/* ---- counting: the worker's side ---- */

static __attribute__((noinline)) struct meter_tally *new_tally(struct meter *meter, unsigned worker)
{
    struct meter_tally *tally = memory_zalloc(sizeof(*tally));
    atomic_store_explicit(&meter->tallies[worker], tally, memory_order_release);
    return tally;
}

/* Its own worker alone writes the pointer, so it needs no order to read it. */
static inline struct meter_tally *own_tally(struct meter *meter, unsigned worker)
{
    struct meter_tally *tally = atomic_load_explicit(&meter->tallies[worker], memory_order_relaxed);
    return tally != NULL ? tally : new_tally(meter, worker);
}

static struct meter_cell *find_cell(struct meter_cell *cell, uint32_t kind)
{
    while (cell != NULL && cell->kind != kind)
        cell = cell->next;
    return cell;
}

/* The cell of a kind that is not the last one's. */
static __attribute__((noinline)) struct meter_cell *turn_to(struct meter_tally *tally, uint32_t kind, unsigned bounds)
{
    struct meter_cell *cells = atomic_load_explicit(&tally->cells, memory_order_relaxed);
    struct meter_cell *cell = find_cell(cells, kind);
    if (cell == NULL && tally->cell_count == METER_CELLS_MAX)
        cell = find_cell(cells, METER_KIND_OTHER);
    if (cell == NULL) {
        cell = memory_zalloc(sizeof(*cell) + (bounds + 1) * sizeof(cell->buckets[0]));
        cell->kind = ++tally->cell_count < METER_CELLS_MAX ? kind : METER_KIND_OTHER;
        cell->next = cells;
        atomic_store_explicit(&tally->cells, cell, memory_order_release);
    }
    return tally->last = cell;
}

static inline void count(struct meter *meter, unsigned worker, const struct meter_sample *sample, unsigned fine)
{
    struct meter_tally *tally = own_tally(meter, worker);
    struct meter_cell *cell = tally->last;
    if (cell == NULL || cell->kind != sample->kind)
        cell = turn_to(tally, sample->kind, meter->bounds.count);
    unsigned coarse = 0;
    while (coarse < meter->bounds.count && sample->duration > meter->bounds.ends[coarse])
        coarse++;
    add(&tally->buckets[fine], 1);
    add(&cell->buckets[coarse], 1);
    add(&cell->duration, (uint64_t)sample->duration);
    add(&cell->bytes_out, sample->bytes_out);
    if (sample->bytes_in != 0)
        add(&cell->bytes_in, sample->bytes_in);
}

void meter_count(struct meter *meter, unsigned worker, const struct meter_sample *sample)
{
    count(meter, worker, sample, meter_bucket_of(sample->duration));
}

void meter_count_all(struct meter *const *meters, unsigned number, unsigned worker, const struct meter_sample *sample)
{
    unsigned fine = meter_bucket_of(sample->duration);
    for (unsigned i = 0; i < number; i++)
        if (meters[i] != NULL)
            count(meters[i], worker, sample, fine);
}

void meter_fail(struct meter *meter, unsigned worker, enum status reason)
{
    struct meter_tally *tally = own_tally(meter, worker);
    counter *failures = atomic_load_explicit(&tally->failures, memory_order_relaxed);
    if (failures == NULL) {
        failures = memory_zalloc(STATUS_COUNT * sizeof(*failures));
        atomic_store_explicit(&tally->failures, failures, memory_order_release);
    }
    add(&failures[reason], 1);
}

void meter_retry(struct meter *meter, unsigned worker, unsigned times)
{
    add(&own_tally(meter, worker)->retries, times);
}

/* ---- reading: any thread ---- */

static const struct meter_tally *tally_of(const struct meter *meter, unsigned worker)
{
    return atomic_load_explicit(&meter->tallies[worker], memory_order_acquire);
}

static const struct meter_cell *cells_of(const struct meter_tally *tally)
{
    return tally != NULL ? atomic_load_explicit(&tally->cells, memory_order_acquire) : NULL;
}

static uint64_t count_of(const struct meter_cell *cell, unsigned bounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= bounds; i++)
        sum += value(&cell->buckets[i]);
    return sum;
}

uint64_t meter_total(const struct meter *meter)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < meter->workers; i++)
        for (const struct meter_cell *cell = cells_of(tally_of(meter, i)); cell != NULL; cell = cell->next)
            total += count_of(cell, meter->bounds.count);
    return total;
}

static void sum_cell(const struct meter_cell *cell, unsigned bounds, struct meter_sum *sum)
{
    uint64_t number = count_of(cell, bounds);
    unsigned status = cell->kind >> 16;
    sum->count += number;
    sum->duration += value(&cell->duration);
    sum->bytes_in += value(&cell->bytes_in);
    sum->bytes_out += value(&cell->bytes_out);
    if (status >= 500 && cell->kind != METER_KIND_OTHER)
        sum->errors += number;
    else if (status >= 400 && status < 500)
        sum->refused += number;
}

void meter_sum(const struct meter *meter, struct meter_sum *sum)
{
    for (unsigned i = 0; i < meter->workers; i++) {
        const struct meter_tally *tally = tally_of(meter, i);
        if (tally == NULL)
            continue;
        for (const struct meter_cell *cell = cells_of(tally); cell != NULL; cell = cell->next)
            sum_cell(cell, meter->bounds.count, sum);
        for (unsigned j = 0; j < METER_BUCKETS; j++)
            sum->buckets[j] += value(&tally->buckets[j]);
        sum->retries += value(&tally->retries);
    }
}

void meter_failures(const struct meter *meter, uint64_t *failures)
{
    for (unsigned i = 0; i < meter->workers; i++) {
        const struct meter_tally *tally = tally_of(meter, i);
        const counter *row = tally != NULL ? atomic_load_explicit(&tally->failures, memory_order_acquire) : NULL;
        for (unsigned j = 0; j < STATUS_COUNT && row != NULL; j++)
            failures[j] += value(&row[j]);
    }
}

static struct meter_cell_sum *sum_of_kind(struct meter_cell_sum *sums, size_t count_so_far, uint32_t kind)
{
    size_t at = 0;
    while (at < count_so_far && sums[at].kind != kind)
        at++;
    sums[at].kind = kind;
    return &sums[at];
}

static void add_cell(const struct meter_cell *cell, unsigned bounds, struct meter_cell_sum *sum)
{
    for (unsigned i = 0; i <= bounds; i++) {
        uint64_t number = value(&cell->buckets[i]);
        sum->buckets[i] += number;
        sum->count += number;
    }
    sum->duration += value(&cell->duration);
    sum->bytes_in += value(&cell->bytes_in);
    sum->bytes_out += value(&cell->bytes_out);
}

static int by_kind(const void *one, const void *other)
{
    uint32_t a = ((const struct meter_cell_sum *)one)->kind, b = ((const struct meter_cell_sum *)other)->kind;
    return (a > b) - (a < b);
}

/* How many cells there are now; more may come meanwhile, which a later reading finds. */
static size_t count_cells(const struct meter *meter)
{
    size_t cells = 0;
    for (unsigned i = 0; i < meter->workers; i++)
        for (const struct meter_cell *cell = cells_of(tally_of(meter, i)); cell != NULL; cell = cell->next)
            cells++;
    return cells;
}

size_t meter_cells(const struct meter *meter, struct arena *arena, struct meter_cell_sum **ret_cells)
{
    size_t room = count_cells(meter), found = 0;
    struct meter_cell_sum *sums = arena_array(arena, struct meter_cell_sum, room + 1);
    for (unsigned i = 0; i < meter->workers; i++) {
        for (const struct meter_cell *cell = cells_of(tally_of(meter, i)); cell != NULL; cell = cell->next) {
            struct meter_cell_sum *sum = sum_of_kind(sums, found, cell->kind);
            bool fresh = sum == &sums[found];
            if (fresh && found == room)
                break;
            add_cell(cell, meter->bounds.count, sum);
            found += fresh;
        }
    }
    qsort(sums, found, sizeof(*sums), by_kind);
    *ret_cells = sums;
    return found;
}

int64_t meter_quantile(const uint64_t buckets[METER_BUCKETS], double part)
{
    uint64_t all = 0, below = 0;
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        all += buckets[i];
    if (all == 0)
        return 0;
    double wanted = part * (double)all;
    for (unsigned i = 0; i < LAST; i++) {
        if (buckets[i] == 0 || (double)(below + buckets[i]) < wanted) {
            below += buckets[i];
            continue;
        }
        double from = i != 0 ? (double)end_of(i - 1) : 0, to = (double)end_of(i);
        double within = (wanted - (double)below) / (double)buckets[i];
        return (int64_t)(from + (to - from) * (within > 0 ? within : 0));
    }
    return end_of(LAST - 1);
}
