/* Response heads: framing by status and method, and what is refused. */
#include "test.h"

#include <stdlib.h>

#include "proto/h1/parse.h"

static const struct h1_limits limits = {.line_bytes = 100, .head_bytes = 600, .field_count = 8};

struct parsed {
    struct arena arena;
    struct response response;
    struct h1_head head;
    enum status status;
    char *copy;
};

static void begin(struct parsed *parsed, struct str text)
{
    *parsed = (struct parsed){.copy = malloc(text.len + (text.len == 0))};
    memcpy(parsed->copy, text.data, text.len);
    arena_init(&parsed->arena, ARENA_UNLIMITED);
    fields_init(&parsed->response.fields, &parsed->arena, 0);
}

static void end(struct parsed *parsed)
{
    arena_release(&parsed->arena);
    free(parsed->copy);
}

static void feed(struct parsed *parsed, size_t len, enum method method)
{
    parsed->status = h1_parse_response(str_of(parsed->copy, len), &limits, method,
                                       &parsed->response, &parsed->head);
}

/* In one piece; the same must come of it byte by byte. */
static struct parsed parse(const char *text, enum method method)
{
    struct str bytes = str_from(text);
    struct parsed whole, slow;
    begin(&whole, bytes);
    feed(&whole, bytes.len, method);
    begin(&slow, bytes);
    slow.status = STATUS_AGAIN;
    for (size_t len = 0; len <= bytes.len && slow.status == STATUS_AGAIN; len++)
        feed(&slow, len, method);
    assert_int_equal(whole.status, slow.status);
    if (whole.status == STATUS_OK) {
        assert_int_equal(whole.head.length, slow.head.length);
        assert_int_equal(whole.head.framing, slow.head.framing);
        assert_int_equal(whole.head.keep_alive, slow.head.keep_alive);
        assert_int_equal(whole.response.body_length, slow.response.body_length);
    }
    end(&slow);
    return whole;
}

TEST(response_head_fills_every_member)
{
    struct parsed parsed = parse("HTTP/1.1 404 Not here, no\r\nServer: x\r\nContent-Length: 7\r\n\r\nabc",
                                 METHOD_GET);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(parsed.response.status, 404);
    assert_int_equal(parsed.response.version, HTTP_1_1);
    assert_str_equal(parsed.response.reason, S("Not here, no"));
    assert_str_equal(fields_value(&parsed.response.fields, FIELD_SERVER), S("x"));
    assert_int_equal(parsed.response.body_length, 7);
    assert_int_equal(parsed.head.framing, H1_LENGTH);
    assert_true(parsed.head.keep_alive);
    end(&parsed);
}

TEST(reason_phrase_may_be_empty_or_missing)
{
    static const char *const texts[] = {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 999 caf\xc3\xa9\there\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct parsed parsed = parse(texts[i], METHOD_GET);
        assert_int_equal(parsed.status, STATUS_OK);
        end(&parsed);
    }
}

TEST(malformed_responses_are_refused)
{
#define OK11 "HTTP/1.1 200 OK\r\n"
    static const char *const texts[] = {
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 200 O\nK\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.1 200 OK\n\r\n",
        OK11 "X : y\r\n\r\n",
        OK11 "X: y\r\n z\r\n\r\n",
        OK11 "X: y\nZ: z\r\n\r\n",
        OK11 "X: a\rb\r\n\r\n",
        OK11 "nocolon\r\n\r\n",
        OK11 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK11 "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OK11 "Content-Length: 1, 2\r\n\r\n",
        OK11 "Content-Length: 1,\r\n\r\n",
        OK11 "Content-Length: x\r\n\r\n",
        OK11 "Content-Length:\r\n\r\n",
        OK11 "Content-Length: 99999999999999999999\r\n\r\n",
        OK11 "Transfer-Encoding: gzip\r\n\r\n",
        OK11 "Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK11 "Transfer-Encoding: chunked, chunked\r\n\r\n",
        OK11 "Transfer-Encoding: chunked, identity\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct parsed parsed = parse(texts[i], METHOD_GET);
        if (parsed.status != STATUS_UPSTREAM_BAD_RESPONSE)
            fail_msg("%s: %s", texts[i], status_reason(parsed.status));
        end(&parsed);
    }
}

struct framed {
    const char *text;
    enum method method;
    enum h1_framing framing;
    int64_t length;
    bool keep_alive;
};

TEST(framing_follows_method_status_and_fields)
{
    static const struct framed table[] = {
        {OK11 "Content-Length: 0\r\n\r\n", METHOD_GET, H1_LENGTH, 0, true},
        {OK11 "Content-Length: 5, 5\r\n\r\n", METHOD_GET, H1_LENGTH, 5, true},
        {OK11 "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", METHOD_GET, H1_LENGTH, 5, true},
        {OK11 "Transfer-Encoding: chunked\r\n\r\n", METHOD_GET, H1_CHUNKED, BODY_UNKNOWN, true},
        {OK11 "\r\n", METHOD_GET, H1_UNTIL_CLOSE, BODY_UNKNOWN, false},
        {OK11 "Connection: keep-alive\r\n\r\n", METHOD_GET, H1_UNTIL_CLOSE, BODY_UNKNOWN, false},
        {OK11 "Connection: close\r\nContent-Length: 1\r\n\r\n", METHOD_GET, H1_LENGTH, 1, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", METHOD_GET, H1_LENGTH, 1, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", METHOD_GET,
         H1_LENGTH, 1, true},
        {OK11 "Content-Length: 5\r\n\r\n", METHOD_HEAD, H1_NO_BODY, 5, true},
        {OK11 "Transfer-Encoding: chunked\r\n\r\n", METHOD_HEAD, H1_NO_BODY, BODY_UNKNOWN, true},
        {OK11 "\r\n", METHOD_HEAD, H1_NO_BODY, BODY_UNKNOWN, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, false},
        {"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", METHOD_GET, H1_NO_BODY, 9, true},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", METHOD_POST, H1_NO_BODY, 0, true},
        {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", METHOD_GET, H1_NO_BODY, 0, true},
        {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", METHOD_GET, H1_NO_BODY,
         0, true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct parsed parsed = parse(table[i].text, table[i].method);
        assert_int_equal(parsed.status, STATUS_OK);
        if (parsed.head.framing != table[i].framing ||
            parsed.response.body_length != table[i].length ||
            parsed.head.keep_alive != table[i].keep_alive)
            fail_msg("%s: framing %d, length %lld, keep-alive %d", table[i].text, parsed.head.framing,
                     (long long)parsed.response.body_length, parsed.head.keep_alive);
        end(&parsed);
    }
}

TEST(oversized_response_heads_are_refused)
{
    char text[1200] = "HTTP/1.1 200 ";
    memset(text + 13, 'a', 200);
    memcpy(text + 213, "\r\n\r\n", 5);
    struct parsed parsed = parse(text, METHOD_GET);
    assert_int_equal(parsed.status, STATUS_UPSTREAM_HEAD_TOO_LARGE);
    end(&parsed);

    memcpy(text, OK11 "X: ", 20);
    memset(text + 20, 'a', 1000);
    text[1020] = '\0';
    parsed = parse(text, METHOD_GET);
    assert_int_equal(parsed.status, STATUS_UPSTREAM_HEAD_TOO_LARGE);
    end(&parsed);

    strcpy(text, OK11);
    for (int i = 0; i < 9; i++)
        strcat(text, "X: y\r\n");
    strcat(text, "\r\n");
    parsed = parse(text, METHOD_GET);
    assert_int_equal(parsed.status, STATUS_UPSTREAM_HEAD_TOO_LARGE);
    end(&parsed);
}
