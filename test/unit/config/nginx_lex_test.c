#include "test.h"

#include "nginx_text.h"

static struct fixture f;

/* Every rule of words, as the tree that comes of a text. What nginx does with each of them was seen with nginx itself. */
static const struct {
    const char *text, *tree;
} words[] = {
    {"", ""},
    {"# only a comment", ""},
    {"\xef\xbb\xbf" "test_word a;", "test_word(a)"},
    {"test_word a;", "test_word(a)"},
    {"test_word\ta\r\n;", "test_word(a)"},
    {"test_word a;# behind\ntest_many b;", "test_word(a) test_many(b)"},
    {"test_many a#b c;", "test_many(a#b|c)"},
    {"test_many a # b\n c;", "test_many(a|c)"},
    {"test_many 'a b' \"c d\";", "test_many(a b|c d)"},
    {"test_many a'b \"c'd\" 'e\"f';", "test_many(a'b|c'd|e\"f)"},
    {"test_many \"\" '';", "test_many(|)"},
    {"test_many \"a;b{c}d#e\";", "test_many(a;b{c}d#e)"},
    {"test_many \"a\\\"b\" 'c\\'d' e\\\\f;", "test_many(a\"b|c'd|e\\f)"},
    {"test_many \"a\\tb\\rc\\nd\";", "test_many(a\tb\rc\nd)"},
    {"test_many a\\.b \"\\d+\" \\w;", "test_many(a\\.b|\\d+|\\w)"},
    {"test_many a\\ b c\\;d;", "test_many(a\\ b|c\\;d)"},
    {"test_many ${a}b ${a}{b;", NULL},
    {"test_many ${a}b c${d}e;", "test_many(${a}b|c${d}e)"},
    {"test_many ${a};", "test_many(${a})"},
    {"test_many $a}b;", "test_many($a}b)"},
    {"test_many a}b;", "test_many(a}b)"},
    {"test_many \"a\nb\";", "test_many(a\nb)"},
    {"test_many (\"a\")b \"c\") d;", "test_many((\"a\")b|c|)|d)"},
    {"test_many (\"a\") (b = \"c\") d;", "test_many((\"a\")|(b|=|c|)|d)"},
    {"test_rows{a b;\"c d\" e;}", "test_rows{a(b) c d(e)}"},
    {"test_rows {~^/a{2} b;}", NULL},
    {"test_rows {\"~^/a{2}\" b;}", "test_rows{~^/a{2}(b)}"},
};

TEST(nginx_words_end_where_nginx_ends_them)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct nginx_directive *root = nginx_text_read(&f, words[i].text);
        if (words[i].tree == NULL) {
            assert_true(f.diag.errors > 0);
        } else {
            assert_string_equal(nginx_text_said(&f), "");
            assert_string_equal(nginx_text_tree(&f, root), words[i].tree);
        }
        fixture_release(&f);
    }
}

TEST(nginx_words_know_their_places)
{
    struct nginx_directive *root = nginx_text_read(&f, "\n  test_many a 'b\\'$c'\n\t\"d\ne\" ;");
    const struct nginx_word *w = root->first->words;
    assert_int_equal(root->first->span.line, 2);
    assert_int_equal(root->first->span.column, 3);
    assert_int_equal(root->first->span.length, 9);
    assert_int_equal(w[0].span.column, 13);
    assert_false(w[0].span.quoted);
    assert_int_equal(w[1].span.column, 15);
    assert_int_equal(w[1].span.length, 7);
    assert_true(w[1].span.quoted);
    assert_int_equal(w[2].span.line, 3);
    assert_int_equal(w[2].span.column, 2);
    assert_int_equal(w[2].span.length, 2);
    /* Within: b is the first byte, the escaped quote the second, and $c stands for ${c}. */
    assert_int_equal(span_inside(w[1].span, 0, 1).column, 16);
    assert_int_equal(span_inside(w[1].span, 1, 1).column, 17);
    assert_int_equal(span_inside(w[1].span, 1, 1).length, 2);
    assert_int_equal(span_inside(w[1].span, 2, 4).column, 19);
    assert_int_equal(span_inside(w[1].span, 2, 4).length, 2);
    assert_int_equal(span_inside(w[1].span, 4, 1).column, 20);
    fixture_release(&f);
}

TEST(nginx_text_ends_with_a_zero_byte)
{
    fixture_init(&f);
    struct nginx_directive *root = nginx_read_text(S("nginx.conf"), S("test_many a;\0test_many b;"), NULL, &f.arena, &f.diag);
    assert_string_equal(nginx_text_said(&f), "nginx.conf: there is a zero byte in it: this is no text");
    assert_string_equal(nginx_text_tree(&f, root), "test_many(a)");
    fixture_release(&f);
}

TEST(nginx_is_told_from_yaml_by_its_first_directive)
{
    static const char *const nginx[] = {
        "user nginx;", "# a\nevents {", "http{", "worker_processes\n 1\n;", "include x.conf;\n", "\xef\xbb\xbfhttp {", "user a\nhttp {"};
    static const char *const others[] = {
        "", "# nothing", "http:\n  routers: {}\n", "entryPoints: {web: {address: ':80'}}", "{\"http\": {}}", "\"http\": {", "- a\n- b;",
        "---\nhttp: {}\n", "services:\n  a: {image: b}\n", "http", "[entryPoints]\n  a = {}\n", ";", "}"};
    for (size_t i = 0; i < sizeof(nginx) / sizeof(nginx[0]); i++)
        assert_true(nginx_looks_like(str_from(nginx[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(nginx_looks_like(str_from(others[i])));
}
