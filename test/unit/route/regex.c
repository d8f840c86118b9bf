#include "route/regex.h"

#include <pthread.h>

#include "test.h"

struct match_case {
    const char *pattern, *subject;
    bool matches;
};

static void check_match(const struct match_case *c)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str error = STR_NONE;
    size_t offset = 0;
    struct regex *regex = regex_new(str_from(c->pattern), &arena, &error, &offset);
    if (regex == NULL)
        fail_msg("`%s` is refused at %zu: %.*s", c->pattern, offset, STR_ARGS(error));
    if (regex_match(regex, str_from(c->subject)) != c->matches)
        fail_msg("`%s` on \"%s\" should be %d", c->pattern, c->subject, c->matches);
    regex_free(regex);
    arena_release(&arena);
}

TEST(regex_matches_what_go_matches)
{
    static const struct match_case cases[] = {
        {"", "", true}, {"", "a", true}, {"b", "abc", true}, {"^b", "abc", false},
        {"^[a-z]+\\.traefik\\.com$", "foobar.traefik.com", true},
        {"^[a-z]+\\.traefik\\.com$", "foobar.traefik.com\n", false},
        {"a$", "a\n", false}, {"(?m)a$", "a\nb", true}, {"(?m)^$", "a\n", true},
        {"a.c", "a\nc", false}, {"(?s)a.c", "a\nc", true}, {"(?i)HeLLo", "hEllO", true},
        {"(?i:a)b", "AB", false}, {"(?i:a)b", "Ab", true}, {"(?i-s:a)b", "Ab", true},
        {"a{2}", "a", false}, {"a{2}", "aa", true}, {"^a{,2}$", "a{,2}", true}, {"^a{x}$", "a{x}", true},
        {"^a{$", "a{", true}, {"^a}$", "a}", true}, {"^]$", "]", true},
        {"^\\Qa.b*\\E+$", "a.b**", true}, {"^\\Qa.b", "a.b", true},
        {"^\\s$", "\v", false}, {"^\\S$", "\v", true}, {"^[\\s]$", "\v", false}, {"^[\\S]$", "\v", true},
        {"^[^\\S]$", "\v", false}, {"^\\v$", "\v", true}, {"^\\v$", "\n", false},
        {"^\\101\\x42\\x{43}$", "ABC", true}, {"^\\0\\n", "x", false}, {"^\\12$", "\n", true},
        {"^[]a]+$", "]a", true}, {"^[^]a]+$", "]a", false}, {"^[a-]+$", "-a", true}, {"^[-a]+$", "-a", true},
        {"^[\\d-z]+$", "1-z", true}, {"^[[:alpha:]_]+$", "ab_", true}, {"^[[:^alpha:]]+$", "12", true},
        {"^[[:space:]]$", "\v", true}, {"^[[:punct:]]+$", "!/:@[`{~", true}, {"^[[:word:]]+$", "_aZ0", true},
        {"^[[:print:]]$", "\x7f", false}, {"^[[:cntrl:]]$", "\x7f", true}, {"^[[:xdigit:]]+$", "fA9", true},
        {"^[[a]+$", "[a", true}, {"^[a[.b]+$", "a[.b", true}, {"^[\\]\\\\]+$", "]\\", true},
        {"\\bfoo\\b", "a foo b", true}, {"\\bfoo\\b", "afoo b", false}, {"\\b*a", "a", true}, {"^*a", "ba", true},
        {"(?P<n>a)(?<m>b)", "ab", true}, {"(?P<1x>a)", "a", true}, {"a??b", "b", true},
        {"a|", "", true}, {"(|a)b", "b", true}, {"()", "", true}, {"(?)a", "a", true}, {"(?U)a+", "aa", true},
        {"^\\{path:(css|js)\\}$", "{path:css}", true}, {"/{path:(css|js)}", "/{path:css}", true},
        {"\\_\\-\\/\\\"", "_-/\"", true}, {"\\Aab\\z", "ab", true}, {"\\Aab\\z", "ab\n", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_match(&cases[i]);
}

TEST(regex_reads_subjects_beyond_ascii_as_characters)
{
    static const struct match_case cases[] = {
        {"^.$", "\xc3\xa9", true}, {"^..$", "\xc3\xa9", false}, {"^[^a]$", "\xe2\x82\xac", true},
        {"^\xc3\xa9+$", "\xc3\xa9\xc3\xa9", true}, {"(?i)^\xc3\x89$", "\xc3\xa9", true},
        {"^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", true}, {"^\\xe9$", "\xc3\xa9", true}, {"^\\xe9$", "\xe9", false},
        {"^\\x{20ac}$", "\xe2\x82\xac", true}, {"^\\pL$", "\xc3\xa9", true}, {"^\\PL$", "\xc3\xa9", false},
        {"^\\p{Greek}+$", "\xce\xb1\xce\xb2", true}, {"^\\p{^Greek}+$", "\xce\xb1", false},
        {"^[\\pN\\-]+$", "1-", true}, {"^\\w$", "\xc3\xa9", false}, {"^\\W$", "\xc3\xa9", true},
        {"^[\\D[:alpha:]]$", "\xce\xbb", true}, {"^[[:^digit:][:upper:]]$", "\xce\xbb", true},
        /* Bytes that are not UTF-8 count as one character each. */
        {"^/x/.*$", "/x/\xff\xfe", true}, {"^..$", "\xff\xfe", true}, {"^[a-z]+$", "a\xff", false},
        {"a", "\xc3\xa9""a", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_match(&cases[i]);
}

TEST(regex_refuses_what_go_refuses_and_says_where)
{
    static const struct {
        const char *pattern, *error;
        size_t offset;
    } cases[] = {
        {"a(?=b)", "look-ahead", 1}, {"(?!b)", "look-ahead", 0}, {"x(?<=b)", "look-behind", 1},
        {"(?<!b)", "look-behind", 0}, {"(?>a)", "atomic", 0}, {"a(?#c)", "comments", 1}, {"(a)\\1", "back-ref", 3},
        {"(?P<n>a)(?P=n)", "back-ref", 8}, {"(?R)", "recursion", 0}, {"(?(1)a)", "conditional", 0},
        {"(?1)", "kind of group", 0}, {"(?x)a", "kind of group", 0}, {"(?'n'a)", "kind of group", 0},
        {"(?i-)", "kind of group", 0}, {"a*+", "possessive", 2}, {"a**", "repeated", 2}, {"a{2}{3}", "repeated", 4}, {"a(?i)*", "before any flags", 5},
        {"*a", "nothing to repeat", 0}, {"(*UTF)a", "nothing to repeat", 1}, {"a|*", "nothing to repeat", 2},
        {"(+)", "nothing to repeat", 1}, {"a{1001}", "1000", 1}, {"a{3,2}", "first number", 1},
        {"(a{100}){100}", "1000", 8}, {"ab\\K", "escape", 2}, {"\\G", "escape", 0}, {"\\R", "escape", 0},
        {"\\X", "escape", 0}, {"\\C", "escape", 0}, {"\\Z", "escape", 0}, {"\\h", "escape", 0}, {"\\E", "escape", 0},
        {"\\N", "escape", 0}, {"[\\b]", "escape", 1}, {"a\\", "backslash", 1}, {"\\x4", "hexadecimal", 0},
        {"\\x{110000}", "hexadecimal", 0}, {"[a", "closing", 0}, {"[]", "closing", 0}, {"[z-a]", "backwards", 1},
        {"[a-\\d]", "escape", 3}, {"[[:nope:]]", "class of characters", 1}, {"\\p{Gr eek}", "class", 0},
        {"(a", "never closed", 0}, {"a)", "no \"(\"", 1}, {"(?P<n>a)(?P<n>b)", "two groups", 12},
        {"(?P<>a)", "empty", 0}, {"(?P<a-b>a)", "letters", 5}, {"(?P<n", "closing", 0}, {"a\xff", "UTF-8", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        arena_init(&arena, ARENA_UNLIMITED);
        struct str error = STR_NONE;
        size_t offset = 0;
        struct regex *regex = regex_new(str_from(cases[i].pattern), &arena, &error, &offset);
        if (regex != NULL)
            fail_msg("`%s` is accepted", cases[i].pattern);
        if (str_find(error, str_from(cases[i].error)) < 0 || offset != cases[i].offset)
            fail_msg("`%s`: at %zu \"%.*s\"", cases[i].pattern, offset, STR_ARGS(error));
        arena_release(&arena);
    }
}

TEST(regex_bounds_the_nesting_of_groups)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    for (size_t depth = 250; depth <= 251; depth++) {
        char pattern[600];
        memset(pattern, '(', depth);
        memset(pattern + depth, ')', depth);
        struct str error;
        size_t offset;
        struct regex *regex = regex_new(str_of(pattern, 2 * depth), &arena, &error, &offset);
        assert_int_equal(regex != NULL, depth == 250);
        regex_free(regex);
    }
    arena_release(&arena);
}

TEST(regex_replace_expands_as_go_does)
{
    static const struct {
        const char *pattern, *subject, *replacement, *all, *first;
    } cases[] = {
        {"a", "banana", "o", "bonono", "bonana"},
        {"x", "banana", "o", "banana", "banana"},
        {"(\\w)(\\w)", "abcd", "$2$1", "badc", "bacd"},
        {"(\\w)", "ab", "$1x", "", "b"},
        {"(\\w)", "ab", "${1}x", "axbx", "axb"},
        {"(?P<n>\\w)", "ab", "<$n>", "<a><b>", "<a>b"},
        {"(?P<n>\\w)", "ab", "${n}${m}-", "a-b-", "a-b"},
        {"b", "abc", "$$1", "a$1c", "a$1c"},
        {"b", "abc", "$", "a$c", "a$c"},
        {"b", "abc", "${0}${", "ab${c", "ab${c"},
        {"b", "abc", "$-x", "a$-xc", "a$-xc"},
        {"(b)", "abc", "$01", "ac", "ac"},
        {"", "abc", "-", "-a-b-c-", "-abc"},
        {"x*", "abc", "-", "-a-b-c-", "-abc"},
        {"b*", "abbc", "-", "-a-c-", "-abbc"},
        {"(a)|b", "ab", "[$1]", "[a][]", "[a]b"},
        {"", "", "x", "x", "x"},
        {".", "\xc3\xa9""a", "x", "xx", "xa"},
        {"^/api/(.*)", "/api/foo", "/$1", "/foo", "/foo"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        arena_init(&arena, ARENA_UNLIMITED);
        struct str error;
        size_t offset;
        struct regex *regex = regex_new(str_from(cases[i].pattern), &arena, &error, &offset);
        assert_non_null(regex);
        struct str subject = str_from(cases[i].subject), replacement = str_from(cases[i].replacement);
        assert_str_equal(regex_replace(regex, subject, replacement, true, &arena), str_from(cases[i].all));
        assert_str_equal(regex_replace(regex, subject, replacement, false, &arena), str_from(cases[i].first));
        regex_free(regex);
        arena_release(&arena);
    }
}

TEST(regex_replace_gives_the_same_view_without_a_match_and_none_over_budget)
{
    struct arena arena, tiny;
    char first[16];
    arena_init(&arena, ARENA_UNLIMITED);
    arena_init_with(&tiny, first, sizeof(first), 0);
    struct str error, subject = S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    size_t offset;
    struct regex *regex = regex_new(S("a"), &arena, &error, &offset);
    assert_null(regex_replace(regex, subject, S("bb"), true, &tiny).data);
    struct str other = S("xyz");
    assert_ptr_equal(regex_replace(regex, other, S("bb"), true, &arena).data, other.data);
    assert_int_equal(regex_replace(regex, STR_NONE, S("bb"), true, &arena).len, 0);
    regex_free(regex);
    arena_release(&arena);
}

TEST(regex_find_gives_the_first_match)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str error;
    size_t offset, start = 9, end = 9;
    struct regex *regex = regex_new(S("^/(a|b)+"), &arena, &error, &offset);
    assert_true(regex_find(regex, S("/abx"), &start, &end));
    assert_int_equal(start, 0);
    assert_int_equal(end, 3);
    assert_false(regex_find(regex, S("x/a"), &start, &end));
    regex_free(regex);
    arena_release(&arena);
}

TEST(regex_that_explodes_is_no_match_instead_of_a_hang)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str error;
    size_t offset;
    struct regex *regex = regex_new(S("^(a+)+$"), &arena, &error, &offset);
    assert_true(regex_match(regex, S("aaaaaaaaaaaaaaaaaaaa")));
    assert_false(regex_match(regex, S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    regex_free(regex);
    arena_release(&arena);
}

static void *match_many(void *regex)
{
    for (int i = 0; i < 1000; i++)
        assert_true(regex_match(regex, S("\xc3\xa9""abc")));
    return NULL;
}

TEST(regex_is_shared_by_threads)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str error;
    size_t offset;
    struct regex *regex = regex_new(S("^.abc$"), &arena, &error, &offset);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_many, regex), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    regex_free(regex);
    arena_release(&arena);
}
