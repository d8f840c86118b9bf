#include "admin/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

const struct metric_family metric_families[METRIC_COUNT] = {
#define X(id, name_text, type_word, unit_text, reader, label_names, help_text) \
    [METRIC_##id] = {.name = name_text, .type = METRIC_##type_word, .readers = METRIC_FOR_##reader, .unit = unit_text, \
                     .labels = label_names, .help = help_text},
    METRIC_TABLE(X)
#undef X
};

unsigned metric_label_count(const struct metric_family *family)
{
    unsigned count = 0;
    while (count < METRIC_LABELS_MAX && family->labels[count] != NULL)
        count++;
    return count;
}

void metrics_init(struct metrics *metrics, const struct metric_scope *scope)
{
    *metrics = (struct metrics){.scope = *scope};
    arena_init(&metrics->arena, ARENA_UNLIMITED);
    for (unsigned i = 0; i < METRIC_COUNT; i++)
        metrics->chains[i].end = &metrics->chains[i].first;
}

void metrics_release(struct metrics *metrics)
{
    arena_release(&metrics->arena);
}

/* All formats ask for UTF-8, and a reader drops all of an answer for one label that is none. */
static struct str make_utf8(struct arena *arena, struct str value)
{
    struct text text;
    text_init(&text, 4 * value.len);
    while (value.len != 0) {
        size_t length = utf8_sequence(value);
        text_add(&text, length != 0 ? str_first(value, length) : S("\xef\xbf\xbd"));
        value = str_from_index(value, length != 0 ? length : 1);
    }
    struct str made = arena_str(arena, text_str(&text));
    text_release(&text);
    return made;
}

const struct str *metrics_keep(struct metrics *metrics, const struct str *values, unsigned count)
{
    struct str *kept = arena_array(&metrics->arena, struct str, count);
    for (unsigned i = 0; i < count; i++)
        kept[i] = utf8_valid(values[i]) ? values[i] : make_utf8(&metrics->arena, values[i]);
    return kept;
}

static struct metric_series *add_series(struct metrics *metrics, enum metric metric, const struct str *labels)
{
    struct metric_chain *chain = &metrics->chains[metric];
    struct metric_series *series = arena_new(&metrics->arena, struct metric_series);
    series->labels = labels;
    *chain->end = series;
    chain->end = &series->next;
    chain->count++;
    return series;
}

void metrics_add(struct metrics *metrics, enum metric metric, const struct str *labels, double value)
{
    if (metric_families[metric].readers & metrics->scope.reader)
        add_series(metrics, metric, labels)->value = value;
}

void metrics_add_histogram(struct metrics *metrics, enum metric metric, const struct str *labels,
                           const struct metric_histogram *histogram)
{
    if (metric_families[metric].readers & metrics->scope.reader)
        add_series(metrics, metric, labels)->histogram = histogram;
}

/* ---- latencies ---- */

#define POWER_FIRST (-13)
#define POWERS 20                     /* 2^-13 .. 2^6 s */

static const double power_ends[POWERS] = {0x1p-13, 0x1p-12, 0x1p-11, 0x1p-10, 0x1p-9, 0x1p-8, 0x1p-7, 0x1p-6, 0x1p-5, 0x1p-4,
                                          0x1p-3,  0x1p-2,  0x1p-1,  0x1p0,   0x1p1,  0x1p2,  0x1p3,  0x1p4,  0x1p5,  0x1p6};
_Static_assert(METER_BUCKETS == 4 * POWERS + 2, "four fine buckets to each doubling, and what is shorter and longer");

/* Fine buckets 1 to 4 make the first doubling, what is shorter belongs to it, what is longer has the last bucket. */
const struct metric_histogram *metrics_latencies(struct metrics *metrics, const struct meter_sum *sum)
{
    struct metric_histogram *histogram = arena_new(&metrics->arena, struct metric_histogram);
    uint64_t *buckets = arena_array(&metrics->arena, uint64_t, POWERS + 1);
    uint64_t *fine = arena_array(&metrics->arena, uint64_t, METER_BUCKETS);
    uint64_t total = 0;
    memcpy(fine, sum->buckets, METER_BUCKETS * sizeof(*fine));
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        buckets[i == 0 ? 0 : (i - 1) / 4] += fine[i];
        total += fine[i];
    }
    /* The total is that of the buckets: a reader beside a writer may find one more in one than in the other. */
    *histogram = (struct metric_histogram){.count = POWERS,
                                           .ends = power_ends,
                                           .buckets = buckets,
                                           .total = total,
                                           .sum = (double)sum->duration / 1e9,
                                           .fine = fine};
    return histogram;
}

bool metrics_fine_stretch(const uint64_t *fine, unsigned *ret_from, unsigned *ret_to)
{
    unsigned from = 1, to = METER_BUCKETS;
    while (from < to && fine[from] == 0)
        from++;
    while (to > from && fine[to - 1] == 0)
        to--;
    *ret_from = from;
    *ret_to = to;
    return from < to;
}

/* ---- values ---- */

struct str metrics_number_text(double value, char *buffer)
{
    if (isnan(value))
        return S("NaN");
    if (isinf(value))
        return value > 0 ? S("+Inf") : S("-Inf");
    int length = 0;
    if (value == rint(value) && fabs(value) < 0x1p53)
        return str_of(buffer, (size_t)snprintf(buffer, METRIC_NUMBER_SIZE, "%" PRId64, (int64_t)value));
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(buffer, METRIC_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            break;
    }
    return str_of(buffer, (size_t)length);
}

bool metrics_label_is_number(const char *label)
{
    return str_equal(str_from(label), S("http.response.status_code")) || str_equal(str_from(label), S("server.port"));
}

/* ---- scopes ---- */

/* The model has checked that they are numbers of seconds. */
static void read_bounds(const struct strs *texts, struct meter_bounds *ret_bounds)
{
    char text[32];
    *ret_bounds = (struct meter_bounds){.count = 0};
    for (size_t i = 0; i < texts->count && ret_bounds->count < METER_BOUNDS_MAX; i++) {
        struct str one = str_first(texts->items[i], sizeof(text) - 1);
        memcpy(text, one.data, one.len);
        text[one.len] = '\0';
        ret_bounds->ends[ret_bounds->count++] = (int64_t)llround(strtod(text, NULL) * 1e9);
    }
}

void metric_scope_prometheus(const struct prometheus_config *config, struct metric_scope *ret_scope)
{
    *ret_scope = (struct metric_scope){.reader = METRIC_FOR_PROMETHEUS,
                                       .entry_points = config->add_entry_points_labels,
                                       .routers = config->add_routers_labels,
                                       .services = config->add_services_labels};
    read_bounds(&config->buckets, &ret_scope->bounds);
}

void metric_scope_otlp(const struct otlp_metrics *config, struct metric_scope *ret_scope)
{
    *ret_scope = (struct metric_scope){.reader = METRIC_FOR_OTLP,
                                       .entry_points = config->add_entry_points_labels,
                                       .routers = config->add_routers_labels,
                                       .services = config->add_services_labels};
    read_bounds(&config->explicit_boundaries, &ret_scope->bounds);
}
