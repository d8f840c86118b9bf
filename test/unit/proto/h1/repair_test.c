#include "test.h"

#include <stdio.h>

#include "proto/h1/repair.h"

static const struct h1_limits lenient = {
    .line_bytes = 1000, .head_bytes = 2000, .field_count = 30, .bare_feeds = true, .repair_targets = true, .drop_odd_names = true};
static const struct h1_limits strict = {.line_bytes = 1000, .head_bytes = 2000, .field_count = 30};

struct reading {
    struct arena arena;
    struct request request;
    struct h1_head head;
    enum status status;
};

static void read_with(struct reading *reading, const struct h1_limits *limits, const char *text)
{
    memset(reading, 0, sizeof(*reading));
    arena_init(&reading->arena, ARENA_UNLIMITED);
    fields_init(&reading->request.fields, &reading->arena, 8);
    struct str bytes = str_from(text);
    reading->status = h1_parse_request(bytes, limits, &reading->request, &reading->head);
    if (h1_is_repairable(bytes, limits, reading->status))
        reading->status = h1_parse_repaired(bytes, limits, &reading->request, &reading->head, reading->status);
}

static void assert_target(const char *target, const char *wanted)
{
    struct reading reading;
    char text[300];
    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\nrest", target);
    read_with(&reading, &lenient, text);
    assert_int_equal(reading.status, STATUS_OK);
    assert_int_equal(reading.head.length, strlen(text) - 4);
    assert_int_equal(reading.request.target.len, strlen(wanted));
    assert_memory_equal(reading.request.target.data, wanted, strlen(wanted));
    arena_release(&reading.arena);
    read_with(&reading, &strict, text);
    assert_int_equal(reading.status, STATUS_BAD_TARGET);
    arena_release(&reading.arena);
}

static void assert_refused(const char *text, enum status status)
{
    struct reading reading;
    read_with(&reading, &lenient, text);
    assert_int_equal(reading.status, status);
    arena_release(&reading.arena);
}

TEST(fragments_are_cut_off_targets)
{
    assert_target("/a/b#frag", "/a/b");
    assert_target("/a?b=c#frag?x#y", "/a?b=c");
    assert_target("/#", "/");
    assert_target("http://a/b#/../admin", "http://a/b");
    assert_target("http://a?b#c", "http://a?b");
}

TEST(bytes_that_must_be_encoded_are_and_others_stay)
{
    assert_target("/<a>&\"b\"", "/%3Ca%3E&%22b%22");
    assert_target("/a\\b?c\\d", "/a%5Cb?c\\d");
    assert_target("/caf\xc3\xa9?q=\xff", "/caf%C3%A9?q=%FF");
    assert_target("/%2f<", "/%2f%3C");
}

TEST(an_authority_is_never_repaired)
{
    assert_refused("GET http://a#b/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET http://a<b/# HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET http://a\\@b/# HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET #/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
}

TEST(a_target_that_could_be_read_in_two_ways_stays_refused)
{
    assert_refused("GET /a#b c HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET /a<b c HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE);
    assert_refused("GET /a\t#b HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET /a%#b HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
    assert_refused("GET /a#\x01 HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET);
}

TEST(fields_whose_name_is_none_are_left_out)
{
    struct reading reading;
    read_with(&reading, &lenient, "GET / HTTP/1.1\r\nA(b): 1\r\nHost: a\r\nCaf\xc3\xa9: 2\r\n\"x\": 3\r\nTwo: 4\r\n\r\n");
    assert_int_equal(reading.status, STATUS_OK);
    assert_int_equal(reading.request.fields.count, 2);
    assert_string_equal(arena_str(&reading.arena, reading.request.fields.items[1].name).data, "Two");
    arena_release(&reading.arena);
}

TEST(what_stands_in_such_a_field_has_no_say_in_framing)
{
    struct reading reading;
    read_with(&reading, &lenient,
              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding[]: chunked\r\nContent-Length: 3\r\nContent-Length/: 9\r\n\r\nabc");
    assert_int_equal(reading.status, STATUS_OK);
    assert_int_equal(reading.head.framing, H1_LENGTH);
    assert_int_equal(reading.request.body_length, 3);
    assert_int_equal(reading.request.fields.count, 2);
    arena_release(&reading.arena);
}

TEST(lines_that_others_could_read_differently_stay_refused)
{
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\x0b: chunked\r\n\r\n", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\n folded(: b\r\n\r\n", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n more\r\n\r\n", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", STATUS_BAD_FIELD);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nX(: \rTransfer-Encoding: chunked\r\n\r\n", STATUS_BAD_FIELD);
}

TEST(a_head_is_repaired_once_its_end_has_come)
{
    assert_refused("GET /#a HTTP/1.1\r\nHost: a\r\n", STATUS_AGAIN);
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n", STATUS_AGAIN);
}

TEST(a_request_line_that_has_no_target_between_spaces_is_not_waited_upon)
{
    assert_refused("GET /\r\nextra", STATUS_BAD_TARGET);
    assert_refused("\r\nGET /\r\n", STATUS_BAD_TARGET);
    assert_refused("GET /<a> HTTP/1.1\r\nHost: a\r\n", STATUS_AGAIN);
    assert_refused("GET /a", STATUS_AGAIN);
}
