#include "test.h"

#include <jansson.h>

#include "access_sample.h"
#include "base/time.h"

/* The line as an object; a member that stands twice is an error. */
static json_t *read_line(struct sample *sample)
{
    json_error_t error;
    sample->config.format = ACCESS_JSON;
    struct str line = sample_line(sample);
    json_t *object = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        fail_msg("%s in %.*s", error.text, STR_ARGS(line));
    return object;
}

static void assert_text(const json_t *object, const char *name, const char *expected)
{
    const char *value = json_string_value(json_object_get(object, name));
    if (value == NULL || strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", name, value != NULL ? value : "absent", expected);
}

static void assert_number(const json_t *object, const char *name, int64_t expected)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) != expected)
        fail_msg("%s is %lld, not %lld", name, (long long)json_integer_value(value), (long long)expected);
}

TEST(access_json_has_traefiks_names)
{
    struct sample sample;
    sample_init(&sample);
    json_t *line = read_line(&sample);
    static const char *const texts[][2] = {
        {"ClientAddr", "192.0.2.1:4711"}, {"ClientHost", "192.0.2.1"}, {"ClientPort", "4711"}, {"ClientUsername", "-"},
        {"RequestAddr", "site.example:8080"}, {"RequestHost", "site.example"}, {"RequestPort", "8080"},
        {"RequestMethod", "GET"}, {"RequestPath", "/path?q=1"}, {"RequestProtocol", "HTTP/1.1"}, {"RequestScheme", "http"},
        {"RequestLine", "GET /path?q=1 HTTP/1.1"}, {"RouterName", "main@file"}, {"ServiceName", "app@file"},
        {"ServiceURL", "http://10.0.0.1:80/base"}, {"ServiceAddr", "10.0.0.1:80"}, {"entryPointName", "web"},
        {"RequestID", "id-1"}, {"StartUTC", "2026-11-22T10:00:00.000000042Z"},
        {"StartLocal", "2026-11-22T13:30:00.000000042+03:30"}, {"time", "2026-11-22T10:00:00.005000042Z"},
        {"OriginStatusLine", "200 OK"}, {"DownstreamStatusLine", "200 OK"}, {"level", "info"}, {"msg", ""}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_text(line, texts[i][0], texts[i][1]);
    static const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"Duration", 5000000}, {"OriginDuration", 50}, {"Overhead", 4999950}, {"QueueDuration", 10},
                   {"ConnectDuration", 20}, {"FirstByteDuration", 30}, {"RequestContentSize", 3}, {"OriginContentSize", 12},
                   {"OriginStatus", 200}, {"DownstreamStatus", 200}, {"DownstreamContentSize", 12}, {"RequestCount", 7},
                   {"RetryAttempts", 0}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_number(line, numbers[i].name, numbers[i].value);
    assert_null(json_object_get(line, "reason"));
    assert_null(json_object_get(line, "GzipRatio"));
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_tells_of_tls_where_it_was_spoken)
{
    static const char *const names[] = {"TLSVersion", "TLSCipher", "TLSClientSubject"};
    struct sample sample;
    sample_init(&sample);
    json_t *line = read_line(&sample);
    for (size_t i = 0; i < 3; i++)
        assert_null(json_object_get(line, names[i]));
    json_decref(line);
    sample.record.tls_version = S("1.3");
    sample.record.tls_cipher = S("TLS_AES_128_GCM_SHA256");
    line = read_line(&sample);
    assert_text(line, "TLSVersion", "1.3");
    assert_text(line, "TLSCipher", "TLS_AES_128_GCM_SHA256");
    assert_null(json_object_get(line, "TLSClientSubject"));
    json_decref(line);
    sample.record.tls_client_subject = S("CN=\"a\",O=B\\, C");
    line = read_line(&sample);
    assert_text(line, "TLSClientSubject", "CN=\"a\",O=B\\, C");
    json_decref(line);
    sample.config.fields.default_mode = FIELD_MODE_DROP;
    sample_rules(&sample, &sample.config.fields.names, "TLSCipher", "keep");
    line = read_line(&sample);
    assert_text(line, "TLSCipher", "TLS_AES_128_GCM_SHA256");
    assert_null(json_object_get(line, "TLSVersion"));
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_of_an_answer_made_here_says_nothing_of_a_server)
{
    struct sample sample;
    sample_init(&sample);
    sample.record.origin_status = 0;
    sample.record.server_url = sample.record.service = STR_NONE;
    sample.record.reason = STATUS_RATE_LIMITED;
    json_t *line = read_line(&sample);
    static const char *const absent[] = {"OriginStatus", "OriginStatusLine", "OriginDuration", "OriginContentSize", "ServiceURL",
                                         "ServiceAddr", "ServiceName"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_null(json_object_get(line, absent[i]));
    assert_text(line, "reason", "rate_limited");
    assert_text(line, "reasonDetail", status_text(STATUS_RATE_LIMITED));
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_tells_what_compression_saved)
{
    struct sample sample;
    sample_init(&sample);
    sample.record.origin_bytes = 36;
    json_t *line = read_line(&sample);
    assert_true(json_real_value(json_object_get(line, "GzipRatio")) == 3.0);
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_headers_have_go_names_and_stand_once)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.fields.headers.default_mode = FIELD_MODE_KEEP;
    sample_rules(&sample, &sample.config.fields.headers.names, "authorization", "redact");
    sample_rules(&sample, &sample.config.fields.headers.names, "X-Gone", "drop");
    sample_field(&sample, "user-agent", "one\xff\"");
    sample_field(&sample, "x-many", "a");
    sample_field(&sample, "X-MANY", "b");
    sample_field(&sample, "Authorization", "secret");
    sample_field(&sample, "x-gone", "1");
    fields_add(&sample.response.fields, S("x-answer"), S("yes"));
    json_t *line = read_line(&sample);
    assert_text(line, "request_User-Agent", "one\xef\xbf\xbd\"");
    assert_text(line, "request_X-Many", "a, b");
    assert_text(line, "request_Authorization", "REDACTED");
    assert_null(json_object_get(line, "request_X-Gone"));
    assert_text(line, "origin_X-Answer", "yes");
    assert_text(line, "downstream_X-Answer", "yes");
    json_decref(line);
    sample.record.origin_status = 0;
    line = read_line(&sample);
    assert_null(json_object_get(line, "origin_X-Answer"));
    assert_text(line, "downstream_X-Answer", "yes");
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_keeps_to_the_fields_that_are_wanted)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.fields.default_mode = FIELD_MODE_DROP;
    sample_rules(&sample, &sample.config.fields.names, "RequestPath", "keep");
    sample_rules(&sample, &sample.config.fields.query_parameters.names, "q", "redact");
    json_t *line = read_line(&sample);
    assert_int_equal(json_object_size(line), 4);      /* level, msg and time stay */
    assert_text(line, "RequestPath", "/path?q=REDACTED");
    json_decref(line);
    sample_release(&sample);
}

TEST(access_json_is_json_whatever_was_sent)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.fields.headers.default_mode = FIELD_MODE_KEEP;
    static char bytes[256];
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    sample_field(&sample, "X-Bytes", bytes);
    sample.record.path = sample.record.authority = sample.record.user = sample.record.query = str_of(bytes, 255);
    sample.record.tls_version = sample.record.tls_cipher = sample.record.tls_client_subject = str_of(bytes, 255);
    sample.record.client_ip = S("2001:db8::1");
    json_t *line = read_line(&sample);
    assert_text(line, "ClientAddr", "[2001:db8::1]:4711");
    json_decref(line);
    sample.record.authority = S("[::1]");
    line = read_line(&sample);
    assert_text(line, "RequestHost", "[::1]");
    assert_text(line, "RequestPort", "-");
    json_decref(line);
    sample_release(&sample);
}
