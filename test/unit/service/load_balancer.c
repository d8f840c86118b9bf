#include "bench.h"
#include "test.h"

#include <stdio.h>

#include "base/time.h"
#include "service/load_balancer.h"
#include "upstream/measure.h"

#define THREE "servers: [{url: 'http://10.0.0.1'}, {url: 'http://10.0.0.2'}, {url: 'http://10.0.0.3'}]\n"
#define TWO "servers: [{url: 'http://10.0.0.1'}, {url: 'http://10.0.0.2'}]\n"
#define ONE "servers: [{url: 'http://10.0.0.1'}]\n"

static struct service *make(struct bench *bench, const char *yaml)
{
    bench_init(bench);
    struct service *service = bench_service(bench, "lb", "loadBalancer", yaml);
    if (service == NULL)
        fail_msg("%s", fixture_rendered(&bench->fixture));
    return service;
}

static struct server *server_at(struct service *service, unsigned index)
{
    struct load_balancer *lb = service->state;
    return lb->fixed.targets.items[index].server;
}

static void assert_refused(const char *yaml, const char *expected)
{
    struct bench bench;
    bench_init(&bench);
    assert_null(bench_service(&bench, "lb", "loadBalancer", yaml));
    const char *rendered = fixture_rendered(&bench.fixture);
    if (strstr(rendered, expected) == NULL)
        fail_msg("no '%s' in:\n%s", expected, rendered);
    bench_release(&bench);
}

static void assert_warned(const char *yaml, const char *expected, unsigned servers)
{
    struct bench bench;
    struct load_balancer *lb = make(&bench, yaml)->state;
    assert_non_null(strstr(fixture_rendered(&bench.fixture), expected));
    assert_int_equal(lb->fixed.targets.count, servers);
    bench_release(&bench);
}

TEST(load_balancer_names_its_servers_in_turn)
{
    struct bench bench;
    struct service *service = make(&bench, THREE);
    unsigned counts[3] = {0};
    for (unsigned i = 0; i < 30; i++) {
        bench_request(&bench, service, NULL);
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        for (unsigned j = 0; j < 3; j++)
            counts[j] += bench.x.server == server_at(service, j);
    }
    assert_true(counts[0] == 10 && counts[1] == 10 && counts[2] == 10);
    bench_release(&bench);
}

TEST(load_balancer_tries_each_server_once_for_a_request_that_fails)
{
    struct bench bench;
    struct service *service = make(&bench, THREE);
    bench_request(&bench, service, NULL);
    unsigned seen = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        for (unsigned j = 0; j < 3; j++)
            seen |= bench.x.server == server_at(service, j) ? 1u << j : 0;
        bench_attempt(&bench, STATUS_UPSTREAM_REFUSED, 0);
    }
    assert_int_equal(seen, 7);
    assert_int_equal(bench_pick(&bench), PICK_NONE);
    bench_release(&bench);
}

TEST(load_balancer_lets_a_retry_after_a_response_go_to_the_same_server)
{
    struct bench bench;
    struct service *service = make(&bench, ONE);
    bench_request(&bench, service, NULL);
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    bench_attempt(&bench, STATUS_OK, 503);
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    bench_release(&bench);
}

TEST(load_balancer_without_a_ready_server_has_none)
{
    struct bench bench;
    struct service *service = make(&bench, ONE);
    assert_true(service_is_ready(service, bench.worker.loop.now));
    atomic_store(&server_at(service, 0)->healthy, false);
    assert_false(service_is_ready(service, bench.worker.loop.now));
    bench_request(&bench, service, NULL);
    assert_int_equal(bench_pick(&bench), PICK_NONE);
    atomic_store(&server_at(service, 0)->healthy, true);
    bench_release(&bench);
}

TEST(load_balancer_takes_out_a_server_that_fails_and_probes_it_later)
{
    struct bench bench;
    struct service *service = make(&bench, TWO "passiveHealthCheck: {failureWindow: 10s}");
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    struct server *bad = bench.x.server;
    bench_attempt(&bench, STATUS_UPSTREAM_RESET, 0);
    for (unsigned i = 0; i < 10; i++) {
        bench_request(&bench, service, NULL);
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        assert_ptr_not_equal(bench.x.server, bad);
        bench_attempt(&bench, STATUS_OK, 200);
    }
    bench.worker.loop.now += 10 * TIME_S;
    unsigned probes = 0;
    for (unsigned i = 0; i < 10; i++) {
        bench_request(&bench, service, NULL);
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        probes += bench.x.server == bad;
    }
    assert_int_equal(probes, 1);
    bench_request(&bench, service, NULL);
    bench.x.server = bad;
    bench.x.weighed = server_begin(bad, bench.worker.index);
    bench_attempt(&bench, STATUS_OK, 200);
    assert_true(server_is_ready(bad, bench.worker.loop.now));
    bench_release(&bench);
}

TEST(load_balancer_tries_an_ejected_server_when_all_are_ejected)
{
    struct bench bench;
    struct service *service = make(&bench, TWO "passiveHealthCheck: {}");
    for (unsigned i = 0; i < 2; i++)
        atomic_store(&server_at(service, i)->ejected_until, bench.worker.loop.now + TIME_S);
    assert_false(service_is_ready(service, bench.worker.loop.now));
    bench_request(&bench, service, NULL);
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    struct server *first = bench.x.server;
    bench_attempt(&bench, STATUS_OK, 200);
    assert_true(server_is_ready(first, bench.worker.loop.now));
    bench_release(&bench);
}

TEST(load_balancer_counts_what_a_client_does_against_no_server)
{
    struct bench bench;
    struct service *service = make(&bench, ONE "passiveHealthCheck: {}");
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    bench_attempt(&bench, STATUS_CLIENT_ABORTED, 0);
    assert_true(server_is_ready(server_at(service, 0), bench.worker.loop.now));
    bench_release(&bench);
}

static struct str set_cookie(struct bench *bench)
{
    bench->x.service->type->on_response(&bench->x, bench->x.service);
    return fields_value(&bench->x.response.fields, FIELD_SET_COOKIE);
}

/* "name=value" of what the response set. */
static void cookie_of(struct bench *bench, char *out, size_t size)
{
    struct str cookie = set_cookie(bench);
    ptrdiff_t end = str_find_char(cookie, ';', 0);
    assert_true(end > 0 && (size_t)end < size);
    memcpy(out, cookie.data, (size_t)end);
    out[end] = '\0';
}

TEST(sticky_load_balancer_sends_a_client_back_to_its_server)
{
    struct bench bench;
    struct service *service = make(&bench, THREE "sticky: {cookie: {}}");
    char cookie[64];
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    struct server *mine = bench.x.server;
    cookie_of(&bench, cookie, sizeof(cookie));
    for (unsigned i = 0; i < 10; i++) {
        bench_request(&bench, service, cookie);
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        assert_ptr_equal(bench.x.server, mine);
        assert_true(str_empty(set_cookie(&bench)));
    }
    bench_release(&bench);
}

TEST(sticky_load_balancer_gives_another_server_when_the_old_one_is_down)
{
    struct bench bench;
    struct service *service = make(&bench, TWO "sticky: {cookie: {name: c}}");
    char cookie[64];
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    struct server *old = bench.x.server;
    cookie_of(&bench, cookie, sizeof(cookie));
    atomic_store(&old->healthy, false);
    bench_request(&bench, service, cookie);
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    assert_ptr_not_equal(bench.x.server, old);
    assert_true(str_starts(set_cookie(&bench), S("c=")));
    atomic_store(&old->healthy, true);
    bench_request(&bench, service, "c=nonsense");
    assert_int_equal(bench_pick(&bench), PICK_SERVER);
    bench_release(&bench);
}

TEST(draining_server_keeps_those_who_stick_to_it)
{
    struct bench bench;
    struct service *service = make(&bench, "servers: [{url: 'http://10.0.0.1', drain: true}, {url: 'http://10.0.0.2'}]\n"
                                           "sticky: {cookie: {name: c}}");
    char cookie[64];
    snprintf(cookie, sizeof(cookie), "c=%016llx", (unsigned long long)server_at(service, 0)->id_hash);
    for (unsigned i = 0; i < 10; i++) {
        bench_request(&bench, service, NULL);
        bench_pick(&bench);
        assert_ptr_equal(bench.x.server, server_at(service, 1));
    }
    bench_request(&bench, service, cookie);
    bench_pick(&bench);
    assert_ptr_equal(bench.x.server, server_at(service, 0));
    bench_release(&bench);
}

TEST(leaving_server_is_asked_last_over_a_new_connection_whatever_the_strategy)
{
    for (const struct option_name *name = balancer_names; name->name != NULL; name++) {
        struct bench bench;
        char yaml[256];
        snprintf(yaml, sizeof(yaml), "{servers: [{url: 'http://10.0.0.1'}, {url: 'http://10.0.0.2'}], strategy: %s}", name->name);
        struct service *service = make(&bench, yaml);
        server_note_leaving(server_at(service, 0), true);
        for (unsigned i = 0; i < 10; i++) {
            bench_request(&bench, service, NULL);
            assert_int_equal(bench_pick(&bench), PICK_SERVER);
            assert_ptr_equal(bench.x.server, server_at(service, 1));
            assert_false(bench.x.fresh_connection);
        }
        atomic_store(&server_at(service, 1)->healthy, false);
        assert_false(service_is_ready(service, bench.worker.loop.now));      /* whoever has another service goes there */
        bench_request(&bench, service, NULL);
        assert_int_equal(bench_pick(&bench), PICK_SERVER);
        assert_ptr_equal(bench.x.server, server_at(service, 0));
        assert_true(bench.x.fresh_connection);
        bench_attempt(&bench, STATUS_UPSTREAM_REFUSED, 0);
        assert_int_equal(bench_pick(&bench), PICK_NONE);
        bench_release(&bench);
    }
}

TEST(leaving_server_loses_those_who_stick_to_it)
{
    struct bench bench;
    struct service *service = make(&bench, "{servers: [{url: 'http://10.0.0.1'}, {url: 'http://10.0.0.2'}], sticky: {cookie: {name: c}}}");
    char cookie[64];
    snprintf(cookie, sizeof(cookie), "c=%016llx", (unsigned long long)server_at(service, 0)->id_hash);
    server_note_leaving(server_at(service, 0), true);
    bench_request(&bench, service, cookie);
    bench_pick(&bench);
    assert_ptr_equal(bench.x.server, server_at(service, 1));
    bench_release(&bench);
}

TEST(sticky_cookie_has_the_attributes_that_were_asked_for)
{
    struct bench bench;
    struct service *service = make(&bench, ONE "sticky: {cookie: {name: s, secure: true, httpOnly: true, sameSite: lax, "
                                               "maxAge: 60, path: /app, domain: example.com}}");
    char expected[160];
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    snprintf(expected, sizeof(expected), "s=%016llx; Path=/app; Domain=example.com; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
             (unsigned long long)server_at(service, 0)->id_hash);
    assert_str_equal(set_cookie(&bench), str_from(expected));
    bench_release(&bench);
}

TEST(sticky_cookie_is_named_after_the_service)
{
    struct bench bench;
    struct load_balancer *lb = make(&bench, ONE "sticky: {cookie: true}")->state;
    assert_str_equal(lb->sticky->name, S("_82c95"));      /* of sha1("lb@test") */
    assert_str_equal(lb->sticky->attributes, S("; Path=/"));
    bench_release(&bench);
}

TEST(load_balancer_sets_no_cookie_on_answers_of_our_own)
{
    struct bench bench;
    struct service *service = make(&bench, ONE "sticky: {cookie: {}}");
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    bench.x.answered_here = true;
    assert_true(str_empty(set_cookie(&bench)));
    bench_release(&bench);
}

TEST(load_balancer_leaves_the_urls_path_out_unless_told)
{
    struct bench bench;
    struct service *service = make(&bench, "servers: [{url: 'http://10.0.0.1/base/', preservePath: true}, "
                                           "{url: 'http://10.0.0.1/other'}]");
    assert_str_equal(server_at(service, 0)->base_path, S("/base"));
    assert_str_equal(server_at(service, 1)->base_path, S(""));
    assert_non_null(strstr(fixture_rendered(&bench.fixture), "preservePath"));
    bench_release(&bench);
}

TEST(load_balancer_keeps_servers_over_a_reload_and_starts_newcomers_slowly)
{
    struct bench old, new;
    struct service *before = make(&old, TWO);
    struct service *after = make(&new, THREE "slowStart: 30s");
    assert_ptr_equal(server_at(before, 0), server_at(after, 0));
    assert_int_equal(atomic_load(&server_at(after, 1)->ready_since), 0);
    assert_int_not_equal(atomic_load(&server_at(after, 2)->ready_since), 0);
    bench_release(&old);
    bench_release(&new);
    assert_int_equal(server_slot_count(), 0);
}

TEST(load_balancer_measures_how_fast_a_server_answers)
{
    struct bench bench;
    struct service *service = make(&bench, ONE);
    bench_request(&bench, service, NULL);
    bench_pick(&bench);
    bench.x.times.first_byte = bench.x.times.picked + 7 * TIME_MS;
    bench_attempt(&bench, STATUS_OK, 200);
    assert_int_equal(measure_shown(server_at(service, 0)), 7 * TIME_MS);
    bench_release(&bench);
}

TEST(load_balancer_options_are_checked)
{
    assert_refused("servers: [{url: 'ftp://a'}]", "is not the URL of a server");
    assert_refused("servers: [{}]", "url");
    assert_refused("servers: [{url: 'http://a', weight: -1}]", "weight");
    assert_refused("strategy: wrrr", "did you mean 'wrr'");
    assert_refused("healthCheck: {path: health}", "does not begin with '/'");
    assert_refused("healthCheck: {mode: tcp}", "tcp");
    assert_refused("serversTransport: t", "unknown serversTransport");
    assert_refused("sticky: {cookie: {name: 'a b'}}", "is not the name of a cookie");
    assert_warned("servers: []", "no servers", 0);
    assert_warned("servers: [{url: 'http://a'}, {url: 'http://a/'}]", "named twice", 1);
}
