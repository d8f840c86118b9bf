/* OTLP in JSON: the same messages by ProtoJSON's rules, with 64-bit integers as strings and enumerations as numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "admin/metrics.h"
#include "base/json.h"
#include "observe/otlp_resource.h"

#define CUMULATIVE 2

struct writer {
    const struct metrics *metrics;
    const struct metric_family *family;
    struct json json;
};

static void write_integer(struct json *json, uint64_t value)
{
    char digits[24];
    json_str(json, str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value)));
}

static void member_integer(struct json *json, const char *key, uint64_t value)
{
    json_key(json, str_from(key));
    write_integer(json, value);
}

/* All digits, where json_number would round. */
static void write_number(struct json *json, double value)
{
    char buffer[METRIC_NUMBER_SIZE];
    if (isinf(value))
        json_str(json, value > 0 ? S("Infinity") : S("-Infinity"));
    else if (isnan(value))
        json_str(json, S("NaN"));
    else
        json_raw(json, metrics_number_text(value, buffer));
}

static void member_number(struct json *json, const char *key, double value)
{
    json_key(json, str_from(key));
    write_number(json, value);
}

static void write_attributes(struct writer *writer, const struct metric_series *series)
{
    const struct metric_family *family = writer->family;
    json_member_array(&writer->json, "attributes");
    for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i] != NULL; i++) {
        struct str name = str_from(family->labels[i]), value = series->labels[i];
        uint64_t number;
        if (metrics_label_is_number(family->labels[i]) && str_to_u64(value, &number))
            otlp_json_int(&writer->json, name, (int64_t)number);
        else if (value.len != 0)
            otlp_json_str(&writer->json, name, value);
    }
    json_end(&writer->json);
}

static void write_explicit(struct json *json, const struct metric_histogram *histogram)
{
    json_member_array(json, "bucketCounts");
    for (unsigned i = 0; i <= histogram->count; i++)
        write_integer(json, histogram->buckets[i]);
    json_end(json);
    json_member_array(json, "explicitBounds");
    for (unsigned i = 0; i < histogram->count; i++)
        write_number(json, histogram->ends[i]);
    json_end(json);
}

static void write_fine(struct json *json, const uint64_t *fine)
{
    unsigned from, to;
    json_member_int(json, "scale", METRIC_SCHEMA);
    member_integer(json, "zeroCount", fine[0]);
    member_number(json, "zeroThreshold", METRIC_ZERO_THRESHOLD);
    if (!metrics_fine_stretch(fine, &from, &to))
        return;
    json_member_object(json, "positive");
    json_member_int(json, "offset", METRIC_FINE_FIRST + (int)from - 2);
    json_member_array(json, "bucketCounts");
    for (unsigned i = from; i < to; i++)
        write_integer(json, fine[i]);
    json_end(json);
    json_end(json);
}

static void write_point(struct writer *writer, const struct metric_series *series)
{
    const struct metric_histogram *histogram = series->histogram;
    struct json *json = &writer->json;
    json_open_object(json);
    write_attributes(writer, series);
    if (writer->family->type != METRIC_GAUGE)
        member_integer(json, "startTimeUnixNano", (uint64_t)writer->metrics->began_wall);
    member_integer(json, "timeUnixNano", (uint64_t)writer->metrics->now_wall);
    if (histogram == NULL) {
        member_number(json, "asDouble", series->value);
    } else {
        member_integer(json, "count", histogram->total);
        member_number(json, "sum", histogram->sum);
        if (histogram->fine != NULL)
            write_fine(json, histogram->fine);
        else
            write_explicit(json, histogram);
    }
    json_end(json);
}

static const char *data_name(const struct metric_family *family, const struct metric_chain *chain)
{
    if (family->type == METRIC_HISTOGRAM)
        return chain->first->histogram->fine != NULL ? "exponentialHistogram" : "histogram";
    return family->type == METRIC_COUNTER ? "sum" : "gauge";
}

static void write_family(struct writer *writer, const struct metric_chain *chain)
{
    const struct metric_family *family = writer->family;
    struct json *json = &writer->json;
    json_open_object(json);
    json_member_text(json, "name", family->name);
    json_member_text(json, "description", family->help);
    json_member_text(json, "unit", family->unit);
    json_member_object(json, data_name(family, chain));
    json_member_array(json, "dataPoints");
    for (const struct metric_series *it = chain->first; it != NULL; it = it->next)
        write_point(writer, it);
    json_end(json);
    if (family->type != METRIC_GAUGE)
        json_member_int(json, "aggregationTemporality", CUMULATIVE);
    if (family->type == METRIC_COUNTER)
        json_member_bool(json, "isMonotonic", true);
    json_end(json);
    json_end(json);
}

size_t metrics_write_otlp_json(const struct metrics *metrics, const struct otlp_metrics *config, struct text *out)
{
    struct writer writer = {.metrics = metrics, .json = {.out = out}};
    struct json *json = &writer.json;
    size_t points = 0;
    json_open_object(json);
    json_member_array(json, "resourceMetrics");
    json_open_object(json);
    otlp_json_resource(json, config->service_name, &config->resource_attributes);
    json_member_array(json, "scopeMetrics");
    json_open_object(json);
    otlp_json_scope(json);
    json_member_array(json, "metrics");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        writer.family = &metric_families[i];
        if (metrics->chains[i].count != 0)
            write_family(&writer, &metrics->chains[i]);
        points += metrics->chains[i].count;
    }
    while (json->depth != 0)
        json_end(json);
    return points;
}
