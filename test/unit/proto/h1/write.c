/* Heads as they are written. */
#include "test.h"

#include <stdlib.h>

#include "proto/h1/write.h"

static const struct h1_limits limits = {.line_bytes = 8192, .head_bytes = 16384, .field_count = 50};

struct written {
    struct arena arena;
    struct request request;
    struct response response;
    struct h1_head head;
    char *out;
    size_t len;
};

static void parse_request(struct written *written, struct str text)
{
    *written = (struct written){0};
    arena_init(&written->arena, ARENA_UNLIMITED);
    fields_init(&written->request.fields, &written->arena, 4);
    assert_int_equal(h1_parse_request(text, &limits, &written->request, &written->head), STATUS_OK);
}

static void parse_response(struct written *written, struct str text, enum method method)
{
    *written = (struct written){0};
    arena_init(&written->arena, ARENA_UNLIMITED);
    fields_init(&written->response.fields, &written->arena, 4);
    assert_int_equal(h1_parse_response(text, &limits, method, &written->response, &written->head),
                     STATUS_OK);
}

static void end(struct written *written)
{
    free(written->out);
    arena_release(&written->arena);
}

/* Writes into memory of exactly the size asked for, and compares. */
static void check_request(struct written *written, struct str connection, struct str expected)
{
    free(written->out);
    written->out = malloc(h1_request_size(&written->request));
    written->len = h1_write_request(written->out, &written->request, written->head.framing, connection);
    assert_str_equal(str_of(written->out, written->len), expected);
}

static void check_response(struct written *written, enum h1_framing framing, struct str connection,
                           struct str expected)
{
    free(written->out);
    written->out = malloc(h1_response_size(&written->response));
    written->len = h1_write_response(written->out, &written->response, framing, connection,
                                     S("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_str_equal(str_of(written->out, written->len), expected);
}

TEST(request_is_written_as_it_was_read_with_host_first)
{
    struct written written;
    parse_request(&written, S("PUT /a%20b?c HTTP/1.1\r\nAccept: */*\r\nHost: a.example:81\r\n"
                              "Content-Length: 12\r\nX-Odd:  spaced \t\r\nx-empty: \r\n\r\n"));
    check_request(&written, STR_NONE,
                  S("PUT /a%20b?c HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nX-Odd: spaced\r\n"
                    "x-empty: \r\nContent-Length: 12\r\n\r\n"));
    check_request(&written, S("close"),
                  S("PUT /a%20b?c HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nX-Odd: spaced\r\n"
                    "x-empty: \r\nContent-Length: 12\r\nConnection: close\r\n\r\n"));
    end(&written);
}

TEST(request_with_changed_fields_is_written_with_the_changes)
{
    struct written written;
    parse_request(&written, S("GET /a HTTP/1.0\r\nHost: a\r\nX-One: 1\r\nX-Two: twotwo\r\nX-Three: 3\r\n"
                              "Connection: keep-alive\r\n\r\n"));
    struct fields *fields = &written.request.fields;
    fields_remove_name(fields, S("x-one"));
    fields_find_name(fields, S("x-two"))->value.len = 3;
    fields_find_name(fields, S("x-three"))->value = S("new");
    fields_set(fields, FIELD_X_FORWARDED_FOR, S("192.168.100.200"));
    fields_set(fields, FIELD_VIA, S("x"));
    fields_add(fields, S("X-Long"), S("a value of more than sixteen bytes"));
    written.request.path = S("/b");
    written.request.authority = S("upstream:8080");
    check_request(&written, STR_NONE,
                  S("GET /b HTTP/1.1\r\nHost: upstream:8080\r\nX-Two: two\r\nX-Three: new\r\n"
                    "X-Forwarded-For: 192.168.100.200\r\nVia: x\r\n"
                    "X-Long: a value of more than sixteen bytes\r\n\r\n"));
    end(&written);
}

TEST(absolute_form_is_written_as_origin_form)
{
    struct written written;
    parse_request(&written, S("GET http://real.example?x=1 HTTP/1.1\r\nHost: other\r\nA: b\r\n\r\n"));
    check_request(&written, STR_NONE, S("GET /?x=1 HTTP/1.1\r\nHost: real.example\r\nA: b\r\n\r\n"));
    end(&written);
    parse_request(&written, S("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"));
    check_request(&written, STR_NONE, S("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"));
    end(&written);
}

TEST(upgrade_is_written_once)
{
    struct written written;
    parse_request(&written, S("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n"));
    check_request(&written, S("upgrade"),
                  S("GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nUpgrade: websocket\r\n"
                    "Connection: upgrade\r\n\r\n"));
    end(&written);
}

TEST(what_would_break_the_framing_is_never_written)
{
    struct written written;
    parse_request(&written, S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    struct fields *fields = &written.request.fields;
    fields_add(fields, S("X-Cr"), S("a\rb"));
    fields_add(fields, S("X-Lf"), S("a\nX: y"));
    fields_add(fields, S("X-Nul"), S("a\0b"));
    fields_add(fields, S("X-Late"), S("some sixteen bytes and then\r\n\r\nGET /"));
    fields_add(fields, S("X-Seven"), S("seven\r\n"));
    fields_add(fields, S("X-Twelve"), S("twelve here\n"));
    fields_add(fields, S("X: y\r\nZ"), S("v"));
    fields_add(fields, S("X Y"), S("v"));
    fields_add(fields, S("Content-Length"), S("7"));
    fields_add(fields, S("X-Tab"), S("a\tb\xff"));
    written.request.path = S("/a b\r\nX: y\xc3#");
    written.request.query = S("q=\n");
    written.request.authority = S("a\r\nX: y");
    check_request(&written, STR_NONE,
                  S("POST /a%20b%0D%0AX:%20y%C3%23?q=%0A HTTP/1.1\r\nHost: \r\nX-Tab: a\tb\xff\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"));
    written.request.method_name = S("GET /x HTTP/1.1\r\n");
    assert_int_equal(h1_write_request(written.out, &written.request, H1_NO_BODY, STR_NONE), 0);
    end(&written);
}

TEST(response_is_written_with_date_and_framing)
{
    struct written written;
    parse_response(&written,
                   S("HTTP/1.0 200 Fine\r\nServer: x\r\nContent-Length: 10\r\nETag: \"e\"\r\n\r\n"),
                   METHOD_GET);
    check_response(&written, H1_LENGTH, S("keep-alive"),
                   S("HTTP/1.1 200 Fine\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: x\r\n"
                     "ETag: \"e\"\r\nContent-Length: 10\r\nConnection: keep-alive\r\n\r\n"));
    check_response(&written, H1_CHUNKED, STR_NONE,
                   S("HTTP/1.1 200 Fine\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: x\r\n"
                     "ETag: \"e\"\r\nTransfer-Encoding: chunked\r\n\r\n"));
    fields_set(&written.response.fields, FIELD_DATE, S("Mon, 07 Nov 1994 08:49:37 GMT"));
    written.response.reason = S("a\rb");
    check_response(&written, H1_UNTIL_CLOSE, S("close"),
                   S("HTTP/1.1 200 OK\r\nServer: x\r\nETag: \"e\"\r\n"
                     "Date: Mon, 07 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n"));
    end(&written);
}

TEST(lengths_of_bodies_that_do_not_follow_are_told_where_they_may_be)
{
    static const struct {
        int status;
        int64_t length;
        const char *expected;
    } table[] = {
        {200, 9, "HTTP/1.1 200 OK\r\nVia: x\r\nContent-Length: 9\r\n\r\n"},
        {200, 0, "HTTP/1.1 200 OK\r\nVia: x\r\nContent-Length: 0\r\n\r\n"},
        {200, BODY_UNKNOWN, "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"},
        {304, 9, "HTTP/1.1 304 Not Modified\r\nVia: x\r\nContent-Length: 9\r\n\r\n"},
        {304, 0, "HTTP/1.1 304 Not Modified\r\nVia: x\r\n\r\n"},
        {204, 0, "HTTP/1.1 204 No Content\r\nVia: x\r\n\r\n"},
        {103, 0, "HTTP/1.1 103 Early Hints\r\nVia: x\r\n\r\n"},
        {799, 0, "HTTP/1.1 799 \r\nVia: x\r\nContent-Length: 0\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct response response = {.status = table[i].status, .body_length = table[i].length};
        struct arena arena;
        char out[1000];
        arena_init(&arena, ARENA_UNLIMITED);
        fields_init(&response.fields, &arena, 0);
        fields_add_id(&response.fields, FIELD_VIA, S("x"));
        assert_true(h1_response_size(&response) <= sizeof(out));
        size_t len = h1_write_response(out, &response, H1_NO_BODY, STR_NONE, STR_NONE);
        assert_str_equal(str_of(out, len), str_from(table[i].expected));
        arena_release(&arena);
    }
}
