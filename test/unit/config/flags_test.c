#include "test.h"

#include "base/time.h"
#include "config/bind.h"
#include "config/flags.h"
#include "fixture.h"
#include "sample.h"

static struct fixture f;
static struct flags flags;

static const struct flag own[] = {
    {.name = "config", .alias = "configFile", .letter = 'c', .argument = "FILE"},
    {.name = "header", .letter = 'H', .argument = "FIELD"},
    {.name = "json"},
    {.name = NULL},
};

static struct sample *read(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    fixture_init(&f);
    flags_read(words, count, own, &sample_table, &f.arena, &f.diag, &flags);
    return bind_new(&sample_table, flags.options, NULL, &f.arena, &f.diag);
}
#define READ(...) read((const char *const[]){__VA_ARGS__, NULL})

#define assert_said(expected, ...) \
    do { \
        READ(__VA_ARGS__); \
        assert_string_equal(fixture_rendered(&f), expected); \
        fixture_release(&f); \
    } while (0)

TEST(flags_set_options_in_any_case_with_and_without_an_equals_sign)
{
    struct sample *s = READ("--Address=:8080", "--level", "low", "--watch", "--LIMITS.timeout=5s",
                            "--limits.ratio", "-1", "--headers", "--headers.add.X-A=1",
                            "--routers.Api.rule=Host(`a`)", "--routers.api.servers[1].url=u1",
                            "--routers.api.servers[0].url=u0", "--middlewares.m.header");
    assert_string_equal(fixture_rendered(&f), "");
    assert_str_equal(s->address, S(":8080"));
    assert_int_equal(s->level, SAMPLE_LOW);
    assert_int_equal(s->limits.timeout, 5 * TIME_S);
    assert_true(s->limits.ratio < 0);
    assert_str_equal(s->headers->add.items[0].name, S("X-A"));
    assert_int_equal(s->routers.count, 1);
    assert_str_equal(s->routers.items[0].name, S("Api"));
    struct sample_router *router = s->routers.items[0].value;
    assert_int_equal(router->servers.count, 2);
    struct sample_server *server = router->servers.items[0].value;
    assert_str_equal(server->url, S("u0"));
    assert_int_equal(s->middlewares.count, 1);
    fixture_release(&f);
}

TEST(flags_again_replace_a_value_and_lengthen_a_list)
{
    struct sample *s = READ("--workers=3", "--hosts=a,b", "--workers=4", "--hosts=c", "--headers.strict=false",
                            "--headers");
    assert_int_equal(s->workers, 4);
    assert_int_equal(s->hosts.count, 3);
    assert_str_equal(s->hosts.items[2], S("c"));
    assert_false(s->headers->strict);
    fixture_release(&f);
}

TEST(flags_of_the_command_itself_are_listed_beside_operands)
{
    READ("-c", "a.yaml", "--configfile=b.yaml", "-HX: 1", "-H=Y: 2", "--json", "one", "--", "--two");
    assert_string_equal(fixture_rendered(&f), "");
    assert_int_equal(flags.given_count, 5);
    assert_str_equal(flags_find(&flags, "config")->value, S("b.yaml"));
    assert_str_equal(flags.given[0].value, S("a.yaml"));
    assert_str_equal(flags.given[2].value, S("X: 1"));
    assert_str_equal(flags.given[3].value, S("Y: 2"));
    assert_non_null(flags_find(&flags, "json"));
    assert_null(flags_find(&flags, "header2"));
    assert_int_equal(flags.operand_count, 2);
    assert_str_equal(flags.operands[1], S("--two"));
    fixture_release(&f);
}

TEST(flags_that_are_wrong_are_shown_with_a_caret_and_a_suggestion)
{
    assert_said("--conifg: error: unknown flag '--conifg'\n"
                "  | --conifg=x\n"
                "  |   ^~~~~~ did you mean '--config'?\n",
                "--conifg=x");
    assert_said("--limits.timeot: error: unknown option 'timeot'\n"
                "  | --limits.timeot 5s\n"
                "  |          ^~~~~~ did you mean '--limits.timeout'?\n",
                "--limits.timeot", "5s");
    assert_said("--limits.timeout: error: expected a duration such as '30s', got 'soon'\n"
                "  | --limits.timeout soon\n"
                "  |                  ^~~~\n",
                "--limits.timeout", "soon");
    assert_said("--routers.r.rule: error: 'Hots(`a`)' names no matcher\n"
                "  | --routers.r.rule=Hots(`a`)\n"
                "  |                  ^~~~\n"
                "  = in router 'r'\n",
                "--routers.r.rule=Hots(`a`)");
    assert_said("--config: error: '--config' needs FILE\n"
                "  | --config\n"
                "  |   ^~~~~~\n",
                "--config");
    assert_said("--address: error: '--address' needs a value\n"
                "  | --address\n"
                "  |   ^~~~~~~\n",
                "--address", "--json");
    assert_said("--json: error: '--json' takes no value\n"
                "  | --json=1\n"
                "  |        ^\n",
                "--json=1");
    assert_said("-a: error: unknown flag '-address'\n"
                "  | -address\n"
                "  |  ^ long flags begin with two dashes\n",
                "-address");
    assert_said("--address[0]: error: what stands before '[' is no list\n"
                "  | --address[0]=x\n"
                "  |          ^~~\n",
                "--address[0]=x");
}

TEST(flags_of_a_command_without_options_know_only_its_own)
{
    const char *words[] = {"--json", "--watch"};
    fixture_init(&f);
    assert_false(flags_read(words, 2, own, NULL, &f.arena, &f.diag, &flags));
    assert_str_equal(f.diag.items[0].message, S("unknown flag '--watch'"));
    fixture_release(&f);
}
