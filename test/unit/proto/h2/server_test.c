/* The connection between nghttp2 as a client and a product of a few lines. */
#include "test.h"

#include "talk.h"

static struct talk talk;

static bool has(int32_t id, const char *text)
{
    return strstr(talk.answers[id].fields, text) != NULL;
}

TEST(a_request_is_what_http1_would_have_made_of_it)
{
    talk_open(&talk, true);
    talk_ask(&talk, (const char *const[]){":method", "PATCH", ":scheme", "https", ":authority", "Example.org:81", ":path", "/a?b=c",
                                       "x-one", "1", "cookie", "a=1", "user-agent", "u", "cookie", "b=2", NULL}, -1);
    talk_turn(&talk);
    assert_int_equal(talk.visit_count, 1);
    const struct request *request = &talk.visits[0].stream.request;
    assert_int_equal(talk.visits[0].facts, FACT_HEAD);
    assert_int_equal(talk.visits[0].stream.failure, STATUS_OK);
    assert_true(request->method == METHOD_PATCH && request->version == HTTP_2 && !request->has_body);
    assert_str_equal(request->target, S("/a?b=c"));
    assert_str_equal(request->path, S("/a"));
    assert_str_equal(request->query, S("b=c"));
    assert_str_equal(request->scheme, S("https"));
    assert_str_equal(request->authority, S("Example.org:81"));
    assert_str_equal(request->host, S("example.org"));
    assert_str_equal(fields_value(&request->fields, FIELD_HOST), S("Example.org:81"));
    assert_str_equal(fields_value(&request->fields, FIELD_COOKIE), S("a=1; b=2"));
    assert_str_equal(fields_find(&request->fields, FIELD_USER_AGENT)->name, S("User-Agent"));
    assert_str_equal(fields_value_name(&request->fields, S("X-One")), S("1"));
    /* In one piece, so that HTTP/1's writer copies it as it stands. */
    assert_int_equal(memcmp(request->target.data - 6, "PATCH /a?b=c", 12), 0);
    talk_close(&talk);
}

/* A request with the value; true: it reached the product as it is. */
static bool value_passes(const char *value)
{
    talk_open(&talk, true);
    talk_ask(&talk, (const char *const[]){":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/",
                                       "x-value", value, NULL}, -1);
    talk_turn(&talk);
    const struct stream *stream = &talk.visits[0].stream;
    bool passed = stream->failure == STATUS_OK;
    assert_int_equal(talk.visits[0].facts, FACT_HEAD);
    if (passed)
        assert_str_equal(fields_value_name(&stream->request.fields, S("x-value")), str_of(value, strlen(value)));
    else
        assert_int_equal(stream->failure, STATUS_BAD_FIELD);
    talk_finish(&talk.visits[0], true);
    talk_close(&talk);
    return passed;
}

TEST(values_of_any_length_pass_and_those_with_a_control_in_any_place_do_not)
{
    static const char text[] = "~\xc3\xa9 and other bytes that may stand in a value!";
    for (size_t len = 1; len < 36; len++) {
        char value[40] = "";
        memcpy(value, text, len - 1);
        value[len - 1] = '!';
        assert_true(value_passes(value));
        for (size_t at = 0; at < len; at++) {
            char before = value[at];
            value[at] = at % 2 == 0 ? '\x7f' : '\x1f';
            assert_false(value_passes(value));
            value[at] = at > 0 && at < len - 1 ? '\t' : before;
            assert_true(value_passes(value));
            value[at] = before;
        }
    }
}

#define HEAD ":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/p"

static const struct refusal {
    enum status why;
    const char *fields[16];
} refusals[] = {
    {STATUS_H2_PROTOCOL, {":scheme", "https", ":authority", "a.example", ":path", "/p"}},
    {STATUS_H2_PROTOCOL, {":method", "GET", ":authority", "a.example", ":path", "/p"}},
    {STATUS_H2_PROTOCOL, {":method", "GET", ":scheme", "https", ":authority", "a.example"}},
    {STATUS_H2_PROTOCOL, {":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", ""}},
    {STATUS_H2_PROTOCOL, {HEAD, ":path", "/p"}},
    {STATUS_H2_PROTOCOL, {HEAD, ":status", "200"}},
    {STATUS_H2_PROTOCOL, {HEAD, ":protocol", "websocket"}},
    {STATUS_H2_PROTOCOL, {HEAD, "x-a", "b", ":authority", "a.example"}},
    {STATUS_H2_PROTOCOL, {HEAD, "connection", "close"}},
    {STATUS_H2_PROTOCOL, {HEAD, "keep-alive", "1"}},
    {STATUS_H2_PROTOCOL, {HEAD, "proxy-connection", "close"}},
    {STATUS_H2_PROTOCOL, {HEAD, "transfer-encoding", "chunked"}},
    {STATUS_H2_PROTOCOL, {HEAD, "upgrade", "h2c"}},
    {STATUS_H2_PROTOCOL, {HEAD, "te", "gzip"}},
    {STATUS_BAD_FIELD, {HEAD, "x a", "b"}},
    {STATUS_BAD_FIELD, {HEAD, "x:a", "b"}},
    {STATUS_BAD_FIELD, {HEAD, "x-a", " b"}},
    {STATUS_BAD_FIELD, {HEAD, "x-a", "b\r\nc: d"}},
    {STATUS_BAD_REQUEST_LINE, {":method", "G T", ":scheme", "https", ":authority", "a.example", ":path", "/p"}},
    {STATUS_BAD_REQUEST_LINE, {":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/p\r\nx"}},
    {STATUS_BAD_TARGET, {":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "p"}},
    {STATUS_BAD_HOST, {HEAD, "host", "b.example"}},
    {STATUS_BAD_LENGTH, {HEAD, "content-length", "1"}},
    {STATUS_METHOD_NOT_IMPLEMENTED, {":method", "CONNECT", ":authority", "a.example"}},
};

TEST(what_is_malformed_is_for_the_product_to_refuse_and_the_connection_goes_on)
{
    talk_open(&talk, true);
    talk.settings.h2.reset_burst = 100;
    unsigned count = sizeof(refusals) / sizeof(refusals[0]);
    for (unsigned i = 0; i < count; i++) {
        int32_t id = talk_ask(&talk, refusals[i].fields, -1);
        talk_turn(&talk);
        struct talk_visit *visit = &talk.visits[i];
        assert_int_equal(talk.visit_count, i + 1);
        assert_int_equal(visit->facts, FACT_HEAD);
        assert_int_equal(visit->stream.failure, refusals[i].why);
        assert_false(visit->stream.request.has_body);
        assert_int_equal(talk_answer(visit, 400, S("no")), STATUS_OK);
        talk_finish(visit, false);
        talk_turn(&talk);
        assert_true(has(id, ":status: 400\n") && talk.answers[id].ended && talk.answers[id].code == NGHTTP2_NO_ERROR);
    }
    talk_close(&talk);
}

TEST(what_is_known_of_a_malformed_request_finds_its_site)
{
    talk_open(&talk, true);
    talk_ask(&talk, (const char *const[]){HEAD "?q", "connection", "close", NULL}, -1);
    talk_turn(&talk);
    const struct request *request = &talk.visits[0].stream.request;
    assert_true(request->method == METHOD_GET && request->version == HTTP_2);
    assert_str_equal(request->host, S("a.example"));
    assert_str_equal(request->target, S("/p?q"));
    talk_finish(&talk.visits[0], true);
    talk_close(&talk);
}

TEST(malformed_requests_are_spent_from_the_budget_of_resets)
{
    talk_open(&talk, true);
    talk.settings.h2.reset_burst = 5;
    talk.settings.h2.reset_rate = 1;
    for (unsigned i = 0; i < 10 && talk.goaways == 0; i++) {
        talk_ask(&talk, (const char *const[]){HEAD, "connection", "close", NULL}, -1);
        talk_turn(&talk);
    }
    assert_true(talk.goaways == 1 && talk.goaway_code == NGHTTP2_ENHANCE_YOUR_CALM);
    assert_in_range(talk.visit_count, 6, 7);      /* time goes on */
    for (unsigned i = 0; i < talk.visit_count; i++)
        assert_true(talk.visits[i].over);
    talk_close(&talk);
}

TEST(a_body_that_does_not_keep_to_its_length_is_told_to_who_reads_it)
{
    talk_open(&talk, true);
    int32_t id = talk_ask(&talk, (const char *const[]){":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/",
                                                    "content-length", "5", NULL}, 9);
    talk_turn(&talk);
    size_t got;
    assert_int_equal(talk.visits[0].facts, FACT_HEAD | FACT_READABLE);
    assert_int_equal(talk_read(&talk, &talk.visits[0], 100, &got), STATUS_BAD_LENGTH);
    struct response response = {.status = 200, .body_length = 0};
    fields_init(&response.fields, talk.visits[0].stream.arena, 0);
    assert_int_equal(talk.visits[0].stream.ops->send_head(&talk.visits[0].stream, &response), STATUS_H2_PROTOCOL);
    assert_int_equal(talk_answer(&talk.visits[0], 400, S("no")), STATUS_OK);
    talk_finish(&talk.visits[0], false);
    talk_turn(&talk);
    assert_true(has(id, ":status: 400\n") && talk.answers[id].ended);
    talk_close(&talk);
}

TEST(a_body_that_turns_out_to_be_wrong_behind_its_response_resets_the_stream)
{
    talk_open(&talk, true);
    int32_t id = talk_ask(&talk, (const char *const[]){":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/",
                                                    "content-length", "300000", NULL}, 300001);
    talk_turn(&talk);
    struct response response = {.status = 200, .body_length = BODY_UNKNOWN};
    fields_init(&response.fields, talk.visits[0].stream.arena, 0);
    assert_int_equal(talk.visits[0].stream.ops->send_head(&talk.visits[0].stream, &response), STATUS_OK);
    size_t got;
    while (!talk.visits[0].over && talk_read(&talk, &talk.visits[0], 100000, &got) == STATUS_OK)
        talk_turn(&talk);
    assert_true((talk.visits[0].facts & FACT_CLOSED) != 0);
    talk_turn(&talk);
    assert_true(talk.answers[id].closed && talk.answers[id].code == NGHTTP2_PROTOCOL_ERROR);
    talk_close(&talk);
}

TEST(a_response_goes_out_with_its_body_and_the_exchange_ends)
{
    talk_open(&talk, true);
    int32_t id = talk_get(&talk, "/");
    talk_turn(&talk);
    assert_int_equal(talk_answer(&talk.visits[0], 200, S("hello")), STATUS_OK);
    talk_finish(&talk.visits[0], false);
    talk_turn(&talk);
    assert_true(has(id, ":status: 200\n") && has(id, "x-mixed-case: Yes\n") && has(id, "content-length: 5\n"));
    assert_true(has(id, "x-request-id: 123\n") && has(id, "date: "));
    assert_memory_equal(talk.answers[id].body, "hello", 5);
    assert_true(talk.answers[id].ended && talk.answers[id].closed && talk.answers[id].code == NGHTTP2_NO_ERROR);
    talk_close(&talk);
}

TEST(the_name_of_the_request_id_is_spelt_in_the_first_response_alone)
{
    talk_open(&talk, true);
    for (unsigned i = 0; i < 3; i++) {
        talk_get(&talk, "/");
        talk_turn(&talk);
        talk_answer(&talk.visits[i], 200, STR_NONE);
        talk_finish(&talk.visits[i], false);
        talk_turn(&talk);
    }
    /* A frame's head, three fields of one byte each, and two whose names take no more than two. */
    uint64_t most = 9 + 3 + (2 + 1 + 1) + (2 + 1 + 3);
    assert_true(talk.visits[1].stream.bytes_out <= most && talk.visits[2].stream.bytes_out <= most);
    talk_close(&talk);
}

TEST(an_idle_connection_holds_no_buffer)
{
    talk_open(&talk, true);
    for (unsigned i = 0; i < 3; i++) {
        talk_get(&talk, "/");
        talk_turn(&talk);
        talk_answer(&talk.visits[i], 200, S("hello"));
        talk_finish(&talk.visits[i], false);
        talk_turn(&talk);
        assert_int_equal(chunk_pool_in_use(&talk.worker.chunks), 0);
    }
    talk_close(&talk);
}

TEST(a_sink_is_full_until_the_client_has_taken)
{
    static char large[300000];
    talk_open(&talk, false);
    int32_t id = talk_get(&talk, "/");
    talk_turn(&talk);
    struct stream *stream = &talk.visits[0].stream;
    struct response response = {.status = 200, .body_length = BODY_UNKNOWN};
    fields_init(&response.fields, stream->arena, 0);
    struct chunkq queue;
    chunkq_init(&queue);
    assert_true(chunkq_add_copy(&queue, &talk.worker.chunks, str_of(large, sizeof(large))));
    assert_int_equal(stream->ops->send_head(stream, &response), STATUS_OK);
    size_t taken = 0;
    while (stream->sink.ops->write(&stream->sink, &queue, queue.bytes == 0, NULL) == STATUS_OK && taken++ < 10)
        ;
    assert_int_equal(stream->sink.ops->flush(&stream->sink), STATUS_AGAIN);
    talk_turn(&talk);
    assert_int_equal(talk.answers[id].body_bytes, 65535);
    nghttp2_session_consume(talk.client, id, 65535);
    nghttp2_submit_window_update(talk.client, NGHTTP2_FLAG_NONE, id, 300000);
    nghttp2_submit_window_update(talk.client, NGHTTP2_FLAG_NONE, 0, 300000);
    talk_turn(&talk);
    assert_true((talk.visits[0].facts & FACT_WRITABLE) != 0);
    assert_int_equal(talk.answers[id].body_bytes, sizeof(large));
    assert_int_equal(stream->sink.ops->write(&stream->sink, &queue, true, NULL), STATUS_OK);
    assert_int_equal(stream->sink.ops->flush(&stream->sink), STATUS_OK);
    talk_finish(&talk.visits[0], false);
    talk_turn(&talk);
    assert_true(talk.answers[id].ended);
    chunkq_release(&queue);
    talk_close(&talk);
}

TEST(room_is_granted_as_the_body_is_read)
{
    talk_open(&talk, true);
    talk_ask(&talk, (const char *const[]){":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", NULL}, 200000);
    talk_turn(&talk);
    assert_true(talk.visits[0].stream.request.has_body && talk.visits[0].stream.request.body_length == BODY_UNKNOWN);
    assert_int_equal(talk.upload_left, 200000 - 65535);
    size_t all = 0, got;
    enum status status;
    for (int i = 0; i < 100; i++) {
        while ((status = talk_read(&talk, &talk.visits[0], 10000, &got)) == STATUS_OK) {
            assert_in_range(got, 1, 10000);
            all += got;
        }
        if (status == STATUS_END)
            break;
        assert_int_equal(status, STATUS_AGAIN);
        talk_turn(&talk);
    }
    assert_int_equal(status, STATUS_END);
    assert_int_equal(all, 200000);
    talk_close(&talk);
}

TEST(what_was_not_read_is_granted_to_other_streams)
{
    talk_open(&talk, true);
    static const char *const fields[] = {":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", NULL};
    for (unsigned i = 0; i < 4; i++) {      /* together more than the connection's window */
        int32_t id = talk_ask(&talk, fields, 65535);
        talk_turn(&talk);
        assert_int_equal(talk.upload_left, 0);
        assert_int_equal(talk_answer(&talk.visits[i], 200, S("enough")), STATUS_OK);
        talk_finish(&talk.visits[i], false);
        talk_turn(&talk);
        assert_true(talk.answers[id].ended);
    }
    talk_close(&talk);
}

TEST(an_early_end_resets_without_an_error_and_a_broken_one_with)
{
    static const char *const fields[] = {":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", NULL};
    talk_open(&talk, true);
    int32_t early = talk_ask(&talk, fields, 200000);
    talk_turn(&talk);
    assert_int_equal(talk_answer(&talk.visits[0], 413, S("too large")), STATUS_OK);
    talk_finish(&talk.visits[0], false);
    int32_t broken = talk_get(&talk, "/");
    talk_turn(&talk);
    talk_finish(&talk.visits[1], true);
    talk_turn(&talk);
    assert_true(talk.answers[early].ended && talk.answers[early].closed && talk.answers[early].code == NGHTTP2_NO_ERROR);
    assert_true(talk.answers[broken].closed && talk.answers[broken].code == NGHTTP2_INTERNAL_ERROR);
    talk_close(&talk);
}

TEST(a_reset_reaches_the_product)
{
    talk_open(&talk, true);
    int32_t id = talk_get(&talk, "/");
    talk_turn(&talk);
    nghttp2_submit_rst_stream(talk.client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    talk_turn(&talk);
    assert_true(talk.visits[0].over && talk.visits[0].stream.failure == STATUS_CLIENT_ABORTED);
    talk_close(&talk);
}

TEST(too_many_fields_are_for_the_product_to_refuse)
{
    const char *fields[2 * 14 + 1] = {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"};
    static char value[1000];
    memset(value, 'v', sizeof(value) - 1);
    for (int i = 8; i < 28; i += 2) {
        fields[i] = "x-long";
        fields[i + 1] = value;
    }
    talk_open(&talk, true);
    talk_ask(&talk, fields, -1);
    talk_turn(&talk);
    assert_int_equal(talk.visits[0].facts, FACT_HEAD);
    assert_int_equal(talk.visits[0].stream.failure, STATUS_FIELDS_TOO_LARGE);
    talk_close(&talk);
}

TEST(streams_that_the_product_cannot_take_are_refused)
{
    talk_open(&talk, true);
    talk.visits_max = 1;
    talk_get(&talk, "/");
    int32_t second = talk_get(&talk, "/");
    talk_turn(&talk);
    assert_int_equal(talk.visit_count, 1);
    assert_true(talk.answers[second].closed && talk.answers[second].code == NGHTTP2_REFUSED_STREAM);
    talk_close(&talk);
}

TEST(running_requests_are_bounded_those_of_reset_streams_included)
{
    talk_open(&talk, true);
    for (int i = 0; i < 25; i++)
        talk_get(&talk, "/");
    talk_turn(&talk);
    assert_int_equal(talk.visit_count, 20);
    talk_close(&talk);
}

TEST(a_websocket_looks_like_http1s)
{
    talk_open(&talk, true);
    int32_t id = talk_ask(&talk, (const char *const[]){":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority",
                                                     "a", ":path", "/ws", NULL}, 10);
    talk_turn(&talk);
    struct stream *stream = &talk.visits[0].stream;
    const struct request *request = &stream->request;
    assert_true(request->method == METHOD_GET && !request->has_body);
    assert_str_equal(request->method_name, S("GET"));
    assert_str_equal(request->upgrade, S("websocket"));
    assert_int_equal(fields_value_name(&request->fields, S("Sec-WebSocket-Key")).len, 24);
    assert_str_equal(fields_value_name(&request->fields, S("Sec-WebSocket-Version")), S("13"));
    struct response response = {.status = 101, .body_length = BODY_NONE};
    fields_init(&response.fields, stream->arena, 2);
    fields_add_id(&response.fields, FIELD_UPGRADE, S("websocket"));
    fields_add(&response.fields, S("Sec-WebSocket-Accept"), S("x"));
    assert_int_equal(stream->ops->send_head(stream, &response), STATUS_OK);
    stream->ops->upgrade(stream);
    size_t got;
    assert_int_equal(talk_read(&talk, &talk.visits[0], 100, &got), STATUS_OK);
    assert_int_equal(got, 10);
    assert_int_equal(talk_read(&talk, &talk.visits[0], 100, &got), STATUS_END);
    talk_turn(&talk);
    assert_true(has(id, ":status: 200\n") && !has(id, "accept") && !has(id, "upgrade") && !talk.answers[id].ended);
    talk_close(&talk);
}

TEST(draining_names_the_last_stream_when_the_client_has_answered)
{
    talk_open(&talk, true);
    int32_t id = talk_get(&talk, "/");
    talk_turn(&talk);
    connections_drain(&talk.connections);
    talk_turn(&talk);
    assert_int_equal(talk.goaways, 2);
    assert_int_equal(talk.goaway_last, id);
    assert_int_equal(talk.goaway_code, NGHTTP2_NO_ERROR);
    assert_false(talk.peer_closed);
    talk_answer(&talk.visits[0], 200, S("last"));
    talk_finish(&talk.visits[0], false);
    talk_turn(&talk);
    assert_true(talk.answers[id].ended && talk.peer_closed);
    talk_close(&talk);
}

TEST(closing_tells_running_streams_why)
{
    talk_open(&talk, true);
    talk_get(&talk, "/");
    talk_turn(&talk);
    connections_close(&talk.connections, STATUS_STOPPING);
    assert_true(talk.visits[0].over && talk.visits[0].stream.failure == STATUS_STOPPING);
    assert_true(list_empty(&talk.connections));
    talk_close(&talk);
}

TEST(a_flood_of_pings_ends_the_connection)
{
    talk_open(&talk, true);
    talk_get(&talk, "/");
    talk_turn(&talk);
    for (int i = 0; i < 120; i++)
        nghttp2_submit_ping(talk.client, NGHTTP2_FLAG_NONE, NULL);
    talk_turn(&talk);
    assert_int_equal(talk.goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_true(talk.visits[0].over && talk.visits[0].stream.failure == STATUS_H2_FLOOD);
    talk_close(&talk);
}
