#include "test.h"

#include "base/time.h"
#include "config/bind.h"
#include "fixture.h"
#include "model/model.h"
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

TEST(bind_says_what_was_expected_and_what_came)
{
    assert_said("watch: yes\n",
                "c.yaml:1:8: error: expected true or false, got 'yes'\n"
                " 1 | watch: yes\n"
                "   |        ^~~ did you mean 'true'?\n");
    assert_said("level: hihg\n",
                "c.yaml:1:8: error: expected one of low, high, got 'hihg'\n"
                " 1 | level: hihg\n"
                "   |        ^~~~ did you mean 'high'?\n");
    assert_said("workers: 1.5\n",
                "c.yaml:1:10: error: expected a whole number, got '1.5'\n"
                " 1 | workers: 1.5\n"
                "   |          ^~~\n");
    assert_said("limits: {ratio: nan}\n",
                "c.yaml:1:17: error: expected a number, got 'nan'\n"
                " 1 | limits: {ratio: nan}\n"
                "   |                 ^~~\n");
    assert_said("limits: {body: 12 parsecs}\n",
                "c.yaml:1:16: error: expected a size such as '1MiB', got '12 parsecs'\n"
                " 1 | limits: {body: 12 parsecs}\n"
                "   |                ^~~~~~~~~~\n");
    assert_said("address: [a]\n",
                "c.yaml:1:1: error: expected a string, got a list\n"
                " 1 | address: [a]\n"
                "   | ^~~~~~~\n");
    assert_said("headers: abc\n",
                "c.yaml:1:10: error: expected an object, got 'abc'\n"
                " 1 | headers: abc\n"
                "   |          ^~~\n");
    assert_said("routers: [a]\n",
                "c.yaml:1:1: error: expected a map of objects by name, got a list\n"
                " 1 | routers: [a]\n"
                "   | ^~~~~~~\n");
    assert_said("hosts: [a, [b]]\n",
                "c.yaml:1:12: error: expected a string, got a list\n"
                " 1 | hosts: [a, [b]]\n"
                "   |            ^~~~\n");
}

TEST(bind_says_the_bounds_as_a_user_writes_them)
{
    assert_said("limits: {timeout: 2h, body: 12}\n",
                "c.yaml:1:19: error: must be from 0s to 1h, got 2h\n"
                " 1 | limits: {timeout: 2h, body: 12}\n"
                "   |                   ^~\n"
                "c.yaml:1:29: error: must be from 1KiB to 1024MiB, got 12\n"
                " 1 | limits: {timeout: 2h, body: 12}\n"
                "   |                             ^~\n");
}

TEST(bind_reports_what_is_missing_empty_or_given_twice)
{
    assert_said("routers:\n"
                "  api: {}\n",
                "c.yaml:2:3: error: 'rule' is missing\n"
                " 2 |   api: {}\n"
                "   |   ^~~ Which requests it takes.\n"
                "   = in router 'api' (c.yaml:2:3)\n");
    assert_said("middlewares:\n"
                "  s: {stripPrefix: {prefixes: []}}\n",
                "c.yaml:2:21: error: 'prefixes' must not be empty\n"
                " 2 |   s: {stripPrefix: {prefixes: []}}\n"
                "   |                     ^~~~~~~~\n"
                "   = in middleware 's' (c.yaml:2:3)\n");
    assert_said("address: a\n"
                "listen: b\n",
                "c.yaml:2:1: error: 'listen' is given twice\n"
                " 2 | listen: b\n"
                "   | ^~~~~~\n"
                "   = first given (c.yaml:1:1)\n");
}

TEST(bind_does_not_miss_what_is_only_misspelt)
{
    assert_said("routers:\n"
                "  api: {ruel: Host(`a`)}\n",
                "c.yaml:2:9: error: unknown option 'ruel'\n"
                " 2 |   api: {ruel: Host(`a`)}\n"
                "   |         ^~~~ did you mean 'rule'?\n"
                "   = in router 'api' (c.yaml:2:3)\n");
}

TEST(bind_wants_exactly_one_alternative_of_a_choice)
{
    assert_said("middlewares:\n"
                "  a: {stripPrefix: {prefixes: /a}, headers: {}}\n"
                "  b:\n"
                "  c: {stripPerfix: {prefixes: /a}}\n",
                "c.yaml:2:36: error: 'headers' beside 'stripPrefix': only one can be given here\n"
                " 2 |   a: {stripPrefix: {prefixes: /a}, headers: {}}\n"
                "   |                                    ^~~~~~~ give it a name of its own\n"
                "   = in middleware 'a' (c.yaml:2:3)\n"
                "c.yaml:3:3: error: nothing says what this is\n"
                " 3 |   b:\n"
                "   |   ^ one of: stripPrefix, headers\n"
                "   = in middleware 'b' (c.yaml:3:3)\n"
                "c.yaml:4:7: error: unknown option 'stripPerfix'\n"
                " 4 |   c: {stripPerfix: {prefixes: /a}}\n"
                "   |       ^~~~~~~~~~~ did you mean 'stripPrefix'?\n"
                "   = in middleware 'c' (c.yaml:4:3)\n");
}

TEST(bind_refuses_what_older_versions_had_and_notes_what_has_no_effect)
{
    assert_said("pilot: {token: x}\n"
                "checkNewVersion: true\n",
                "c.yaml:1:1: error: 'pilot' is no longer read: the service has ended\n"
                " 1 | pilot: {token: x}\n"
                "   | ^~~~~\n"
                "c.yaml:2:1: note: 'checkNewVersion' has no effect here: nothing is ever sent\n"
                " 2 | checkNewVersion: true\n"
                "   | ^~~~~~~~~~~~~~~\n");
}

TEST(bind_refuses_a_name_with_an_at_sign)
{
    assert_said("middlewares: {'auth@file': {headers: true}}\n",
                "c.yaml:1:20: error: a name must not contain '@'; that is for references to other providers\n"
                " 1 | middlewares: {'auth@file': {headers: true}}\n"
                "   |                    ^~~~~\n"
                "   = in middleware 'auth@file' (c.yaml:1:15)\n");
}

TEST(bind_runs_the_validation_of_a_table_that_is_otherwise_right)
{
    assert_said("limits: {timeout: 7s}\n",
                "c.yaml:1:1: error: seven seconds bring bad luck\n"
                " 1 | limits: {timeout: 7s}\n"
                "   | ^~~~~~\n");
    assert_said("limits: {timeout: 7s, ratio: x}\n",
                "c.yaml:1:30: error: expected a number, got 'x'\n"
                " 1 | limits: {timeout: 7s, ratio: x}\n"
                "   |                              ^\n");
}

TEST(bind_says_where_a_key_of_another_place_belongs)
{
    assert_said("servers: []\n",
                "c.yaml:1:1: error: unknown option 'servers'\n"
                " 1 | servers: []\n"
                "   | ^~~~~~~ it belongs in 'routers.NAME'\n");
    assert_said("limits: {level: low}\n",
                "c.yaml:1:10: error: unknown option 'level'\n"
                " 1 | limits: {level: low}\n"
                "   |          ^~~~~ it belongs at the top level\n");
    fixture_init(&f);
    struct bind_options options = {.elsewhere = &sample_table, .elsewhere_name = "the main file"};
    const struct option_table *limits = sample_table.options[6].table;
    bind_new(limits, fixture_yaml(&f, "routers: {}\n"), &options, &f.arena, &f.diag);
    assert_string_equal(fixture_rendered(&f), "c.yaml:1:1: error: unknown option 'routers'\n"
                                              " 1 | routers: {}\n"
                                              "   | ^~~~~~~ it belongs in the main file\n");
    fixture_release(&f);
}

TEST(bind_marks_the_object_that_is_broken_and_no_other)
{
    struct sample *s = bind("routers: {a: {rule: x}, b: {}, c: {rule: y}}\n");
    assert_int_equal(s->routers.count, 3);
    assert_false(s->routers.items[0].broken);
    assert_true(s->routers.items[1].broken);
    assert_false(s->routers.items[2].broken);
    fixture_release(&f);
}

TEST(bind_keeps_a_secret_out_of_its_message)
{
    bind("password: [hunter2]\n");
    assert_null(strstr(f.diag.items[0].message.data, "hunter2"));
    fixture_release(&f);
}

TEST(bind_reads_ten_thousand_routers)
{
    struct text text;
    text_init(&text, 4 << 20);
    text_add(&text, S("routers:\n"));
    for (int i = 0; i < 10000; i++)
        text_addf(&text, "  r%d:\n    rule: Host(`h%d.org`)\n    priority: %d\n", i, i, i);
    struct sample *s = bind(text_c(&text));
    assert_int_equal(f.diag.errors, 0);
    assert_int_equal(s->routers.count, 10000);
    struct sample_router *last = s->routers.items[9999].value;
    assert_int_equal(last->priority, 9999);
    text_release(&text);
    fixture_release(&f);
}

TEST(bind_takes_every_default_of_the_model)
{
    fixture_init(&f);
    bind_new(&config_table, NULL, NULL, &f.arena, &f.diag);
    assert_string_equal(fixture_rendered(&f), "");
    fixture_release(&f);
}
