#include "test.h"

#include "access_sample.h"
#include "base/time.h"

#define HEAD "192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET /path?q=1 HTTP/1.1\" 200 12 "

TEST(access_common_is_traefiks_line)
{
    struct sample sample;
    sample_init(&sample);
    sample_field(&sample, "Referer", "http://from/");
    sample_field(&sample, "User-Agent", "agent/1.0 (of a length over eight)");
    assert_str_equal(sample_line(&sample), S(HEAD "\"http://from/\" \"agent/1.0 (of a length over eight)\" 7 \"main@file\" "
                                                  "\"http://10.0.0.1:80/base\" 5ms"));
    sample.record.user = S("joe");
    sample.record.router = sample.record.server_url = STR_NONE;
    sample.record.reason = STATUS_NO_ROUTE;
    sample.record.reason_detail = "why\n\"";
    sample.record.status = 404;
    assert_true(str_starts(sample_line(&sample), S("192.0.2.1 - joe [")));
    assert_true(str_ends(sample_line(&sample), S(" 7 \"-\" \"-\" 5ms reason=no_route (why\\x0a\\\")")));
    sample_release(&sample);
}

TEST(access_generic_and_combined_end_behind_the_agent)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.format = ACCESS_GENERIC_CLF;
    assert_str_equal(sample_line(&sample), S(HEAD "\"-\" \"-\""));
    sample.config.format = ACCESS_COMBINED;
    sample.record.reason = STATUS_NO_ROUTE;
    assert_str_equal(sample_line(&sample), S(HEAD "\"-\" \"-\""));
    sample_release(&sample);
}

TEST(access_common_cannot_be_forged)
{
    struct sample sample;
    sample_init(&sample);
    sample_field(&sample, "User-Agent", "x\" 1\r\n2\\ \x1b[0m \x7f \xe9 plain plain plain\n");
    sample.record.path = S("/a\"b\n");
    sample.record.user = S("joe\n\"");
    struct str line = sample_line(&sample);
    assert_true(str_find(line, S("\"x\\\" 1\\x0d\\x0a2\\\\ \\x1b[0m \\x7f \\xe9 plain plain plain\\x0a\"")) > 0);
    assert_true(str_find(line, S("\"GET /a\\\"b\\x0a?q=1 HTTP/1.1\"")) > 0);
    assert_true(str_find(line, S(" - joe\\x0a\\\" [")) > 0);
    sample_release(&sample);
}

/* Texts go by words and vectors whose ends overlap: what must be escaped is seen at each place of each length. */
TEST(access_common_escapes_at_every_place_of_every_length)
{
    static const struct {
        char raw;
        const char *shown;
    } odd[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\x0a"}, {0x1f, "\\x1f"}, {0x7f, "\\x7f"}, {(char)0x80, "\\x80"}, {(char)0xff, "\\xff"}};
    struct sample sample;
    sample_init(&sample);
    sample.record.query = STR_NONE;
    char path[52], expected[80];
    for (size_t len = 1; len < 50; len++) {
        for (size_t i = 0; i < len * sizeof(odd) / sizeof(odd[0]); i++) {
            size_t at = i % len, which = i / len;
            memset(path, 'a', len);
            path[at] = odd[which].raw;
            sample.record.path = str_of(path, len);
            snprintf(expected, sizeof(expected), "\"GET %.*s%s%.*s HTTP/1.1\" 200 12 ", (int)at, path, odd[which].shown, (int)(len - at - 1),
                     path + at + 1);
            assert_true(str_find(sample_line(&sample), str_from(expected)) > 0);
        }
        memset(path, '~', len);
        snprintf(expected, sizeof(expected), "\"GET %.*s HTTP/1.1\" 200 12 ", (int)len, path);
        sample.record.path = str_of(path, len);
        assert_true(str_find(sample_line(&sample), str_from(expected)) > 0);
    }
    sample_release(&sample);
}

TEST(access_common_has_room_for_whatever_is_escaped)
{
    struct sample sample;
    static char bytes[5000];
    memset(bytes, '"', sizeof(bytes) - 1);
    sample_init(&sample);
    sample_field(&sample, "User-Agent", bytes);
    sample_field(&sample, "Referer", bytes);
    memset(bytes, 0x01, sizeof(bytes) - 1);
    sample.record.path = sample.record.query = sample.record.user = sample.record.router = sample.record.server_url =
        sample.record.method_name = str_from(bytes);
    struct str line = sample_line(&sample);
    assert_true(line.len > 7 * 4 * 4999);
    sample_release(&sample);
}

TEST(access_common_shows_dashes_for_dropped_fields)
{
    struct sample sample;
    sample_init(&sample);
    sample_field(&sample, "Referer", "http://from/");
    sample_field(&sample, "User-Agent", "agent");
    sample.config.fields.default_mode = FIELD_MODE_DROP;
    sample_rules(&sample, &sample.config.fields.names, "DownstreamStatus", "keep");
    sample_rules(&sample, &sample.config.fields.headers.names, "user-agent", "redact");
    sample_rules(&sample, &sample.config.fields.headers.names, "Referer", "drop");
    assert_str_equal(sample_line(&sample), S("- - - - \"- - -\" 200 - \"-\" \"REDACTED\" - \"-\" \"-\" -"));
    sample_release(&sample);
}

TEST(access_common_tells_local_time_when_utc_is_dropped)
{
    struct sample sample;
    sample_init(&sample);
    sample_rules(&sample, &sample.config.fields.names, "StartUTC", "drop");
    assert_true(str_find(sample_line(&sample), S("[22/Nov/2026:13:30:00 +0330]")) > 0);
    sample.record.began_wall += TIME_S;
    assert_true(str_find(sample_line(&sample), S("[22/Nov/2026:13:30:01 +0330]")) > 0);
    sample.record.began_wall -= TIME_S;      /* what is kept of a second belongs to that second */
    assert_true(str_find(sample_line(&sample), S("[22/Nov/2026:13:30:00 +0330]")) > 0);
    sample_release(&sample);
}

static void assert_target(struct sample *sample, const char *query, const char *expected)
{
    sample->record.query = str_from(query);
    struct str line = sample_line(sample);
    struct str wanted = arena_printf(&sample->fixture.arena, "\"GET %s HTTP/1.1\"", expected);
    if (str_find(line, wanted) < 0)
        fail_msg("%s is not in %.*s", wanted.data, STR_ARGS(line));
}

TEST(access_queries_are_shown_by_the_rules)
{
    struct sample sample;
    sample_init(&sample);
    assert_target(&sample, NULL, "/path");
    assert_target(&sample, "", "/path?");
    sample_rules(&sample, &sample.config.fields.query_parameters.names, "token", "redact");
    sample_rules(&sample, &sample.config.fields.query_parameters.names, "gone", "drop");
    assert_target(&sample, "a=1&token=x&gone=2&b", "/path?a=1&token=REDACTED&b");
    assert_target(&sample, "gone=1&a=2", "/path?a=2");
    assert_target(&sample, "gone=1", "/path");
    assert_target(&sample, "TOKEN=x", "/path?TOKEN=REDACTED");
    sample.config.fields.query_parameters.default_mode = FIELD_MODE_REDACT;
    assert_target(&sample, "=&=&a=&b", "/path?=REDACTED&=REDACTED&a=REDACTED&b");
    sample.config.fields.query_parameters.default_mode = FIELD_MODE_DROP;
    assert_target(&sample, "a=1&token=x", "/path?token=REDACTED");
    sample_release(&sample);
}

TEST(access_filters_are_alternatives)
{
    struct sample sample;
    sample_init(&sample);
    struct str codes[] = {STR("404"), STR("500-503")};
    struct access_format *format = access_format_new(&sample.config);
    assert_true(access_format_wants(format, &sample.record));
    access_format_free(format);
    sample.config.filters.status_codes = (struct strs){codes, 2};
    sample.config.filters.retry_attempts = true;
    sample.config.filters.min_duration = TIME_S;
    format = access_format_new(&sample.config);
    assert_false(access_format_wants(format, &sample.record));
    static const int wanted[] = {404, 500, 503}, others[] = {403, 405, 499, 504};
    for (size_t i = 0; i < 3; i++)
        assert_true((sample.record.status = wanted[i], access_format_wants(format, &sample.record)));
    for (size_t i = 0; i < 4; i++)
        assert_false((sample.record.status = others[i], access_format_wants(format, &sample.record)));
    sample.record.attempts = 2;
    assert_true(access_format_wants(format, &sample.record));
    sample.record.attempts = 1;
    sample.record.total = TIME_S;
    assert_false(access_format_wants(format, &sample.record));
    sample.record.total = TIME_S + 1;
    assert_true(access_format_wants(format, &sample.record));
    access_format_free(format);
    sample_release(&sample);
}

TEST(access_formats_match_configurations_that_say_the_same)
{
    struct sample sample;
    sample_init(&sample);
    struct access_format *format = access_format_new(&sample.config);
    assert_true(access_format_matches(format, &sample.config));
    struct access_log_config other = sample.config;
    other.fields.query_parameters.default_mode = FIELD_MODE_DROP;
    assert_false(access_format_matches(format, &other));
    other = sample.config;
    other.filters.min_duration = 1;
    assert_false(access_format_matches(format, &other));
    sample_rules(&sample, &sample.config.fields.headers.names, "X", "keep");
    assert_false(access_format_matches(format, &sample.config));
    access_format_free(format);
    sample_release(&sample);
}
