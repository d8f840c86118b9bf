#include "config/view.h"

#include "test.h"

#include "config/bind.h"
#include "fixture.h"
#include "model/model.h"
#include "sample.h"

static struct fixture f;
static struct text out;

static const char *view(const char *yaml, enum view_wish wish)
{
    fixture_init(&f);
    const struct sample *s = bind_new(&sample_table, fixture_yaml(&f, yaml), NULL, &f.arena, &f.diag);
    assert_string_equal(fixture_rendered(&f), "");
    text_init(&out, 1 << 20);
    struct json json = {.out = &out};
    view_object(&sample_table, s, wish, &json);
    return text_c(&out);
}

#define assert_view(yaml, wish, expected) \
    do { \
        assert_string_equal(view(yaml, wish), expected); \
        text_release(&out); \
        fixture_release(&f); \
    } while (0)

#define ROUTERS "routers: {r: {rule: a, servers: [{url: 'http://a'}, {url: 'http://b', weight: 5}], headers: true}}\n"

TEST(view_of_what_was_said_leaves_defaults_out)
{
    assert_view(ROUTERS, VIEW_SAID,
                "{\"routers\":{\"r\":{\"rule\":\"a\",\"servers\":[{\"url\":\"http://a\"},{\"url\":\"http://b\",\"weight\":5}],"
                "\"headers\":{}}}}");
    assert_view("address: ':80'\nlevel: high\nhosts: [a, b]\nlimits: {timeout: 30, body: 1024k, ratio: 0.50}\n" ROUTERS, VIEW_SAID,
                "{\"routers\":{\"r\":{\"rule\":\"a\",\"servers\":[{\"url\":\"http://a\"},{\"url\":\"http://b\",\"weight\":5}],"
                "\"headers\":{}}}}");
    assert_view("hosts: [a]\nlimits: {timeout: 90}\nlevel: low\nwatch: false\n" ROUTERS, VIEW_SAID,
                "{\"watch\":false,\"level\":\"low\",\"hosts\":[\"a\"],\"limits\":{\"timeout\":\"1m30s\"},"
                "\"routers\":{\"r\":{\"rule\":\"a\",\"servers\":[{\"url\":\"http://a\"},{\"url\":\"http://b\",\"weight\":5}],"
                "\"headers\":{}}}}");
}

TEST(view_shows_that_an_object_which_is_there_by_default_was_switched_off)
{
    view("defaults: false\nrouters: {r: {rule: a}}\n", VIEW_SAID);
    assert_non_null(strstr(text_c(&out), "\"defaults\":false"));
    text_release(&out);
    fixture_release(&f);
}

TEST(view_of_what_is_filled_shows_defaults_too_and_drops_what_is_empty)
{
    view("watch: false\nrouters: {r: {rule: a, priority: 0}}\n", VIEW_FILLED);
    assert_non_null(strstr(text_c(&out), "\"address\":\":80\",\"level\":\"high\",\"workers\":2,\"hosts\":[\"a\",\"b\"]"));
    assert_non_null(strstr(text_c(&out), "\"limits\":{\"timeout\":\"30s\",\"body\":1048576,\"ratio\":0.5}"));
    assert_non_null(strstr(text_c(&out), "\"routers\":{\"r\":{\"rule\":\"a\"}}"));
    assert_null(strstr(text_c(&out), "watch"));
    text_release(&out);
    fixture_release(&f);
}

TEST(view_shows_a_choice_by_its_name_and_hides_secrets)
{
    view("password: hunter2\nmiddlewares: {m: {header: {add: {X-A: 1}}}}\nrouters: {r: {rule: a}}\n", VIEW_SAID);
    assert_non_null(strstr(text_c(&out), "\"middlewares\":{\"m\":{\"headers\":{\"add\":{\"X-A\":\"1\"}}}}"));
    assert_non_null(strstr(text_c(&out), "\"password\":\"xxxx\""));
    assert_null(strstr(text_c(&out), "hunter2"));
    text_release(&out);
    fixture_release(&f);
}

TEST(view_prints_durations_as_go_does)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "\"0s\""},
                 {1, "\"1ns\""},
                 {1500, "\"1.5\xc2\xb5s\""},
                 {100000000, "\"100ms\""},
                 {1000000000, "\"1s\""},
                 {90500000000, "\"1m30.5s\""},
                 {180000000000, "\"3m0s\""},
                 {3600000000000, "\"1h0m0s\""},
                 {7776000000000000, "\"2160h0m0s\""},
                 {-1500000000, "\"-1.5s\""},
                 {INT64_MIN, "\"-2562047h47m16.854775808s\""}};
    static const struct option options[] = {{.name = "d", .type = OPTION_DURATION}};
    static const struct option_table table = OPTION_TABLE_PLAIN(int64_t, options, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text expected;
        text_init(&out, 256);
        text_init(&expected, 256);
        text_addf(&expected, "{\"d\":%s}", cases[i].text);
        struct json json = {.out = &out};
        view_object(&table, &cases[i].ns, VIEW_DEFAULTS, &json);
        assert_string_equal(text_c(&out), text_c(&expected));
        text_release(&out);
        text_release(&expected);
    }
}

TEST(view_tells_where_each_option_was_said)
{
    fixture_init(&f);
    const struct sample *s = bind_new(&sample_table,
                                      fixture_yaml(&f, "listen: ':81'\n"
                                                       "password: x\n"
                                                       "limits:\n"
                                                       "  timeout: 90\n"
                                                       "headers: true\n"
                                                       "middlewares: {m: {header: {strict: false}}}\n"
                                                       "routers:\n"
                                                       "  r: {rule: a, servers: [{url: 'http://b'}]}\n"),
                                      NULL, &f.arena, &f.diag);
    text_init(&out, 1 << 20);
    struct json json = {.out = &out};
    view_sources(&sample_table, s, &json);
    assert_string_equal(text_c(&out), "[{\"path\":\"address\",\"value\":\":81\",\"source\":\"c.yaml:1:9\"},"
                                      "{\"path\":\"password\",\"value\":\"xxxx\",\"source\":\"c.yaml:2:11\"},"
                                      "{\"path\":\"limits.timeout\",\"value\":\"1m30s\",\"source\":\"c.yaml:4:12\"},"
                                      "{\"path\":\"headers\",\"value\":true,\"source\":\"c.yaml:5:10\"},"
                                      "{\"path\":\"routers.r.rule\",\"value\":\"a\",\"source\":\"c.yaml:8:13\"},"
                                      "{\"path\":\"routers.r.servers[0].url\",\"value\":\"http://b\",\"source\":\"c.yaml:8:32\"},"
                                      "{\"path\":\"middlewares.m.headers.strict\",\"value\":false,\"source\":\"c.yaml:6:36\"}]");
    text_release(&out);
    fixture_release(&f);
}

/* A default that the binder set but the view does not recognise would be shown as if it had been said. */
TEST(view_of_an_empty_configuration_is_empty)
{
    fixture_init(&f);
    const struct config *config = bind_new(&config_table, NULL, NULL, &f.arena, &f.diag);
    text_init(&out, 1 << 20);
    struct json json = {.out = &out};
    view_object(&config_table, config, VIEW_SAID, &json);
    assert_string_equal(text_c(&out), "{}");
    text_release(&out);
    fixture_release(&f);
}
