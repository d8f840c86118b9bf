/* Counting: what a worker does at the end of each request. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/meter_state.h"

#define KIND_NONE (UINT32_MAX - 1)

/* The last cell of a tally that has none yet. */
static struct meter_cell no_cell = {.kind = KIND_NONE};

__attribute__((noinline)) struct meter_tally *meter_new_tally(struct meter *meter, unsigned index)
{
    struct meter_tally *tally = memory_zalloc(sizeof(*tally));
    tally->last = &no_cell;
    atomic_store_explicit(&meter->tallies[index], tally, memory_order_release);
    return tally;
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

static __attribute__((noinline)) meter_counter *new_group(struct meter_tally *tally, unsigned index)
{
    meter_counter *group = memory_zalloc(METER_GROUP * sizeof(*group));
    atomic_store_explicit(&tally->fine[index], group, memory_order_release);
    return group;
}

static inline __attribute__((always_inline)) void count_fine(struct meter_tally *tally, unsigned bucket, uint64_t amount)
{
    meter_counter *group = atomic_load_explicit(&tally->fine[bucket / METER_GROUP], memory_order_relaxed);
    if (__builtin_expect(group == NULL, 0))
        group = new_group(tally, bucket / METER_GROUP);
    meter_add(&group[bucket % METER_GROUP], amount);
}

static inline __attribute__((always_inline)) void count(struct meter *meter, unsigned worker,
                                                        const struct meter_sample *sample, unsigned fine)
{
    struct meter_tally *tally = meter_own_tally(meter, worker);
    struct meter_cell *cell = tally->last;
    if (__builtin_expect(cell->kind != sample->kind, 0))
        cell = turn_to(tally, sample->kind, meter->bounds->count);
    unsigned coarse = 0;
    while (sample->duration > meter->bounds->ends[coarse])
        coarse++;
    count_fine(tally, fine, 1);
    meter_add(&cell->buckets[coarse], 1);
    meter_add(&cell->duration, (uint64_t)sample->duration);
    meter_add(&cell->bytes_out, sample->bytes_out);
    if (sample->bytes_in != 0)
        meter_add(&cell->bytes_in, sample->bytes_in);
}

void meter_count(struct meter *meter, unsigned worker, const struct meter_sample *sample)
{
    count(meter, worker, sample, meter_bucket_of(sample->duration));
}

void meter_count_both(struct meter *one, struct meter *other, unsigned worker, const struct meter_sample *sample)
{
    unsigned fine = meter_bucket_of(sample->duration);
    count(one, worker, sample, fine);
    if (other != NULL)
        count(other, worker, sample, fine);
}

static meter_counter *own_failures(struct meter_tally *tally)
{
    meter_counter *failures = atomic_load_explicit(&tally->failures, memory_order_relaxed);
    if (failures == NULL) {
        failures = memory_zalloc(STATUS_COUNT * sizeof(*failures));
        atomic_store_explicit(&tally->failures, failures, memory_order_release);
    }
    return failures;
}

void meter_fail(struct meter *meter, unsigned worker, enum status reason)
{
    meter_add(&own_failures(meter_own_tally(meter, worker))[reason], 1);
}

void meter_retry(struct meter *meter, unsigned worker, unsigned times)
{
    meter_add(&meter_own_tally(meter, worker)->retries, times);
}

void meter_fold_tally(const struct meter_tally *tally, struct meter_tally *into, unsigned bounds)
{
    for (const struct meter_cell *cell = atomic_load(&tally->cells); cell != NULL; cell = cell->next) {
        struct meter_cell *sum = turn_to(into, cell->kind, bounds);
        for (unsigned i = 0; i <= bounds; i++)
            meter_add(&sum->buckets[i], meter_value(&cell->buckets[i]));
        meter_add(&sum->duration, meter_value(&cell->duration));
        meter_add(&sum->bytes_in, meter_value(&cell->bytes_in));
        meter_add(&sum->bytes_out, meter_value(&cell->bytes_out));
    }
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        uint64_t number = meter_fine(tally, i);
        if (number != 0)
            count_fine(into, i, number);
    }
    meter_add(&into->retries, meter_value(&tally->retries));
    const meter_counter *failures = atomic_load(&tally->failures);
    for (unsigned i = 0; i < STATUS_COUNT && failures != NULL; i++)
        meter_add(&own_failures(into)[i], meter_value(&failures[i]));
}

void meter_free_tally(struct meter_tally *tally)
{
    if (tally == NULL)
        return;
    struct meter_cell *cell = atomic_load(&tally->cells);
    while (cell != NULL) {
        struct meter_cell *next = cell->next;
        free(cell);
        cell = next;
    }
    for (unsigned i = 0; i < METER_GROUPS; i++)
        free(atomic_load(&tally->fine[i]));
    free(atomic_load(&tally->failures));
    free(tally);
}
