#include "route/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sample.h"

/* Numbers that are the same in every run. */
static uint64_t seed;

static uint32_t below(uint32_t bound)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % bound;
}

static const char *const hosts[] = {"a", "b.a", "c.a", "c.b.a", "d", "x.d", "-"};
static const char *const paths[] = {"/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/abc", "/b", "/b/c", "/b/c/d/e/f"};

/* A random rule of few hosts and paths, so that they meet often. */
static void add_rule(struct text *text, unsigned depth)
{
    static const char *const host_rules[] = {"a", "b.a", "c.a", "c.b.a", "d", "*.a", "*.b.a", "*.d", "*"};
    switch (below(depth == 0 ? 6 : 9)) {
    case 0: case 1:
        text_addf(text, "Host(`%s`)", host_rules[below(9)]);
        break;
    case 2:
        text_addf(text, "PathPrefix(`%s`)", paths[below(10)]);
        break;
    case 3:
        text_addf(text, "Path(`%s`)", paths[below(10)]);
        break;
    case 4:
        text_addf(text, "Method(`%s`)", below(2) == 0 ? "GET" : "POST");
        break;
    case 5:
        text_addf(text, "%s(`%s`)", below(2) == 0 ? "HostRegexp" : "PathRegexp", below(2) == 0 ? "a" : "b");
        break;
    case 6:
        text_add(text, S("!("));
        add_rule(text, depth - 1);
        text_add_char(text, ')');
        break;
    default:
        text_add_char(text, '(');
        add_rule(text, depth - 1);
        text_add(text, below(2) == 0 ? S(" && ") : S(" || "));
        add_rule(text, depth - 1);
        text_add_char(text, ')');
        break;
    }
}

static const struct table_entry *linear_scan(const struct table_entry *entries, size_t count,
                                             const struct route_input *input)
{
    const struct table_entry *best = NULL;
    for (size_t i = 0; i < count; i++) {
        bool better = best == NULL || entries[i].priority > best->priority ||
                      (entries[i].priority == best->priority && entries[i].order < best->order);
        if (better && rule_match(entries[i].rule, input))
            best = &entries[i];
    }
    return best;
}

static void compare_with_linear_scan(struct sample *sample, size_t count)
{
    struct table_entry *entries = memory_zalloc((count + 1) * sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        struct text text;
        text_init(&text, 65536);
        add_rule(&text, below(4));
        entries[i] = (struct table_entry){.rule = sample_rule(sample, text_c(&text), RULE_V3), .priority = (int64_t)below(5) - 2,
                                          .order = (uint32_t)i, .router = &entries[i]};
        text_release(&text);
    }
    struct table *table = table_new(entries, count);
    for (size_t i = 0; i < 60; i++) {
        char request[64];
        snprintf(request, sizeof(request), "%s %s%s%s", below(2) == 0 ? "GET" : "POST", hosts[below(7)],
                 paths[below(10)], below(4) == 0 ? "x" : "");
        const struct route_input *input = sample_request(sample, request);
        const struct table_entry *expected = linear_scan(entries, count, input), *found = table_find(table, input);
        if ((found != NULL ? found->router : NULL) != expected)
            fail_msg("%s: %.*s instead of %.*s", request, STR_ARGS(found != NULL ? found->rule->text : S("none")),
                     STR_ARGS(expected != NULL ? expected->rule->text : S("none")));
    }
    table_free(table);
    free(entries);
}

TEST(table_finds_what_a_linear_scan_finds)
{
    seed = 1;
    for (size_t round = 0; round < 300; round++) {
        struct sample sample;
        sample_init(&sample);
        compare_with_linear_scan(&sample, round % 3 == 0 ? below(4) : round % 3 == 1 ? below(20) : below(120));
        sample_release(&sample);
    }
}

/* The pattern with every '#' written as the number; in the sample's arena, NUL-terminated. */
static const char *numbered(struct sample *sample, const char *pattern, size_t number)
{
    struct text text;
    text_init(&text, 4096);
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '#')
            text_add_u64(&text, number);
        else
            text_add_char(&text, *pattern);
    }
    const char *copy = arena_str(&sample->arena, text_str(&text)).data;
    text_release(&text);
    return copy;
}

/* A table of `count` rules made from a pattern; equal priorities. */
static struct table *numbered_table(struct sample *sample, const char *pattern, size_t count)
{
    struct table_entry *entries = memory_zalloc(count * sizeof(*entries));
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct table_entry){.rule = sample_rule(sample, numbered(sample, pattern, i), RULE_V3),
                                          .order = (uint32_t)i};
    struct table *table = table_new(entries, count);
    free(entries);
    return table;
}

static void check_numbered(struct sample *sample, struct table *table, const char *pattern, size_t count)
{
    for (size_t i = 0; i < count; i += 7) {
        const struct table_entry *found =
            table_find(table, sample_request(sample, numbered(sample, pattern, i)));
        assert_non_null(found);
        assert_int_equal(found->order, i);
    }
}

TEST(table_finds_one_of_ten_thousand_hosts)
{
    struct sample sample;
    sample_init(&sample);
    struct table *table = numbered_table(&sample, "Host(`app-#.example.com`) || Host(`*.app-#.org`)", 10000);
    check_numbered(&sample, table, "GET app-#.example.com/x", 10000);
    check_numbered(&sample, table, "GET www.app-#.org/x", 10000);
    assert_null(table_find(table, sample_request(&sample, "GET app-10000.example.com/")));
    assert_null(table_find(table, sample_request(&sample, "GET app-1.org/")));
    table_free(table);
    sample_release(&sample);
}

TEST(table_finds_one_of_a_thousand_paths_of_a_host)
{
    struct sample sample;
    sample_init(&sample);
    struct table *table =
        numbered_table(&sample, "Host(`a`) && (PathPrefix(`/svc-#/`) || Path(`/exact/#`))", 1000);
    check_numbered(&sample, table, "GET a/svc-#/x", 1000);
    check_numbered(&sample, table, "GET a/exact/#", 1000);
    assert_null(table_find(table, sample_request(&sample, "GET a/svc-1")));
    assert_null(table_find(table, sample_request(&sample, "GET b/svc-1/")));
    table_free(table);
    sample_release(&sample);
}

TEST(table_holds_prefixes_nested_in_each_other)
{
    struct sample sample;
    sample_init(&sample);
    char path[64] = "/";
    struct table_entry entries[40];
    for (size_t i = 0; i < 40; i++) {
        char rule[128];
        snprintf(rule, sizeof(rule), "PathPrefix(`%s`)", path);
        entries[i] = (struct table_entry){.rule = sample_rule(&sample, rule, RULE_V3), .priority = (int64_t)strlen(rule)};
        strcat(path, "a");
    }
    struct table *table = table_new(entries, 40);
    for (size_t len = 0; len < 45; len++) {
        char request[128] = "GET x/";
        memset(request + 6, 'a', len);
        const struct table_entry *found = table_find(table, sample_request(&sample, request));
        assert_ptr_equal(found->rule, entries[len < 39 ? len : 39].rule);
    }
    table_free(table);
    sample_release(&sample);
}

TEST(the_longer_rule_wins_without_priorities)
{
    struct sample sample;
    sample_init(&sample);
    const struct rule *host = sample_rule(&sample, "Host(`foobar.traefik.com`)", RULE_V3);
    const struct rule *regexp = sample_rule(&sample, "HostRegexp(`[a-z]+\\.traefik\\.com`)", RULE_V3);
    struct table_entry entries[] = {{.rule = host, .priority = (int64_t)host->text.len},
                                    {.rule = regexp, .priority = (int64_t)regexp->text.len, .order = 1}};
    struct table *table = table_new(entries, 2);
    const struct route_input *input = sample_request(&sample, "GET foobar.traefik.com/");
    assert_int_equal(host->text.len, 26);
    assert_int_equal(regexp->text.len, 34);
    assert_ptr_equal(table_find(table, input)->rule, regexp);
    table_free(table);
    entries[0].priority = 35;
    table = table_new(entries, 2);
    assert_ptr_equal(table_find(table, input)->rule, host);
    table_free(table);
    sample_release(&sample);
}

TEST(an_empty_table_finds_nothing)
{
    struct sample sample;
    sample_init(&sample);
    struct table *table = table_new(NULL, 0);
    assert_null(table_find(table, sample_request(&sample, "GET a/")));
    table_free(table);
    sample_release(&sample);
}
