/* OTLP in protocol buffers (opentelemetry.proto.metrics.v1; the numbers are those of that file). Zeros that mean something are
 * written: a point without a value is none. */
#include "admin/metrics.h"
#include "base/protobuf.h"
#include "observe/otlp_resource.h"

enum { REQUEST_RESOURCE_METRICS = 1 };
enum { RESOURCE_METRICS_RESOURCE = 1, RESOURCE_METRICS_SCOPES = 2 };
enum { SCOPE_METRICS_SCOPE = 1, SCOPE_METRICS_METRICS = 2 };
enum { NAME = 1, DESCRIPTION = 2, UNIT = 3, GAUGE = 5, SUM = 7, HISTOGRAM = 9, EXPONENTIAL = 10 };
enum { POINTS = 1, TEMPORALITY = 2, MONOTONIC = 3, CUMULATIVE = 2 };
enum { POINT_START = 2, POINT_TIME = 3 };
enum { NUMBER_DOUBLE = 4, NUMBER_ATTRIBUTES = 7 };
enum { HISTOGRAM_COUNT = 4, HISTOGRAM_SUM = 5 };
enum { EXPLICIT_BUCKETS = 6, EXPLICIT_BOUNDS = 7, EXPLICIT_ATTRIBUTES = 9 };
enum { FINE_ATTRIBUTES = 1, FINE_SCALE = 6, FINE_ZERO_COUNT = 7, FINE_POSITIVE = 8, FINE_ZERO_THRESHOLD = 14 };
enum { BUCKETS_OFFSET = 1, BUCKETS_COUNTS = 2 };

struct writer {
    const struct metrics *metrics;
    const struct metric_family *family;
    struct text *out;
};

static void write_64(struct text *out, uint64_t value)
{
    char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (char)(value >> 8 * i);
    text_add(out, str_of(bytes, sizeof(bytes)));
}

static void write_double(struct text *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    write_64(out, bits);
}

/* One that is there although it is zero. */
static void put_double(struct text *out, unsigned field, double value)
{
    protobuf_varint(out, field << 3 | 1);
    write_double(out, value);
}

static void write_attributes(const struct writer *writer, unsigned field, const struct metric_series *series)
{
    const struct metric_family *family = writer->family;
    for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i] != NULL; i++) {
        struct str name = str_from(family->labels[i]), value = series->labels[i];
        uint64_t number;
        if (metrics_label_is_number(family->labels[i]) && str_to_u64(value, &number))
            otlp_put_int(writer->out, field, name, (int64_t)number);
        else if (value.len != 0)
            otlp_put_str(writer->out, field, name, value);
    }
}

static void write_times(const struct writer *writer)
{
    if (writer->family->type != METRIC_GAUGE)
        protobuf_fixed64(writer->out, POINT_START, (uint64_t)writer->metrics->began_wall);
    protobuf_fixed64(writer->out, POINT_TIME, (uint64_t)writer->metrics->now_wall);
}

static void write_explicit(const struct writer *writer, const struct metric_histogram *histogram)
{
    struct text *out = writer->out;
    size_t mark = protobuf_open(out, EXPLICIT_BUCKETS);
    for (unsigned i = 0; i <= histogram->count; i++)
        write_64(out, histogram->buckets[i]);
    protobuf_close(out, mark);
    mark = protobuf_open(out, EXPLICIT_BOUNDS);
    for (unsigned i = 0; i < histogram->count; i++)
        write_double(out, histogram->ends[i]);
    protobuf_close(out, mark);
}

/* Buckets are named by where they begin here, by where they end in Prometheus: one less. */
static void write_fine(const struct writer *writer, const uint64_t *fine)
{
    struct text *out = writer->out;
    unsigned from, to;
    protobuf_sint(out, FINE_SCALE, METRIC_SCHEMA);
    protobuf_fixed64(out, FINE_ZERO_COUNT, fine[0]);
    put_double(out, FINE_ZERO_THRESHOLD, METRIC_ZERO_THRESHOLD);
    if (!metrics_fine_stretch(fine, &from, &to))
        return;
    size_t positive = protobuf_open(out, FINE_POSITIVE);
    protobuf_sint(out, BUCKETS_OFFSET, METRIC_FINE_FIRST + (int)from - 2);
    size_t counts = protobuf_open(out, BUCKETS_COUNTS);
    for (unsigned i = from; i < to; i++)
        protobuf_varint(out, fine[i]);
    protobuf_close(out, counts);
    protobuf_close(out, positive);
}

static void write_histogram(const struct writer *writer, const struct metric_series *series)
{
    const struct metric_histogram *histogram = series->histogram;
    struct text *out = writer->out;
    protobuf_fixed64(out, HISTOGRAM_COUNT, histogram->total);
    put_double(out, HISTOGRAM_SUM, histogram->sum);
    write_attributes(writer, histogram->fine != NULL ? FINE_ATTRIBUTES : EXPLICIT_ATTRIBUTES, series);
    if (histogram->fine != NULL)
        write_fine(writer, histogram->fine);
    else
        write_explicit(writer, histogram);
}

static void write_point(const struct writer *writer, const struct metric_series *series)
{
    size_t mark = protobuf_open(writer->out, POINTS);
    write_times(writer);
    if (writer->family->type == METRIC_HISTOGRAM) {
        write_histogram(writer, series);
    } else {
        put_double(writer->out, NUMBER_DOUBLE, series->value);
        write_attributes(writer, NUMBER_ATTRIBUTES, series);
    }
    protobuf_close(writer->out, mark);
}

static unsigned data_field(const struct metric_family *family, const struct metric_chain *chain)
{
    if (family->type == METRIC_HISTOGRAM)
        return chain->first->histogram->fine != NULL ? EXPONENTIAL : HISTOGRAM;
    return family->type == METRIC_COUNTER ? SUM : GAUGE;
}

static void write_family(const struct writer *writer, const struct metric_chain *chain)
{
    const struct metric_family *family = writer->family;
    struct text *out = writer->out;
    size_t metric = protobuf_open(out, SCOPE_METRICS_METRICS);
    protobuf_str(out, NAME, str_from(family->name));
    protobuf_str(out, DESCRIPTION, str_from(family->help));
    protobuf_str(out, UNIT, str_from(family->unit));
    size_t data = protobuf_open(out, data_field(family, chain));
    for (const struct metric_series *it = chain->first; it != NULL; it = it->next)
        write_point(writer, it);
    if (family->type != METRIC_GAUGE)
        protobuf_uint(out, TEMPORALITY, CUMULATIVE);
    if (family->type == METRIC_COUNTER)
        protobuf_uint(out, MONOTONIC, 1);
    protobuf_close(out, data);
    protobuf_close(out, metric);
}

size_t metrics_write_otlp(const struct metrics *metrics, const struct otlp_metrics *config, struct text *out)
{
    struct writer writer = {.metrics = metrics, .out = out};
    size_t points = 0, resource = protobuf_open(out, REQUEST_RESOURCE_METRICS);
    otlp_put_resource(out, RESOURCE_METRICS_RESOURCE, config->service_name, &config->resource_attributes);
    size_t scope = protobuf_open(out, RESOURCE_METRICS_SCOPES);
    otlp_put_scope(out, SCOPE_METRICS_SCOPE);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        writer.family = &metric_families[i];
        if (metrics->chains[i].count != 0)
            write_family(&writer, &metrics->chains[i]);
        points += metrics->chains[i].count;
    }
    protobuf_close(out, scope);
    protobuf_close(out, resource);
    return points;
}
