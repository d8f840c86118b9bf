/* Prometheus' protocol buffers: io.prometheus.client.MetricFamily (client_model's metrics.proto), each behind its length. The
 * numbers are those of that file. This is the format that can say native histograms. */
#include "admin/metrics.h"
#include "base/protobuf.h"

enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4 };
enum { METRIC_LABEL = 1, METRIC_IS_GAUGE = 2, METRIC_IS_COUNTER = 3, METRIC_IS_HISTOGRAM = 7 };
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { VALUE = 1, COUNTER_CREATED = 3 };
enum {
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_SPAN = 12,
    HISTOGRAM_DELTA = 13,
    HISTOGRAM_CREATED = 15
};
enum { BUCKET_COUNT = 1, BUCKET_END = 2 };
enum { SPAN_OFFSET = 1, SPAN_LENGTH = 2 };
enum { TIMESTAMP_SECONDS = 1, TIMESTAMP_NANOS = 2 };

static const unsigned type_numbers[] = {[METRIC_COUNTER] = 0, [METRIC_GAUGE] = 1, [METRIC_HISTOGRAM] = 4};

static void write_created(const struct metrics *metrics, unsigned field, struct text *out)
{
    size_t mark = protobuf_open(out, field);
    protobuf_uint(out, TIMESTAMP_SECONDS, (uint64_t)(metrics->began_wall / 1000000000));
    protobuf_uint(out, TIMESTAMP_NANOS, (uint64_t)(metrics->began_wall % 1000000000));
    protobuf_close(out, mark);
}

static void write_span(int32_t offset, uint32_t length, struct text *out)
{
    size_t mark = protobuf_open(out, HISTOGRAM_SPAN);
    protobuf_sint(out, SPAN_OFFSET, offset);
    protobuf_uint(out, SPAN_LENGTH, length);
    protobuf_close(out, mark);
}

/* Stretches of buckets that hold something: the first span's offset is an index, a later one's the gap in front of it. */
static void write_spans(const uint64_t *fine, struct text *out)
{
    int32_t behind = 0;
    for (unsigned i = 1; i < METER_BUCKETS;) {
        if (fine[i] == 0) {
            i++;
            continue;
        }
        unsigned from = i;
        while (i < METER_BUCKETS && fine[i] != 0)
            i++;
        int32_t index = METRIC_FINE_FIRST + (int32_t)from - 1;
        write_span(index - behind, i - from, out);
        behind = index + (int32_t)(i - from);
    }
}

/* Each count as the difference from the one before; zigzag, packed. */
static void write_deltas(const uint64_t *fine, struct text *out)
{
    size_t mark = protobuf_open(out, HISTOGRAM_DELTA);
    int64_t before = 0;
    for (unsigned i = 1; i < METER_BUCKETS; i++) {
        if (fine[i] == 0)
            continue;
        int64_t delta = (int64_t)fine[i] - before;
        protobuf_varint(out, (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63));
        before = (int64_t)fine[i];
    }
    protobuf_close(out, mark);
}

static void write_native(const uint64_t *fine, struct text *out)
{
    protobuf_sint(out, HISTOGRAM_SCHEMA, METRIC_SCHEMA);
    protobuf_double(out, HISTOGRAM_ZERO_THRESHOLD, METRIC_ZERO_THRESHOLD);
    protobuf_uint(out, HISTOGRAM_ZERO_COUNT, fine[0]);
    write_spans(fine, out);
    write_deltas(fine, out);
}

static void write_histogram(const struct metrics *metrics, const struct metric_histogram *histogram, struct text *out)
{
    size_t mark = protobuf_open(out, METRIC_IS_HISTOGRAM);
    uint64_t below = 0;
    protobuf_uint(out, HISTOGRAM_COUNT, histogram->total);
    protobuf_double(out, HISTOGRAM_SUM, histogram->sum);
    for (unsigned i = 0; i < histogram->count; i++) {
        size_t bucket = protobuf_open(out, HISTOGRAM_BUCKET);
        below += histogram->buckets[i];
        protobuf_uint(out, BUCKET_COUNT, below);
        protobuf_double(out, BUCKET_END, histogram->ends[i]);
        protobuf_close(out, bucket);
    }
    if (histogram->fine != NULL)
        write_native(histogram->fine, out);
    write_created(metrics, HISTOGRAM_CREATED, out);
    protobuf_close(out, mark);
}

static void write_value(const struct metrics *metrics, const struct metric_family *family, double value, struct text *out)
{
    bool counts = family->type == METRIC_COUNTER;
    size_t mark = protobuf_open(out, counts ? METRIC_IS_COUNTER : METRIC_IS_GAUGE);
    protobuf_double(out, VALUE, value);
    if (counts)
        write_created(metrics, COUNTER_CREATED, out);
    protobuf_close(out, mark);
}

static void write_series(const struct metrics *metrics, const struct metric_family *family, const struct metric_series *series,
                         struct text *out)
{
    size_t mark = protobuf_open(out, FAMILY_METRIC);
    for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i] != NULL; i++) {
        size_t label = protobuf_open(out, METRIC_LABEL);
        protobuf_str(out, LABEL_NAME, str_from(family->labels[i]));
        protobuf_str(out, LABEL_VALUE, series->labels[i]);
        protobuf_close(out, label);
    }
    if (family->type == METRIC_HISTOGRAM)
        write_histogram(metrics, series->histogram, out);
    else
        write_value(metrics, family, series->value, out);
    protobuf_close(out, mark);
}

void metrics_write_protobuf(const struct metrics *metrics, struct text *out)
{
    struct text message;
    text_init(&message, out->max);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_family *family = &metric_families[i];
        if (metrics->chains[i].count == 0)
            continue;
        text_clear(&message);
        protobuf_str(&message, FAMILY_NAME, str_from(family->name));
        protobuf_str(&message, FAMILY_HELP, str_from(family->help));
        protobuf_uint(&message, FAMILY_TYPE, type_numbers[family->type]);
        for (const struct metric_series *it = metrics->chains[i].first; it != NULL; it = it->next)
            write_series(metrics, family, it, &message);
        protobuf_varint(out, message.len);
        text_add(out, text_str(&message));
        out->overflow = out->overflow || message.overflow;
    }
    text_release(&message);
}
