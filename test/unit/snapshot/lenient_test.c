/* Objects that come from many hands: what is wrong with one takes down that one, and what depends on it. */
#include "snapshot/compile.h"

#include "test.h"

#include "config/bind.h"
#include "config/yaml.h"
#include "exchange/service.h"
#include "service/load_balancer.h"

struct bench {
    struct model *model;
    struct diag diag;
    struct graph *graph;             /* NULL: refused */
};

#define OWNER \
    "entryPoints:\n" \
    "  web: {address: '127.0.0.1:81'}\n" \
    "  secure: {address: '127.0.0.1:83'}\n"

static const struct dynamic_config *read_part(struct bench *bench, const char *name, const char *yaml)
{
    struct arena *arena = &bench->model->arena;
    const struct node *root = yaml_read(arena, diag_source(arena, str_from(name), str_from(yaml)), &bench->diag);
    return bind_new(&dynamic_table, root, NULL, arena, &bench->diag);
}

/* `labels` NULL: there is no container. */
static void compile(struct bench *bench, const char *owner, const char *labels)
{
    bench->model = model_new();
    struct arena *arena = &bench->model->arena;
    struct config *config = &bench->model->config;
    diag_init(&bench->diag, arena);
    const struct node *root = yaml_read(arena, diag_source(arena, S("main.yaml"), str_from(owner)), &bench->diag);
    assert_true(bind_object(&config_table, root, config, NULL, arena, &bench->diag));
    model_add_part(bench->model, S("file"), &config->http, &config->tls);
    if (labels != NULL) {
        const struct dynamic_config *dynamic = read_part(bench, "labels.yaml", labels);
        model_add_lenient_part(bench->model, S("docker"), &dynamic->http, &dynamic->tls);
    }
    assert_int_equal(bench->diag.errors, 0);
    bench->graph = snapshot_compile(bench->model, 1, &bench->diag);
}

static void release(struct bench *bench)
{
    diag_release(&bench->diag);
    if (bench->graph != NULL)
        graph_unref(bench->graph);
    else
        model_free(bench->model);
}

/* "a@docker b@file": the routers that run, each once. */
static void assert_routers(const struct bench *bench, const char *expected)
{
    struct text names;
    assert_non_null(bench->graph);
    text_init(&names, 4096);
    for (unsigned i = 0; i < bench->graph->router_count; i++) {
        const struct router *router = bench->graph->routers[i];
        assert_non_null(router->service);
        if (i == 0 || !str_equal(bench->graph->routers[i - 1]->name, router->name))
            text_addf(&names, "%s%.*s", names.len != 0 ? " " : "", STR_ARGS(router->name));
    }
    assert_string_equal(text_c(&names), expected);
    text_release(&names);
}

static void assert_services(const struct bench *bench, const char *expected)
{
    struct text names;
    text_init(&names, 4096);
    for (unsigned i = 0; i < bench->graph->service_count; i++)
        text_addf(&names, "%s%.*s", names.len != 0 ? " " : "", STR_ARGS(bench->graph->services[i]->name));
    assert_string_equal(text_c(&names), expected);
    text_release(&names);
}

/* Lines of "kind name: reason" about what was left out. */
static void assert_left_out(const struct bench *bench, const char *expected)
{
    struct text lines;
    text_init(&lines, 1 << 16);
    for (size_t i = 0; i < bench->model->remark_count; i++) {
        const struct remark *remark = &bench->model->remarks[i];
        if (!remark->left_out)
            continue;
        assert_non_null(remark->config);
        text_addf(&lines, "%s %.*s: %.*s\n", remark_kind_text(remark->kind), STR_ARGS(remark->name), STR_ARGS(remark->reason));
    }
    assert_string_equal(text_c(&lines), expected);
    text_release(&lines);
}

static void assert_refused(struct bench *bench, const char *message)
{
    bool found = false;
    assert_null(bench->graph);
    for (size_t i = 0; i < bench->diag.count; i++)
        found |= bench->diag.items[i].severity == DIAG_ERROR && str_equal(bench->diag.items[i].message, str_from(message));
    if (!found) {
        struct text text;
        text_init(&text, 1 << 16);
        diag_render(&bench->diag, false, &text);
        fail_msg("no '%s' in:\n%s", message, text_c(&text));
    }
}

#define GOOD_ROUTER "    good: {rule: 'Host(`good.example`)', service: app}\n"
#define APP "    app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}\n"

TEST(lenient_mistakes_leave_out_their_router_alone)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n" GOOD_ROUTER
            "    rule: {rule: 'Hos(`a.example`)', service: app}\n"
            "    service: {rule: 'Host(`a.example`)', service: appp}\n"
            "    middleware: {rule: 'Host(`a.example`)', service: app, middlewares: [auht]}\n"
            "    entry: {rule: 'Host(`a.example`)', service: app, entryPoints: [webb]}\n"
            "    internal: {rule: 'Host(`a.example`)', service: api@internal}\n"
            "    options: {rule: 'Host(`a.example`)', service: app, tls: {options: strict}}\n"
            "  middlewares:\n    auth: {basicAuth: {users: ['u:$apr1$abcdefgh$0123456789012345678901']}}\n"
            "  services:\n" APP);
    assert_routers(&bench, "good@docker");
    assert_int_equal(bench.diag.errors, 0);
    assert_int_equal(bench.diag.warnings, 6);
    assert_left_out(&bench,
                    "router rule@docker: there is no matcher 'Hos', did you mean 'Host'?\n"
                    "router service@docker: there is no service 'appp@docker', did you mean 'app'?\n"
                    "router middleware@docker: there is no middleware 'auht@docker', did you mean 'auth'?\n"
                    "router entry@docker: unknown entrypoint 'webb', did you mean 'web'?\n"
                    "router internal@docker: 'api@internal' is routed to, but not switched on, add 'api: {}' to the main configuration\n"
                    "router options@docker: there is no set of TLS options 'strict@docker', no set of TLS options is defined\n");
    assert_str_equal(bench.model->remarks[0].place, S("labels.yaml:4:19"));
    assert_null(bench.graph->entries[1]->tls);
    release(&bench);
}

TEST(lenient_middleware_that_failed_takes_its_routers_along)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n" GOOD_ROUTER
            "    one: {rule: 'Host(`a.example`)', service: app, middlewares: [auth]}\n"
            "    two: {rule: 'Host(`b.example`)', service: app, middlewares: [outer]}\n"
            "    three: {rule: 'Host(`b.example`)', service: app, middlewares: [auth, strip]}\n"
            "  middlewares:\n"
            "    auth: {basicAuth: {usersFile: /nonexistent/users}}\n"
            "    inner: {chain: {middlewares: [strip, auth]}}\n"
            "    outer: {chain: {middlewares: [inner]}}\n"
            "    strip: {stripPrefix: {prefixes: [/x]}}\n"
            "    unused: {redirectRegex: {regex: '(', replacement: x}}\n"
            "    cors: {headers: {accessControlAllowOriginListRegex: ['a.*', '('], accessControlAllowOriginList: ['*']}}\n"
            "  services:\n" APP);
    assert_routers(&bench, "good@docker");
    assert_int_equal(bench.diag.errors, 0);
#define WHY "cannot read '/nonexistent/users': No such file or directory"
#define AUTH "middleware 'auth@docker' was left out: " WHY
    struct text expected;
    text_init(&expected, 1 << 16);
    text_add(&expected, S("middleware auth@docker: " WHY "\n"
                          "router one@docker: " AUTH "\n"
                          "middleware inner@docker: " AUTH "\n"
                          "middleware outer@docker: middleware 'inner@docker' was left out: " AUTH "\n"
                          "router two@docker: middleware 'outer@docker' was left out: middleware 'inner@docker' was left out: " AUTH "\n"
                          "router three@docker: " AUTH "\n"));
    const struct model *model = bench.model;
    struct text lines;
    text_init(&lines, 1 << 16);
    for (size_t i = 0; i < 6; i++)
        text_addf(&lines, "%s %.*s: %.*s\n", remark_kind_text(model->remarks[i].kind), STR_ARGS(model->remarks[i].name),
                  STR_ARGS(model->remarks[i].reason));
    assert_string_equal(text_c(&lines), text_c(&expected));
    assert_str_equal(model->remarks[6].name, S("unused@docker"));
    assert_str_equal(model->remarks[7].name, S("cors@docker"));
    assert_true(model->remarks[6].left_out && model->remarks[7].left_out);
    text_release(&lines);
    text_release(&expected);
    release(&bench);
}

TEST(lenient_service_that_failed_takes_along_what_leads_to_it)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n" GOOD_ROUTER
            "    one: {rule: 'Host(`a.example`)', service: bad}\n"
            "    mixed: {rule: 'Host(`b.example`)', service: mix}\n"
            "    mirrored: {rule: 'Host(`b.example`)', service: mirror}\n"
            "    failing: {rule: 'Host(`b.example`)', service: over}\n"
            "    errors: {rule: 'Host(`b.example`)', service: app, middlewares: [pages]}\n"
            "  middlewares:\n    pages: {errors: {status: ['500'], service: bad, query: /}}\n"
            "  services:\n" APP
            "    bad: {loadBalancer: {serversTransport: tls, servers: [{url: 'https://127.0.0.1:9'}]}}\n"
            "    mix: {weighted: {services: [{name: app}, {name: bad}]}}\n"
            "    mirror: {mirroring: {service: app, mirrors: [{name: gone}]}}\n"
            "    over: {failover: {service: app, fallback: mix}}\n"
            "    ring: {weighted: {services: [{name: ring2}]}}\n"
            "    ring2: {weighted: {services: [{name: ring}]}}\n"
            "  serversTransports:\n    tls: {rootCAs: [/nonexistent/ca.pem]}\n");
    assert_routers(&bench, "good@docker");
    assert_services(&bench, "app@docker left-out@internal");
    assert_int_equal(bench.diag.errors, 0);

    const struct model *model = bench.model;
    assert_int_equal(model->remarks[0].kind, REMARK_TRANSPORT);
    assert_str_equal(model->remarks[0].name, S("tls@docker"));
    assert_true(str_starts(model->remarks[1].reason, S("serversTransport 'tls@docker' was left out: ")));
    struct str left_out[] = {STR("tls@docker"), STR("bad@docker"), STR("mix@docker"), STR("mirror@docker"), STR("over@docker"),
                             STR("ring2@docker"), STR("ring@docker"), STR("one@docker"), STR("mixed@docker"), STR("mirrored@docker"),
                             STR("failing@docker"), STR("pages@docker"), STR("errors@docker")};
    assert_int_equal(model->remark_count, sizeof(left_out) / sizeof(left_out[0]));
    for (size_t i = 0; i < model->remark_count; i++)
        assert_str_equal(model->remarks[i].name, left_out[i]);
    release(&bench);
}

TEST(lenient_routers_of_the_owner_wait_for_what_is_not_there)
{
    struct bench bench;
    compile(&bench,
            OWNER "providers: {docker: {}}\n"
                  "http:\n  routers:\n    plain: {rule: 'Host(`p.example`)', service: own}\n"
                  "    waits: {rule: 'Host(`w.example`)', service: app@docker}\n"
                  "    mixed: {rule: 'Host(`m.example`)', service: mix}\n"
                  "    guarded: {rule: 'Host(`g.example`)', service: own, middlewares: [auth@docker]}\n"
                  "  services:\n    own: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}\n"
                  "    mix: {weighted: {services: [{name: own}, {name: app@docker}]}}\n",
            NULL);
    assert_routers(&bench, "plain@file");
    assert_int_equal(bench.diag.errors, 0);
    assert_left_out(&bench, "service mix@file: there is no service 'app@docker'\n"
                            "router waits@file: there is no service 'app@docker'\n"
                            "router mixed@file: service 'mix@file' was left out: there is no service 'app@docker'\n"
                            "router guarded@file: there is no middleware 'auth@docker', no middleware is defined\n");
    release(&bench);
}

TEST(lenient_mistakes_do_not_cover_those_of_the_owner)
{
    struct bench bench;
    compile(&bench,
            OWNER "http:\n  middlewares:\n    auth: {basicAuth: {usersFile: /nonexistent/users}}\n",
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, middlewares: [auth@file]}\n  services:\n" APP);
    assert_refused(&bench, "cannot read '/nonexistent/users': No such file or directory");
    release(&bench);
    compile(&bench, "entryPoints:\n  web: {address: '127.0.0.1:81', http: {middlewares: [auth]}}\n",
            "http:\n  routers:\n" GOOD_ROUTER "  services:\n" APP);
    assert_refused(&bench, "unknown middleware 'auth'");
    release(&bench);
    compile(&bench, "entryPoints:\n  web: {address: '127.0.0.1:81', http: {tls: {options: strict}}}\n",
            "http:\n  routers:\n" GOOD_ROUTER "  services:\n" APP);
    assert_refused(&bench, "unknown set of TLS options 'strict'");
    release(&bench);
    compile(&bench, OWNER "serversTransport: {rootCAs: [/nonexistent/ca.pem]}\n",
            "http:\n  routers:\n" GOOD_ROUTER "  services:\n" APP);
    assert_null(bench.graph);
    release(&bench);
    compile(&bench, OWNER "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app@dokcer}\n",
            "http:\n  services:\n" APP);
    assert_refused(&bench, "unknown service 'app@dokcer'");
    release(&bench);
}

TEST(lenient_middleware_of_an_entrypoint_holds_back_its_routers_until_it_is_there)
{
    struct bench bench;
    const char *owner = "entryPoints:\n"
                        "  web: {address: '127.0.0.1:81', http: {middlewares: [auth@docker]}}\n"
                        "  other: {address: '127.0.0.1:82'}\n"
                        "providers: {docker: {}}\n"
                        "http:\n  routers:\n    own: {rule: 'Host(`p.example`)', service: s, entryPoints: [web]}\n"
                        "    free: {rule: 'Host(`p.example`)', service: s, entryPoints: [other]}\n"
                        "  services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}}\n";
    compile(&bench, owner, "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, entryPoints: [web]}\n  services:\n" APP);
    assert_routers(&bench, "free@file");
    assert_left_out(&bench, "router own@file: there is no middleware 'auth@docker', no middleware is defined\n"
                            "router a@docker: there is no middleware 'auth@docker', no middleware is defined\n");
    release(&bench);
    compile(&bench, owner,
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, entryPoints: [web]}\n  services:\n" APP
            "  middlewares: {auth: {stripPrefix: {prefixes: [/x]}}}\n");
    assert_routers(&bench, "own@file free@file a@docker");
    assert_int_equal(bench.graph->routers[0]->chain_count, 1);
    release(&bench);
}

TEST(lenient_routers_are_served_on_the_entrypoints_that_there_are)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, entryPoints: [web, https]}\n"
            "    b: {rule: 'Host(`b.example`)', service: app, entryPoints: [secure], tls: {certResolver: le}}\n  services:\n" APP);
    assert_routers(&bench, "a@docker b@docker");
    assert_int_equal(bench.graph->routers[0]->about->entry_points.count, 1);
    assert_int_equal(bench.graph->want_count, 0);
    assert_left_out(&bench, "");
    assert_int_equal(bench.model->remark_count, 2);
    assert_str_equal(bench.model->remarks[0].reason, S("unknown entrypoint 'https'"));
    assert_str_equal(bench.model->remarks[1].reason, S("unknown certificatesResolver 'le': clients get the default certificate"));
    release(&bench);
}

TEST(lenient_router_that_is_left_out_asks_for_nothing)
{
    struct bench bench;
    compile(&bench,
            OWNER "certificatesResolvers: {le: {acme: {email: a@example.org, tlsChallenge: {}}}}\n"
                  "automaticHTTPS: {}\n",
            "http:\n  routers:\n"
            "    a: {rule: 'Host(`a.example.org`)', service: app, middlewares: [gone], entryPoints: [secure], tls: {certResolver: le}}\n"
            "    b: {rule: 'Host(`b.example.org`)', service: app, middlewares: [gone]}\n"
            "    c: {rule: 'Host(`c.example.org`)', service: app}\n  services:\n" APP);
    assert_non_null(bench.graph);
    assert_int_equal(bench.graph->want_count, 1);
    assert_str_equal(bench.graph->wants[0].router, S("c@docker"));
    release(&bench);
}

TEST(lenient_parts_say_nothing_of_what_is_the_whole_proxys)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, tls: {}}\n"
            "    b: {rule: 'Host(`b.example`)', service: app, tls: {options: mine}}\n"
            "    c: {rule: 'Host(`c.example`)', service: app, tls: {options: bad}}\n  services:\n" APP
            "tls:\n  options:\n    default: {minVersion: VersionTLS10}\n    mine: {minVersion: VersionTLS13}\n"
            "    bad: {clientAuth: {caFiles: [/nonexistent/ca.pem], clientAuthType: RequireAndVerifyClientCert}}\n"
            "  certificates: [{certFile: /nonexistent/cert.pem, keyFile: /nonexistent/key.pem}]\n"
            "  stores: {default: {defaultCertificate: {certFile: /nonexistent/cert.pem, keyFile: /nonexistent/key.pem}}}\n");
    assert_routers(&bench, "a@docker b@docker");
    assert_int_equal(bench.diag.errors, 0);
    assert_int_equal(bench.graph->certificate_count, 0);
    assert_null(bench.graph->default_certificate);
    assert_str_equal(entry_policy(bench.graph->entries[0]->tls, S("a.example"))->name, S("default"));
    assert_str_equal(entry_policy(bench.graph->entries[0]->tls, S("b.example"))->name, S("mine@docker"));
    const struct remark *last = &bench.model->remarks[bench.model->remark_count - 1];
    assert_int_equal(last->kind, REMARK_TLS_OPTIONS);
    assert_str_equal(last->name, S("default@docker"));
    release(&bench);
}

TEST(lenient_routers_cannot_take_away_the_owners_tls_options)
{
    struct bench bench;
    compile(&bench,
            OWNER "http:\n  routers:\n    own: {rule: 'Host(`a.example`)', service: s, tls: {options: strict}}\n"
                  "  services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:9'}]}}}\n"
                  "tls: {options: {strict: {minVersion: VersionTLS13}}}\n",
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`) && Path(`/x`)', service: app, tls: {}}\n  services:\n" APP);
    assert_routers(&bench, "own@file a@docker");
    assert_str_equal(entry_policy(bench.graph->entries[0]->tls, S("a.example"))->name, S("strict@file"));
    assert_int_equal(bench.diag.warnings, 1);
    release(&bench);
}

TEST(lenient_services_without_servers_are_no_warning)
{
    struct bench bench;
    compile(&bench, OWNER,
            "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: empty}\n"
            "    b: {rule: 'Host(`b.example`)', service: mix}\n"
            "  services:\n    empty: {loadBalancer: {servers: [], healthCheck: {path: /}, sticky: {cookie: {}}}}\n"
            "    p2c: {loadBalancer: {strategy: p2c}}\n    hrw: {loadBalancer: {strategy: hrw}}\n"
            "    leasttime: {loadBalancer: {strategy: leasttime}}\n"
            "    mix: {weighted: {services: [{name: empty}, {name: p2c}, {name: hrw}, {name: leasttime}]}}\n");
    assert_routers(&bench, "a@docker b@docker");
    assert_int_equal(bench.diag.warnings, 0);
    for (unsigned i = 0; i < bench.graph->service_count; i++)
        assert_false(service_is_ready(bench.graph->services[i], 0));
    release(&bench);
}

TEST(lenient_chains_that_are_too_long_are_the_routers_fault)
{
    struct bench bench;
    struct text labels;
    text_init(&labels, 1 << 16);
    text_add(&labels, S("http:\n  routers:\n"
                        "    good: {rule: 'Host(`g.example`)', service: app, middlewares: [pair]}\n"
                        "    long: {rule: 'Host(`a.example`)', service: app, middlewares: ["));
    for (unsigned i = 0; i < 63; i++)
        text_add(&labels, S("one, "));
    text_add(&labels, S("pair]}\n"
                        "    ring: {rule: 'Host(`r.example`)', service: app, middlewares: [ring]}\n"
                        "  middlewares:\n    one: {stripPrefix: {prefixes: [/x]}}\n    pair: {chain: {middlewares: [one, one]}}\n"
                        "    ring: {chain: {middlewares: [ring2]}}\n    ring2: {chain: {middlewares: [ring]}}\n"
                        "  services:\n" APP));
    compile(&bench, OWNER, text_c(&labels));
    assert_routers(&bench, "good@docker");
    assert_left_out(&bench, "router long@docker: the chain at 'one' is too long\n"
                            "middleware ring2@docker: the chain 'ring' leads back to itself\n"
                            "middleware ring@docker: middleware 'ring2@docker' was left out: the chain 'ring' leads back to itself\n"
                            "router ring@docker: middleware 'ring@docker' was left out: middleware 'ring2@docker' was left out: the "
                            "chain 'ring' leads back to itself\n");
    text_release(&labels);
    release(&bench);
}

TEST(lenient_objects_that_were_left_out_before_compiling_are_named_with_their_reason)
{
    struct bench bench = {.model = model_new()};
    struct config *config = &bench.model->config;
    diag_init(&bench.diag, &bench.model->arena);
    const struct node *root = yaml_read(&bench.model->arena, diag_source(&bench.model->arena, S("main.yaml"), S(OWNER)), &bench.diag);
    assert_true(bind_object(&config_table, root, config, NULL, &bench.model->arena, &bench.diag));
    model_add_part(bench.model, S("file"), &config->http, &config->tls);
    const struct dynamic_config *dynamic =
        read_part(&bench, "labels.yaml", "http:\n  routers:\n    a: {rule: 'Host(`a.example`)', service: app, middlewares: [auth]}\n  services:\n" APP);
    model_add_lenient_part(bench.model, S("docker"), &dynamic->http, &dynamic->tls);
    model_add_remark(bench.model, &(struct remark){.kind = REMARK_MIDDLEWARE,
                                                   .provider = STR("docker"),
                                                   .name = STR("auth@docker"),
                                                   .reason = STR("unknown option 'user'"),
                                                   .left_out = true});
    bench.graph = snapshot_compile(bench.model, 1, &bench.diag);
    assert_non_null(bench.graph);
    assert_int_equal(bench.graph->router_count, 0);
    assert_str_equal(bench.model->remarks[1].reason, S("middleware 'auth@docker' was left out: unknown option 'user'"));
    release(&bench);
}
