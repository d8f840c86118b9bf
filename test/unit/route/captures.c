#include "test.h"

#include "route/captures.h"

static struct perl_regex *regex_of(const char *pattern, bool ignore_case, struct arena *arena)
{
    struct str error;
    size_t offset;
    struct perl_regex *regex = perl_regex_new(str_from(pattern), ignore_case, arena, &error, &offset);
    assert_non_null(regex);
    return regex;
}

TEST(perl_expressions_match_as_perl_has_them)
{
    static const struct {
        const char *pattern, *subject;
        bool ignore_case, matches;
    } cases[] = {
        {"^/a", "/abc", false, true},          {"^/A", "/abc", false, false},     {"^/A", "/abc", true, true},
        {"(?<=b)c", "abc", false, true},       {"(a)\\1", "aa", false, true},     {"(a)\\1", "ab", false, false},
        {"", "", false, true},                 {"\\.php$", "/x.php", false, true},
        {"^.$", "\xc3\xa4", false, false},     {"(*UTF8)^.$", "\xc3\xa4", false, true},
        {"(*UTF)^.$", "\xc3\xa4", false, true}, {"(*UTF8)^.$", "\xc3", false, false},
    };
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct perl_regex *regex = regex_of(cases[i].pattern, cases[i].ignore_case, &arena);
        assert_int_equal(perl_regex_match(regex, str_from(cases[i].subject), NULL), cases[i].matches);
        perl_regex_free(regex);
    }
    arena_release(&arena);
}

TEST(captures_are_views_of_the_subject_and_groups_that_took_no_part_have_none)
{
    struct arena arena;
    struct captures captures = {.count = 7};
    arena_init(&arena, ARENA_UNLIMITED);
    struct perl_regex *regex = regex_of("^/(?<user>\\w+)/(x)?(.*)$", false, &arena);
    struct str name, subject = S("/ann/rest");
    unsigned group;
    assert_false(perl_regex_match(regex, S("nothing"), &captures));
    assert_int_equal(captures.count, 7);
    assert_true(perl_regex_match(regex, subject, &captures));
    assert_int_equal(captures.count, 4);
    assert_str_equal(captures.groups[0], subject);
    assert_str_equal(captures.groups[1], S("ann"));
    assert_ptr_equal(captures.groups[1].data, subject.data + 1);
    assert_null(captures.groups[2].data);
    assert_str_equal(captures.groups[3], S("rest"));
    assert_true(perl_regex_name(regex, 0, &name, &group));
    assert_str_equal(name, S("user"));
    assert_int_equal(group, 1);
    assert_false(perl_regex_name(regex, 1, &name, &group));
    perl_regex_free(regex);
    arena_release(&arena);
}

TEST(a_bad_expression_says_what_and_where)
{
    struct arena arena;
    struct str error;
    size_t offset;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_null(perl_regex_new(S("abc("), false, &arena, &error, &offset));
    assert_int_equal(offset, 4);
    assert_true(error.len != 0);
    assert_null(perl_regex_new(S("(a)(a)(a)(a)(a)(a)(a)(a)(a)(?<tenth>a)"), false, &arena, &error, &offset));
    assert_true(str_find(error, S("tenth")) >= 0);
    arena_release(&arena);
}

TEST(an_expression_that_never_ends_ends_without_a_match)
{
    struct arena arena;
    char subject[64];
    arena_init(&arena, ARENA_UNLIMITED);
    struct perl_regex *regex = regex_of("^(a+)+$", false, &arena);
    memset(subject, 'a', sizeof(subject));
    subject[sizeof(subject) - 1] = 'b';
    assert_false(perl_regex_match(regex, str_of(subject, sizeof(subject)), NULL));
    perl_regex_free(regex);
    arena_release(&arena);
}
