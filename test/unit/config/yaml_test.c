#include "test.h"

#include "config/yaml.h"
#include "fixture.h"

static struct fixture f;

static struct node *read(const char *text)
{
    fixture_init(&f);
    return fixture_yaml(&f, text);
}

#define assert_said(yaml, expected) \
    do { \
        read(yaml); \
        assert_string_equal(fixture_rendered(&f), expected); \
        fixture_release(&f); \
    } while (0)

static void assert_text(const struct node *root, const char *path, const char *expected)
{
    struct str rest = str_from(path), part;
    const struct node *node = root;
    while (str_split(&rest, '.', &part))
        node = node_get(node, part);
    assert_non_null(node);
    assert_int_equal(node->kind, NODE_SCALAR);
    assert_str_equal(node->text, str_from(expected));
}

TEST(yaml_reads_maps_lists_and_every_style_of_text)
{
    struct node *root = read("plain: a b # comment\n"
                             "single: 'it''s'\n"
                             "double: \"a\\tb\"\n"
                             "folded: >-\n"
                             "  one\n"
                             "  two\n"
                             "literal: |\n"
                             "  x\n"
                             "list: [1, 'true', null]\n"
                             "empty:\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_text(root, "plain", "a b");
    assert_text(root, "single", "it's");
    assert_text(root, "double", "a\tb");
    assert_text(root, "folded", "one two");
    assert_text(root, "literal", "x\n");
    struct node *list = node_get(root, S("list"));
    assert_int_equal(list->count, 3);
    assert_false(node_at(list, 0)->quoted);
    assert_true(node_at(list, 1)->quoted);
    assert_int_equal(node_at(list, 2)->kind, NODE_NULL);
    assert_int_equal(node_get(root, S("EMPTY"))->kind, NODE_NULL);
    fixture_release(&f);
}

TEST(yaml_reads_json)
{
    struct node *root = read("{\"a\":{\"b\":[1,true,\"x\\/y\"]},\n\t\"c\":\"\\u00e9\"}");
    assert_string_equal(fixture_rendered(&f), "");
    assert_str_equal(node_at(node_get(node_get(root, S("a")), S("b")), 2)->text, S("x/y"));
    assert_text(root, "c", "\xc3\xa9");
    fixture_release(&f);
}

TEST(yaml_knows_the_place_of_keys_and_values_in_bytes)
{
    struct node *root = read("\xc3\xa4: \xc3\xb6\xc3\xbc\r\nb:\n  cc: \"dd\" # x\n");
    const struct node *first = root->first, *inner = node_get(root, S("b"));
    assert_int_equal(first->key_span.column, 1);
    assert_int_equal(first->key_span.length, 2);
    assert_int_equal(first->span.column, 5);
    assert_int_equal(first->span.length, 4);
    assert_int_equal(inner->span.line, 3);
    assert_int_equal(inner->span.column, 3);
    assert_int_equal(inner->span.length, 8);
    assert_int_equal(inner->first->span.column, 7);
    assert_int_equal(inner->first->span.length, 4);
    assert_true(inner->first->span.quoted);
    fixture_release(&f);
}

/* Each place in a file of one long line used to be sought as far as its end. */
TEST(yaml_reads_no_more_of_a_line_for_a_place_than_can_be_shown)
{
    struct text text;
    text_init(&text, 65536);
    text_add(&text, S("{a: {b: "));
    for (int i = 0; i < 20000; i++)
        text_add_char(&text, 'x');
    text_add(&text, S("}}"));
    struct node *a = read(text_c(&text))->first;
    assert_true(a->span.length <= 1000);
    assert_true(a->first->span.length <= 1000);
    assert_int_equal(a->first->text.len, 20000);
    text_release(&text);
    fixture_release(&f);
}

TEST(yaml_of_nothing_is_null)
{
    assert_int_equal(read("")->kind, NODE_NULL);
    fixture_release(&f);
    assert_int_equal(read("# only a comment\n")->kind, NODE_NULL);
    assert_int_equal(f.diag.errors, 0);
    fixture_release(&f);
}

TEST(yaml_refuses_a_key_given_twice_and_shows_both_places)
{
    assert_said("web: 1\n"
                "api: 2\n"
                "web: 3\n",
                "c.yaml:3:1: error: duplicate key 'web'\n"
                " 3 | web: 3\n"
                "   | ^~~\n"
                "   = first given (c.yaml:1:1)\n");
}

TEST(yaml_finds_a_duplicate_among_many_keys)
{
    struct text text;
    text_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++)
        text_addf(&text, "k%d: v\n", i);
    text_add(&text, S("k3: v\nk999: v\n"));
    struct node *root = read(text_c(&text));
    assert_int_equal(f.diag.errors, 2);
    assert_int_equal(f.diag.items[0].span.line, 1001);
    assert_int_equal(f.diag.items[1].context_span.line, 1000);
    assert_int_equal(root->count, 1000);
    text_release(&text);
    fixture_release(&f);
}

TEST(yaml_expands_aliases_and_merges)
{
    struct node *root = read("base: &base {a: 1, b: 2}\n"
                             "other: &other {b: 3, c: 4}\n"
                             "copy: *base\n"
                             "merged:\n"
                             "  b: own\n"
                             "  <<: [*base, *other]\n"
                             "text: &t hello\n"
                             "again: *t\n");
    assert_string_equal(fixture_rendered(&f), "");
    assert_text(root, "copy.b", "2");
    assert_text(root, "merged.a", "1");
    assert_text(root, "merged.b", "own");
    assert_text(root, "merged.c", "4");
    assert_null(node_get(node_get(root, S("merged")), S("<<")));
    assert_text(root, "again", "hello");
    assert_int_equal(node_get(root, S("base"))->count, 2);
    fixture_release(&f);
}

TEST(yaml_keeps_an_anchored_map_whole_when_it_is_merged_where_it_stands)
{
    struct node *root = read("b: {<<: &inner {x: 1}, y: 2}\nc: *inner\n");
    assert_text(root, "b.x", "1");
    assert_text(root, "c.x", "1");
    assert_int_equal(node_get(root, S("c"))->count, 1);
    fixture_release(&f);
}

TEST(yaml_refuses_a_billion_laughs)
{
    struct text text;
    text_init(&text, 1 << 16);
    text_add(&text, S("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"));
    for (int i = 1; i < 12; i++) {
        text_addf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            text_addf(&text, "*a%d%s", i - 1, j < 9 ? ", " : "]\n");
    }
    assert_null(read(text_c(&text)));
    assert_int_equal(f.diag.errors, 1);
    assert_str_equal(f.diag.items[0].message, S("aliases copy more than 100000 values"));
    text_release(&text);
    fixture_release(&f);
}

TEST(yaml_refuses_an_anchor_that_holds_itself_or_is_not_there)
{
    assert_said("a: &x [*x]\n", "c.yaml:1:8: error: the anchor '&x' holds itself\n"
                                " 1 | a: &x [*x]\n"
                                "   |        ^~\n");
    assert_said("a: *nobody\n", "c.yaml:1:4: error: there is no anchor '&nobody' before this\n"
                                " 1 | a: *nobody\n"
                                "   |    ^~~~~~~\n");
}

TEST(yaml_refuses_deep_nesting_at_once)
{
    char text[20001];
    memset(text, '[', 20000);
    text[20000] = '\0';
    assert_null(read(text));
    assert_str_equal(f.diag.items[0].message, S("nested deeper than 64 levels"));
    assert_int_equal(f.diag.items[0].span.column, 65);
    fixture_release(&f);
}

TEST(yaml_refuses_a_second_document_odd_tags_and_keys_that_are_no_texts)
{
    assert_said("a: 1\n---\nb: 2\n", "c.yaml:2:1: error: a second document begins here\n"
                                     " 2 | ---\n"
                                     "   | ^~~ only one is read: join them or use several files\n");
    assert_said("a: !include x\n", "c.yaml:1:4: error: tags such as '!include' are not read\n"
                                   " 1 | a: !include x\n"
                                   "   |    ^~~~~~~~~~\n");
    assert_said("{[a]: b}\n", "c.yaml:1:2: error: a key must be a text\n"
                              " 1 | {[a]: b}\n"
                              "   |  ^~~~~~~\n");
}

TEST(yaml_says_what_people_most_often_did_at_a_syntax_error)
{
    assert_said("a:\n\tb: 1\n", "c.yaml:2:1: error: found character that cannot start any token\n"
                                " 2 |     b: 1\n"
                                "   | ^~~~ YAML is indented by spaces, not tabs\n");
    assert_said("rule: a: b\n",
                "c.yaml:1:8: error: mapping values are not allowed in this context\n"
                " 1 | rule: a: b\n"
                "   |        ^ a text with ': ' in it needs quotes; or is the indentation off?\n");
    assert_said("rule: `x`\n",
                "c.yaml:1:7: error: found character that cannot start any token\n"
                " 1 | rule: `x`\n"
                "   |       ^ a text that begins with this character needs quotes\n");
}

TEST(yaml_says_where_text_is_not_utf8)
{
    read("a: b\nc: \xff\n");
    assert_int_equal(f.diag.errors, 1);
    assert_int_equal(f.diag.items[0].span.line, 2);
    assert_int_equal(f.diag.items[0].span.column, 4);
    fixture_release(&f);
}
