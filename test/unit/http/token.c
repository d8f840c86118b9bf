/* Tokens, lists, parameters and qualities. */
#include "test.h"

#include "http/token.h"

TEST(tokens_and_field_values_hold_the_right_bytes)
{
    assert_true(token_is_valid(S("a!#$%&'*+-.^_`|~09Z")));
    static const char *const bad[] = {"", "a b", "a:", "a\t", "\xe9", "a\"", "(a)", "a,", "a/b", "@", "a\x7f"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(token_is_valid(str_from(bad[i])));
    assert_true(token_is_field_value(S("a \t\xff,\"")));
    assert_true(token_is_field_value(S("")));
    assert_false(token_is_field_value(S("a\0b")));
    assert_false(token_is_field_value(S("a\r")));
    assert_false(token_is_field_value(S("\n")));
    assert_false(token_is_field_value(S("\x7f")));
}

TEST(list_members_are_trimmed_and_quotes_kept_whole)
{
    struct str rest = S(" a ,, \"b, \\\" c\";d=\"e,f\",\t,g"), member;
    assert_true(token_next(&rest, &member));
    assert_str_equal(member, S("a"));
    assert_true(token_next(&rest, &member));
    assert_str_equal(member, S("\"b, \\\" c\";d=\"e,f\""));
    assert_true(token_next(&rest, &member));
    assert_str_equal(member, S("g"));
    assert_false(token_next(&rest, &member));
    rest = S(" , ,");
    assert_false(token_next(&rest, &member));
    rest = S("\"open, \\");
    assert_true(token_next(&rest, &member));
    assert_false(token_next(&rest, &member));
}

TEST(list_has_whole_tokens_only)
{
    assert_true(token_list_has(S("a, Close"), S("close")));
    assert_false(token_list_has(S("closed, clos"), S("close")));
    assert_false(token_list_has(S("\"a, close, b\""), S("close")));
    assert_false(token_list_has(S(""), S("close")));
}

TEST(parameters_are_found_and_unquoted)
{
    struct str bare;
    assert_str_equal(token_parameter(S("text/html ; Charset=\"utf-8; x\" ;q=0.5"), S("charset"), &bare),
                     S("utf-8; x"));
    assert_str_equal(bare, S("text/html"));
    assert_str_equal(token_parameter(S("gzip;q=0.5"), S("q"), NULL), S("0.5"));
    assert_null(token_parameter(S("gzip"), S("q"), &bare).data);
    assert_str_equal(bare, S("gzip"));
    assert_null(token_parameter(S("gzip;qq=1;q"), S("q"), NULL).data);
    assert_str_equal(token_parameter(S("a;q="), S("q"), NULL), S(""));
}

TEST(qualities_are_thousandths)
{
    static const struct {
        const char *text;
        int value;
    } table[] = {{"", 1000},    {"1", 1000},   {"0", 0},      {"0.5", 500},  {"0.001", 1},   {"1.000", 1000},
                 {"0.", 0},     {"1.001", -1}, {"2", -1},     {"0.5555", -1}, {".5", -1},    {"-1", -1},
                 {"0,5", -1},   {"0.5x", -1},  {"1.", 1000}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(token_quality(str_from(table[i].text)), table[i].value);
}

TEST(accepted_codings_follow_their_weights)
{
    assert_int_equal(token_accepts(S("gzip;q=0.8, br"), S("gzip"), -1), 800);
    assert_int_equal(token_accepts(S("GZIP;q=0.8, br"), S("gzip"), -1), 800);
    assert_int_equal(token_accepts(S("gzip;q=0.8, br"), S("br"), -1), 1000);
    assert_int_equal(token_accepts(S("gzip;q=0.8, *;q=0.1"), S("br"), -1), 100);
    assert_int_equal(token_accepts(S("*;q=0, br"), S("br"), -1), 1000);
    assert_int_equal(token_accepts(S("gzip;q=0"), S("gzip"), -1), 0);
    assert_int_equal(token_accepts(S("gzip;q=x"), S("gzip"), -1), -1);
    assert_int_equal(token_accepts(S(""), S("gzip"), 7), 7);
}
