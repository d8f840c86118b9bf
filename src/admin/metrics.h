/* Metrics for monitoring: collected at once from all of the process, then written in the format that is asked for.
 *
 *     metrics_collect(&scope, owner, done);      asks the workers; `done` gets a struct metrics and writes it
 *
 * A struct metrics is a moment: for each family of the table (admin/metrics_table.h) its series. Label values are views of the
 * graph and of the workers' reports, so it is good only until `done` returns.
 *
 * Threading: the control thread. Ownership: metrics_collect's are its own; for tests there are metrics_init and metrics_release. */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "admin/metrics_table.h"
#include "base/arena.h"
#include "base/meter.h"
#include "base/text.h"
#include "model/observability.h"

struct metric_histogram {
    unsigned count;                   /* of ends; a last bucket without end follows */
    const double *ends;               /* ascending */
    const uint64_t *buckets;          /* count + 1, not cumulated */
    uint64_t total;
    double sum;
    const uint64_t *fine;             /* METER_BUCKETS, for native and exponential histograms; NULL: there are none */
};

struct metric_series {
    struct metric_series *next;
    const struct str *labels;         /* values, as many as the family has names */
    double value;
    const struct metric_histogram *histogram;       /* of a METRIC_HISTOGRAM */
};

struct metric_chain {
    struct metric_series *first, **end;
    size_t count;
};

/* What one reader wants to have. */
struct metric_scope {
    enum metric_reader reader;
    bool entry_points, routers, services;
    struct meter_bounds bounds;       /* of the traefik_ histograms */
};

struct metrics {
    struct arena arena;
    struct metric_scope scope;
    struct metric_chain chains[METRIC_COUNT];
    int64_t began_wall, now_wall;     /* Unix ns: since when counters count, and of this moment */
};

/* ---- making ---- */

void metrics_init(struct metrics *metrics, const struct metric_scope *scope);
void metrics_release(struct metrics *metrics);
unsigned metric_label_count(const struct metric_family *family);
/* Values of labels, kept; texts stay the caller's. For several families with the same labels. */
const struct str *metrics_keep(struct metrics *metrics, const struct str *values, unsigned count);
#define METRICS_KEEP(metrics, ...) \
    metrics_keep((metrics), (const struct str[]){__VA_ARGS__}, sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
/* `labels`: kept; NULL for a family without. */
void metrics_add(struct metrics *metrics, enum metric metric, const struct str *labels, double value);
/* `histogram` and what it points to: of the metrics' arena. */
void metrics_add_histogram(struct metrics *metrics, enum metric metric, const struct str *labels,
                           const struct metric_histogram *histogram);
/* From a meter's latencies: classic buckets at the powers of two, and the fine ones. */
const struct metric_histogram *metrics_latencies(struct metrics *metrics, const struct meter_sum *sum);

struct prometheus_config;
struct otlp_metrics;
void metric_scope_prometheus(const struct prometheus_config *config, struct metric_scope *ret_scope);
void metric_scope_otlp(const struct otlp_metrics *config, struct metric_scope *ret_scope);

/* `done` is called once, on the control thread, perhaps before this returns. False: the process is stopping, and it is not. */
bool metrics_collect(const struct metric_scope *scope, void *owner, void (*done)(struct metrics *metrics, void *owner));
/* When the workers have ended: without what they alone know, at once. */
void metrics_collect_last(const struct metric_scope *scope, void *owner, void (*done)(struct metrics *metrics, void *owner));

/* ---- writing ---- */

/* How Prometheus is answered. */
enum exposition {
    EXPOSITION_TEXT,                  /* text, version 0.0.4 */
    EXPOSITION_OPENMETRICS,           /* OpenMetrics 1.0 text */
    EXPOSITION_PROTOBUF,              /* io.prometheus.client.MetricFamily, delimited; has the native histograms */
};
/* What an Accept field prefers of these; text where it names none. */
enum exposition exposition_choose(struct str accept);
struct str exposition_type(enum exposition exposition);
void exposition_write(enum exposition exposition, const struct metrics *metrics, struct text *out);

void metrics_write_text(const struct metrics *metrics, bool openmetrics, struct text *out);
void metrics_write_protobuf(const struct metrics *metrics, struct text *out);

/* The body of an OTLP export (opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest); gives how many data points
 * it has. Counts are cumulative; latencies are exponential histograms where they have fine buckets. */
size_t metrics_write_otlp(const struct metrics *metrics, const struct otlp_metrics *config, struct text *out);
size_t metrics_write_otlp_json(const struct metrics *metrics, const struct otlp_metrics *config, struct text *out);

/* The shortest text that reads as the same number: "12", "0.1", "1e+30", "NaN", "+Inf". A view of `buffer` or a literal. */
#define METRIC_NUMBER_SIZE 32
struct str metrics_number_text(double value, char *buffer);
/* Labels whose values are numbers where types are told apart. */
bool metrics_label_is_number(const char *label);

/* A native histogram's buckets with schema 2 (exponential with scale 2, OTLP): bucket `index` ends at 2^(index/4) seconds. The
 * first fine bucket is the zero bucket; the last, which has no end, is taken for the one behind 64 s. */
#define METRIC_SCHEMA 2
#define METRIC_FINE_FIRST (-55)       /* index of fine bucket 1 */
#define METRIC_ZERO_THRESHOLD 0x1p-14
/* The stretch of fine buckets, the first one left out, beyond which none holds anything; false: there is none. */
bool metrics_fine_stretch(const uint64_t *fine, unsigned *ret_from, unsigned *ret_to);

#endif
