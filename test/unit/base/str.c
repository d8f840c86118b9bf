#include "test.h"

#include <stdio.h>

TEST(str_comparisons_ignore_ascii_case_only)
{
    assert_true(str_equal_nocase(S("Content-Length"), S("content-LENGTH")));
    assert_false(str_equal_nocase(S("Content-Length"), S("content-lengti")));
    assert_false(str_equal_nocase(S("abc"), S("abcd")));
    assert_true(str_equal_nocase(STR_NONE, S("")));
    /* neighbours of the letters, and the bit that folding sets */
    assert_false(str_equal_nocase(S("@@@@@@@@["), S("````````{")));
    assert_false(str_equal_nocase(S("\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7"),
                                  S("\xe0\xe1\xe2\xe3\xe4\xe5\xe6\xe7")));
}

TEST(str_folding_treats_every_byte_as_ascii_lower_does_at_every_place)
{
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 9; at++) {
            char upper[9], lower[9];
            memset(upper, 'x', 9);
            memset(lower, 'x', 9);
            upper[at] = (char)c;
            lower[at] = ascii_lower((char)c);
            assert_true(str_equal_nocase(str_of(upper, 9), str_of(lower, 9)));
            assert_true(str_hash_nocase(str_of(upper, 9)) == str_hash_nocase(str_of(lower, 9)));
            lower[at] = (char)(lower[at] ^ 1);
            assert_false(str_equal_nocase(str_of(upper, 9), str_of(lower, 9)));
        }
    }
}

TEST(str_prefixes_and_suffixes_ignore_case_when_asked)
{
    assert_true(str_starts_nocase(S("Bearer abc"), S("bearer ")));
    assert_false(str_starts_nocase(S("Bear"), S("bearer ")));
    assert_true(str_ends_nocase(S("example.COM"), S(".com")));
    assert_false(str_ends_nocase(S("com"), S(".com")));
    assert_true(str_ends_nocase(STR_NONE, STR_NONE));
}

TEST(str_order_is_that_of_memcmp_and_the_shorter_comes_first)
{
    assert_true(str_compare(S("a"), S("b")) < 0);
    assert_true(str_compare(S("ab"), S("a")) > 0);
    assert_true(str_compare(STR_NONE, S("")) == 0);
    assert_true(str_compare(S("\x7f"), S("\x80")) < 0);
    assert_true(str_compare_nocase(S("ALPHA"), S("alpha")) == 0);
    assert_true(str_compare_nocase(S("a"), S("B")) < 0);
    assert_true(str_compare_nocase(S("abc"), S("AB")) > 0);
    assert_true(str_compare_nocase(S("\x7f"), S("\x80")) < 0);
}

TEST(str_find_gives_the_index_or_minus_one)
{
    assert_int_equal(str_find_char(S("a/b/c"), '/', 0), 1);
    assert_int_equal(str_find_char(S("a/b/c"), '/', 2), 3);
    assert_int_equal(str_find_char(S("a/b/c"), '/', 4), -1);
    assert_int_equal(str_find_char(S("a"), 'a', 7), -1);
    assert_int_equal(str_find_last_char(S("a/b/c"), '/'), 3);
    assert_int_equal(str_find_last_char(STR_NONE, '/'), -1);
    assert_int_equal(str_find(S("hello"), S("ll")), 2);
    assert_int_equal(str_find(S("hello"), S("lx")), -1);
    assert_int_equal(str_find(STR_NONE, S("")), 0);
    assert_int_equal(str_find(S("ab"), S("abc")), -1);
}

TEST(str_trim_takes_blanks_and_trim_space_takes_line_ends_too)
{
    assert_str_equal(str_trim(S(" \t a b\t ")), S("a b"));
    assert_str_equal(str_trim(S(" \n ")), S("\n"));
    assert_str_equal(str_trim(S(" \t")), S(""));
    assert_str_equal(str_trim_space(S("\r\n\v\f a \n")), S("a"));
    assert_str_equal(str_trim_space(STR_NONE), S(""));
}

TEST(str_split_gives_every_part_empty_ones_included)
{
    struct str rest = S("a,,b,"), part;
    const struct str expected[] = {STR("a"), STR(""), STR("b"), STR("")};
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_split(&rest, ',', &part));
        assert_str_equal(part, expected[i]);
    }
    assert_false(str_split(&rest, ',', &part));
    rest = S("");
    assert_true(str_split(&rest, ',', &part));
    assert_int_equal(part.len, 0);
    assert_false(str_split(&rest, ',', &part));
}

TEST(str_to_u64_takes_digits_alone_and_refuses_overflow)
{
    uint64_t value = 7;
    assert_true(str_to_u64(S("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(str_to_u64(S("000"), &value));
    assert_true(value == 0);
    static const struct str bad[] = {
        STR(""),   STR("18446744073709551616"), STR("+1"), STR("-1"), STR(" 1"), STR("1 "),
        STR("0x1")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(str_to_u64(bad[i], &value));
    assert_true(value == 0);
}

TEST(str_to_i64_reaches_both_ends)
{
    int64_t value;
    assert_true(str_to_i64(S("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_i64(S("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_false(str_to_i64(S("9223372036854775808"), &value));
    assert_false(str_to_i64(S("-9223372036854775809"), &value));
    assert_false(str_to_i64(S("-"), &value));
    assert_false(str_to_i64(S("--1"), &value));
}

TEST(str_distance_counts_edits_and_swaps_up_to_its_limit)
{
    assert_int_equal(str_distance(S("rateLimit"), S("ratelimt"), 3), 1);
    assert_int_equal(str_distance(S("host"), S("hsot"), 3), 1);
    assert_int_equal(str_distance(S("kitten"), S("sitting"), 5), 3);
    assert_int_equal(str_distance(S("kitten"), S("sitting"), 2), 3);
    assert_int_equal(str_distance(S(""), S("abc"), 5), 3);
    assert_int_equal(str_distance(S("same"), S("SAME"), 0), 0);
    char wide[65];
    memset(wide, 'a', sizeof(wide));
    assert_int_equal(str_distance(str_of(wide, 64), str_of(wide, 64), 1), 0);
    assert_int_equal(str_distance(str_of(wide, 65), str_of(wide, 65), 1), 2);
}

TEST(ascii_hex_knows_both_cases_and_nothing_else)
{
    const char *digits = "0123456789abcdef", *upper = "0123456789ABCDEF";
    int known = 0;
    for (int c = 0; c < 256; c++)
        known += ascii_hex((char)c) >= 0;
    assert_int_equal(known, 22);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(ascii_hex(digits[i]), i);
        assert_int_equal(ascii_hex(upper[i]), i);
    }
}

/* Each length takes its own way through the hash: every byte must count on each. */
TEST(str_hash_depends_on_every_byte_and_on_the_length)
{
    char bytes[70] = {0};
    for (size_t len = 0; len < sizeof(bytes); len++) {
        uint64_t hash = str_hash(str_of(bytes, len));
        assert_true(hash == str_hash(str_of(bytes, len)));
        assert_true(len == 0 || hash != str_hash(str_of(bytes, len - 1)));
        for (size_t at = 0; at < len; at++) {
            bytes[at] = 1;
            assert_true(hash != str_hash(str_of(bytes, len)));
            bytes[at] = 0;
        }
    }
}

TEST(str_hash_spreads_similar_keys_over_a_table)
{
    unsigned filled = 0;
    bool seen[4096] = {false};
    for (unsigned i = 0; i < 4096; i++) {
        char key[24];
        int len = snprintf(key, sizeof(key), "host-%u.example", i);
        bool *slot = &seen[str_hash(str_of(key, (size_t)len)) & 4095];
        filled += !*slot;
        *slot = true;
    }
    /* chance fills 63 % (2589 +- 32) */
    assert_in_range(filled, 2400, 2780);
}
