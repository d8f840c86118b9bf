#include "test.h"

#include <stdio.h>

#include "config/nginx/compile.h"
#include "nginx_text.h"

static struct fixture f;

TEST(nginx_times_are_read_as_nginx_reads_them)
{
    static const struct {
        const char *text;
        int64_t ms;               /* -1: it is none */
    } times[] = {
        {"0", 0}, {"30", 30000}, {"30s", 30000}, {"500ms", 500}, {"5m", 300000}, {"1h 30m", 5400000}, {"1h30m", 5400000},
        {"1d", 86400000}, {"1w", 604800000}, {"1M", INT64_C(2592000000)}, {"1y", INT64_C(31536000000)}, {"1m 30", 90000},
        {"1s500ms", 1500}, {"1y1M1w1d1h1m1s1ms", INT64_C(34822861001)}, {"30 ", 30000}, {"9223372036854775", INT64_C(9223372036854775000)},
        {"", -1}, {"s", -1}, {"ms", -1}, {"1x", -1}, {"1m1h", -1}, {"1s1s", -1}, {"1ms1s", -1}, {"30 1h", -1}, {"-1", -1}, {"1.5s", -1},
        {"1 h", -1}, {" 1", -1}, {"9223372036854776", -1}, {"99999999999999999999", -1}, {"999999999999y", -1}, {"30 5", -1},
    };
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(nginx_time(str_from(times[i].text), &ms), times[i].ms >= 0);
        assert_int_equal(ms, times[i].ms);
    }
}

TEST(nginx_sizes_are_read_as_nginx_reads_them)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {
        {"0", 0}, {"100", 100}, {"8k", 8192}, {"8K", 8192}, {"1m", 1048576}, {"1M", 1048576}, {"1g", 1073741824}, {"1G", 1073741824},
        {"", -1}, {"k", -1}, {"1kb", -1}, {"1 k", -1}, {"-1", -1}, {"1.5m", -1}, {"9999999999999999999g", -1}, {"9999999999g", -1},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int64_t bytes = -1;
        assert_int_equal(nginx_size(str_from(sizes[i].text), &bytes), sizes[i].bytes >= 0);
        assert_int_equal(bytes, sizes[i].bytes);
    }
}

TEST(nginx_variables_become_those_of_the_model)
{
    static const struct {
        const char *word, *text, *said;
    } cases[] = {
        {"plain", "plain", ""},
        {"$uri", "${uri}", ""},
        {"a${uri}b", "a${uri}b", ""},
        {"http://$host:$server_port/$1$2x", "http://${host}:${server_port}/${1}${2}x", ""},
        {"$12", "${1}2", ""},
        {"$0a", "${0a}", ""},
        {"${1}", "${1}", ""},
        {"$a$b", "${a}${b}", ""},
        {"a$", "a$", "nginx.conf:1:12: invalid variable name, behind '$' stands a name, which may be in braces"},
        {"'$a $-'", "$a $-", "nginx.conf:1:15: invalid variable name, behind '$' stands a name, which may be in braces"},
        {"$a${b-}", "$a${b-}", "nginx.conf:1:13: the closing bracket in \"b\" variable is missing"},
        {"x${}", "x${}", "nginx.conf:1:12: invalid variable name, behind '$' stands a name, which may be in braces"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        snprintf(text, sizeof(text), "test_many %s;", cases[i].word);
        struct nginx_directive *root = nginx_text_read(&f, text);
        struct nginx_compile compile = {.arena = &f.arena, .diag = &f.diag};
        assert_str_equal(nginx_template(&compile, &root->first->words[0]), str_from(cases[i].text));
        assert_string_equal(nginx_text_said(&f), cases[i].said);
        assert_int_equal(nginx_has_variables(root->first->words[0].text), i > 0);
        fixture_release(&f);
    }
}
