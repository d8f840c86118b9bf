#include "base/text.h"

#include "base/utf8.h"
#include "test.h"

TEST(text_grows_as_it_is_added_to)
{
    struct text text;
    text_init(&text, 100000);
    assert_string_equal(text_c(&text), "");
    for (int i = 0; i < 1000; i++) {
        text_add(&text, S("ab"));
        text_add_char(&text, 'c');
        text_add_u64(&text, 42);
        text_addf(&text, "%s-%d", "x", 7);
    }
    assert_int_equal(text.len, 1000 * strlen("abc42x-7"));
    assert_memory_equal(text.data + text.len - 8, "abc42x-7", 8);
    assert_int_equal(strlen(text_c(&text)), text.len);
    text_clear(&text);
    assert_string_equal(text_c(&text), "");
    text_release(&text);
}

TEST(text_fills_to_its_maximum_exactly)
{
    struct text text;
    text_init(&text, 5);
    text_add(&text, S("abc"));
    text_addf(&text, "%s", "de");
    assert_false(text.overflow);
    assert_string_equal(text_c(&text), "abcde");
    text_release(&text);
}

TEST(text_overflow_is_sticky_and_keeps_a_prefix)
{
    struct text text;
    text_init(&text, 5);
    text_add(&text, S("abc"));
    text_addf(&text, "%s", "def");
    assert_true(text.overflow);
    text_add_char(&text, 'x');
    assert_string_equal(text_c(&text), "abc");
    assert_false(text_reserve(&text, 1));
    text_clear(&text);
    text_add(&text, S("fits"));
    assert_string_equal(text_c(&text), "fits");
    text_release(&text);
}

TEST(text_writes_the_ends_of_u64)
{
    struct text text;
    text_init(&text, 100);
    text_add_u64(&text, 0);
    text_add_char(&text, ' ');
    text_add_u64(&text, UINT64_MAX);
    assert_string_equal(text_c(&text), "0 18446744073709551615");
    text_release(&text);
}

static void assert_json(struct str in, const char *expected)
{
    struct text text;
    text_init(&text, 1000);
    text_add_json(&text, in);
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
}

TEST(text_json_escapes_what_json_must_and_leaves_the_rest)
{
    assert_json(S("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
                "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_json(S("\"\\/\b\f\n\r\t"), "\\\"\\\\/\\b\\f\\n\\r\\t");
    assert_json(S("a\0b\x1f\x7f"), "a\\u0000b\\u001f\x7f");
    assert_json(STR_NONE, "");
}

TEST(text_json_replaces_what_is_not_utf8)
{
    assert_json(S("a\xff"
                  "b"),
                "a\xef\xbf\xbd"
                "b");
    assert_json(S("\xc3"), "\xef\xbf\xbd");
    assert_json(S("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
    assert_json(S("\xc3\""), "\xef\xbf\xbd\\\"");
}

TEST(utf8_refuses_overlong_forms_surrogates_and_what_is_too_high)
{
    static const struct str good[] = {STR(""), STR("\x7f\xc2\x80\xdf\xbf"),
                                      STR("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
                                      STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")};
    static const struct str bad[] = {STR("\x80"),
                                     STR("\xc0\x80"),
                                     STR("\xc1\xbf"),
                                     STR("\xe0\x9f\xbf"),
                                     STR("\xed\xa0\x80"),
                                     STR("\xf0\x8f\xbf\xbf"),
                                     STR("\xf4\x90\x80\x80"),
                                     STR("\xf5\x80\x80\x80"),
                                     STR("\xe2\x82"),
                                     STR("\xe2\x28\xa1"),
                                     STR("\xe2\x82\x28"),
                                     STR("a\xfe")};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(utf8_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf8_valid(bad[i]));
}

TEST(html_is_escaped_for_elements_and_quoted_attributes)
{
    struct text text;
    text_init(&text, 1000);
    text_add_html(&text, S("<a href=\"x\">&amp; 'it'"));
    assert_string_equal(text_c(&text), "&lt;a href=&quot;x&quot;&gt;&amp;amp; 'it'");
    text_clear(&text);
    text_add_html(&text, STR_NONE);
    assert_int_equal(text.len, 0);
    text_release(&text);
}
