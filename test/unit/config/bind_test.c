#include "test.h"

#include "base/time.h"
#include "config/bind.h"
#include "fixture.h"
#include "sample.h"

static struct fixture f;

static struct sample *bind(const char *yaml)
{
    fixture_init(&f);
    return bind_new(&sample_table, fixture_yaml(&f, yaml), NULL, &f.arena, &f.diag);
}

/* The whole of what is said about a text. */
#define assert_said(yaml, expected) \
    do { \
        bind(yaml); \
        assert_string_equal(fixture_rendered(&f), expected); \
        fixture_release(&f); \
    } while (0)

TEST(bind_fills_every_type)
{
    struct sample *s = bind("address: '127.0.0.1:80'\n"
                            "watch: FALSE\n"
                            "level: LOW\n"
                            "workers: '3'\n"
                            "hosts: x.org , y.org\n"
                            "limits: {timeout: 90, body: 2k, ratio: 1e-1}\n"
                            "headers: true\n"
                            "routers:\n"
                            "  Api:\n"
                            "    rule: Host(`a`)\n"
                            "    middlewares: [m, n]\n"
                            "    servers: [{url: 'http://a'}, {url: 'http://b', weight: 5}]\n"
                            "middlewares:\n"
                            "  m: {header: {add: {X-A: 1, X-B: }}}\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_str_equal(s->address, S("127.0.0.1:80"));
    assert_false(s->watch);
    assert_int_equal(s->level, SAMPLE_LOW);
    assert_int_equal(s->workers, 3);
    assert_int_equal(s->hosts.count, 2);
    assert_str_equal(s->hosts.items[0], S("x.org"));
    assert_int_equal(s->limits.timeout, 90 * TIME_S);
    assert_int_equal(s->limits.body, 2048);
    assert_true(s->limits.ratio > 0.09 && s->limits.ratio < 0.11);
    assert_true(s->headers->strict);
    assert_str_equal(s->routers.items[0].name, S("Api"));
    struct sample_router *router = s->routers.items[0].value;
    assert_int_equal(router->middlewares.count, 2);
    struct sample_server *server = router->servers.items[1].value;
    assert_int_equal(server->weight, 5);
    server = router->servers.items[0].value;
    assert_int_equal(server->weight, 1);
    struct sample_middleware *middleware = s->middlewares.items[0].value;
    assert_string_equal(middleware->type.type->name, "headers");
    struct sample_headers *headers = middleware->type.value;
    assert_str_equal(headers->add.items[0].value, S("1"));
    assert_str_equal(headers->add.items[1].value, S(""));
    assert_ptr_equal(s->origin, s->routers.items[0].node->parent->parent);
    fixture_release(&f);
}

TEST(bind_gives_defaults_where_nothing_is_said)
{
    struct sample *s = bind("limits:\nwatch:\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_str_equal(s->address, S(":80"));
    assert_true(s->watch);
    assert_int_equal(s->level, SAMPLE_HIGH);
    assert_int_equal(s->hosts.count, 2);
    assert_int_equal(s->limits.timeout, 30 * TIME_S);
    assert_null(s->headers);
    assert_true(s->defaults->strict);
    fixture_release(&f);
}

TEST(bind_switches_objects_on_and_off)
{
    struct sample *s = bind("headers:\ndefaults: false\n");
    assert_non_null(s->headers);
    assert_null(s->defaults);
    fixture_release(&f);
    s = bind("headers: {}\n");
    assert_non_null(s->headers);
    fixture_release(&f);
    s = bind("headers: false\n");
    assert_null(s->headers);
    fixture_release(&f);
}

TEST(bind_reports_all_mistakes_at_once_each_at_its_place)
{
    assert_said("adress: :80\n"
                "workers: 99\n"
                "limits:\n"
                "  timeout: abc\n"
                "routers:\n"
                "  api:\n"
                "    rule: \"Host(`a`) || Hots(`b`)\"\n"
                "    weight: 3\n",
                "c.yaml:1:1: error: unknown option 'adress'\n"
                " 1 | adress: :80\n"
                "   | ^~~~~~ did you mean 'address'?\n"
                "c.yaml:2:10: error: must be from 1 to 64, got 99\n"
                " 2 | workers: 99\n"
                "   |          ^~\n"
                "c.yaml:4:12: error: expected a duration such as '30s', got 'abc'\n"
                " 4 |   timeout: abc\n"
                "   |            ^~~\n"
                "c.yaml:7:25: error: 'Host(`a`) || Hots(`b`)' names no matcher\n"
                " 7 |     rule: \"Host(`a`) || Hots(`b`)\"\n"
                "   |                         ^~~~\n"
                "   = in router 'api' (c.yaml:6:3)\n"
                "c.yaml:8:5: error: unknown option 'weight'\n"
                " 8 |     weight: 3\n"
                "   |     ^~~~~~ it belongs in 'routers.NAME.servers[0]'\n"
                "   = in router 'api' (c.yaml:6:3)\n");
}
