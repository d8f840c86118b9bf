#include "admin/metrics.h"

#include "test.h"

#include <math.h>

#include "base/protobuf.h"

struct bench {
    struct metrics metrics;
    struct text out;
};

static void set_up(struct bench *bench, enum metric_reader reader)
{
    metrics_init(&bench->metrics, &(struct metric_scope){.reader = reader});
    bench->metrics.began_wall = INT64_C(1795341600000000000);
    bench->metrics.now_wall = INT64_C(1795341660000000000);
    text_init(&bench->out, 1 << 24);
}

static void tear_down(struct bench *bench)
{
    metrics_release(&bench->metrics);
    text_release(&bench->out);
}

static bool says(const struct bench *bench, const char *wanted)
{
    return str_find(text_str(&bench->out), str_from(wanted)) >= 0;
}

#define assert_says(bench, wanted) \
    do { \
        if (!says(bench, wanted)) \
            fail_msg("\"%s\" is not in:\n%.*s", wanted, STR_ARGS(text_str(&(bench)->out))); \
    } while (0)

static void add_latencies(struct bench *bench, const int64_t *ns, size_t count)
{
    struct meter_sum sum = {.count = count};
    for (size_t i = 0; i < count; i++) {
        sum.duration += (uint64_t)ns[i];
        sum.buckets[meter_bucket_of(ns[i])]++;
    }
    metrics_add_histogram(&bench->metrics, METRIC_LATENCY, METRICS_KEEP(&bench->metrics, S("router"), S("api@file")),
                          metrics_latencies(&bench->metrics, &sum));
}

/* ---- the table ---- */

static bool name_is_valid(const char *name, bool dots)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!ascii_alpha(*c) && *c != '_' && !(ascii_digit(*c) && c != name) && !(dots && *c == '.'))
            return false;
    return name[0] != '\0';
}

TEST(every_family_follows_the_conventions_for_names)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_family *family = &metric_families[i];
        bool semantic = family->readers == METRIC_FOR_OTLP;
        assert_true(name_is_valid(family->name, semantic));
        assert_int_equal(family->type == METRIC_COUNTER, str_ends(str_from(family->name), S("_total")));
        assert_true(str_ends(str_from(family->help), S(".")));
        for (unsigned j = 0; j < metric_label_count(family); j++) {
            assert_true(name_is_valid(family->labels[j], semantic));
            assert_string_not_equal(family->labels[j], "le");
        }
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(family->name, metric_families[j].name);
    }
}

/* ---- text ---- */

TEST(a_label_cannot_end_its_quotes_or_its_line)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    const struct str *labels = METRICS_KEEP(&bench.metrics, S("a\"b\\c\nd} 7"), S("http://[::1]/"));
    metrics_add(&bench.metrics, METRIC_SERVER_UP, labels, 1);
    metrics_write_text(&bench.metrics, false, &bench.out);
    assert_says(&bench, "traefik_service_server_up{service=\"a\\\"b\\\\c\\nd} 7\",url=\"http://[::1]/\"} 1\n");
    tear_down(&bench);
}

TEST(a_label_that_is_no_utf8_becomes_some)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    metrics_add(&bench.metrics, METRIC_ACCEPTED, METRICS_KEEP(&bench.metrics, S("a\xff\xc3\xa9")), 1);
    metrics_write_text(&bench.metrics, false, &bench.out);
    assert_says(&bench, "{entrypoint=\"a\xef\xbf\xbd\xc3\xa9\"} 1\n");
    tear_down(&bench);
}

TEST(numbers_keep_all_their_digits)
{
    static const struct {
        double value;
        const char *text;
    } numbers[] = {{0, "0"},       {-1, "-1"},          {0.1, "0.1"},         {1e15, "1000000000000000"}, {1.0 / 3, "0.3333333333333333"},
                   {NAN, "NaN"},   {INFINITY, "+Inf"},  {-INFINITY, "-Inf"},  {9007199254740991, "9007199254740991"},
                   {1e300, "1e+300"}, {0x1p-13, "0.0001220703125"}};
    char buffer[METRIC_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_str_equal(metrics_number_text(numbers[i].value, buffer), str_from(numbers[i].text));
}

TEST(what_has_no_series_is_not_announced)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    metrics_add(&bench.metrics, METRIC_CONFIG_RELOADS, NULL, 3);
    metrics_write_text(&bench.metrics, false, &bench.out);
    assert_str_equal(text_str(&bench.out), S("# HELP traefik_config_reloads_total Configurations that were taken up, the first one included.\n"
                                             "# TYPE traefik_config_reloads_total counter\ntraefik_config_reloads_total 3\n"));
    tear_down(&bench);
}

TEST(openmetrics_names_a_counter_without_its_ending_and_says_where_it_ends)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    metrics_add(&bench.metrics, METRIC_CONFIG_RELOADS, NULL, 3);
    add_latencies(&bench, (const int64_t[]){1000000000}, 1);
    metrics_write_text(&bench.metrics, true, &bench.out);
    assert_says(&bench, "# TYPE traefik_config_reloads counter\ntraefik_config_reloads_total 3\n");
    assert_says(&bench, "portico_request_duration_seconds_bucket{kind=\"router\",name=\"api@file\",le=\"1.0\"} 1\n");
    assert_true(str_ends(text_str(&bench.out), S("\n# EOF\n")));
    tear_down(&bench);
}

TEST(latencies_have_cumulative_buckets_at_powers_of_two)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    add_latencies(&bench, (const int64_t[]){1, 122070, 1000000000, 1000000001, INT64_C(100000000000)}, 5);
    metrics_write_text(&bench.metrics, false, &bench.out);
#define LATENCY(ending, end) "portico_request_duration_seconds" ending "{kind=\"router\",name=\"api@file\"" end "} "
    assert_says(&bench, LATENCY("_bucket", ",le=\"0.0001220703125\"") "2\n");
    assert_says(&bench, LATENCY("_bucket", ",le=\"0.5\"") "2\n");
    assert_says(&bench, LATENCY("_bucket", ",le=\"1\"") "3\n");
    assert_says(&bench, LATENCY("_bucket", ",le=\"2\"") "4\n");
    assert_says(&bench, LATENCY("_bucket", ",le=\"64\"") "4\n");
    assert_says(&bench, LATENCY("_bucket", ",le=\"+Inf\"") "5\n");
    assert_says(&bench, LATENCY("_count", "") "5\n");
    assert_says(&bench, LATENCY("_sum", "") "102.000122072\n");
    tear_down(&bench);
}

TEST(a_reader_gets_only_what_is_made_for_it)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    struct metric_histogram histogram = {.buckets = (const uint64_t[]){0}};
    metrics_add_histogram(&bench.metrics, METRIC_HTTP_SERVER,
                          METRICS_KEEP(&bench.metrics, S("GET"), S("200"), S("http"), S("web")), &histogram);
    metrics_write_text(&bench.metrics, false, &bench.out);
    assert_int_equal(bench.out.len, 0);
    tear_down(&bench);
}

/* ---- protocol buffers ---- */

static struct str encoded(struct text *text)
{
    return text_str(text);
}

TEST(a_native_histogram_has_spans_and_deltas)
{
    struct bench bench;
    struct text wanted;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    text_init(&wanted, 4096);
    /* One that is shorter than all buckets; three in (2^-0.25, 1], two in the next, one two further. */
    add_latencies(&bench, (const int64_t[]){1, 999999999, 999999999, 1000000000, 1100000000, 1100000000, 1600000000}, 7);
    metrics_write_protobuf(&bench.metrics, &bench.out);
    protobuf_sint(&wanted, 5, 2);
    protobuf_double(&wanted, 6, 0x1p-14);
    protobuf_uint(&wanted, 7, 1);
    size_t span = protobuf_open(&wanted, 12);      /* 2^0 is the end of bucket 0, so its offset is left out */
    protobuf_uint(&wanted, 2, 2);
    protobuf_close(&wanted, span);
    span = protobuf_open(&wanted, 12);
    protobuf_sint(&wanted, 1, 1);
    protobuf_uint(&wanted, 2, 1);
    protobuf_close(&wanted, span);
    size_t deltas = protobuf_open(&wanted, 13);
    protobuf_varint(&wanted, 6);                   /* +3, -1, -1 in zigzag */
    protobuf_varint(&wanted, 1);
    protobuf_varint(&wanted, 1);
    protobuf_close(&wanted, deltas);
    assert_true(str_find(text_str(&bench.out), encoded(&wanted)) >= 0);
    text_release(&wanted);
    tear_down(&bench);
}

TEST(families_stand_behind_their_length)
{
    struct bench bench;
    set_up(&bench, METRIC_FOR_PROMETHEUS);
    metrics_add(&bench.metrics, METRIC_CONFIG_GOOD, NULL, 0);
    metrics_write_protobuf(&bench.metrics, &bench.out);
    assert_int_equal((unsigned char)bench.out.data[0], bench.out.len - 1);
    /* A gauge of zero is there, empty. */
    assert_true(str_ends(text_str(&bench.out), S("\x22\x02\x12\x00")));
    tear_down(&bench);
}

/* ---- what is asked for ---- */

TEST(prometheus_gets_what_it_prefers)
{
    static const struct {
        const char *accept;
        enum exposition wanted;
    } cases[] = {
        {"", EXPOSITION_TEXT},
        {"*/*", EXPOSITION_TEXT},
        {"text/html,*/*;q=0.1", EXPOSITION_TEXT},
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPOSITION_OPENMETRICS},
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
         "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPOSITION_PROTOBUF},
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text, text/plain;q=0.2",
         EXPOSITION_TEXT},
        {"application/openmetrics-text;version=2.0.0, text/plain;q=0.3", EXPOSITION_TEXT},
        {"text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.2", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=0", EXPOSITION_TEXT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(exposition_choose(str_from(cases[i].accept)), cases[i].wanted);
}
