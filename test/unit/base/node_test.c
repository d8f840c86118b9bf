#include "test.h"

#include "base/node.h"

static struct arena arena;

static struct node *start(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
    return node_new(&arena, NODE_MAP, SPAN_NONE);
}

static void set(struct node *root, const char *path, const char *text)
{
    struct node *node = node_make_path(&arena, root, str_from(path), SPAN_NONE);
    assert_non_null(node);
    assert_true(node_set_text(node, str_from(text), SPAN_NONE));
}

TEST(node_make_path_makes_maps_and_lists_on_the_way)
{
    struct node *root = start();
    set(root, "a.b.c", "1");
    set(root, "A.B.d", "2");
    set(root, "l[2].x", "3");
    set(root, "m[0][1]", "4");
    assert_int_equal(root->count, 3);
    struct node *b = node_get(node_get(root, S("a")), S("b"));
    assert_int_equal(b->count, 2);
    struct node *list = node_get(root, S("l"));
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->count, 3);
    assert_int_equal(node_at(list, 0)->kind, NODE_NULL);
    assert_str_equal(node_get(node_at(list, 2), S("x"))->text, S("3"));
    assert_str_equal(node_at(node_at(node_get(root, S("m")), 0), 1)->text, S("4"));
    assert_null(node_at(list, 3));
    arena_release(&arena);
}

TEST(node_make_path_refuses_what_is_no_path_and_leaves_no_trace)
{
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[x]", "a[-1]",
                                      "a[0]x", "a[256]", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
                                      "b.a[99999999999999999999]", "b.a[0][0].c[0].d[0][0]"};
    struct node *root = start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(node_make_path(&arena, root, str_from(bad[i]), SPAN_NONE));
    assert_int_equal(root->count, 0);
    set(root, "s", "text");
    assert_null(node_make_path(&arena, root, S("s.below"), SPAN_NONE));
    assert_null(node_make_path(&arena, root, S("s[0]"), SPAN_NONE));
    arena_release(&arena);
}

TEST(node_switches_and_their_members_go_together_in_any_order)
{
    struct node *root = start();
    set(root, "api", "true");
    set(root, "api.insecure", "true");
    set(root, "api", "true");
    assert_int_equal(node_get(root, S("api"))->kind, NODE_MAP);
    assert_int_equal(node_get(root, S("api"))->count, 1);
    assert_false(node_set_text(node_get(root, S("api")), S("x"), SPAN_NONE));
    arena_release(&arena);
}

TEST(node_merge_replaces_values_and_joins_maps)
{
    struct node *under = start(), *over = node_new(&arena, NODE_MAP, SPAN_NONE);
    set(under, "a.x", "1");
    set(under, "a.y", "2");
    set(under, "list[0]", "1");
    set(under, "list[1]", "2");
    set(under, "on.z", "1");
    set(over, "A.Y", "3");
    set(over, "list[0]", "9");
    set(over, "new.w", "4");
    set(over, "on", "true");
    node_merge(under, over);
    struct node *a = node_get(under, S("a"));
    assert_str_equal(node_get(a, S("x"))->text, S("1"));
    assert_str_equal(node_get(a, S("y"))->text, S("3"));
    assert_str_equal(node_get(a, S("y"))->key, S("y"));
    assert_int_equal(node_get(under, S("list"))->count, 1);
    assert_str_equal(node_get(node_get(under, S("new")), S("w"))->text, S("4"));
    assert_ptr_equal(node_get(under, S("new"))->parent, under);
    assert_int_equal(node_get(under, S("on"))->kind, NODE_MAP);
    assert_int_equal(under->count, 4);
    arena_release(&arena);
}

TEST(node_merge_makes_an_empty_file_a_map)
{
    struct node *over = start(), *under = node_new(&arena, NODE_NULL, SPAN_NONE);
    set(over, "a", "1");
    node_merge(under, over);
    assert_str_equal(node_get(under, S("a"))->text, S("1"));
    arena_release(&arena);
}

TEST(node_span_is_that_of_the_value_the_key_or_the_parent)
{
    struct node *root = start();
    struct span span = {.line = 3, .column = 5, .length = 1};
    root->key_span = span;
    set(root, "a", "x");
    struct node *child = node_get(root, S("a"));
    assert_int_equal(node_span(child).line, 3);
    child->key_span.line = 4;
    assert_int_equal(node_span(child).line, 4);
    child->span.line = 5;
    assert_int_equal(node_span(child).line, 5);
    assert_int_equal(node_span(NULL).line, 0);
    arena_release(&arena);
}

TEST(node_at_takes_a_lone_value_for_a_list_of_one)
{
    start();
    struct node *scalar = node_scalar(&arena, S("x"), SPAN_NONE);
    assert_ptr_equal(node_at(scalar, 0), scalar);
    assert_null(node_at(scalar, 1));
    assert_null(node_at(NULL, 0));
    assert_null(node_get(scalar, S("x")));
    arena_release(&arena);
}

TEST(node_copy_is_deep_and_stops_at_its_budget)
{
    struct node *root = start();
    set(root, "a.b", "1");
    set(root, "c", "2");
    size_t budget = 4;
    struct node *copy = node_copy(&arena, root, &budget);
    assert_int_equal(budget, 0);
    node_get(node_get(root, S("a")), S("b"))->text = S("changed");
    assert_str_equal(node_get(node_get(copy, S("a")), S("b"))->text, S("1"));
    budget = 3;
    assert_null(node_copy(&arena, root, &budget));
    arena_release(&arena);
}

TEST(a_switch_that_becomes_a_map_has_no_text_among_its_members)
{
    arena_init(&arena, ARENA_UNLIMITED);
    struct node *node = node_scalar(&arena, S("true"), SPAN_NONE);
    NODE_FOREACH(node, it)
        fail_msg("a text has no members");
    assert_non_null(node_make_member(&arena, node, S("key"), SPAN_NONE));
    assert_int_equal(node->kind, NODE_MAP);
    assert_int_equal(node->count, 1);
    assert_ptr_equal(node_first(node), node_get(node, S("key")));
    assert_null(node_first(node)->next);
    arena_release(&arena);
}
