/* Kinds of answers and their latencies, as metrics show them. */
#include "admin/metrics_read.h"
#include "exchange/count.h"

struct kinds metrics_kinds(struct metrics *metrics, const struct meter *meter)
{
    struct kinds kinds;
    kinds.count = meter_cells(meter, &metrics->arena, &kinds.cells);
    return kinds;
}

static void add_cell(struct meter_cell_sum *sum, const struct meter_cell_sum *cell)
{
    sum->count += cell->count;
    sum->duration += cell->duration;
    sum->bytes_in += cell->bytes_in;
    sum->bytes_out += cell->bytes_out;
    for (unsigned i = 0; i <= METER_BOUNDS_MAX; i++)
        sum->buckets[i] += cell->buckets[i];
}

struct kinds metrics_merge(struct metrics *metrics, const struct kinds *kinds, uint32_t (*plain)(uint32_t kind))
{
    struct kinds merged = {.cells = arena_array(&metrics->arena, struct meter_cell_sum, kinds->count)};
    for (size_t i = 0; i < kinds->count; i++) {
        size_t at = 0;
        uint32_t kind = plain(kinds->cells[i].kind);
        while (at < merged.count && merged.cells[at].kind != kind)
            at++;
        if (at == merged.count)
            merged.cells[merged.count++].kind = kind;
        add_cell(&merged.cells[at], &kinds->cells[i]);
    }
    return merged;
}

struct str metrics_code(struct metrics *metrics, uint32_t kind)
{
    return kind != METER_KIND_OTHER ? arena_printf(&metrics->arena, "%d", count_kind_status(kind)) : S("other");
}

/* A meter's buckets are the finest that any reader asks for; one reader's are sums of them. */
const struct metric_histogram *metrics_durations(struct metrics *metrics, const struct meter *meter,
                                                 const struct meter_cell_sum *cell)
{
    const struct meter_bounds *wanted = &metrics->scope.bounds;
    struct arena *arena = &metrics->arena;
    struct metric_histogram *histogram = arena_new(arena, struct metric_histogram);
    uint64_t *buckets = arena_array(arena, uint64_t, wanted->count + 1);
    double *ends = arena_array(arena, double, wanted->count);
    unsigned to = 0;
    for (unsigned i = 0; i <= meter->bounds->count; i++) {
        while (to < wanted->count && (i == meter->bounds->count || meter->bounds->ends[i] > wanted->ends[to]))
            to++;
        buckets[to] += cell->buckets[i];
    }
    for (unsigned i = 0; i < wanted->count; i++)
        ends[i] = (double)wanted->ends[i] / 1e9;
    *histogram = (struct metric_histogram){.count = wanted->count,
                                           .ends = ends,
                                           .buckets = buckets,
                                           .total = cell->count,
                                           .sum = (double)cell->duration / 1e9};
    return histogram;
}
