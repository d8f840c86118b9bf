#include "admin/metrics_read.h"

static void read_worker(struct metrics *metrics, const struct worker_report *report)
{
    const struct str *labels = METRICS_KEEP(metrics, arena_printf(&metrics->arena, "%u", report->worker));
    enum lag_reader reader = metrics->scope.reader == METRIC_FOR_OTLP ? LAG_OTLP : LAG_PROMETHEUS;
    metrics_add(metrics, METRIC_WORKER_TURN, labels, (double)survey_take_lag(report->worker, reader) / 1e9);
    metrics_add(metrics, METRIC_WORKER_BUFFERS, labels, (double)report->buffer_bytes);
    metrics_add(metrics, METRIC_WORKER_EXCHANGES, labels, report->exchanges);
    metrics_add(metrics, METRIC_WORKER_CONNECTIONS, labels, report->connections);
    metrics_add(metrics, METRIC_WORKER_IDLE, labels, report->idle_upstream);
    metrics_add(metrics, METRIC_WORKER_PIPES, labels, report->idle_pipes);
}

/* ---- what is of the process rather than of a worker ---- */

struct port_sum {
    struct str entrypoint;
    double accepted, open;
};

static struct port_sum *sum_of(struct port_sum *sums, size_t *count, struct str entrypoint)
{
    for (size_t i = 0; i < *count; i++)
        if (str_equal(sums[i].entrypoint, entrypoint))
            return &sums[i];
    sums[*count].entrypoint = entrypoint;
    return &sums[(*count)++];
}

/* An entrypoint whose address has changed has two ports while the former one's connections last. */
static void read_ports(struct metrics *metrics, const struct survey *survey)
{
    size_t most = 0, count = 0;
    for (unsigned i = 0; i < survey->count; i++)
        most += survey->reports[i].port_count;
    struct port_sum *sums = arena_array(&metrics->arena, struct port_sum, most);
    for (unsigned i = 0; i < survey->count; i++)
        for (size_t j = 0; j < survey->reports[i].port_count; j++) {
            const struct port_report *port = &survey->reports[i].ports[j];
            struct port_sum *sum = sum_of(sums, &count, port->entrypoint);
            sum->accepted += (double)port->accepted;
            sum->open += port->open;
        }
    for (size_t i = 0; i < count; i++) {
        const struct str *labels = METRICS_KEEP(metrics, sums[i].entrypoint, S("TCP"));
        metrics_add(metrics, METRIC_OPEN_CONNECTIONS, labels, sums[i].open);
        metrics_add(metrics, METRIC_ACCEPTED, labels, sums[i].accepted);
    }
}

static void read_sent_away(struct metrics *metrics, const struct survey *survey)
{
    for (unsigned reason = 0; reason < STATUS_COUNT; reason++) {
        double count = 0;
        for (unsigned i = 0; i < survey->count; i++)
            count += (double)survey->reports[i].sent_away[reason];
        if (count != 0)
            metrics_add(metrics, METRIC_SENT_AWAY, METRICS_KEEP(metrics, str_from(status_reason(reason))), count);
    }
}

static void read_handshakes(struct metrics *metrics, const struct survey *survey)
{
    double all = 0, resumed = 0, failed = 0, lost = 0;
    for (unsigned i = 0; i < survey->count; i++) {
        all += (double)survey->reports[i].handshakes;
        resumed += (double)survey->reports[i].handshakes_resumed;
        failed += (double)survey->reports[i].handshakes_failed;
        lost += (double)survey->reports[i].log_lines_lost;
    }
    metrics_add(metrics, METRIC_HANDSHAKES, METRICS_KEEP(metrics, S("full")), all - resumed);
    metrics_add(metrics, METRIC_HANDSHAKES, METRICS_KEEP(metrics, S("resumed")), resumed);
    metrics_add(metrics, METRIC_HANDSHAKES, METRICS_KEEP(metrics, S("failed")), failed);
    metrics_add(metrics, METRIC_LOG_LOST, NULL, lost);
}

void metrics_read_workers(struct metrics *metrics, const struct survey *survey)
{
    for (unsigned i = 0; i < survey->count; i++)
        read_worker(metrics, &survey->reports[i]);
    read_ports(metrics, survey);
    read_sent_away(metrics, survey);
    read_handshakes(metrics, survey);
}
