/* Connections to servers, against nghttp2 as the server. */
#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "server_side.h"

static void get(struct server_side *side, struct caller *caller, const char *path)
{
    caller_open(side, caller);
    assert_int_equal(caller_ask(caller, "GET", path, NULL, NULL, 0), STATUS_OK);
    server_side_run(side);
}

/* A server that says nothing of itself, and a request that it has. */
static void open_and_get(struct server_side *side, struct caller *caller)
{
    server_side_open(side, NULL, 0, NULL);
    get(side, caller, "/");
}

TEST(h2_client_sends_a_head_in_lower_case_without_what_holds_for_one_connection)
{
    struct server_side side;
    struct caller caller;
    server_side_open(&side, NULL, 0, NULL);
    caller_open(&side, &caller);
    caller_ask(&caller, "GET", "/a", "X-Own", "Value", 0);
    server_side_run(&side);
    assert_int_equal(side.count, 1);
    assert_true(side.seen[0].ended);
    assert_string_equal(side.seen[0].head, ":method: GET\n:scheme: http\n:authority: a.example\n:path: /a\nx-own: Value\n"
                                           "x-forwarded-for: 10.0.0.1\nx-real-ip: 10.0.0.1\n");
    assert_true(caller.stream.anything_sent);
    caller_release(&caller, false);
    caller_open(&side, &caller);
    caller_ask(&caller, "GET", "/", "Keep-Alive", "5", 0);
    server_side_run(&side);
    assert_null(strstr(side.seen[1].head, "keep-alive"));
    caller_release(&caller, false);
    server_side_close(&side);
}

TEST(h2_client_reports_a_response_and_its_end)
{
    struct server_side side;
    struct caller caller;
    open_and_get(&side, &caller);
    assert_false(caller.stream.reused);
    server_side_answer(&side, 0, "200", 30000);
    assert_int_equal(caller.facts & (FACT_HEAD | FACT_READABLE | FACT_CLOSED), FACT_HEAD | FACT_READABLE);
    assert_int_equal(caller.stream.response.status, 200);
    assert_int_equal(caller.stream.response.body_length, BODY_UNKNOWN);
    assert_str_equal(fields_value_name(&caller.stream.response.fields, S("X-A")), S("b"));
    caller_read(&caller);
    assert_int_equal(caller.end, STATUS_END);
    assert_int_equal(caller.body.bytes, 30000);
    caller_release(&caller, true);
    assert_int_equal(side.seen[0].reset, UINT32_MAX);
    get(&side, &caller, "/");
    assert_true(caller.stream.reused);
    caller_release(&caller, true);
    server_side_close(&side);
}

TEST(h2_client_grants_room_only_as_a_body_is_read)
{
    struct server_side side;
    struct caller slow, other;
    server_side_open(&side, NULL, 0, NULL);
    get(&side, &slow, "/slow");
    server_side_answer(&side, 0, "200", 500000);
    assert_int_equal(side.body_left, 500000 - 65536);
    /* The other is not held up. */
    size_t left = side.body_left;
    get(&side, &other, "/other");
    server_side_answer(&side, 1, "204", 0);
    assert_true((other.facts & FACT_HEAD) != 0);
    caller_release(&other, true);
    side.body_left = left;
    do {
        caller_read(&slow);
        server_side_run(&side);
    } while (slow.end == STATUS_AGAIN && (caller_read(&slow), slow.end == STATUS_AGAIN));
    assert_int_equal(slow.end, STATUS_END);
    assert_int_equal(slow.body.bytes, 500000);
    caller_release(&slow, true);
    server_side_close(&side);
}

TEST(h2_client_sink_is_full_until_the_server_grants_room)
{
    struct server_side side;
    struct caller caller;
    static char bytes[300000];
    struct chunkq body;
    nghttp2_settings_entry small = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000};
    server_side_open(&side, &small, 1, NULL);
    caller_open(&side, &caller);
    caller_ask(&caller, "POST", "/", NULL, NULL, BODY_UNKNOWN);
    chunkq_init(&body);
    chunkq_add_static(&body, str_of(bytes, sizeof(bytes)));
    struct body_sink *sink = &caller.stream.sink;
    assert_int_equal(sink->ops->write(sink, &body, true, NULL), STATUS_AGAIN);
    assert_int_equal(sink->ops->flush(sink), STATUS_AGAIN);
    caller.facts = 0;
    unsigned rounds = 0;
    do {
        server_side_run(&side);
        enum status status = sink->ops->write(sink, &body, true, NULL);
        assert_int_equal(status, body.bytes != 0 ? STATUS_AGAIN : STATUS_OK);
        sink->ops->flush(sink);
    } while (++rounds < 10000 && !side.seen[0].ended);
    server_side_run(&side);
    assert_int_equal(side.seen[0].body_bytes, sizeof(bytes));
    assert_true((caller.facts & FACT_WRITABLE) != 0);
    caller_release(&caller, false);
    chunkq_release(&body);
    server_side_close(&side);
}

TEST(h2_client_sends_trailers_behind_a_body)
{
    struct server_side side;
    struct caller caller;
    struct chunkq body;
    struct fields trailers;
    server_side_open(&side, NULL, 0, NULL);
    caller_open(&side, &caller);
    caller_ask(&caller, "POST", "/", "TE", "trailers", BODY_UNKNOWN);
    fields_init(&trailers, &caller.arena, 1);
    fields_add(&trailers, S("X-Sum"), S("12"));
    chunkq_init(&body);
    chunkq_add_static(&body, S("hello"));
    struct body_sink *sink = &caller.stream.sink;
    assert_int_equal(sink->ops->write(sink, &body, true, &trailers), STATUS_OK);
    assert_int_equal(sink->ops->flush(sink), STATUS_OK);
    server_side_run(&side);
    assert_string_equal(side.seen[0].body, "hello");
    assert_non_null(strstr(side.seen[0].head, "te: trailers\n"));
    assert_non_null(strstr(side.seen[0].head, "x-sum: 12\n"));
    assert_true(side.seen[0].ended);
    caller_release(&caller, false);
    server_side_close(&side);
}

TEST(h2_client_has_as_much_room_as_the_server_allows)
{
    struct server_side side;
    struct caller callers[2];
    nghttp2_settings_entry two = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2};
    server_side_open(&side, &two, 1, NULL);
    assert_true(h2_client_is_settled(side.client));
    get(&side, &callers[0], "/");
    get(&side, &callers[1], "/");
    assert_false(h2_client_has_room(side.client));
    unsigned changes = side.changes;
    server_side_answer(&side, 0, "200", 0);
    caller_release(&callers[0], true);
    assert_true(side.changes > changes);
    assert_true(h2_client_has_room(side.client));
    assert_int_equal(h2_client_streams(side.client), 1);
    caller_release(&callers[1], false);
    server_side_run(&side);
    assert_int_equal(side.seen[1].reset, NGHTTP2_CANCEL);
    server_side_close(&side);
}

TEST(h2_client_calls_a_refused_stream_stale_and_unsent)
{
    struct server_side side;
    struct caller caller;
    open_and_get(&side, &caller);
    nghttp2_submit_rst_stream(side.session, 0, side.seen[0].id, NGHTTP2_REFUSED_STREAM);
    server_side_run(&side);
    assert_true((caller.facts & FACT_CLOSED) != 0);
    assert_int_equal(caller.stream.failure, STATUS_UPSTREAM_CLOSED);
    assert_true(caller.stream.reused);
    assert_false(caller.stream.anything_sent);
    caller_release(&caller, false);
    server_side_close(&side);
}

TEST(h2_client_lets_what_goaway_allows_go_on_and_then_closes)
{
    struct server_side side;
    struct caller old, young;
    server_side_open(&side, NULL, 0, NULL);
    get(&side, &old, "/old");
    get(&side, &young, "/young");
    nghttp2_submit_goaway(side.session, 0, side.seen[0].id, NGHTTP2_NO_ERROR, NULL, 0);
    server_side_run(&side);
    assert_false(h2_client_has_room(side.client));
    assert_int_equal(young.stream.failure, STATUS_UPSTREAM_CLOSED);
    assert_false(young.stream.anything_sent);
    caller_release(&young, false);
    assert_int_equal(old.facts & FACT_CLOSED, 0);
    server_side_answer(&side, 0, "200", 5);
    caller_read(&old);
    assert_int_equal(old.end, STATUS_END);
    caller_release(&old, true);
    server_side_run(&side);
    assert_null(side.client);
    server_side_close(&side);
}

TEST(h2_client_says_how_far_a_response_was_when_the_server_went)
{
    struct server_side side;
    struct caller waiting, reading;
    server_side_open(&side, NULL, 0, NULL);
    get(&side, &reading, "/");
    server_side_answer(&side, 0, "200", 100000);
    get(&side, &waiting, "/");
    close(side.fd);
    side.fd = -1;
    server_side_run(&side);
    assert_null(side.client);
    assert_int_equal(waiting.stream.failure, STATUS_UPSTREAM_CLOSED);
    /* What came can still be read. */
    caller_read(&reading);
    assert_int_equal(reading.end, STATUS_UPSTREAM_TRUNCATED);
    assert_int_equal(reading.body.bytes, 65536);
    caller_release(&reading, false);
    caller_release(&waiting, false);
    server_side_close(&side);
}

TEST(h2_client_refuses_a_head_beyond_its_limits)
{
    struct server_side side;
    struct caller caller;
    struct h2_client_settings tight = {
        .max_head_bytes = 60, .max_fields = 10, .stream_window = 65536, .connection_window = 65536};
    server_side_open(&side, NULL, 0, &tight);
    get(&side, &caller, "/");
    server_side_answer(&side, 0, "200", 0);
    assert_int_equal(caller.stream.failure, STATUS_UPSTREAM_HEAD_TOO_LARGE);
    caller_release(&caller, false);
    server_side_close(&side);
}

TEST(h2_client_leaves_a_server_that_floods)
{
    struct server_side side;
    static const uint8_t ping[17] = {0, 0, 8, NGHTTP2_PING};
    static uint8_t flood[2500 * sizeof(ping)];
    server_side_open(&side, NULL, 0, NULL);
    for (size_t i = 0; i < 2500; i++)
        memcpy(flood + i * sizeof(ping), ping, sizeof(ping));
    server_side_raw(&side, flood, sizeof(flood));
    assert_null(side.client);
    server_side_close(&side);
}

TEST(h2_client_passes_interim_responses)
{
    struct server_side side;
    struct caller caller;
    open_and_get(&side, &caller);
    nghttp2_nv early = {.name = (uint8_t *)(uintptr_t) ":status", .namelen = 7, .value = (uint8_t *)(uintptr_t) "103", .valuelen = 3};
    nghttp2_submit_headers(side.session, 0, side.seen[0].id, NULL, &early, 1, NULL);
    server_side_run(&side);
    assert_int_equal(caller.informs, 1);
    assert_int_equal(caller.facts & FACT_HEAD, 0);
    server_side_answer(&side, 0, "200", 0);
    assert_int_equal(caller.stream.response.status, 200);
    assert_int_equal(caller.stream.response.body_length, BODY_NONE);
    caller_release(&caller, true);
    server_side_close(&side);
}

TEST(h2_client_asks_for_a_websocket_only_where_the_server_takes_it)
{
    struct server_side side;
    struct caller caller;
    nghttp2_settings_entry takes = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    server_side_open(&side, NULL, 0, NULL);
    caller_open(&side, &caller);
    assert_int_equal(caller_ask(&caller, "GET", "/", "Upgrade", "websocket", 0), STATUS_UPSTREAM_PROTOCOL);
    caller_release(&caller, false);
    server_side_close(&side);

    server_side_open(&side, &takes, 1, NULL);
    assert_true(h2_client_takes_upgrades(side.client));
    caller_open(&side, &caller);
    assert_int_equal(caller_ask(&caller, "GET", "/", "Upgrade", "websocket", 0), STATUS_OK);
    server_side_run(&side);
    assert_non_null(strstr(side.seen[0].head, ":method: CONNECT\n"));
    assert_non_null(strstr(side.seen[0].head, ":protocol: websocket\n"));
    assert_false(side.seen[0].ended);
    server_side_answer(&side, 0, "200", 5);
    assert_int_equal(caller.stream.response.status, 101);
    assert_str_equal(fields_value(&caller.stream.response.fields, FIELD_UPGRADE), S("websocket"));
    caller_release(&caller, false);
    server_side_close(&side);
}

TEST(h2_client_closes_by_itself_when_idle_and_when_no_sign_of_life_comes)
{
    struct server_side side;
    struct caller caller;
    struct h2_client_settings idle = {.max_head_bytes = 1000, .max_fields = 10, .stream_window = 65536,
                                      .connection_window = 65536, .idle_timeout = 5 * TIME_MS};
    server_side_open(&side, NULL, 0, &idle);
    for (unsigned turns = 0; side.client != NULL && turns < 5000; turns++)
        loop_turn(&side.worker.loop, TIME_MS);
    server_side_run(&side);
    assert_true(side.goaway);
    server_side_close(&side);

    struct h2_client_settings watchful = idle;
    watchful.idle_timeout = 0;
    watchful.read_idle_timeout = watchful.ping_timeout = 5 * TIME_MS;
    server_side_open(&side, NULL, 0, &watchful);
    get(&side, &caller, "/");
    for (unsigned turns = 0; side.client != NULL && turns < 5000; turns++)
        loop_turn(&side.worker.loop, TIME_MS);
    assert_null(side.client);
    assert_int_equal(caller.stream.failure, STATUS_UPSTREAM_TIMEOUT);
    caller_release(&caller, false);
    server_side_run(&side);
    assert_true(side.pings > 0);
    server_side_close(&side);
}

TEST(h2_client_refuses_a_status_that_is_none_and_keeps_the_connection)
{
    struct server_side side;
    struct caller caller, other;
    open_and_get(&side, &caller);
    get(&side, &other, "/");
    server_side_answer(&side, 0, "099", 0);
    assert_int_equal(caller.stream.failure, STATUS_UPSTREAM_BAD_RESPONSE);
    caller_release(&caller, false);
    server_side_answer(&side, 1, "200", 0);
    assert_int_equal(other.facts & (FACT_HEAD | FACT_CLOSED), FACT_HEAD);
    caller_release(&other, true);
    server_side_close(&side);
}

TEST(h2_client_says_nothing_behind_a_frame_that_was_lost_for_want_of_memory)
{
    static char large[9000];
    struct server_side side;
    struct caller callers[3];
    server_side_open(&side, NULL, 0, NULL);
    for (unsigned i = 0; i < 3; i++)
        caller_open(&side, &callers[i]);
    memset(large, '\x01', sizeof(large) - 1);     /* takes more bits in HPACK than it has */
    assert_int_equal(caller_ask(&callers[0], "GET", "/first", NULL, NULL, 0), STATUS_OK);
    assert_int_equal(caller_ask(&callers[1], "GET", "/lost", "X-Large", large, 0), STATUS_OK);
    assert_int_equal(caller_ask(&callers[2], "GET", "/last", NULL, NULL, 0), STATUS_OK);
    chunk_pool_limit(&side.worker.chunks, chunk_pool_in_use(&side.worker.chunks) + 2 * CHUNK_SMALL_SIZE);
    loop_turn(&side.worker.loop, 0);
    chunk_pool_limit(&side.worker.chunks, 0);
    server_side_run(&side);
    assert_int_equal(side.count, 1);
    assert_true(strstr(side.seen[0].head, "/first") != NULL);
    assert_null(side.client);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(callers[i].stream.failure, STATUS_OVERLOADED);
        caller_release(&callers[i], false);
    }
    server_side_close(&side);
}
