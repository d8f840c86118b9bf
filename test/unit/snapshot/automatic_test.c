#include "snapshot/automatic.h"

#include "test.h"

#include "config/bind.h"
#include "config/yaml.h"

struct bench {
    struct model *model;
    struct diag diag;
    struct certificate_wants wants;
};

static void prepare(struct bench *bench, const char *yaml)
{
    bench->model = model_new();
    bench->wants = (struct certificate_wants){.list = {0}};
    struct arena *arena = &bench->model->arena;
    struct config *config = &bench->model->config;
    diag_init(&bench->diag, arena);
    const struct node *root = yaml_read(arena, diag_source(arena, S("c.yaml"), str_from(yaml)), &bench->diag);
    assert_true(bind_object(&config_table, root, config, NULL, arena, &bench->diag));
    model_add_part(bench->model, S("file"), &config->http, &config->tls);
    automatic_prepare(bench->model, &bench->wants, &bench->diag);
}

static void release(struct bench *bench)
{
    VEC_RELEASE(&bench->wants.list);
    diag_release(&bench->diag);
    model_free(bench->model);
}

static const struct router_config *router(const struct bench *bench, const char *name)
{
    const struct objects *routers = &bench->model->parts[0].http->routers;
    for (size_t i = 0; i < routers->count; i++)
        if (str_equal(routers->items[i].name, str_from(name)))
            return routers->items[i].value;
    return NULL;
}

static struct str joined(const struct bench *bench, const struct strs *strs)
{
    struct str text = STR_NONE;
    for (size_t i = 0; i < strs->count; i++)
        text = arena_printf(&bench->model->arena, "%.*s%s%.*s", STR_ARGS(text), i != 0 ? "," : "", STR_ARGS(strs->items[i]));
    return text;
}

static void assert_want(const struct bench *bench, size_t index, const char *resolver, const char *names)
{
    assert_true(index < bench->wants.list.count);
    assert_str_equal(bench->wants.list.items[index].resolver, str_from(resolver));
    assert_str_equal(joined(bench, &bench->wants.list.items[index].names), str_from(names));
}

static const struct middleware_config *redirection(const struct bench *bench)
{
    if (bench->model->part_count < 2)
        return NULL;
    assert_str_equal(bench->model->parts[1].provider, S("internal"));
    return bench->model->parts[1].http->middlewares.items[0].value;
}

#define WEB "entryPoints: {web: {address: ':80'}}\n"
#define SERVICES "  services: {s: {respond: {body: hi}}}\n"

TEST(a_router_with_a_host_becomes_one_of_tls_and_its_twin_redirects)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    assert_str_equal(joined(&bench, &router(&bench, "a")->entry_points), S("websecure"));
    assert_non_null(router(&bench, "a")->tls);
    assert_str_equal(router(&bench, "a")->tls->cert_resolver, S(""));
    const struct router_config *twin = router(&bench, "a-redirect");
    assert_non_null(twin);
    assert_null(twin->tls);
    assert_str_equal(joined(&bench, &twin->entry_points), S("web,websecure"));
    assert_str_equal(joined(&bench, &twin->middlewares), S("https-redirect@internal"));
    assert_str_equal(twin->service, S("noop@internal"));
    assert_str_equal(twin->rule, S("Host(`a.localhost`)"));
    assert_non_null(redirection(&bench));
    assert_int_equal(bench.wants.list.count, 1);
    assert_want(&bench, 0, "@local", "a.localhost");
    assert_str_equal(bench.wants.list.items[0].router, S("a@file"));
    release(&bench);
}

TEST(the_https_entrypoint_is_made_where_there_is_none)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    const struct objects *entries = &bench.model->config.entry_points;
    assert_int_equal(entries->count, 2);
    assert_str_equal(entries->items[1].name, S("websecure"));
    assert_str_equal(((const struct entrypoint *)entries->items[1].value)->address, S(":443"));
    release(&bench);
}

TEST(the_https_entrypoint_that_is_there_is_found_by_its_name_or_its_port)
{
    static const struct {
        const char *yaml, *name;
    } cases[] = {
        {"automaticHTTPS: true\nentryPoints: {x: {address: ':443'}, websecure: {address: ':8443'}}\n", "websecure"},
        {"automaticHTTPS: true\nentryPoints: {x: {address: ':443'}, https: {address: ':8443'}}\n", "https"},
        {"automaticHTTPS: true\nentryPoints: {web: {address: ':80'}, x: {address: '0.0.0.0:443'}}\n", "x"},
        {"automaticHTTPS: {entryPoint: y}\nentryPoints: {websecure: {address: ':443'}, y: {address: ':8443'}}\n", "y"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench bench;
        struct text yaml;
        text_init(&yaml, 4096);
        text_addf(&yaml, "%shttp:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n%s", cases[i].yaml, SERVICES);
        prepare(&bench, text_c(&yaml));
        assert_str_equal(joined(&bench, &router(&bench, "a")->entry_points), str_from(cases[i].name));
        release(&bench);
        text_release(&yaml);
    }
}

TEST(nothing_is_listened_on_that_no_router_needs)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers: {a: {rule: 'PathPrefix(`/`)', service: s}}\n" SERVICES);
    assert_int_equal(bench.model->config.entry_points.count, 1);
    assert_int_equal(bench.wants.list.count, 0);
    assert_null(router(&bench, "a")->tls);
    assert_null(redirection(&bench));
    release(&bench);
}

TEST(routers_that_say_where_they_are_or_how_they_speak_stay_as_they_are)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers:\n"
                    "    a: {rule: 'Host(`a.localhost`)', service: s, entryPoints: [web]}\n"
                    "    b: {rule: 'Host(`b.localhost`)', service: s, tls: {}}\n" SERVICES);
    assert_int_equal(bench.model->parts[0].http->routers.count, 2);
    assert_null(router(&bench, "a")->tls);
    assert_int_equal(router(&bench, "b")->entry_points.count, 0);
    assert_int_equal(bench.wants.list.count, 0);
    release(&bench);
}

TEST(public_and_local_names_of_one_rule_are_asked_for_apart)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers:\n"
                    "    a: {rule: 'Host(`A.example`) || Host(`a.localhost`) || Host(`b.example`) || Host(`a.example`)', service: s}\n" SERVICES);
    assert_int_equal(bench.wants.list.count, 2);
    assert_want(&bench, 0, "@automatic", "a.example,b.example");
    assert_want(&bench, 1, "@local", "a.localhost");
    release(&bench);
}

TEST(the_only_acme_resolver_is_the_one_for_public_names)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "certificatesResolvers: {le: {acme: {email: a@a.example, storage: /x}}, mine: {localCA: {}}}\n"
                    "http:\n  routers: {a: {rule: 'Host(`a.example`)', service: s}}\n" SERVICES);
    assert_want(&bench, 0, "le", "a.example");
    assert_str_equal(automatic_resolver(bench.model, S("x.example")), S("le"));
    assert_str_equal(automatic_resolver(bench.model, S("10.0.0.1")), S("@local"));
    assert_str_equal(automatic_resolver(bench.model, S("9.9.9.9")), S("@local"));
    release(&bench);
}

TEST(a_wildcard_needs_a_dns_challenge)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB
                    "http:\n  routers: {a: {rule: 'Host(`a.example`) || Host(`*.a.example`)', service: s}}\n" SERVICES);
    assert_int_equal(bench.wants.list.count, 1);
    assert_want(&bench, 0, "@automatic", "a.example");
    assert_int_equal(bench.diag.warnings, 1);
    release(&bench);
}

TEST(a_wildcard_for_a_top_level_domain_is_not_asked_for)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB
                    "http:\n  routers: {a: {rule: 'Host(`*.localhost`) || Host(`*.a.localhost`)', service: s}}\n" SERVICES);
    assert_int_equal(bench.wants.list.count, 1);
    assert_want(&bench, 0, "@local", "*.a.localhost");
    assert_int_equal(bench.diag.warnings, 1);
    release(&bench);
}

TEST(without_local_names_keep_to_plain_http)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: {local: false}\n" WEB
                    "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    assert_null(router(&bench, "a")->tls);
    assert_int_equal(bench.wants.list.count, 0);
    release(&bench);
}

TEST(without_the_redirect_both_serve_the_same)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: {redirect: false}\n" WEB
                    "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    const struct router_config *twin = router(&bench, "a-http");
    assert_non_null(twin);
    assert_str_equal(twin->service, S("s"));
    assert_str_equal(joined(&bench, &twin->entry_points), S("web"));
    assert_int_equal(twin->middlewares.count, 0);
    release(&bench);
}

TEST(routers_without_hosts_are_served_over_tls_on_demand_alone)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: {onDemand: {ask: 'http://127.0.0.1/may'}}\n" WEB
                    "http:\n  routers: {a: {rule: 'PathPrefix(`/`)', service: s}}\n" SERVICES);
    assert_str_equal(joined(&bench, &router(&bench, "a")->entry_points), S("web"));
    assert_null(router(&bench, "a")->tls);
    assert_str_equal(joined(&bench, &router(&bench, "a-https")->entry_points), S("websecure"));
    assert_non_null(router(&bench, "a-https")->tls);
    assert_int_equal(bench.wants.list.count, 0);
    release(&bench);
}

TEST(a_twin_takes_no_name_that_somebody_has)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\n" WEB "http:\n  routers:\n"
                    "    a: {rule: 'Host(`a.localhost`)', service: s}\n"
                    "    a-redirect: {rule: 'PathPrefix(`/x`)', service: s}\n" SERVICES);
    assert_non_null(router(&bench, "a-redirect-2"));
    assert_str_equal(router(&bench, "a-redirect")->rule, S("PathPrefix(`/x`)"));
    release(&bench);
}

TEST(entrypoints_with_tls_of_their_own_serve_and_do_not_redirect)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\nentryPoints: {web: {address: ':80'}, websecure: {address: ':443'}, "
                    "alt: {address: ':8443', http: {tls: {}}}}\n"
                    "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    assert_str_equal(joined(&bench, &router(&bench, "a")->entry_points), S("websecure,alt"));
    assert_str_equal(joined(&bench, &router(&bench, "a-redirect")->entry_points), S("web,websecure"));
    release(&bench);
}

TEST(what_the_https_entrypoint_says_of_tls_holds)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: true\nentryPoints: {websecure: {address: ':443', http: {tls: {certResolver: le}}}}\n"
                    "certificatesResolvers: {le: {acme: {email: a@a.example, storage: /x}}}\n"
                    "http:\n  routers: {a: {rule: 'Host(`a.localhost`)', service: s}}\n" SERVICES);
    assert_str_equal(router(&bench, "a")->tls->cert_resolver, S("le"));
    assert_int_equal(bench.wants.list.count, 0);
    release(&bench);
}

TEST(unknown_names_in_automatic_https_are_mistakes)
{
    struct bench bench;
    prepare(&bench, "automaticHTTPS: {entryPoint: webs}\n" WEB);
    assert_int_equal(bench.diag.errors, 1);
    release(&bench);
    prepare(&bench, "automaticHTTPS: {resolver: lee}\ncertificatesResolvers: {le: {acme: {email: a@a.example, storage: /x}}}\n");
    assert_int_equal(bench.diag.errors, 1);
    assert_str_equal(bench.diag.items[0].hint, S("did you mean 'le'?"));
    release(&bench);
}
