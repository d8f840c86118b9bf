/* Sums over the workers, for any thread; knows nothing of what a kind means but that its upper half is a status. */
#include <stdlib.h>

#include "base/meter_state.h"

typedef void visit(const struct meter_tally *tally, unsigned bounds, void *into);

static void visit_tallies(const struct meter *meter, visit *each, void *into)
{
    for (unsigned i = 0; i < meter_tally_count(meter); i++) {
        const struct meter_tally *tally = atomic_load_explicit(&meter->tallies[i], memory_order_acquire);
        if (tally != NULL)
            each(tally, meter->bounds->count, into);
    }
}

/* Its own tallies and those of its joints, which neither come nor go meanwhile. */
static void visit_all(const struct meter *meter, visit *each, void *into)
{
    pthread_mutex_lock(&meter_lock);
    visit_tallies(meter, each, into);
    for (unsigned i = 0; i < 2 && !meter->joint; i++)
        LIST_FOREACH(&meter_keyed_of(meter)->joints[i], it)
            visit_tallies(&container_of(it, struct meter_joint, links[i])->meter, each, into);
    pthread_mutex_unlock(&meter_lock);
}

static const struct meter_cell *cells_of(const struct meter_tally *tally)
{
    return atomic_load_explicit(&tally->cells, memory_order_acquire);
}

static uint64_t count_of(const struct meter_cell *cell, unsigned bounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= bounds; i++)
        sum += meter_value(&cell->buckets[i]);
    return sum;
}

static void add_total(const struct meter_tally *tally, unsigned bounds, void *into)
{
    for (const struct meter_cell *cell = cells_of(tally); cell != NULL; cell = cell->next)
        *(uint64_t *)into += count_of(cell, bounds);
}

uint64_t meter_total(const struct meter *meter)
{
    uint64_t total = 0;
    visit_all(meter, add_total, &total);
    return total;
}

static void sum_cell(const struct meter_cell *cell, unsigned bounds, struct meter_sum *sum)
{
    uint64_t number = count_of(cell, bounds);
    unsigned status = cell->kind >> 16;
    sum->count += number;
    sum->duration += meter_value(&cell->duration);
    sum->bytes_in += meter_value(&cell->bytes_in);
    sum->bytes_out += meter_value(&cell->bytes_out);
    if (status >= 500 && cell->kind != METER_KIND_OTHER)
        sum->errors += number;
    else if (status >= 400 && status < 500)
        sum->refused += number;
}

static void add_sum(const struct meter_tally *tally, unsigned bounds, void *into)
{
    struct meter_sum *sum = into;
    for (const struct meter_cell *cell = cells_of(tally); cell != NULL; cell = cell->next)
        sum_cell(cell, bounds, sum);
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        sum->buckets[i] += meter_fine(tally, i);
    sum->retries += meter_value(&tally->retries);
}

void meter_sum(const struct meter *meter, struct meter_sum *sum)
{
    visit_all(meter, add_sum, sum);
}

static void add_failures(const struct meter_tally *tally, unsigned bounds, void *into)
{
    const meter_counter *row = atomic_load_explicit(&tally->failures, memory_order_acquire);
    for (unsigned i = 0; i < STATUS_COUNT && row != NULL; i++)
        ((uint64_t *)into)[i] += meter_value(&row[i]);
}

void meter_failures(const struct meter *meter, uint64_t *failures)
{
    visit_all(meter, add_failures, failures);
}

struct cell_sums {
    struct arena *arena;
    struct meter_cell_sum *items;
    size_t count, room;
};

static struct meter_cell_sum *sum_of_kind(struct cell_sums *sums, uint32_t kind)
{
    for (size_t i = 0; i < sums->count; i++)
        if (sums->items[i].kind == kind)
            return &sums->items[i];
    if (sums->count == sums->room) {
        struct meter_cell_sum *more = arena_array(sums->arena, struct meter_cell_sum, sums->room * 2 + 4);
        if (sums->count != 0)
            memcpy(more, sums->items, sums->count * sizeof(*more));
        sums->items = more;
        sums->room = sums->room * 2 + 4;
    }
    struct meter_cell_sum *sum = &sums->items[sums->count++];
    sum->kind = kind;
    return sum;
}

static void add_cells(const struct meter_tally *tally, unsigned bounds, void *into)
{
    for (const struct meter_cell *cell = cells_of(tally); cell != NULL; cell = cell->next) {
        struct meter_cell_sum *sum = sum_of_kind(into, cell->kind);
        for (unsigned i = 0; i <= bounds; i++) {
            uint64_t number = meter_value(&cell->buckets[i]);
            sum->buckets[i] += number;
            sum->count += number;
        }
        sum->duration += meter_value(&cell->duration);
        sum->bytes_in += meter_value(&cell->bytes_in);
        sum->bytes_out += meter_value(&cell->bytes_out);
    }
}

static int by_kind(const void *one, const void *other)
{
    uint32_t a = ((const struct meter_cell_sum *)one)->kind, b = ((const struct meter_cell_sum *)other)->kind;
    return (a > b) - (a < b);
}

size_t meter_cells(const struct meter *meter, struct arena *arena, struct meter_cell_sum **ret_cells)
{
    struct cell_sums sums = {.arena = arena};
    visit_all(meter, add_cells, &sums);
    if (sums.count != 0)
        qsort(sums.items, sums.count, sizeof(*sums.items), by_kind);
    *ret_cells = sums.items;
    return sums.count;
}
