#include "test.h"

#include "config/help.h"
#include "sample.h"

static struct arena arena;
static struct text out;

static bool help(const char *path)
{
    arena_init(&arena, ARENA_UNLIMITED);
    text_init(&out, 1 << 20);
    return help_option(&sample_table, str_from(path), &arena, &out);
}

static void end(void)
{
    text_release(&out);
    arena_release(&arena);
}

TEST(help_on_a_value_has_type_default_bounds_and_spellings)
{
    assert_true(help("limits.TIMEOUT"));
    assert_string_equal(text_c(&out), "limits.timeout\n"
                                      "  Time for all.\n"
                                      "\n"
                                      "  type     duration\n"
                                      "  default  30s\n"
                                      "  allowed  from 0s to 1h\n"
                                      "  flag     --limits.timeout=VALUE\n"
                                      "  env      PORTICO_LIMITS_TIMEOUT\n");
    end();
}

TEST(help_on_a_map_lists_what_one_of_its_objects_holds)
{
    assert_true(help("routers"));
    assert_string_equal(text_c(&out), "routers\n"
                                      "  Routers by name.\n"
                                      "\n"
                                      "  type     map of objects\n"
                                      "  flag     --routers=VALUE\n"
                                      "  env      PORTICO_ROUTERS\n"
                                      "\n"
                                      "  rule                    Which requests it takes.\n"
                                      "  priority                Higher is tried first.\n"
                                      "  middlewares             What a request passes.\n"
                                      "  servers[0]              Servers.\n"
                                      "  headers                 Fields.\n");
    end();
}

TEST(help_finds_an_option_through_names_lists_and_choices)
{
    assert_true(help("routers.api.servers.weight"));
    assert_true(str_starts(text_str(&out), S("routers.NAME.servers[0].weight\n  Its share.\n")));
    assert_true(str_find(text_str(&out), S("PORTICO_ROUTERS_NAME_SERVERS_0_WEIGHT")) > 0);
    end();
    assert_true(help("middlewares.x.header.strict"));
    assert_true(str_starts(text_str(&out), S("middlewares.NAME.headers.strict\n")));
    end();
    assert_true(help("middlewares.x"));
    assert_true(str_find(text_str(&out), S("Exactly one of:\n  stripPrefix ")) > 0);
    end();
}

TEST(help_finds_an_option_by_its_last_word)
{
    assert_true(help("weight"));
    assert_true(str_starts(text_str(&out), S("routers.NAME.servers[0].weight\n")));
    end();
}

TEST(help_keeps_all_texts_in_one_column_however_long_a_name_is)
{
    static const struct option options[] = {
        {.name = "short", .type = OPTION_BOOL, .help = "One."},
        {.name = "aNameThatIsLongerThanMostOfThem", .type = OPTION_BOOL, .help = "Two."},
    };
    static const struct option_table table = {.options = options, .count = 2};
    arena_init(&arena, ARENA_UNLIMITED);
    text_init(&out, 1 << 20);
    assert_true(help_option(&table, STR_NONE, &arena, &out));
    assert_true(str_find(text_str(&out), S("  short                            One.\n"
                                           "  aNameThatIsLongerThanMostOfThem  Two.\n")) >= 0);
    end();
}

TEST(help_without_a_path_lists_the_top_level)
{
    assert_true(help(""));
    assert_true(str_find(text_str(&out), S("  address                 Where it listens.\n")) >= 0);
    assert_int_equal(str_find(text_str(&out), S("pilot")), -1);
    end();
}

TEST(help_on_what_is_no_option_suggests_one)
{
    assert_false(help("limits.timeot"));
    assert_string_equal(text_c(&out), "no option 'limits.timeot', did you mean 'limits.timeout'?");
    end();
    assert_false(help("qwertz.uiop"));
    assert_string_equal(text_c(&out), "no option 'qwertz.uiop'");
    end();
}

TEST(help_as_markdown_has_a_section_per_object)
{
    text_init(&out, 1 << 20);
    help_markdown(&sample_table, "Options", &out);
    struct str page = text_str(&out);
    assert_true(str_starts(page, S("# Options\n\n| option | type | default | |\n")));
    assert_true(str_find(page, S("| `address` | string | `:80` | Where it listens. Also read as `listen`. |\n")) > 0);
    assert_true(str_find(page, S("| `level` | low \\| high | `high` | How much. |\n")) > 0);
    assert_true(str_find(page, S("## routers.NAME.servers[0]\n\nA server.\n")) > 0);
    assert_true(str_find(page, S("## middlewares.NAME.stripPrefix\n\nRemoves a prefix.\n")) > 0);
    assert_true(str_find(page, S("| `prefixes` | list of strings | required | Prefixes to remove. |\n")) > 0);
    assert_true(str_find(page, S("Exactly one of these:\n\n- `stripPrefix`: Removes a prefix.\n")) > 0);
    assert_int_equal(str_find(page, S("pilot")), -1);
    text_release(&out);
}
