#include "exchange/log_format.h"

#include "test.h"

static void assert_escaped(enum log_escape escape, struct str value, const char *expected)
{
    struct text text;
    text_init(&text, 4096);
    log_escape_value(escape, value, &text);
    assert_string_equal(text_c(&text), expected);
    text_release(&text);
}

TEST(default_escaping_leaves_nothing_that_ends_a_line_or_a_quotation)
{
    assert_escaped(LOG_ESCAPE_DEFAULT, S("plain /path?x=y"), "plain /path?x=y");
    assert_escaped(LOG_ESCAPE_DEFAULT, S("a\"b\\c"), "a\\x22b\\x5Cc");
    assert_escaped(LOG_ESCAPE_DEFAULT, S("\x1b\n\x7f\xc3\xa9"), "\\x1B\\x0A\\x7F\\xC3\\xA9");
    assert_escaped(LOG_ESCAPE_DEFAULT, S(""), "");
}

TEST(json_escaping_makes_the_inside_of_a_string)
{
    assert_escaped(LOG_ESCAPE_JSON, S("a\"b\\c"), "a\\\"b\\\\c");
    assert_escaped(LOG_ESCAPE_JSON, S("\b\t\n\f\r\x1b"), "\\b\\t\\n\\f\\r\\u001B");
    assert_escaped(LOG_ESCAPE_JSON, S("\xc3\xa9\x7f"), "\xc3\xa9\x7f");
}

TEST(no_escaping_leaves_everything)
{
    assert_escaped(LOG_ESCAPE_NONE, S("a\"\n\\"), "a\"\n\\");
}
