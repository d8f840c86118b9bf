#include "test.h"

#include <stdlib.h>

#include "base/diag.h"

static struct arena arena;
static struct diag diag;

static void start(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
}

static void end(void)
{
    diag_release(&diag);
    arena_release(&arena);
}

static struct span at(const struct source *source, uint32_t line, uint32_t column, uint32_t length)
{
    return (struct span){.source = source, .line = line, .column = column, .length = length};
}

static void assert_rendered(bool color, const char *expected)
{
    struct text out;
    text_init(&out, 1 << 20);
    diag_render(&diag, color, &out);
    assert_string_equal(text_c(&out), expected);
    text_release(&out);
}

TEST(diag_shows_the_line_a_caret_a_hint_and_the_context)
{
    start();
    const struct source *source =
        diag_source(&arena, S("portico.yaml"), S("http:\n  middlewares: [ratelimt, auth]\n"));
    diag_enter(&diag, at(source, 1, 1, 4), "in router '%s'", "api");
    struct str known[] = {STR("stripPrefix"), STR("rateLimit")};
    struct diag_item *item = diag_error(&diag, at(source, 2, 17, 8), "unknown middleware 'ratelimt'");
    diag_suggest(&diag, item, S("ratelimt"), known, 2);
    diag_leave(&diag);
    diag_warning(&diag, at(source, 1, 1, 4), "odd");
    assert_rendered(false, "portico.yaml:2:17: error: unknown middleware 'ratelimt'\n"
                           " 2 |   middlewares: [ratelimt, auth]\n"
                           "   |                 ^~~~~~~~ did you mean 'rateLimit'?\n"
                           "   = in router 'api' (portico.yaml:1:1)\n"
                           "portico.yaml:1:1: warning: odd\n"
                           " 1 | http:\n"
                           "   | ^~~~\n");
    assert_int_equal(diag.errors, 1);
    assert_int_equal(diag.warnings, 1);
    end();
}

TEST(diag_shows_a_mistake_without_a_place_and_a_file_without_a_line)
{
    start();
    diag_hint(&diag, diag_error(&diag, SPAN_NONE, "nothing works"), "try again");
    diag_note(&diag, at(diag_source(&arena, S("f.yaml"), STR_NONE), 0, 0, 0), "is large");
    assert_rendered(false, "error: nothing works\n"
                           "    = try again\n"
                           "f.yaml: note: is large\n");
    end();
}

TEST(diag_aligns_the_caret_below_tabs_and_characters_of_several_bytes)
{
    start();
    const struct source *source = diag_source(&arena, S("f"), S("\ta\xc3\xa4: b\xc3\xb6\xc3\xb6\r\n"));
    diag_error(&diag, at(source, 1, 7, 5), "bad");
    assert_rendered(false, "f:1:7: error: bad\n"
                           " 1 |     a\xc3\xa4: b\xc3\xb6\xc3\xb6\n"
                           "   |         ^~~\n");
    end();
}

TEST(diag_cuts_a_long_line_to_a_window_around_the_place)
{
    start();
    char line[1000];
    memset(line, 'x', sizeof(line));
    memcpy(line + 500, "HERE", 4);
    const struct source *source = diag_source(&arena, S("f"), str_of(line, sizeof(line)));
    diag_error(&diag, at(source, 1, 501, 4), "bad");
    struct text out;
    text_init(&out, 1 << 16);
    diag_render(&diag, false, &out);
    struct str rest = text_str(&out), head, excerpt, caret;
    str_split(&rest, '\n', &head);
    str_split(&rest, '\n', &excerpt);
    str_split(&rest, '\n', &caret);
    assert_true(excerpt.len < 120);
    assert_true(str_ends(excerpt, S("x...")));
    assert_int_equal(str_find(excerpt, S("HERE")), str_find(caret, S("^~~~")));
    text_release(&out);
    end();
}

TEST(diag_lets_nothing_of_a_label_command_a_terminal)
{
    start();
    const struct source *source = diag_source_word(&arena, S("k\033[2J"), S("k=\033]0;x\007"));
    diag_error(&diag, at(source, 1, 3, 2), "bad '%s'", "\033[31m");
    assert_rendered(false, "k?[2J: error: bad '?[31m'\n"
                           "  | k=?]0;x?\n"
                           "  |   ^~\n");
    end();
}

TEST(diag_colours_only_when_asked)
{
    start();
    diag_error(&diag, SPAN_NONE, "x");
    assert_rendered(true, "\033[1m\033[1;31merror: \033[0m\033[1mx\033[0m\n");
    end();
}

TEST(diag_on_one_line_has_place_hint_and_context)
{
    start();
    const struct source *source = diag_source(&arena, S("f.yaml"), S("a: b\n"));
    diag_enter(&diag, SPAN_NONE, "in router 'r'");
    struct diag_item *item = diag_error(&diag, at(source, 1, 4, 1), "unknown 'b'");
    diag_hint(&diag, item, "did you mean 'c'?");
    struct text out;
    text_init(&out, 1 << 16);
    diag_render_line(item, &out);
    assert_string_equal(text_c(&out), "f.yaml:1:4: unknown 'b', did you mean 'c'? (in router 'r')");
    text_release(&out);
    end();
}

TEST(diag_as_json_escapes_what_it_holds)
{
    start();
    const struct source *source = diag_source(&arena, S("f.yaml"), S("a: \"b\n"));
    diag_hint(&diag, diag_error(&diag, at(source, 1, 4, 2), "a \"quote\""), "h");
    diag_warning(&diag, SPAN_NONE, "w");
    struct text out;
    text_init(&out, 1 << 16);
    diag_render_json(&diag, &out);
    assert_string_equal(
        text_c(&out),
        "[{\"severity\":\"error\",\"file\":\"f.yaml\",\"line\":1,\"column\":4,\"length\":2,"
        "\"message\":\"a \\\"quote\\\"\",\"hint\":\"h\",\"context\":\"\"},"
        "{\"severity\":\"warning\",\"file\":\"\",\"line\":0,\"column\":0,\"length\":0,"
        "\"message\":\"w\",\"hint\":\"\",\"context\":\"\"}]");
    text_release(&out);
    end();
}

TEST(diag_sorts_by_place_and_keeps_the_order_within_one)
{
    start();
    const struct source *a = diag_source(&arena, S("a"), S("1\n2\n")), *b = diag_source(&arena, S("b"), S("1"));
    diag_error(&diag, SPAN_NONE, "last");
    diag_error(&diag, at(b, 1, 1, 1), "fourth");
    diag_error(&diag, at(a, 2, 1, 1), "third");
    diag_error(&diag, at(a, 1, 2, 1), "first");
    diag_error(&diag, at(a, 1, 2, 1), "second");
    diag_sort(&diag);
    const char *const order[] = {"first", "second", "third", "fourth", "last"};
    for (size_t i = 0; i < 5; i++)
        assert_str_equal(diag.items[i].message, str_from(order[i]));
    end();
}

TEST(diag_counts_what_it_no_longer_keeps)
{
    start();
    for (int i = 0; i < 250; i++)
        diag_hint(&diag, diag_error(&diag, SPAN_NONE, "e%d", i), "h");
    assert_int_equal(diag.count, DIAG_ITEMS_MAX);
    assert_int_equal(diag.errors, 250);
    struct text out;
    text_init(&out, 1 << 20);
    diag_render(&diag, false, &out);
    assert_true(str_ends(text_str(&out), S("and 50 more errors\n")));
    text_release(&out);
    end();
}

TEST(diag_names_the_innermost_context)
{
    start();
    diag_enter(&diag, SPAN_NONE, "outer");
    diag_enter(&diag, SPAN_NONE, "inner");
    diag_error(&diag, SPAN_NONE, "1");
    diag_leave(&diag);
    diag_error(&diag, SPAN_NONE, "2");
    diag_leave(&diag);
    diag_error(&diag, SPAN_NONE, "3");
    assert_str_equal(diag.items[0].context, S("inner"));
    assert_str_equal(diag.items[1].context, S("outer"));
    assert_true(str_empty(diag.items[2].context));
    end();
}

TEST(span_inside_steps_over_quotes_and_their_escapes)
{
    start();
    const struct source *source = diag_source(&arena, S("f"), S("x: 1\na: \"q\\\"bcd\"\nb: 'it''s me'\n"));
    struct span plain = at(source, 1, 1, 4);
    assert_int_equal(span_inside(plain, 3, 1).column, 4);
    struct span quoted = at(source, 2, 4, 8);
    quoted.quoted = true;
    struct span part = span_inside(quoted, 2, 2);   /* of q"bcd */
    assert_int_equal(part.column, 8);
    assert_int_equal(part.length, 2);
    quoted = at(source, 3, 4, 10);
    quoted.quoted = true;
    assert_int_equal(span_inside(quoted, 5, 2).column, 11);   /* "me" of it's me */
    assert_int_equal(span_inside(plain, 9, 1).column, 1);
    assert_int_equal(span_inside(plain, 2, 9).length, 2);
    end();
}

TEST(nearest_finds_typos_beginnings_and_nothing_far)
{
    struct str keys[] = {STR("address"), STR("addPrefix"), STR("tls"), STR("http")};
    assert_str_equal(nearest(S("adress"), keys, 4), S("address"));
    assert_str_equal(nearest(S("tsl"), keys, 4), S("tls"));
    assert_str_equal(nearest(S("addPre"), keys, 4), S("addPrefix"));
    assert_str_equal(nearest(S("HTTP"), keys, 4), S("http"));
    assert_true(str_empty(nearest(S("qwertz"), keys, 4)));
    assert_true(str_empty(nearest(S("x"), keys, 4)));
}

TEST(diag_tells_the_same_mistake_at_the_same_place_once)
{
    start();
    const struct source *source = diag_source(&arena, S("a.yaml"), S("key: value\n"));
    for (int i = 0; i < 3; i++)
        diag_hint(&diag, diag_error(&diag, at(source, 1, 6, 5), "unknown %s", "value"), "hint %d", i);
    assert_int_equal(diag.count, 1);
    assert_int_equal(diag.errors, 1);
    assert_str_equal(diag.items[0].hint, S("hint 0"));
    diag_error(&diag, at(source, 1, 6, 5), "another");
    diag_warning(&diag, at(source, 1, 6, 5), "unknown value");
    diag_error(&diag, at(source, 1, 1, 5), "unknown value");
    assert_int_equal(diag.count, 4);
    end();
}

TEST(diag_guard_keeps_mistakes_to_its_object)
{
    start();
    struct diag_guard outer, inner;
    const struct source *source = diag_source(&arena, S("a"), S("one: two\n"));
    diag_guard_begin(&diag, &outer, true);
    diag_guard_begin(&diag, &inner, false);
    diag_error(&diag, at(source, 1, 1, 3), "an owner's mistake");
    assert_false(diag_guard_end(&diag, &inner));
    assert_int_equal(inner.errors, 1);
    diag_warning(&diag, at(source, 1, 1, 3), "no mistake");
    assert_int_equal(outer.count, 0);
    struct diag_item *item = diag_error(&diag, at(source, 1, 6, 3), "a mistake of its own");
    diag_hint(&diag, item, "write three");
    assert_false(diag_guard_end(&diag, &outer));
    assert_int_equal(outer.errors, 0);
    assert_str_equal(outer.first->message, S("a mistake of its own"));
    assert_str_equal(outer.first->hint, S("write three"));
    assert_int_equal(diag.errors, 1);
    assert_int_equal(diag.mistakes, 2);
    diag_make_strict(&diag);
    assert_int_equal(diag.errors, 2);
    assert_int_equal(diag.warnings, 1);
    end();
}

TEST(diag_guard_is_told_of_what_was_reported_before)
{
    start();
    const struct source *source = diag_source(&arena, S("a"), S("one: two\n"));
    for (unsigned i = 0; i < 2; i++) {
        struct diag_guard guard;
        diag_guard_begin(&diag, &guard, false);
        diag_contained(&diag, at(source, 1, 1, 3), "left out");
        assert_false(diag_guard_end(&diag, &guard));
        assert_str_equal(guard.first->message, S("left out"));
    }
    assert_int_equal(diag.warnings, 1);
    diag_contained(&diag, at(source, 1, 1, 3), "nobody's");
    assert_int_equal(diag.errors, 1);
    end();
}

TEST(diag_guard_hears_of_mistakes_that_are_too_many_to_be_kept)
{
    start();
    struct diag_guard guard;
    for (unsigned i = 0; i < DIAG_ITEMS_MAX; i++)
        diag_warning(&diag, SPAN_NONE, "warning %u", i);
    diag_guard_begin(&diag, &guard, true);
    for (unsigned i = 0; i < 20; i++)
        diag_error(&diag, SPAN_NONE, "mistake %u", i);
    assert_false(diag_guard_end(&diag, &guard));
    assert_int_equal(guard.count, 20);
    assert_str_equal(guard.first->message, S("mistake 0"));
    end();
}

TEST(a_span_knows_each_place_of_the_largest_file_and_stops_at_what_it_cannot_count)
{
    struct span span = span_make(NULL, 1, (16 << 20) - 1, 1000);
    assert_int_equal(span.line, 1);
    assert_int_equal(span.column, (16 << 20) - 1);
    assert_int_equal(span.length, 1000);
    span = span_make(NULL, SIZE_MAX, 1 << 24, 1 << 20);
    assert_int_equal(span.line, SPAN_PLACE_MAX);
    assert_int_equal(span.column, SPAN_PLACE_MAX);
    assert_int_equal(span.length, SPAN_LENGTH_MAX);
    struct span part = span_inside(span_make(NULL, 3, SPAN_PLACE_MAX - 2, 9), 5, 1);
    assert_int_equal(part.line, 3);
    assert_int_equal(part.column, SPAN_PLACE_MAX);
    assert_int_equal(part.length, 1);
}
