#include "observe/otlp_quick.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "test.h"

#define HEAD "POST /v1/traces HTTP/1.1\r\nHost: collector\r\nContent-Length: 12\r\nContent-Type: application/x-protobuf\r\n\r\n"
#define HEAD_LEFT "POST /v1/traces HTTP/1.1\r\nHost: collector\r\nContent-Type: application/x-protobuf\r\n"
#define FINE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* Both ends; the collector's is a socket that the test reads and writes. */
struct line {
    struct otlp_quick quick;
    int libcurls, collector;
};

static void line_init(struct line *line, const char *head)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    line->libcurls = pair[0];
    line->collector = pair[1];
    otlp_quick_init(&line->quick);
    otlp_quick_note(&line->quick, str_from(head));
    otlp_quick_adopt(&line->quick, line->libcurls);
}

static void line_release(struct line *line)
{
    otlp_quick_release(&line->quick);
    close(line->libcurls);
    if (line->collector >= 0)
        close(line->collector);
}

static void answer(struct line *line, const char *text)
{
    assert_int_equal(write(line->collector, text, strlen(text)), strlen(text));
    otlp_quick_advance(&line->quick);
}

static void expect(struct line *line, const char *text)
{
    char got[1024];
    ssize_t len = read(line->collector, got, sizeof(got));
    assert_true(len >= 0);
    assert_str_equal(str_of(got, (size_t)len), str_from(text));
}

static void post(struct line *line, const char *body)
{
    assert_true(otlp_quick_begin(&line->quick, str_from(body)));
    otlp_quick_advance(&line->quick);
}

TEST(the_head_of_libcurls_request_serves_all_that_follow)
{
    struct line line;
    line_init(&line, HEAD);
    post(&line, "one");
    expect(&line, HEAD_LEFT "Content-Length: 3\r\n\r\none");
    assert_int_equal(otlp_quick_events(&line.quick), POLLIN);
    answer(&line, FINE);
    assert_int_equal(line.quick.state, QUICK_DONE);
    assert_int_equal(line.quick.answer.status, 200);
    assert_str_equal(line.quick.answer_body, S("ok"));
    otlp_quick_end(&line.quick);
    post(&line, "");
    expect(&line, HEAD_LEFT "Content-Length: 0\r\n\r\n");
    line_release(&line);
}

TEST(a_head_in_pieces_is_one_and_a_new_request_begins_anew)
{
    struct line line;
    line_init(&line, "");
    otlp_quick_note(&line.quick, S("POST /old HTTP/1.1\r\nContent-Length: 1\r\n\r\n"));
    otlp_quick_note(&line.quick, S("POST /new HTTP/1.1\r\n"));
    otlp_quick_note(&line.quick, S("Content-Length: 123\r\n\r\n"));
    otlp_quick_adopt(&line.quick, line.libcurls);
    post(&line, "x");
    expect(&line, "POST /new HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    line_release(&line);
}

TEST(requests_to_proxies_and_without_a_length_stay_with_libcurl)
{
    static const char *const heads[] = {"", "POST http://collector/ HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
                                        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n",
                                        "POST / HTTP/1.1\r\nContent-Length: 1\r\n"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct line line;
        line_init(&line, heads[i]);
        assert_false(otlp_quick_begin(&line.quick, S("x")));
        line_release(&line);
    }
}

TEST(an_answer_may_come_in_pieces_and_behind_interim_ones)
{
    struct line line;
    line_init(&line, HEAD);
    post(&line, "one");
    answer(&line, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 No\r\nRetry-After: 7\r\nConte");
    assert_int_equal(line.quick.state, QUICK_READING);
    answer(&line, "nt-Length: 4\r\n\r\nla");
    assert_int_equal(line.quick.state, QUICK_READING);
    answer(&line, "te");
    assert_int_equal(line.quick.state, QUICK_DONE);
    assert_int_equal(line.quick.answer.status, 503);
    assert_str_equal(fields_value(&line.quick.answer.fields, FIELD_RETRY_AFTER), S("7"));
    assert_str_equal(line.quick.answer_body, S("late"));
    line_release(&line);
}

/* The collector took the spans or refused them: they must not be sent a second time. */
TEST(an_answer_that_ends_the_connection_counts_and_is_the_last)
{
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nokay",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct line line;
        line_init(&line, HEAD);
        post(&line, "one");
        answer(&line, answers[i]);
        assert_int_equal(line.quick.state, QUICK_DONE);
        otlp_quick_end(&line.quick);
        assert_false(otlp_quick_begin(&line.quick, S("x")));
        line_release(&line);
    }
}

TEST(what_cannot_be_read_breaks_off)
{
    static const char *const answers[] = {"", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct line line;
        line_init(&line, HEAD);
        post(&line, "one");
        answer(&line, answers[i]);
        close(line.collector);
        line.collector = -1;
        otlp_quick_advance(&line.quick);
        assert_int_equal(line.quick.state, QUICK_BROKEN);
        assert_int_equal(otlp_quick_events(&line.quick), 0);
        line_release(&line);
    }
}

TEST(a_connection_that_said_farewell_is_not_used)
{
    static const char *const words[] = {NULL, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct line line;
        line_init(&line, HEAD);
        if (words[i] != NULL)
            answer(&line, words[i]);
        else
            shutdown(line.collector, SHUT_WR);
        assert_false(otlp_quick_begin(&line.quick, S("x")));
        line_release(&line);
    }
}

TEST(a_body_that_the_socket_has_no_room_for_goes_in_parts)
{
    struct line line;
    size_t len = (size_t)8 << 20, got = 0, head = strlen(HEAD_LEFT "Content-Length: 8388608\r\n\r\n");
    char *body = memory_zalloc(len + 1), *read_into = memory_alloc(len + head);
    memset(body, 'x', len);
    line_init(&line, HEAD);
    post(&line, body);
    assert_int_equal(otlp_quick_events(&line.quick), POLLIN | POLLOUT);
    while (got < len + head) {
        ssize_t more = read(line.collector, read_into + got, len + head - got);
        assert_true(more > 0);
        got += (size_t)more;
        otlp_quick_advance(&line.quick);
    }
    assert_int_equal(line.quick.state, QUICK_READING);
    assert_memory_equal(read_into + head, body, len);
    answer(&line, FINE);
    assert_int_equal(line.quick.state, QUICK_DONE);
    line_release(&line);
    free(body);
    free(read_into);
}
