/* Request heads: what is read from them, what is refused, and that the answer does not depend on how the bytes
 * arrive. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/h1/parse.h"

static const struct h1_limits limits = {.line_bytes = 200, .head_bytes = 1200, .field_count = 12};

struct parsed {
    struct arena arena;
    struct request request;
    struct h1_head head;
    enum status status;
};

static void begin(struct parsed *parsed)
{
    *parsed = (struct parsed){0};
    arena_init(&parsed->arena, ARENA_UNLIMITED);
    fields_init(&parsed->request.fields, &parsed->arena, 4);
    parsed->request.scheme = S("http");
}

/* In one piece, from memory of exactly that size, so a read beyond it is seen by ASan. */
static struct parsed parse_whole(struct str text, char **ret_copy)
{
    struct parsed parsed;
    begin(&parsed);
    char *copy = malloc(text.len + (text.len == 0));
    memcpy(copy, text.data, text.len);
    parsed.status = h1_parse_request(str_of(copy, text.len), &limits, &parsed.request, &parsed.head);
    *ret_copy = copy;
    return parsed;
}

static void end(struct parsed *parsed, char *copy)
{
    arena_release(&parsed->arena);
    free(copy);
}

static void check_same(const struct parsed *one, const struct parsed *other)
{
    assert_int_equal(one->status, other->status);
    if (one->status != STATUS_OK)
        return;
    assert_int_equal(one->head.length, other->head.length);
    assert_int_equal(one->head.framing, other->head.framing);
    assert_int_equal(one->head.keep_alive, other->head.keep_alive);
    assert_int_equal(one->request.fields.count, other->request.fields.count);
    assert_str_equal(one->request.target, other->request.target);
    assert_str_equal(one->request.host, other->request.host);
    assert_int_equal(one->request.body_length, other->request.body_length);
}

/* Parses; then again split in two at every place, and byte by byte. All must agree. */
static struct parsed parse(struct str text, char **ret_copy)
{
    struct parsed whole = parse_whole(text, ret_copy);
    for (size_t split = 0; split <= text.len; split++) {
        struct parsed parsed;
        begin(&parsed);
        char *first = malloc(split + 1), *all = malloc(text.len + 1);
        memcpy(first, text.data, split);
        memcpy(all, text.data, text.len);
        parsed.status = h1_parse_request(str_of(first, split), &limits, &parsed.request, &parsed.head);
        if (parsed.status == STATUS_AGAIN)
            parsed.status =
                h1_parse_request(str_of(all, text.len), &limits, &parsed.request, &parsed.head);
        check_same(&whole, &parsed);
        free(first);
        end(&parsed, all);
    }
    struct parsed parsed;
    char *all = malloc(text.len + 1);
    begin(&parsed);
    memcpy(all, text.data, text.len);
    parsed.status = STATUS_AGAIN;
    for (size_t len = 0; len <= text.len && parsed.status == STATUS_AGAIN; len++)
        parsed.status = h1_parse_request(str_of(all, len), &limits, &parsed.request, &parsed.head);
    check_same(&whole, &parsed);
    end(&parsed, all);
    return whole;
}

struct refusal {
    const char *text;
    enum status status;
};

static void check_statuses(const struct refusal *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *copy;
        struct parsed parsed = parse(str_from(table[i].text), &copy);
        if (parsed.status != table[i].status)
            fail_msg("%s: %s, not %s", table[i].text, status_reason(parsed.status),
                     status_reason(table[i].status));
        end(&parsed, copy);
    }
}
#define CHECK_STATUSES(table) check_statuses((table), sizeof(table) / sizeof((table)[0]))

TEST(request_head_fills_every_member)
{
    struct str text = S("POST /a/b?c=d&e HTTP/1.1\r\nHost: Example.COM:8080\r\ncontent-LENGTH: 42\r\n"
                        "X-Other:\t two words \t\r\nEmpty:\r\nConnection: close\r\n\r\nbody");
    char *copy;
    struct parsed parsed = parse(text, &copy);
    struct request *request = &parsed.request;
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(parsed.head.length, text.len - 4);
    assert_int_equal(parsed.head.framing, H1_LENGTH);
    assert_false(parsed.head.keep_alive);
    assert_int_equal(request->method, METHOD_POST);
    assert_str_equal(request->method_name, S("POST"));
    assert_int_equal(request->version, HTTP_1_1);
    assert_str_equal(request->target, S("/a/b?c=d&e"));
    assert_str_equal(request->path, S("/a/b"));
    assert_str_equal(request->query, S("c=d&e"));
    assert_str_equal(request->scheme, S("http"));
    assert_str_equal(request->authority, S("Example.COM:8080"));
    assert_str_equal(request->host, S("example.com"));
    assert_int_equal(request->body_length, 42);
    assert_true(request->has_body);
    assert_false(request->expects_continue);
    assert_int_equal(request->upgrade.len, 0);
    assert_int_equal(request->fields.count, 5);
    assert_str_equal(fields_value_name(&request->fields, S("x-other")), S("two words"));
    assert_str_equal(fields_value_name(&request->fields, S("empty")), S(""));
    assert_str_equal(fields_value(&request->fields, FIELD_CONTENT_LENGTH), S("42"));
    end(&parsed, copy);
}

TEST(request_line_faults_are_refused)
{
    static const struct refusal table[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1\rHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/11\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/\r\nHost: a\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET /\r\n\r\n", STATUS_BAD_TARGET},
        {"GET / \r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET\r\n\r\n", STATUS_BAD_REQUEST_LINE},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", STATUS_BAD_VERSION},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", STATUS_BAD_VERSION},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", STATUS_BAD_VERSION},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", STATUS_BAD_VERSION},
        {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", STATUS_METHOD_NOT_IMPLEMENTED},
        {"G / HTTP/1.0\r\nX", STATUS_AGAIN},
        {"G / HTTP/1.0\r\nX:\r\n\r\n", STATUS_OK},
        {"G / HTTP/1.0\r\n\r\n", STATUS_OK},
        {"get / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
    };
    CHECK_STATUSES(table);
}

TEST(targets_that_no_client_sends_are_refused)
{
    static const struct refusal table[] = {
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET foo HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a\"b HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a% HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /%4?a HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /%41%2f%fF?100%&%z HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"GET http://a%41/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a?b\\c|{d} HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK},
        {"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http://user:pw@a/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
        {"GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_BAD_TARGET},
    };
    CHECK_STATUSES(table);
}

TEST(field_lines_that_could_be_read_in_two_ways_are_refused)
{
    static const struct refusal table[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\nX: y\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent\rLength: 5\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent Length: 5\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\nc\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\n\nX: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \x0b" "chunked\r\n\r\n", STATUS_BAD_FIELD},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\tbar\r\n\r\n", STATUS_OK},
        {"GET / HTTP/1.1\r\nHost: a\r\nX!#$%&'*+-.^_`|~: b\r\n\r\n", STATUS_OK},
    };
    CHECK_STATUSES(table);
    char *copy;
    struct parsed parsed = parse(S("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"), &copy);
    assert_int_equal(parsed.status, STATUS_BAD_FIELD);
    end(&parsed, copy);
}

TEST(framing_that_could_be_read_in_two_ways_is_refused)
{
#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
    static const struct refusal table[] = {
        {HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 5, 5\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: +5\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: -1\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 0x5\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 5 5\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 5a\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: \r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 9223372036854775807\r\n\r\n", STATUS_OK},
        {HEAD "Content-Length: 9223372036854775808\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Content-Length: 99999999999999999999999\r\n\r\n", STATUS_BAD_LENGTH},
        {HEAD "Transfer-Encoding: chunked\r\n\r\n", STATUS_OK},
        {HEAD "Transfer-Encoding: Chunked\r\n\r\n", STATUS_OK},
        {HEAD "Transfer-Encoding: gzip\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: identity\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: xchunked\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n", STATUS_BAD_TRANSFER_CODING},
        {HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n", STATUS_BAD_REQUEST},
        {HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", STATUS_BAD_REQUEST},
        {HEAD "Transfer-Encoding: , chunked\r\n\r\n", STATUS_BAD_REQUEST},
        {HEAD "Transfer-Encoding: chunked,\r\n\r\n", STATUS_BAD_REQUEST},
        {HEAD "Transfer-Encoding:\r\n\r\n", STATUS_BAD_REQUEST},
        {HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", STATUS_REPEATED_FIELD},
        {HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", STATUS_REPEATED_FIELD},
        {HEAD "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
         STATUS_REPEATED_FIELD},
        {HEAD "Transfer-Encoding : chunked\r\n\r\n", STATUS_BAD_FIELD},
        {HEAD "Transfer-Encoding\r\n : chunked\r\n\r\n", STATUS_BAD_FIELD},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", STATUS_BAD_REQUEST},
        {"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", STATUS_OK},
    };
    CHECK_STATUSES(table);
}

TEST(host_must_be_there_once_and_be_a_host)
{
    static const struct refusal table[] = {
        {"GET / HTTP/1.1\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.0\r\n\r\n", STATUS_OK},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", STATUS_OK},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: .\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: [zz]\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", STATUS_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", STATUS_OK},
        {"GET / HTTP/1.1\r\nHost: a_b-c.d.:80\r\n\r\n", STATUS_OK},
        {"GET http://a/ HTTP/1.1\r\n\r\n", STATUS_BAD_HOST},
        {"GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n", STATUS_BAD_HOST},
    };
    CHECK_STATUSES(table);
}

TEST(host_is_normalised)
{
    static const struct {
        struct str value, host;
    } table[] = {
        {STR("example.com"), STR("example.com")}, {STR("EXAMPLE.com."), STR("example.com")},
        {STR("a.b:8080"), STR("a.b")},            {STR("a.b.:443"), STR("a.b")},
        {STR("[2001:DB8::1]:80"), STR("[2001:db8::1]")}, {STR("10.0.0.1"), STR("10.0.0.1")},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[200], *copy;
        int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %.*s\r\n\r\n",
                           STR_ARGS(table[i].value));
        struct parsed parsed = parse(str_of(text, (size_t)len), &copy);
        assert_int_equal(parsed.status, STATUS_OK);
        assert_str_equal(parsed.request.host, table[i].host);
        assert_str_equal(parsed.request.authority, table[i].value);
        end(&parsed, copy);
    }
}

TEST(absolute_form_replaces_host)
{
    char *copy;
    struct parsed parsed =
        parse(S("GET HTTPS://Real.example:8443?x HTTP/1.1\r\nHost: other.example\r\n\r\n"), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_str_equal(parsed.request.scheme, S("https"));
    assert_str_equal(parsed.request.authority, S("Real.example:8443"));
    assert_str_equal(parsed.request.host, S("real.example"));
    assert_str_equal(parsed.request.path, S("/"));
    assert_str_equal(parsed.request.query, S("x"));
    assert_str_equal(fields_value(&parsed.request.fields, FIELD_HOST), S("Real.example:8443"));
    end(&parsed, copy);

    parsed = parse(S("OPTIONS http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n"), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_str_equal(parsed.request.path, S("*"));
    assert_null(parsed.request.query.data);
    end(&parsed, copy);

    parsed = parse(S("GET http://a/b/c? HTTP/1.1\r\nHost: a\r\n\r\n"), &copy);
    assert_str_equal(parsed.request.path, S("/b/c"));
    assert_non_null(parsed.request.query.data);
    assert_int_equal(parsed.request.query.len, 0);
    end(&parsed, copy);
}

static bool keeps_alive(const char *version, const char *connection)
{
    char text[200], *copy;
    int len = snprintf(text, sizeof(text), "GET / HTTP/%s\r\nHost: a\r\n%s\r\n", version, connection);
    struct parsed parsed = parse(str_of(text, (size_t)len), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    bool keep_alive = parsed.head.keep_alive;
    end(&parsed, copy);
    return keep_alive;
}

TEST(keep_alive_follows_version_and_connection_and_close_wins)
{
    assert_true(keeps_alive("1.1", ""));
    assert_true(keeps_alive("1.1", "Connection: keep-alive\r\n"));
    assert_true(keeps_alive("1.1", "Connection: foo, upgrade\r\n"));
    assert_false(keeps_alive("1.1", "Connection: close\r\n"));
    assert_false(keeps_alive("1.1", "Connection: foo , CLOSE\r\n"));
    assert_false(keeps_alive("1.1", "Connection: keep-alive, close\r\n"));
    assert_false(keeps_alive("1.1", "Connection: close\r\nX: y\r\nConnection: keep-alive\r\n"));
    assert_true(keeps_alive("1.1", "Connection: closed\r\n"));
    assert_false(keeps_alive("1.0", ""));
    assert_true(keeps_alive("1.0", "Connection: Keep-Alive\r\n"));
    assert_false(keeps_alive("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
}

static void check_upgrade(const char *head, struct str expected)
{
    char *copy;
    struct parsed parsed = parse(str_from(head), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_str_equal(parsed.request.upgrade, expected);
    end(&parsed, copy);
}

TEST(upgrade_counts_only_when_connection_lists_it)
{
#define GET11 "GET / HTTP/1.1\r\nHost: a\r\n"
    check_upgrade(GET11 "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", S("websocket"));
    check_upgrade(GET11 "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", S("websocket"));
    check_upgrade(GET11 "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n", S("a, b"));
    check_upgrade(GET11 "Connection: upgrade\r\nUpgrade: a\r\nUpgrade:\r\n\r\n", S("a,"));
    check_upgrade(GET11 "Upgrade: websocket\r\nConnection: keep-alive\r\n\r\n", S(""));
    check_upgrade(GET11 "Upgrade: websocket\r\n\r\n", S(""));
    check_upgrade(GET11 "Connection: upgrade\r\n\r\n", S(""));
    check_upgrade(GET11 "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", S(""));
    check_upgrade(GET11 "Connection: upgrade\r\nUpgrade: websocket, H2C\r\n\r\n", S(""));
    check_upgrade("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", S(""));
}

TEST(expect_knows_100_continue_only)
{
    static const struct refusal table[] = {
        {HEAD "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", STATUS_OK},
        {HEAD "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", STATUS_OK},
        {HEAD "Expect: 200-ok\r\n\r\n", STATUS_EXPECTATION_FAILED},
        {HEAD "Expect: 100-continue, x\r\n\r\n", STATUS_EXPECTATION_FAILED},
        {HEAD "Expect:\r\n\r\n", STATUS_EXPECTATION_FAILED},
    };
    CHECK_STATUSES(table);
    char *copy;
    struct parsed parsed = parse(str_from(table[1].text), &copy);
    assert_true(parsed.request.expects_continue);
    end(&parsed, copy);
    parsed = parse(S(HEAD "Expect: 100-continue\r\n\r\n"), &copy);
    assert_false(parsed.request.expects_continue);
    end(&parsed, copy);
    parsed = parse(S("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_false(parsed.request.expects_continue);
    end(&parsed, copy);
}

/* "GET /aaa... HTTP/1.1" of that length in all. */
static void put_line(char *out, size_t len)
{
    memset(out, 'a', len);
    memcpy(out, "GET /", 5);
    memcpy(out + len - 9, " HTTP/1.1", 9);
}

TEST(limits_hold_to_the_byte)
{
    char text[2000], *copy;
    put_line(text, limits.line_bytes);
    memcpy(text + limits.line_bytes, "\r\nHost: a\r\n\r\n", 13);
    struct parsed parsed = parse(str_of(text, limits.line_bytes + 13), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    end(&parsed, copy);

    put_line(text, limits.line_bytes + 1);
    memcpy(text + limits.line_bytes + 1, "\r\nHost: a\r\n\r\n", 13);
    parsed = parse(str_of(text, limits.line_bytes + 14), &copy);
    assert_int_equal(parsed.status, STATUS_TARGET_TOO_LONG);
    end(&parsed, copy);

    memset(text, 'x', sizeof(text));
    memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
    memcpy(text + limits.head_bytes - 4, "\r\n\r\n", 4);
    parsed = parse(str_of(text, limits.head_bytes), &copy);
    assert_int_equal(parsed.status, STATUS_OK);
    end(&parsed, copy);
    memcpy(text + limits.head_bytes - 4, "x\r\n\r\n", 5);
    parsed = parse(str_of(text, limits.head_bytes + 1), &copy);
    assert_int_equal(parsed.status, STATUS_FIELDS_TOO_LARGE);
    end(&parsed, copy);
}

TEST(too_many_fields_are_refused)
{
    for (size_t extra = 0; extra < 2; extra++) {
        char text[1000] = "GET / HTTP/1.1\r\nHost: a\r\n", *copy;
        for (size_t i = 1; i < limits.field_count + extra; i++)
            strcat(text, "X: y\r\n");
        strcat(text, "\r\n");
        struct parsed parsed = parse(str_from(text), &copy);
        assert_int_equal(parsed.status, extra == 0 ? STATUS_OK : STATUS_TOO_MANY_FIELDS);
        end(&parsed, copy);
    }
}

TEST(exhausted_arena_is_reported)
{
    struct parsed parsed = {0};
    arena_init(&parsed.arena, 0);
    fields_init(&parsed.request.fields, &parsed.arena, 4);
    parsed.status = h1_parse_request(S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &limits, &parsed.request,
                                     &parsed.head);
    assert_int_equal(parsed.status, STATUS_OUT_OF_MEMORY);
    arena_release(&parsed.arena);
}

TEST(slow_head_is_complete_with_its_last_byte_and_no_earlier)
{
    struct str text = S("GET /slow HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n");
    struct parsed parsed;
    begin(&parsed);
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(h1_parse_request(str_first(text, len), &limits, &parsed.request, &parsed.head),
                         STATUS_AGAIN);
    assert_int_equal(h1_parse_request(text, &limits, &parsed.request, &parsed.head), STATUS_OK);
    assert_int_equal(parsed.head.length, text.len);
    arena_release(&parsed.arena);
}
