/* Services that hand on to others, and those that answer by themselves. */
#include "bench.h"
#include "test.h"

#include "base/time.h"
#include "exchange/passed.h"
#include "service/load_balancer.h"
#include "service/stopping.h"

static struct service *server_of_its_own(struct bench *bench, const char *name, const char *yaml)
{
    struct service *service = bench_service(bench, name, "loadBalancer", yaml);
    assert_non_null(service);
    return service;
}

static struct service *make(struct bench *bench, const char *type, const char *yaml)
{
    bench_init(bench);
    server_of_its_own(bench, "one", "servers: [{url: 'http://10.0.1.1'}]");
    server_of_its_own(bench, "two", "servers: [{url: 'http://10.0.1.2'}]");
    struct service *service = bench_service(bench, "top", type, yaml);
    if (service == NULL)
        fail_msg("%s", fixture_rendered(&bench->fixture));
    return service;
}

static void set_health(struct bench *bench, unsigned index, bool healthy)
{
    struct load_balancer *lb = bench->services[index]->state;
    atomic_store(&lb->fixed.targets.items[0].server->healthy, healthy);
}

/* Where a new request goes: 0 or 1, as the services were made; -1: nowhere. */
static int ask(struct bench *bench, struct service *service, const char *cookie)
{
    bench_request(bench, service, cookie);
    if (bench_pick(bench) != PICK_SERVER)
        return -1;
    return bench->x.service == bench->services[1];
}

TEST(weighted_service_hands_on_by_weight)
{
    struct bench bench;
    struct service *service = make(&bench, "weighted", "services: [{name: one, weight: 3}, {name: two}]");
    unsigned second = 0;
    for (unsigned i = 0; i < 40; i++)
        second += ask(&bench, service, NULL) == 1;
    assert_int_equal(second, 10);
    bench_release(&bench);
}

TEST(weighted_service_passes_over_what_is_not_ready)
{
    struct bench bench;
    struct service *service = make(&bench, "weighted", "services: [{name: one}, {name: two}]");
    set_health(&bench, 0, false);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(ask(&bench, service, NULL), 1);
    assert_true(service_is_ready(service, bench.worker.loop.now));
    set_health(&bench, 1, false);
    assert_false(service_is_ready(service, bench.worker.loop.now));
    assert_int_equal(ask(&bench, service, NULL), -1);
    bench_release(&bench);
}

TEST(weighted_service_gives_nothing_to_weight_zero)
{
    struct bench bench;
    struct service *service = make(&bench, "weighted", "services: [{name: one, weight: 0}, {name: two}]");
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(ask(&bench, service, NULL), 1);
    bench_release(&bench);
}

TEST(sticky_weighted_service_keeps_a_client_in_its_branch)
{
    struct bench bench;
    struct service *service = make(&bench, "weighted",
                                   "services: [{name: one}, {name: two}]\nsticky: {cookie: {name: w}}");
    int first = ask(&bench, service, NULL);
    passed_on_response(&bench.x);
    struct str set = fields_value(&bench.x.response.fields, FIELD_SET_COOKIE);
    char cookie[64] = {0};
    assert_true(str_starts(set, S("w=")) && set.len > 18);
    memcpy(cookie, set.data, 18);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(ask(&bench, service, cookie), first);
        passed_on_response(&bench.x);
        assert_true(str_empty(fields_value(&bench.x.response.fields, FIELD_SET_COOKIE)));
    }
    set_health(&bench, (unsigned)first, false);
    assert_int_equal(ask(&bench, service, cookie), !first);
    bench_release(&bench);
}

TEST(weighted_service_chooses_a_server_for_requests_of_our_own)
{
    struct bench bench;
    struct service *service = make(&bench, "weighted", "services: [{name: one, weight: 0}, {name: two}]");
    const struct transport *transport = NULL;
    static const struct ip nobody;
    struct server *server = service_choose(service, &bench.worker, &nobody, &transport);
    assert_str_equal(server->url, S("http://10.0.1.2"));
    assert_ptr_equal(transport, bench.services[1]->transport);
    server_unref(server);
    set_health(&bench, 1, false);
    assert_null(service_choose(service, &bench.worker, &nobody, &transport));
    bench_release(&bench);
}

TEST(services_reach_what_they_hand_on_to)
{
    struct bench bench;
    struct service *service = make(&bench, "failover", "{service: one, fallback: two}");
    struct service *outer = bench_service(&bench, "outer", "weighted", "services: [{name: top}]");
    assert_true(service_reaches(outer, bench.services[1]));
    assert_true(service_reaches(service, service));
    assert_false(service_reaches(bench.services[0], bench.services[1]));
    bench_release(&bench);
}

TEST(failover_uses_the_fallback_while_the_first_is_not_ready)
{
    struct bench bench;
    struct service *service = make(&bench, "failover", "{service: one, fallback: two}");
    assert_int_equal(ask(&bench, service, NULL), 0);
    set_health(&bench, 0, false);
    assert_int_equal(ask(&bench, service, NULL), 1);
    assert_true(service_is_ready(service, bench.worker.loop.now));
    set_health(&bench, 1, false);
    assert_int_equal(ask(&bench, service, NULL), -1);
    set_health(&bench, 0, true);
    assert_int_equal(ask(&bench, service, NULL), 0);
    bench_release(&bench);
}

TEST(failover_gives_a_request_that_got_an_error_to_the_fallback)
{
    struct bench bench;
    struct service *service = make(&bench, "failover", "{service: one, fallback: two, errors: {status: [404, 500-504]}}");
    assert_int_equal(ask(&bench, service, NULL), 0);
    bench_attempt(&bench, STATUS_OK, 200);
    assert_false(passed_refuse(&bench.x));
    bench.x.response.status = bench.x.upstream_status = 502;
    assert_true(passed_refuse(&bench.x));
    bench.x.service = service;      /* as the spine begins again */
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    assert_ptr_equal(bench.x.service, bench.services[1]);
    bench_attempt(&bench, STATUS_OK, 502);
    assert_false(passed_refuse(&bench.x));
    bench_release(&bench);
}

TEST(failover_keeps_an_error_that_cannot_be_sent_again)
{
    struct bench bench;
    struct service *service = make(&bench, "failover", "{service: one, fallback: two, errors: {status: [500]}}");
    assert_int_equal(ask(&bench, service, NULL), 0);
    bench_attempt(&bench, STATUS_OK, 500);
    bench.x.replayable = false;
    assert_false(passed_refuse(&bench.x));
    bench.x.replayable = true;
    assert_true(passed_refuse(&bench.x));
    set_health(&bench, 1, false);
    assert_false(passed_refuse(&bench.x));
    bench_release(&bench);
}

static void assert_refused(const char *type, const char *yaml, const char *expected)
{
    struct bench bench;
    bench_init(&bench);
    assert_null(bench_service(&bench, "top", type, yaml));
    const char *rendered = fixture_rendered(&bench.fixture);
    if (strstr(rendered, expected) == NULL)
        fail_msg("no '%s' in:\n%s", expected, rendered);
    bench_release(&bench);
}

TEST(composed_services_report_what_they_hand_on_to_in_vain)
{
    assert_refused("weighted", "services: [{name: nobody}]", "unknown service 'nobody'");
    assert_refused("weighted", "{}", "services");
    assert_refused("failover", "{service: a, fallback: b}", "unknown service 'b'");
    assert_refused("failover", "{service: a, fallback: b, errors: {status: [99]}}", "is not a status");
    assert_refused("mirroring", "{service: a, mirrors: [{name: m, percent: 101}]}", "percent");
}

TEST(respond_answers_what_the_configuration_says)
{
    struct bench bench;
    struct service *service = make(&bench, "respond", "{status: 403, body: no, headers: {X-Why: because}}");
    bench_request(&bench, service, NULL);
    assert_int_equal(bench_pick(&bench), PICK_ANSWER);
    assert_int_equal(bench.x.response.status, 403);
    assert_str_equal(bench.x.memory_body, S("no"));
    assert_str_equal(fields_value(&bench.x.response.fields, FIELD_CONTENT_TYPE), S("text/plain; charset=utf-8"));
    assert_str_equal(fields_value_name(&bench.x.response.fields, S("x-why")), S("because"));
    bench_release(&bench);
    assert_refused("respond", "{status: 204, body: x}", "has no body");
    assert_refused("respond", "{status: 100}", "status");
    assert_refused("respond", "{headers: {'a b': c}}", "is not the name of a header field");
}

static int answer_of(struct bench *bench, const char *name)
{
    static struct service service;
    service = (struct service){.type = service_find(str_from(name)), .name = str_from(name)};
    assert_non_null(service.type);
    bench_request(bench, &service, NULL);
    assert_int_equal(bench_pick(bench), PICK_ANSWER);
    return bench->x.response.status;
}

TEST(ping_says_ok_until_the_process_is_stopping)
{
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(answer_of(&bench, "ping@internal"), 200);
    assert_str_equal(bench.x.memory_body, S("OK"));
    stopping_begin(503);
    assert_int_equal(answer_of(&bench, "ping@internal"), 503);
    stopping_begin(0);
    assert_int_equal(answer_of(&bench, "noop@internal"), 418);
    bench_release(&bench);
}
