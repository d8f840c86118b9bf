#include "test.h"

#include "config/yaml.h"
#include "config/yaml_write.h"
#include "fixture.h"

static struct fixture f;

static struct str written(const struct node *root)
{
    struct text out;
    text_init(&out, 1 << 20);
    yaml_write(root, NULL, NULL, &out);
    struct str kept = arena_str(&f.arena, text_str(&out));
    text_release(&out);
    return kept;
}

static void assert_same(const struct node *a, const struct node *b)
{
    assert_int_equal(a->kind, b->kind);
    if (a->kind == NODE_SCALAR)
        assert_str_equal(b->text, a->text);
    assert_str_equal(b->key, a->key);
    assert_int_equal(a->count, b->count);
    for (const struct node *x = node_first(a), *y = node_first(b); x != NULL; x = x->next, y = y->next)
        assert_same(x, y);
}

TEST(yaml_is_written_in_blocks_with_quotes_where_they_are_needed)
{
    fixture_init(&f);
    static const char text[] = "a: 1\n"
                               "'b c': {x: [1, 'two: 3', {k: v, l: [m, [n, o]]}, {}, []], y: }\n"
                               "d: ''\n"
                               "e: \"a\\nb\"\n"
                               "f: 'it''s # here'\n";
    assert_str_equal(written(fixture_yaml(&f, text)), S("a: 1\n"
                                                        "b c:\n"
                                                        "  x:\n"
                                                        "    - 1\n"
                                                        "    - 'two: 3'\n"
                                                        "    - k: v\n"
                                                        "      l:\n"
                                                        "        - m\n"
                                                        "        -\n"
                                                        "          - n\n"
                                                        "          - o\n"
                                                        "    - {}\n"
                                                        "    - []\n"
                                                        "  y:\n"
                                                        "d: ''\n"
                                                        "e: \"a\\nb\"\n"
                                                        "f: 'it''s # here'\n"));
    fixture_release(&f);
}

TEST(yaml_that_was_written_is_read_as_it_was)
{
    static const struct str texts[] = {
        STR("plain"), STR(""), STR(" "), STR(" a"), STR("a "), STR("~"), STR("null"), STR("NULL"), STR("<<"), STR("-"), STR("- a"), STR("-a"),
        STR("?"), STR("? a"), STR("?a"), STR(":"), STR(": a"), STR(":80"), STR("a:"), STR("a: b"), STR("a:b"), STR("a #b"), STR("a#b"), STR("#a"),
        STR("*"), STR("&a"), STR("!a"), STR("|"), STR(">"), STR("'"), STR("\""), STR("'a'"), STR("it's"), STR("%a"), STR("@a"), STR("`a"),
        STR("[a"), STR("a]"), STR("{a"), STR("a}"), STR(",a"), STR("a, b"), STR("---"), STR("--- a"), STR("..."), STR("----"), STR("true"),
        STR("yes"), STR("1"), STR("0x1f"), STR("1.50"), STR("a\nb"), STR("\n"), STR("\t"), STR("a\tb"), STR("a\rb"), STR("\\"), STR("a\\b"),
        STR("\"a\"\n"), STR("\x01\x1f\x7f"), STR("\xc3\xa4"), STR("\xc2\x85"), STR("a\xc2\x9f"), STR("\xe2\x80\xa8"), STR("\xef\xbb\xbf" "a"),
        STR("\xf0\x9f\x98\x80"), STR("\xe2\x82\xac\n"), STR("${uri}"), STR("a \\.(gif|jpg)$"), STR("a  b"), STR("= a"), STR("a\\"), STR("{{ env }}"),
        STR("example.com ~/a#b: c"), STR("\xed\x95\x9c\n"), STR("\xef\xbf\xbd\n"),
    };
    fixture_init(&f);
    struct node *map = node_new(&f.arena, NODE_MAP, SPAN_NONE);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct node *as_value = node_scalar(&f.arena, texts[i], SPAN_NONE);
        as_value->key = arena_printf(&f.arena, "key%zu", i);
        node_append(map, as_value);
        struct node *as_key = node_new(&f.arena, NODE_LIST, SPAN_NONE);
        as_key->key = texts[i];
        node_append(as_key, node_scalar(&f.arena, texts[i], SPAN_NONE));
        node_append(map, as_key);
    }
    struct str text = written(map);
    struct node *again = yaml_read(&f.arena, diag_source(&f.arena, S("again"), text), &f.diag);
    assert_string_equal(fixture_rendered(&f), "");
    assert_same(map, again);
    fixture_release(&f);
}

TEST(yaml_written_of_long_keys_is_read)
{
    fixture_init(&f);
    struct node *map = node_new(&f.arena, NODE_MAP, SPAN_NONE);
    struct node *value = node_scalar(&f.arena, S("x"), SPAN_NONE);
    char key[5000];
    memset(key, 'k', sizeof(key));
    value->key = str_of(key, sizeof(key));
    node_append(map, value);
    assert_same(map, yaml_read(&f.arena, diag_source(&f.arena, S("again"), written(map)), &f.diag));
    fixture_release(&f);
}

static struct str comment(void *context, const struct node *node)
{
    return str_equal(node->key, S("b")) || str_equal(node->text, S("two")) ? S(" one\n two") : STR_NONE;
}

TEST(yaml_comments_stand_above_their_nodes)
{
    fixture_init(&f);
    struct text out;
    text_init(&out, 1 << 16);
    yaml_write(fixture_yaml(&f, "a:\n  b: [one, two]\n"), comment, NULL, &out);
    assert_str_equal(text_str(&out), S("a:\n  # one\n  # two\n  b:\n    - one\n    # one\n    # two\n    - two\n"));
    text_release(&out);
    fixture_release(&f);
}
