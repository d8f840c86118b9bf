#include "admin/history.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"

#define QUIET_BEFORE_LEAVING 60           /* seconds */

struct slot {
    uint32_t requests, errors, refused;
    float bytes_in, bytes_out;
    float p50, p95, p99;                  /* ms */
};

/* A ring of slots, in blocks that are made when something is written there: most of what a series could hold stays empty. */
#define BLOCK_SLOTS 20
struct block {
    struct slot slots[BLOCK_SLOTS];
};
_Static_assert(HISTORY_SECONDS % BLOCK_SLOTS == 0 && HISTORY_TENS % BLOCK_SLOTS == 0, "whole blocks");

struct heat {
    uint32_t seconds[HISTORY_SECONDS][HISTORY_HEAT_BUCKETS];
    uint32_t tens[HISTORY_TENS][HISTORY_HEAT_BUCKETS];
};

struct series {
    struct str key;                       /* of its own */
    bool lasting;                         /* never makes room for others */
    int64_t second, ten;                  /* that was written last */
    struct block *seconds[HISTORY_SECONDS / BLOCK_SLOTS], *tens[HISTORY_TENS / BLOCK_SLOTS];
    uint64_t buckets[METER_BUCKETS];      /* of the present ten */
    struct heat *heat;                    /* of "total" */
};

static struct {
    struct map series;
    bool opened;
    unsigned passing;                     /* series that are not lasting */
    int64_t began, second, wall;          /* seconds; Unix ms */
    int64_t full_at;                      /* the second in which no series could make room */
} history;

void history_advance(int64_t second, int64_t wall)
{
    if (!history.opened) {
        map_init(&history.series, false);
        history.opened = true;
        history.began = second;
    }
    history.second = second;
    history.wall = wall;
}

static void free_blocks(struct block **blocks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free(blocks[i]);
}

static void series_free(struct series *series)
{
    free_blocks(series->seconds, HISTORY_SECONDS / BLOCK_SLOTS);
    free_blocks(series->tens, HISTORY_TENS / BLOCK_SLOTS);
    free(series->heat);
    free((void *)(uintptr_t)series->key.data);
    free(series);
}

void history_release(void)
{
    for (uint32_t i = 0; history.opened && i < history.series.count; i++)
        if (history.series.items[i].key.data != NULL)
            series_free(history.series.items[i].value);
    if (history.opened)
        map_release(&history.series);
    memset(&history, 0, sizeof(history));
}

/* ---- who has a series ---- */

static bool make_room(void)
{
    struct series *quietest = NULL;
    if (history.full_at == history.second)
        return false;
    for (uint32_t i = 0; i < history.series.count; i++) {
        struct series *series = history.series.items[i].value;
        if (history.series.items[i].key.data != NULL && !series->lasting &&
            (quietest == NULL || series->second < quietest->second))
            quietest = series;
    }
    if (quietest == NULL || history.second - quietest->second < QUIET_BEFORE_LEAVING) {
        history.full_at = history.second;
        return false;
    }
    map_remove(&history.series, quietest->key);
    series_free(quietest);
    history.passing--;
    return true;
}

static struct series *series_for(struct str key)
{
    struct series *series = map_get(&history.series, key);
    if (series != NULL)
        return series;
    bool is_total = str_equal(key, S("total")), lasting = is_total || str_starts(key, S("entryPoint:"));
    if (!lasting && history.passing >= HISTORY_SERIES_MAX && !make_room())
        return NULL;
    series = memory_zalloc(sizeof(*series));
    series->key = str_of(memory_copy_text(key.data, key.len), key.len);
    series->lasting = lasting;
    series->second = history.second;
    series->ten = history.second / 10;
    if (is_total)
        series->heat = memory_zalloc(sizeof(*series->heat));
    history.passing += !lasting;
    map_put(&history.series, series->key, series);
    return series;
}

/* ---- writing ---- */

static struct slot *slot_in(struct block **blocks, int64_t index)
{
    struct block **block = &blocks[index / BLOCK_SLOTS];
    if (*block == NULL)
        *block = memory_zalloc(sizeof(**block));
    return &(*block)->slots[index % BLOCK_SLOTS];
}

static void empty_slot(struct block *const *blocks, int64_t index)
{
    if (blocks[index / BLOCK_SLOTS] != NULL)
        memset(&blocks[index / BLOCK_SLOTS]->slots[index % BLOCK_SLOTS], 0, sizeof(struct slot));
}

/* What lies between the last written slot and this one had nothing. */
static void open_second(struct series *series, int64_t second)
{
    int64_t from = second - series->second > HISTORY_SECONDS ? second - HISTORY_SECONDS : series->second;
    for (int64_t at = from + 1; at <= second; at++) {
        empty_slot(series->seconds, at % HISTORY_SECONDS);
        if (series->heat != NULL)
            memset(series->heat->seconds[at % HISTORY_SECONDS], 0, sizeof(series->heat->seconds[0]));
    }
    if (second > series->second)
        series->second = second;
}

static void open_ten(struct series *series, int64_t ten)
{
    int64_t from = ten - series->ten > HISTORY_TENS ? ten - HISTORY_TENS : series->ten;
    for (int64_t at = from + 1; at <= ten; at++) {
        empty_slot(series->tens, at % HISTORY_TENS);
        if (series->heat != NULL)
            memset(series->heat->tens[at % HISTORY_TENS], 0, sizeof(series->heat->tens[0]));
    }
    if (ten > series->ten)
        memset(series->buckets, 0, sizeof(series->buckets));
    if (ten > series->ten)
        series->ten = ten;
}

/* The part of `whole` that falls to the index-th of `count` equal stretches: none is lost. */
static uint64_t part_of(uint64_t whole, int64_t index, int64_t count)
{
    uint64_t each = whole / (uint64_t)count;
    return index == count - 1 ? whole - each * (uint64_t)(count - 1) : each;
}

static void add_counts(struct slot *slot, const struct meter_sum *delta, int64_t index, int64_t count)
{
    slot->requests += (uint32_t)part_of(delta->count, index, count);
    slot->errors += (uint32_t)part_of(delta->errors, index, count);
    slot->refused += (uint32_t)part_of(delta->refused, index, count);
    slot->bytes_in += (float)part_of(delta->bytes_in, index, count);
    slot->bytes_out += (float)part_of(delta->bytes_out, index, count);
}

static void set_latencies(struct slot *slot, const uint64_t buckets[METER_BUCKETS])
{
    slot->p50 = (float)meter_quantile(buckets, 0.5) / (float)TIME_MS;
    slot->p95 = (float)meter_quantile(buckets, 0.95) / (float)TIME_MS;
    slot->p99 = (float)meter_quantile(buckets, 0.99) / (float)TIME_MS;
}

static void add_heat(uint32_t row[HISTORY_HEAT_BUCKETS], const struct meter_sum *delta, int64_t index, int64_t count)
{
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        row[i / 2] += (uint32_t)part_of(delta->buckets[i], index, count);
}

static void record_second(struct series *series, int64_t second, const struct meter_sum *delta, int64_t index, int64_t count)
{
    int64_t ten = second / 10;
    open_second(series, second);
    open_ten(series, ten);
    struct slot *in_second = slot_in(series->seconds, second % HISTORY_SECONDS);
    struct slot *in_ten = slot_in(series->tens, ten % HISTORY_TENS);
    add_counts(in_second, delta, index, count);
    set_latencies(in_second, delta->buckets);
    add_counts(in_ten, delta, index, count);
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        series->buckets[i] += part_of(delta->buckets[i], index, count);
    set_latencies(in_ten, series->buckets);
    if (series->heat == NULL)
        return;
    add_heat(series->heat->seconds[second % HISTORY_SECONDS], delta, index, count);
    add_heat(series->heat->tens[ten % HISTORY_TENS], delta, index, count);
}

void history_record(struct str key, int64_t seconds, const struct meter_sum *delta)
{
    struct series *series = series_for(key);
    if (series == NULL || delta->count == 0)
        return;
    int64_t count = seconds < 1 ? 1 : seconds > 60 ? 60 : seconds;
    for (int64_t i = 0; i < count; i++)
        record_second(series, history.second - count + 1 + i, delta, i, count);
}

/* ---- showing ---- */

/* A stretch of one series' slots: step number `first` and the `count` from there on. */
struct window {
    const struct series *series;          /* NULL: nothing was ever recorded */
    bool tens;
    int64_t first, count;
};

/* NULL: nothing happened in this step. */
static const struct slot *slot_at(const struct window *window, int64_t step)
{
    static const struct slot nothing;
    const struct series *series = window->series;
    if (series == NULL || step > (window->tens ? series->ten : series->second))
        return NULL;
    int64_t index = window->tens ? step % HISTORY_TENS : step % HISTORY_SECONDS;
    const struct block *block = window->tens ? series->tens[index / BLOCK_SLOTS] : series->seconds[index / BLOCK_SLOTS];
    return block != NULL ? &block->slots[index % BLOCK_SLOTS] : &nothing;
}

static const uint32_t *heat_at(const struct window *window, int64_t step)
{
    const struct heat *heat = window->series != NULL ? window->series->heat : NULL;
    if (slot_at(window, step) == NULL || heat == NULL)
        return NULL;
    return window->tens ? heat->tens[step % HISTORY_TENS] : heat->seconds[step % HISTORY_SECONDS];
}

enum column { REQUESTS, ERRORS, REFUSED, BYTES_IN, BYTES_OUT, P50, P95, P99, COLUMNS };
static const char *const column_names[COLUMNS] = {"requests", "errors", "refused", "bytesIn", "bytesOut", "p50", "p95", "p99"};

static double value_in(const struct slot *slot, enum column column)
{
    const double values[COLUMNS] = {slot->requests, slot->errors, slot->refused, (double)slot->bytes_in, (double)slot->bytes_out,
                                    (double)slot->p50, (double)slot->p95, (double)slot->p99};
    return values[column];
}

static void show_column(const struct window *window, enum column column, struct json *json)
{
    json_member_array(json, column_names[column]);
    for (int64_t step = window->first; step < window->first + window->count; step++) {
        const struct slot *slot = slot_at(window, step);
        bool empty = slot == NULL || slot->requests == 0;
        if (empty && column >= P50)
            json_nothing(json);
        else if (empty)
            json_uint(json, 0);
        else if (column >= P50)
            json_number(json, round(value_in(slot, column) * 1000) / 1000);
        else
            json_uint(json, (uint64_t)value_in(slot, column));
    }
    json_end(json);
}

static void show_heat(const struct window *window, struct json *json)
{
    json_member_array(json, "heat");
    for (int64_t step = window->first; step < window->first + window->count; step++) {
        const uint32_t *row = heat_at(window, step);
        json_open_array(json);
        for (unsigned i = 0; row != NULL && i < HISTORY_HEAT_BUCKETS; i++)
            json_uint(json, row[i]);
        json_end(json);
    }
    json_end(json);
    json_member_array(json, "heatEnds");
    for (unsigned i = 0; i < HISTORY_HEAT_BUCKETS; i++)
        json_number(json, meter_bucket_end(2 * i + 1) * 1000);
    json_end(json);
}

/* The present ten is not over: it is shown as far as it has come. */
static struct window window_of(struct str key, int64_t seconds)
{
    struct window window = {.series = history.opened ? map_get(&history.series, key) : NULL, .tens = seconds > HISTORY_SECONDS};
    int64_t step = window.tens ? 10 : 1, most = window.tens ? HISTORY_TENS : HISTORY_SECONDS;
    int64_t present = history.second / step, oldest = (history.began + 1) / step;
    window.count = seconds / step < most ? seconds / step : most;
    if (window.count > present - oldest + 1)
        window.count = present - oldest + 1;
    if (window.count < 0)
        window.count = 0;
    window.first = present - window.count + 1;
    return window;
}

void history_show(struct str key, int64_t seconds, struct json *json)
{
    struct window window = window_of(key, seconds);
    int64_t step = window.tens ? 10 : 1;
    int64_t end = window.tens ? history.second / 10 * 10 + 9 : history.second;      /* the last that the last step holds */
    json_open_object(json);
    json_member_int(json, "step", step);
    json_member_int(json, "from", history.wall + (end - history.second - window.count * step) * 1000);
    for (int column = 0; column < COLUMNS; column++)
        show_column(&window, (enum column)column, json);
    if (str_equal(key, S("total")))
        show_heat(&window, json);
    json_end(json);
}
