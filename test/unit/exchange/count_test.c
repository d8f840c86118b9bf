#include "exchange/count.h"

#include "base/time.h"
#include "exchange/graph.h"
#include "exchange/service.h"
#include "test.h"
#include "tls/conn.h"

/* An exchange that was answered by a server in 5 ms, and everything that it is counted in. */
struct counted {
    struct exchange x;
    struct worker worker;
    struct client client;
    struct entrypoint config;
    struct entry entry;
    struct router router;
    struct service service;
    struct server server;
};

static struct meter *new_meter(const char *key)
{
    static const struct meter_bounds bounds = {.count = 1, .ends = {TIME_S}};
    return meter_get(str_from(key), 2, &bounds);
}

static void begin(struct counted *counted)
{
    memset(counted, 0, sizeof(*counted));
    counted->worker.index = 1;
    counted->config.observability.metrics = true;
    counted->entry.config = &counted->config;
    counted->entry.meter = new_meter("entrypoint|web");
    counted->router.meter = new_meter("router|a@test");
    counted->service.meter = new_meter("service|a@test");
    counted->server.meter = new_meter("server|a@test|http://10.0.0.1");
    counted->server.counts = meter_join(counted->service.meter, counted->server.meter);
    struct exchange *x = &counted->x;
    x->worker = &counted->worker;
    x->stream.client = &counted->client;
    x->entry = &counted->entry;
    x->router = &counted->router;
    x->service = &counted->service;
    x->server = &counted->server;
    x->admitted = x->response_sent = x->download_began = true;
    x->download.given = 1000;
    x->attempts = 1;
    x->original_method = METHOD_GET;
    x->times = (struct exchange_times){.began = TIME_S, .ended = TIME_S + 5 * TIME_MS};
}

static void end(struct counted *counted)
{
    meter_unref(counted->router.counts);
    meter_unref(counted->server.counts);
    meter_unref(counted->entry.meter);
    meter_unref(counted->router.meter);
    meter_unref(counted->service.meter);
    meter_unref(counted->server.meter);
}

static uint32_t only_kind(const struct meter *meter)
{
    struct arena arena;
    struct meter_cell_sum *cells;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_int_equal(meter_cells(meter, &arena, &cells), 1);
    uint32_t kind = cells[0].kind;
    arena_release(&arena);
    return kind;
}

static uint64_t failures_of(const struct meter *meter, enum status reason)
{
    uint64_t failures[STATUS_COUNT] = {0};
    meter_failures(meter, failures);
    return failures[reason];
}

TEST(exchange_is_counted_in_its_entrypoint_router_service_and_server)
{
    struct counted counted;
    begin(&counted);
    count_exchange(&counted.x, 200);
    const struct meter *meters[] = {counted.entry.meter, counted.router.meter, counted.service.meter, counted.server.meter};
    for (int i = 0; i < 4; i++) {
        struct meter_sum sum = {.count = 0};
        meter_sum(meters[i], &sum);
        assert_int_equal(sum.count, 1);
        assert_int_equal(sum.duration, 5 * TIME_MS);
        assert_int_equal(sum.bytes_out, 1000);
        assert_int_equal(sum.retries, 0);
        assert_int_equal(only_kind(meters[i]), METER_KIND(200, METHOD_GET, COUNT_HTTP));
        assert_int_equal(failures_of(meters[i], STATUS_OK), 0);
    }
    end(&counted);
}

TEST(exchange_of_a_router_on_several_entrypoints_is_counted_in_the_one_that_it_came_by)
{
    struct counted counted;
    begin(&counted);
    counted.router.on_several = true;
    counted.x.server = NULL;
    count_exchange(&counted.x, 200);
    assert_int_equal(meter_total(counted.entry.meter), 1);
    assert_int_equal(meter_total(counted.router.meter), 1);
    assert_int_equal(meter_total(counted.service.meter), 1);
    assert_int_equal(meter_total(counted.server.meter), 0);
    assert_null(counted.router.counts);
    end(&counted);
}

TEST(first_exchange_of_a_router_makes_the_joint_that_it_is_counted_in)
{
    struct counted counted;
    begin(&counted);
    count_exchange(&counted.x, 200);
    const struct meter *joint = counted.router.counts;
    assert_non_null(joint);
    count_exchange(&counted.x, 200);
    assert_ptr_equal(counted.router.counts, joint);
    assert_int_equal(meter_total(joint), 2);
    assert_int_equal(meter_total(counted.entry.meter), 2);
    assert_int_equal(meter_total(counted.router.meter), 2);
    end(&counted);
}

TEST(exchange_that_no_router_took_counts_for_its_entrypoint_alone)
{
    struct counted counted;
    begin(&counted);
    counted.x.router = NULL;
    counted.x.failure = STATUS_NO_ROUTE;
    count_exchange(&counted.x, 404);
    assert_int_equal(meter_total(counted.entry.meter), 1);
    assert_int_equal(failures_of(counted.entry.meter, STATUS_NO_ROUTE), 1);
    assert_int_equal(meter_total(counted.router.meter), 0);
    assert_int_equal(meter_total(counted.service.meter), 0);
    counted.config.observability.metrics = false;
    count_exchange(&counted.x, 404);
    assert_int_equal(meter_total(counted.entry.meter), 1);
    end(&counted);
}

TEST(exchange_of_a_router_that_is_not_counted_leaves_no_trace)
{
    struct counted counted;
    begin(&counted);
    struct meter *meter = counted.router.meter;
    counted.router.meter = NULL;
    counted.x.failure = STATUS_UPSTREAM_CLOSED;
    count_exchange(&counted.x, 502);
    count_attempt_failed(&counted.x, STATUS_UPSTREAM_CLOSED);
    assert_int_equal(meter_total(counted.entry.meter), 0);
    assert_int_equal(meter_total(counted.service.meter), 0);
    assert_int_equal(meter_total(counted.server.meter), 0);
    counted.router.meter = meter;
    end(&counted);
}

TEST(exchange_that_a_middleware_answered_never_asked_the_service)
{
    struct counted counted;
    begin(&counted);
    counted.x.admitted = false;
    counted.x.server = NULL;
    counted.x.failure = STATUS_MIDDLEWARE_ANSWERED;
    count_exchange(&counted.x, 302);
    assert_int_equal(meter_total(counted.router.meter), 1);
    assert_int_equal(failures_of(counted.router.meter, STATUS_MIDDLEWARE_ANSWERED), 0);
    assert_int_equal(meter_total(counted.service.meter), 0);
    end(&counted);
}

TEST(exchange_counts_its_reason_and_its_retries_besides)
{
    struct counted counted;
    begin(&counted);
    counted.x.failure = STATUS_UPSTREAM_TRUNCATED;
    counted.x.attempts = 3;
    count_exchange(&counted.x, 200);
    struct meter_sum sum = {.count = 0};
    meter_sum(counted.service.meter, &sum);
    assert_int_equal(sum.retries, 2);
    assert_int_equal(failures_of(counted.service.meter, STATUS_UPSTREAM_TRUNCATED), 1);
    assert_int_equal(failures_of(counted.server.meter, STATUS_UPSTREAM_TRUNCATED), 1);
    counted.x.failure = STATUS_CLIENT_ABORTED;
    count_exchange(&counted.x, 499);
    assert_int_equal(failures_of(counted.router.meter, STATUS_CLIENT_ABORTED), 1);
    assert_int_equal(failures_of(counted.server.meter, STATUS_CLIENT_ABORTED), 0);
    end(&counted);
}

TEST(an_attempt_that_failed_counts_at_its_server_with_the_status_that_it_would_have_meant)
{
    struct counted counted;
    begin(&counted);
    count_attempt_failed(&counted.x, STATUS_UPSTREAM_CONNECT_TIMEOUT);
    assert_int_equal(only_kind(counted.server.meter), METER_KIND(504, METHOD_GET, COUNT_HTTP));
    assert_int_equal(failures_of(counted.server.meter, STATUS_UPSTREAM_CONNECT_TIMEOUT), 1);
    assert_int_equal(meter_total(counted.service.meter), 0);
    end(&counted);
}

TEST(kinds_tell_websockets_and_event_streams_apart)
{
    struct counted counted;
    begin(&counted);
    counted.x.stream.request.upgrade = S("WebSocket");
    count_exchange(&counted.x, 101);
    assert_str_equal(count_kind_protocol(only_kind(counted.entry.meter)), S("websocket"));
    end(&counted);
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    begin(&counted);
    fields_init(&counted.x.response.fields, &arena, 2);
    fields_add_id(&counted.x.response.fields, FIELD_CONTENT_TYPE, S("text/event-stream; charset=utf-8"));
    counted.x.response.body_length = BODY_UNKNOWN;
    count_exchange(&counted.x, 200);
    assert_str_equal(count_kind_protocol(only_kind(counted.entry.meter)), S("sse"));
    end(&counted);
    arena_release(&arena);
}

TEST(kinds_have_the_texts_of_traefiks_labels)
{
    uint32_t kind = METER_KIND(503, METHOD_POST, COUNT_HTTP);
    assert_int_equal(count_kind_status(kind), 503);
    assert_str_equal(count_kind_method(kind), S("POST"));
    assert_str_equal(count_kind_protocol(kind), S("http"));
    assert_str_equal(count_kind_method(METER_KIND(200, METHOD_OTHER, 0)), S("EXTENSION_METHOD"));
    assert_int_equal(count_kind_status(METER_KIND_OTHER), 0);
    assert_str_equal(count_kind_method(METER_KIND_OTHER), S("EXTENSION_METHOD"));
    assert_str_equal(count_kind_protocol(METER_KIND_OTHER), S("http"));
    assert_string_equal(tls_agreed_version(0x041301), "1.3");
    assert_string_equal(tls_agreed_cipher(0x041301), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(tls_agreed_version(0x03c02f), "1.2");
    assert_string_equal(tls_agreed_cipher(0x03c02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_string_equal(tls_agreed_cipher(0x03fffe), "");
}
