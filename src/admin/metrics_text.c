/* Prometheus' text format (0.0.4) and OpenMetrics 1.0, which differ in little: how counters are announced, how whole numbers are
 * written in `le`, what is escaped in a help, and the line at the end. */
#include <stdio.h>

#include "admin/metrics.h"

struct writer {
    struct text *out;
    struct text labels;               /* of the present series: `code="200",method="GET"` */
    const struct metric_family *family;
    bool openmetrics;
};

static void add_number(struct text *out, double value)
{
    char buffer[METRIC_NUMBER_SIZE];
    text_add(out, metrics_number_text(value, buffer));
}

/* Line ends and backslashes, and quotes where there are some around it. */
static void add_escaped(struct text *out, struct str value, bool quoted)
{
    size_t run = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c != '\\' && c != '\n' && (c != '"' || !quoted))
            continue;
        text_add(out, str_of(value.data + run, i - run));
        text_add_char(out, '\\');
        text_add_char(out, c == '\n' ? 'n' : c);
        run = i + 1;
    }
    text_add(out, str_from_index(value, run));
}

/* OpenMetrics calls the family of a counter without the ending that its only sample has. */
static struct str family_name(const struct writer *writer)
{
    struct str name = str_from(writer->family->name);
    if (writer->openmetrics && writer->family->type == METRIC_COUNTER && str_ends(name, S("_total")))
        return str_first(name, name.len - S("_total").len);
    return name;
}

static void write_heading(struct writer *writer)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    struct str name = family_name(writer);
    text_add(writer->out, S("# HELP "));
    text_add(writer->out, name);
    text_add_char(writer->out, ' ');
    add_escaped(writer->out, str_from(writer->family->help), writer->openmetrics);
    text_add(writer->out, S("\n# TYPE "));
    text_add(writer->out, name);
    text_add_char(writer->out, ' ');
    text_add(writer->out, str_from(types[writer->family->type]));
    text_add_char(writer->out, '\n');
}

static void fill_labels(struct writer *writer, const struct metric_series *series)
{
    text_clear(&writer->labels);
    for (unsigned i = 0; i < METRIC_LABELS_MAX && writer->family->labels[i] != NULL; i++) {
        if (i != 0)
            text_add_char(&writer->labels, ',');
        text_add(&writer->labels, str_from(writer->family->labels[i]));
        text_add(&writer->labels, S("=\""));
        add_escaped(&writer->labels, series->labels[i], true);
        text_add_char(&writer->labels, '"');
    }
}

/* Up to the space in front of the value; `end`: of a bucket, else NULL. */
static void begin_sample(struct writer *writer, const char *ending, const char *end)
{
    struct text *out = writer->out;
    text_add(out, str_from(writer->family->name));
    text_add(out, str_from(ending));
    if (writer->labels.len != 0 || end != NULL) {
        text_add_char(out, '{');
        text_add(out, text_str(&writer->labels));
        if (end != NULL) {
            if (writer->labels.len != 0)
                text_add_char(out, ',');
            text_add(out, S("le=\""));
            text_add(out, str_from(end));
            text_add_char(out, '"');
        }
        text_add_char(out, '}');
    }
    text_add_char(out, ' ');
}

static void write_count(struct writer *writer, const char *ending, const char *end, uint64_t count)
{
    begin_sample(writer, ending, end);
    text_add_u64(writer->out, count);
    text_add_char(writer->out, '\n');
}

/* "1" means the same as "1.0" but is another label; each format has its own. */
static void end_text(const struct writer *writer, double end, char *buffer, size_t size)
{
    char number[METRIC_NUMBER_SIZE];
    struct str text = metrics_number_text(end, number);
    bool whole = str_find_char(text, '.', 0) < 0 && str_find_char(text, 'e', 0) < 0;
    snprintf(buffer, size, "%.*s%s", STR_ARGS(text), writer->openmetrics && whole ? ".0" : "");
}

static void write_histogram(struct writer *writer, const struct metric_histogram *histogram)
{
    char end[METRIC_NUMBER_SIZE + 4];
    uint64_t below = 0;
    for (unsigned i = 0; i < histogram->count; i++) {
        below += histogram->buckets[i];
        end_text(writer, histogram->ends[i], end, sizeof(end));
        write_count(writer, "_bucket", end, below);
    }
    write_count(writer, "_bucket", "+Inf", histogram->total);
    begin_sample(writer, "_sum", NULL);
    add_number(writer->out, histogram->sum);
    text_add_char(writer->out, '\n');
    write_count(writer, "_count", NULL, histogram->total);
}

static void write_family(struct writer *writer, const struct metric_chain *chain)
{
    write_heading(writer);
    for (const struct metric_series *it = chain->first; it != NULL; it = it->next) {
        fill_labels(writer, it);
        if (writer->family->type == METRIC_HISTOGRAM) {
            write_histogram(writer, it->histogram);
            continue;
        }
        begin_sample(writer, "", NULL);
        add_number(writer->out, it->value);
        text_add_char(writer->out, '\n');
    }
}

void metrics_write_text(const struct metrics *metrics, bool openmetrics, struct text *out)
{
    struct writer writer = {.out = out, .openmetrics = openmetrics};
    text_init(&writer.labels, (size_t)1 << 20);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        writer.family = &metric_families[i];
        if (metrics->chains[i].count != 0)
            write_family(&writer, &metrics->chains[i]);
    }
    if (openmetrics)
        text_add(out, S("# EOF\n"));
    text_release(&writer.labels);
}
