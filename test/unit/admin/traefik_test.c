#include "admin/traefik.h"

#include "test.h"

#include <stdio.h>
#include <time.h>

#include "admin/running.h"
#include "base/tar.h"
#include "base/version.h"
#include "upstream/server.h"

static struct running running;

#define CONFIG \
    "entryPoints:\n" \
    "  web: {address: '127.0.0.1:81'}\n" \
    "  traefik: {address: '127.0.0.1:82'}\n" \
    "  secure: {address: '127.0.0.1:83', http: {tls: {}}, asDefault: false}\n" \
    "api: {insecure: true}\n" \
    "ping: {}\n" \
    "http:\n" \
    "  routers:\n" \
    "    a: {rule: 'Host(`a.example`)', service: s, middlewares: [auth, chained], entryPoints: [web, secure]}\n" \
    "    'b/x': {rule: 'PathPrefix(`/b`)', service: mix, priority: 7, entryPoints: [web]}\n" \
    "    t: {rule: 'Host(`t.example`)', service: s@file, entryPoints: [secure], tls: {options: default, domains: [{main: t.example, sans: " \
    "[x.t.example]}]}}\n" \
    "    e: {rule: 'Host(`E.example`)', service: empty, entryPoints: [secure, web]}\n" \
    "  middlewares:\n" \
    "    auth: {basicAuth: {users: ['u:$apr1$abcdefgh$0123456789012345678901']}}\n" \
    "    limit: {rateLimit: {average: 5, period: 90s}}\n" \
    "    chained: {chain: {middlewares: [limit]}}\n" \
    "    unused: {stripPrefix: {prefixes: [/x]}}\n" \
    "  services:\n" \
    "    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9/'}, {url: 'http://127.0.0.1:10', weight: 3}], strategy: p2c}}\n" \
    "    mix: {weighted: {services: [{name: s, weight: 2}]}}\n" \
    "    empty: {loadBalancer: {servers: []}}\n"

/* "a,b,c": the keys of an object, in order. */
static void assert_keys(const json_t *object, const char *expected)
{
    struct text keys;
    const char *key;
    json_t *value;
    text_init(&keys, 4096);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        text_addf(&keys, "%s%s", keys.len != 0 ? "," : "", key);
    assert_string_equal(text_c(&keys), expected);
    text_release(&keys);
}

static void assert_dumps(const json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* The names of a list's members, joined. */
static void assert_names(const char *path, const char *query, const char *expected)
{
    struct text names;
    size_t index;
    json_t *item, *list = running_json(&running, path, query, 200);
    text_init(&names, 1 << 20);
    json_array_foreach(list, index, item)
        text_addf(&names, "%s%s", names.len != 0 ? "," : "", json_string_value(json_object_get(item, "name")));
    assert_string_equal(text_c(&names), expected);
    text_release(&names);
    json_decref(list);
}

TEST(traefik_router_has_the_fields_that_its_clients_read)
{
    running_start(&running, CONFIG, NULL);
    json_t *router = running_json(&running, "/api/http/routers/a@file", "", 200);
    assert_keys(router, "entryPoints,middlewares,service,rule,ruleSyntax,priority,tls,observability,status,using,name,provider,priorityStr");
    assert_dumps(json_object_get(router, "entryPoints"), "[\"secure\",\"web\"]");
    assert_dumps(json_object_get(router, "middlewares"), "[\"auth@file\",\"chained@file\"]");
    assert_dumps(json_object_get(router, "service"), "\"s\"");
    assert_dumps(json_object_get(router, "rule"), "\"Host(`a.example`)\"");
    assert_dumps(json_object_get(router, "priority"), "17");
    assert_dumps(json_object_get(router, "priorityStr"), "\"17\"");
    assert_dumps(json_object_get(router, "status"), "\"enabled\"");
    assert_dumps(json_object_get(router, "using"), "[\"secure\",\"web\"]");
    assert_dumps(json_object_get(router, "provider"), "\"file\"");
    assert_dumps(json_object_get(router, "observability"), "{\"accessLogs\":true,\"metrics\":true,\"tracing\":true}");
    json_decref(router);
    running_stop(&running);
}

TEST(traefik_router_shows_its_tls_or_that_of_its_entrypoint)
{
    running_start(&running, CONFIG, NULL);
    json_t *router = running_json(&running, "/api/http/routers/t@file", "", 200);
    assert_dumps(json_object_get(router, "tls"),
                 "{\"options\":\"default\",\"domains\":[{\"main\":\"t.example\",\"sans\":[\"x.t.example\"]}]}");
    json_decref(router);
    router = running_json(&running, "/api/http/routers/e@file", "", 200);
    assert_dumps(json_object_get(router, "tls"), "{\"options\":\"default\"}");
    json_decref(router);
    router = running_json(&running, "/api/http/routers/b%2Fx%40file", "", 200);
    assert_null(json_object_get(router, "tls"));
    json_decref(router);
    running_stop(&running);
}

TEST(traefik_internal_routers_have_priorities_that_no_double_holds)
{
    running_start(&running, CONFIG, NULL);
    static const struct {
        const char *path, *priority, *rule, *service;
    } cases[] = {
        {"/api/http/routers/ping@internal", "9223372036854775807", "PathPrefix(`/ping`)", "ping@internal"},
        {"/api/http/routers/api@internal", "9223372036854775806", "PathPrefix(`/api`)", "api@internal"},
        {"/api/http/routers/dashboard@internal", "9223372036854775805", "PathPrefix(`/`)", "dashboard@internal"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *router = running_json(&running, cases[i].path, "", 200);
        assert_string_equal(json_string_value(json_object_get(router, "priorityStr")), cases[i].priority);
        assert_string_equal(json_string_value(json_object_get(router, "rule")), cases[i].rule);
        assert_string_equal(json_string_value(json_object_get(router, "service")), cases[i].service);
        assert_dumps(json_object_get(router, "using"), "[\"traefik\"]");
        assert_string_equal(json_string_value(json_object_get(router, "provider")), "internal");
        json_decref(router);
    }
    running_stop(&running);
}

TEST(traefik_service_has_the_fields_that_its_clients_read)
{
    running_start(&running, CONFIG, NULL);
    json_t *service = running_json(&running, "/api/http/services/s@file", "", 200);
    assert_keys(service, "loadBalancer,status,usedBy,serverStatus,name,provider,type");
    assert_dumps(json_object_get(service, "loadBalancer"),
                 "{\"servers\":[{\"url\":\"http://127.0.0.1:9/\",\"weight\":1},{\"url\":\"http://127.0.0.1:10\",\"weight\":3}],"
                 "\"strategy\":\"p2c\",\"passHostHeader\":true}");
    assert_dumps(json_object_get(service, "usedBy"), "[\"a@file\",\"t@file\"]");
    assert_dumps(json_object_get(service, "type"), "\"loadbalancer\"");
    assert_dumps(json_object_get(service, "serverStatus"), "{\"http://127.0.0.1:9/\":\"UP\",\"http://127.0.0.1:10\":\"UP\"}");
    json_decref(service);
    service = running_json(&running, "/api/http/services/mix@file", "", 200);
    assert_dumps(json_object_get(service, "weighted"), "{\"services\":[{\"name\":\"s\",\"weight\":2}]}");
    assert_dumps(json_object_get(service, "type"), "\"weighted\"");
    assert_null(json_object_get(service, "serverStatus"));
    json_decref(service);
    service = running_json(&running, "/api/http/services/api@internal", "", 200);
    assert_keys(service, "status,usedBy,name,provider");
    json_decref(service);
    running_stop(&running);
}

static void take_down(struct server *server, void *owner)
{
    if (str_equal(server->url, S("http://127.0.0.1:9")))
        atomic_store(&server->healthy, false);
    if (str_equal(server->url, S("http://127.0.0.1:10")))
        *(struct server **)owner = server;
}

TEST(traefik_server_that_is_down_is_told_from_one_that_drains)
{
    running_start(&running, CONFIG, NULL);
    struct server *other = NULL;
    server_for_each(take_down, &other);
    assert_non_null(other);
    server_order(other, SERVER_DRAINING);
    json_t *service = running_json(&running, "/api/http/services/s@file", "", 200);
    assert_dumps(json_object_get(service, "serverStatus"), "{\"http://127.0.0.1:9/\":\"DOWN\",\"http://127.0.0.1:10\":\"UP\"}");
    json_decref(service);
    server_order(other, SERVER_DOWN);
    service = running_json(&running, "/api/http/services/s@file", "", 200);
    assert_dumps(json_object_get(service, "serverStatus"), "{\"http://127.0.0.1:9/\":\"DOWN\",\"http://127.0.0.1:10\":\"DOWN\"}");
    json_decref(service);
    running_stop(&running);
}

TEST(traefik_middleware_has_its_options_without_secrets)
{
    running_start(&running, CONFIG, NULL);
    json_t *middleware = running_json(&running, "/api/http/middlewares/auth@file", "", 200);
    assert_keys(middleware, "basicAuth,status,usedBy,name,provider,type");
    assert_dumps(json_object_get(json_object_get(middleware, "basicAuth"), "users"), "[\"xxxx\"]");
    assert_dumps(json_object_get(middleware, "type"), "\"basicauth\"");
    json_decref(middleware);
    running_stop(&running);
}

TEST(traefik_middleware_knows_routers_that_come_to_it_by_a_chain)
{
    running_start(&running, CONFIG, NULL);
    static const struct {
        const char *path, *used;
    } cases[] = {{"/api/http/middlewares/limit@file", "[\"a@file\"]"}, {"/api/http/middlewares/chained@file", "[\"a@file\"]"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *middleware = running_json(&running, cases[i].path, "", 200);
        assert_dumps(json_object_get(middleware, "usedBy"), cases[i].used);
        json_decref(middleware);
    }
    json_t *unused = running_json(&running, "/api/http/middlewares/unused@file", "", 200);
    assert_null(json_object_get(unused, "usedBy"));
    json_decref(unused);
    running_stop(&running);
}

TEST(traefik_entrypoint_prints_durations_as_traefik_does)
{
    running_start(&running, CONFIG, NULL);
    json_t *entry = running_json(&running, "/api/entrypoints/web", "", 200);
    json_t *timeouts = json_object_get(json_object_get(entry, "transport"), "respondingTimeouts");
    assert_dumps(json_object_get(entry, "address"), "\"127.0.0.1:81\"");
    assert_dumps(json_object_get(entry, "name"), "\"web\"");
    assert_dumps(json_object_get(timeouts, "readTimeout"), "\"1m0s\"");
    assert_dumps(json_object_get(timeouts, "idleTimeout"), "\"3m0s\"");
    assert_dumps(json_object_get(json_object_get(entry, "http2"), "maxConcurrentStreams"), "250");
    json_decref(entry);
    assert_names("/api/entrypoints", "", "secure,traefik,web");
    assert_names("/api/entrypoints", "per_page=2&page=2", "web");
    running_stop(&running);
}

TEST(traefik_overview_counts_what_is_there_and_what_is_amiss)
{
    running_start(&running, CONFIG, NULL);
    json_t *overview = running_json(&running, "/api/overview", "", 200);
    assert_dumps(json_object_get(overview, "http"), "{\"routers\":{\"total\":7,\"warnings\":0,\"errors\":0},"
                                                    "\"services\":{\"total\":6,\"warnings\":1,\"errors\":0},"
                                                    "\"middlewares\":{\"total\":4,\"warnings\":0,\"errors\":0}}");
    assert_keys(overview, "http,tcp,udp,certificates,features,providers");
    assert_keys(json_object_get(overview, "tcp"), "routers,services,middlewares");
    assert_keys(json_object_get(overview, "udp"), "routers,services");
    assert_dumps(json_object_get(overview, "features"), "{\"tracing\":\"\",\"metrics\":\"\",\"accessLog\":false}");
    assert_dumps(json_object_get(overview, "providers"), "[\"File\"]");
    json_decref(overview);
    running_stop(&running);
}

TEST(traefik_rawdata_has_all_by_name)
{
    running_start(&running, CONFIG, NULL);
    json_t *raw = running_json(&running, "/api/rawdata", "", 200);
    assert_keys(raw, "routers,middlewares,services");
    assert_keys(json_object_get(raw, "routers"), "a@file,api@internal,b/x@file,dashboard@internal,e@file,ping@internal,t@file");
    assert_keys(json_object_get(json_object_get(raw, "routers"), "b/x@file"),
                "entryPoints,service,rule,ruleSyntax,priority,observability,status,using");
    assert_keys(json_object_get(json_object_get(raw, "services"), "s@file"), "loadBalancer,status,usedBy,serverStatus");
    assert_keys(json_object_get(json_object_get(raw, "middlewares"), "limit@file"), "rateLimit,status,usedBy");
    json_decref(raw);
    running_stop(&running);
}

TEST(traefik_version_says_what_runs_and_since_when)
{
    running_start(&running, CONFIG, NULL);
    json_t *version = running_json(&running, "/api/version", "", 200);
    assert_keys(version, "Version,Codename,startDate,uuid");
    assert_string_equal(json_string_value(json_object_get(version, "Version")), PORTICO_VERSION);
    assert_int_equal(strlen(json_string_value(json_object_get(version, "uuid"))), 36);
    json_decref(version);
    running_stop(&running);
}

TEST(traefik_lists_are_searched_without_case)
{
    running_start(&running, CONFIG, NULL);
    assert_names("/api/http/routers", "search=e.EXAMPLE", "e@file");
    assert_names("/api/http/routers", "search=B/X", "b/x@file");
    assert_names("/api/http/routers", "search=%60%2Fb%60", "b/x@file");
    assert_names("/api/http/routers", "search=nothing", "");
    assert_names("/api/http/services", "search=INTERNAL", "api@internal,dashboard@internal,ping@internal");
    assert_names("/api/http/services", "status=Warning", "empty@file");
    assert_names("/api/http/routers", "status=disabled", "");
    running_stop(&running);
}

TEST(traefik_routers_are_found_by_service_and_middleware)
{
    running_start(&running, CONFIG, NULL);
    /* A router that writes its service without a provider is found with one, too; one that writes it is found exactly. */
    assert_names("/api/http/routers", "serviceName=s@file", "a@file,t@file");
    assert_names("/api/http/routers", "serviceName=s", "a@file");
    assert_names("/api/http/routers", "middlewareName=auth@file", "a@file");
    assert_names("/api/http/routers", "middlewareName=auth", "");
    running_stop(&running);
}

TEST(traefik_lists_are_sorted_in_both_directions)
{
    running_start(&running, CONFIG, NULL);
    assert_names("/api/http/routers", "search=file&direction=desc", "t@file,e@file,b/x@file,a@file");
    assert_names("/api/http/routers", "search=file&sortBy=priority", "b/x@file,a@file,e@file,t@file");
    assert_names("/api/http/routers", "search=file&sortBy=priority&direction=desc", "t@file,e@file,a@file,b/x@file");
    assert_names("/api/http/routers", "search=file&sortBy=entryPoints", "b/x@file,t@file,a@file,e@file");
    assert_names("/api/http/routers", "search=file&sortBy=service&direction=asc", "e@file,b/x@file,a@file,t@file");
    assert_names("/api/http/services", "search=file&sortBy=servers&direction=desc", "s@file,mix@file,empty@file");
    assert_names("/api/http/services", "search=file&sortBy=type", "empty@file,s@file,mix@file");
    assert_names("/api/http/services", "search=file&sortBy=status", "mix@file,s@file,empty@file");
    assert_names("/api/http/middlewares", "sortBy=type&direction=desc", "unused@file,limit@file,chained@file,auth@file");
    assert_names("/api/http/routers", "search=file&sortBy=nonsense", "a@file,b/x@file,e@file,t@file");
    running_stop(&running);
}

static void assert_page(const char *query, const char *names, const char *next)
{
    assert_names("/api/http/middlewares", query, names);
    assert_str_equal(running.call.next_page, str_from(next));
}

TEST(traefik_lists_come_in_pages)
{
    running_start(&running, CONFIG, NULL);
    assert_page("", "auth@file,chained@file,limit@file,unused@file", "1");
    assert_page("per_page=2", "auth@file,chained@file", "2");
    assert_page("per_page=2&page=2", "limit@file,unused@file", "1");
    assert_page("per_page=3&page=2", "unused@file", "1");
    assert_page("page=1&search=nothing", "", "1");
    static const char *const bad[] = {"page=3&per_page=2", "page=0", "page=-1", "page=x", "per_page=0", "per_page=99999999999999999999",
                                      "page=2147483647&per_page=2147483647"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *answer = running_json(&running, "/api/http/middlewares", bad[i], 400);
        assert_non_null(strstr(json_string_value(json_object_get(answer, "message")), "invalid request: "));
        json_decref(answer);
    }
    running_stop(&running);
}

TEST(traefik_names_that_are_not_there_are_404)
{
    running_start(&running, CONFIG, NULL);
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/api/http/routers/x%40y", "router not found: x@y"},
        {"/api/http/services/s", "service not found: s"},
        {"/api/http/middlewares/x", "middleware not found: x"},
        {"/api/entrypoints/x", "entry point not found: x"},
        {"/api/certificates/00", "certificate not found: 00"},
        {"/api/tcp/routers/x", "router not found: x"},
        {"/api/tcp/services/x", "service not found: x"},
        {"/api/tcp/middlewares/x", "middleware not found: x"},
        {"/api/udp/routers/x", "router not found: x"},
        {"/api/udp/services/x", "service not found: x"},
        {"/debug/vars", "api.debug is off"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *answer = running_json(&running, cases[i].path, "", 404);
        assert_string_equal(json_string_value(json_object_get(answer, "message")), cases[i].message);
        json_decref(answer);
    }
    static const char *const empty[] = {"/api/tcp/routers", "/api/tcp/services", "/api/tcp/middlewares", "/api/udp/routers",
                                        "/api/udp/services"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        assert_string_equal(running_get(&running, empty[i], ""), "[]");
    json_decref(running_json(&running, "/api/udp/middlewares", "", 404));
    running_stop(&running);
}

/* ---- what was left out ---- */

static struct router_config broken = {.rule = STR("Host(`broken.example`)"), .service = STR("gone")};

static void leave_out(struct model *model)
{
    struct remark remark = {.kind = REMARK_ROUTER,
                            .provider = STR("docker"),
                            .name = STR("broken@docker"),
                            .reason = STR("unknown service 'gone'"),
                            .place = STR("container x"),
                            .left_out = true,
                            .config = &broken};
    model_add_remark(model, &remark);
    model_add_remark(model, &remark);
    remark.reason = S("and another thing");
    model_add_remark(model, &remark);
    model_add_remark(model, &(struct remark){.kind = REMARK_MIDDLEWARE,
                                             .provider = STR("docker"),
                                             .name = STR("m@docker"),
                                             .reason = STR("unknown type"),
                                             .left_out = true});
    model_add_remark(model, &(struct remark){
                                .kind = REMARK_SERVICE, .provider = STR("file"), .name = STR("mix@file"), .reason = STR("look at this")});
}

TEST(traefik_shows_what_was_left_out_as_disabled)
{
    running_start(&running, CONFIG, leave_out);
    json_t *router = running_json(&running, "/api/http/routers/broken@docker", "", 200);
    assert_dumps(json_object_get(router, "status"), "\"disabled\"");
    assert_dumps(json_object_get(router, "error"), "[\"unknown service 'gone'\",\"and another thing\"]");
    assert_dumps(json_object_get(router, "rule"), "\"Host(`broken.example`)\"");
    assert_dumps(json_object_get(router, "service"), "\"gone\"");
    assert_dumps(json_object_get(router, "priority"), "22");
    assert_null(json_object_get(router, "using"));
    json_decref(router);
    json_t *middleware = running_json(&running, "/api/http/middlewares/m@docker", "", 200);
    assert_keys(middleware, "error,status,name,provider");
    json_decref(middleware);
    assert_names("/api/http/routers", "status=disabled", "broken@docker");
    assert_names("/api/http/services", "status=warning", "empty@file,mix@file");
    json_t *overview = running_json(&running, "/api/overview", "", 200);
    assert_dumps(json_object_get(json_object_get(overview, "http"), "routers"), "{\"total\":8,\"warnings\":0,\"errors\":1}");
    json_decref(overview);
    running_stop(&running);
}

TEST(traefik_shows_the_next_configuration_once_it_runs)
{
    running_start(&running, CONFIG, NULL);
    assert_names("/api/http/routers", "search=file", "a@file,b/x@file,e@file,t@file");
    running_use(&running, "entryPoints: {web: {address: '127.0.0.1:81'}}\nhttp: {routers: {n: {rule: 'Path(`/`)', service: "
                          "noop@internal}}}\n",
                NULL);
    assert_names("/api/http/routers", "", "n@file");
    running_stop(&running);
}

TEST(traefik_debug_vars_are_numbers_of_the_process)
{
    running_start(&running, "entryPoints: {traefik: {address: '127.0.0.1:82'}}\napi: {debug: true}\n", NULL);
    json_t *vars = running_json(&running, "/debug/vars", "", 200);
    assert_keys(vars, "cmdline,memstats,portico");
    assert_true(json_integer_value(json_object_get(json_object_get(vars, "memstats"), "Sys")) > 0);
    json_decref(vars);
    running_stop(&running);
}

/* ---- many ---- */

static int64_t cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void report(const char *path, const char *query)
{
    int64_t begin = cpu_now();
    running_get(&running, path, query);
    printf("    %-24s %-44s %8.3f ms, %zu bytes\n", path, query, (double)(cpu_now() - begin) / 1e6, running.call.out.len);
    assert_int_equal(running.call.status, 200);
}

TEST(traefik_pages_of_ten_thousand_routers_are_whole)
{
    struct text yaml;
    text_init(&yaml, (size_t)16 << 20);
    text_add(&yaml, S("entryPoints: {web: {address: '127.0.0.1:81'}, more: {address: '127.0.0.1:82'}}\nhttp:\n  routers:\n"));
    for (unsigned i = 0; i < 10000; i++)
        text_addf(&yaml, "    r%u: {rule: 'Host(`h%u.example`) && PathPrefix(`/a`)', service: s%u, middlewares: [m%u, all]}\n", i, i, i, i % 100);
    text_add(&yaml, S("  middlewares:\n    all: {addPrefix: {prefix: /x}}\n"));
    for (unsigned i = 0; i < 100; i++)
        text_addf(&yaml, "    m%u: {stripPrefix: {prefixes: [/a]}}\n", i);
    text_add(&yaml, S("  services:\n"));
    for (unsigned i = 0; i < 10000; i++)
        text_addf(&yaml, "    s%u: {loadBalancer: {servers: [{url: 'http://127.0.0.1:%u'}]}}\n", i, 10000 + i);
    running_start(&running, text_c(&yaml), NULL);
    text_release(&yaml);
    report("/api/overview", "");
    report("/api/http/routers", "");
    assert_str_equal(running.call.next_page, S("2"));
    report("/api/http/routers", "page=100");
    assert_str_equal(running.call.next_page, S("1"));
    report("/api/http/routers", "search=h99&sortBy=rule&direction=desc");
    report("/api/http/routers", "serviceName=s77@file");
    report("/api/http/routers/r7777@file", "");
    report("/api/http/services", "sortBy=servers");
    report("/api/http/middlewares/all@file", "");
    report("/api/rawdata", "");
    json_t *raw = json_loadb(running.call.out.data, running.call.out.len, 0, NULL);
    assert_int_equal(json_object_size(json_object_get(raw, "routers")), 10000);
    assert_int_equal(json_array_size(json_object_get(json_object_get(json_object_get(raw, "middlewares"), "all@file"), "usedBy")), 10000);
    json_decref(raw);
    running_stop(&running);
}
