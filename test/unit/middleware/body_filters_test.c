#include "middleware/charset_table.h"
#include "middleware/range_filter.h"

#include "test.h"

struct line {
    struct arena arena;
    struct chunk_pool pool;
    struct chunkq in, out;
};

static void line_init(struct line *line)
{
    arena_init(&line->arena, ARENA_UNLIMITED);
    chunk_pool_init(&line->pool, 4, 4, 0);
    chunkq_init(&line->in);
    chunkq_init(&line->out);
}

/* The body in steps of that many bytes, and what comes of it. */
static struct str pass(struct line *line, struct filter *filter, struct str body, size_t step)
{
    chunkq_clear(&line->out);
    for (size_t at = 0; at < body.len; at += step) {
        struct str part = str_first(str_from_index(body, at), step);
        chunkq_add_static(&line->in, part);
        assert_int_equal(filter->process(filter, &line->in, &line->out, at + part.len == body.len), STATUS_OK);
    }
    struct str all = S("");
    while (line->out.bytes != 0) {
        struct str part = chunkq_front(&line->out);
        all = arena_concat(&line->arena, all, part);
        chunkq_drop(&line->out, part.len);
    }
    return all;
}

static void line_release(struct line *line)
{
    chunkq_release(&line->in);
    chunkq_release(&line->out);
    chunk_pool_release(&line->pool);
    arena_release(&line->arena);
}

TEST(range_filter_lets_stretches_pass_however_the_body_comes)
{
    struct line line;
    line_init(&line);
    for (size_t step = 1; step < 12; step++) {
        struct body_stretch stretches[] = {{.text = S("<"), .offset = 1, .left = 2}, {.text = S("|"), .offset = 5, .left = 1},
                                           {.text = S(">")}};
        struct filter *filter = range_filter_new(&line.arena, stretches, 3);
        assert_non_null(filter);
        assert_str_equal(pass(&line, filter, S("0123456789"), step), S("<12|5>"));
    }
    line_release(&line);
}

TEST(range_filter_needs_the_order_of_the_body)
{
    struct line line;
    line_init(&line);
    struct body_stretch turned[] = {{.offset = 5, .left = 1}, {.offset = 1, .left = 2}};
    struct body_stretch lapping[] = {{.offset = 1, .left = 3}, {.offset = 3, .left = 2}};
    assert_null(range_filter_new(&line.arena, turned, 2));
    assert_null(range_filter_new(&line.arena, lapping, 2));
    line_release(&line);
}

TEST(charset_filter_converts_there_and_back_however_the_body_comes)
{
    struct line line;
    line_init(&line);
    struct charset_table *table = charset_table_new(S("koi8-r"), S("UTF-8"), &line.arena);
    assert_true(charset_table_add(table, S("C4"), S("D094"), &line.arena));
    assert_true(charset_table_add(table, S("A0"), S("E29590"), &line.arena));
    for (size_t step = 1; step < 9; step++) {
        struct filter *there = charset_filter_new(&line.arena, &line.pool, table, false);
        assert_str_equal(pass(&line, there, S("a\xc4\xa0 \xff"), step), S("a\xd0\x94\xe2\x95\x90 ?"));
        struct filter *back = charset_filter_new(&line.arena, &line.pool, table, true);
        assert_str_equal(pass(&line, back, S("a\xd0\x94\xe2\x95\x90 \xd0\x96\xf0\x9f\x98\x80\xd0x\xff"), step),
                         S("a\xc4\xa0 &#1046;&#128512;?x?"));
    }
    line_release(&line);
}

TEST(charset_tables_take_characters_alone)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct charset_table *utf8 = charset_table_new(S("x"), S("utf-8"), &arena), *other = charset_table_new(S("x"), S("y"), &arena);
    assert_false(charset_table_add(utf8, S("1C4"), S("D094"), &arena));
    assert_false(charset_table_add(utf8, S("C4"), S(""), &arena));
    assert_false(charset_table_add(utf8, S("C4"), S("D0"), &arena));
    assert_false(charset_table_add(utf8, S("C4"), S("D0941"), &arena));
    assert_false(charset_table_add(utf8, S("C4"), S("F09F9880"), &arena));
    assert_false(charset_table_add(utf8, S("G0"), S("D094"), &arena));
    assert_false(charset_table_add(other, S("C4"), S("D094"), &arena));
    assert_true(charset_table_add(other, S("C4"), S("e4"), &arena));
    arena_release(&arena);
}
