#include "route/explain.h"

#include "sample.h"

TEST(explain_names_the_matcher_that_failed_and_why)
{
    static const struct {
        const char *rule, *request, *failed, *why;
    } cases[] = {
        {"Host(`a`) && PathPrefix(`/x`)", "GET b/x", "Host(`a`)", "the host is 'b'"},
        {"Host(`a`) && PathPrefix(`/x`)", "GET a/y", "PathPrefix(`/x`)", "the path is '/y'"},
        {"Host(`a`) || Host(`b`)", "GET c/", "Host(`a`) || Host(`b`)", "the host is 'c'"},
        {"Path(`/`) && (Host(`a`) || Method(`PUT`))", "GET c/", "Host(`a`) || Method(`PUT`)",
         "the host is 'c', the method is GET"},
        {"!Host(`a`)", "GET a/", "!Host(`a`)", "the host is 'a'"},
        {"Host(`a`)", "GET -/", "Host(`a`)", "the request has no host"},
        {"Method(`GET`)", "BREW a/", "Method(`GET`)", "the method is BREW"},
        {"Header(`X`,`1`)", "GET a/", "Header(`X`,`1`)", "there is no header 'X'"},
        {"HeaderRegexp(`X`,`1`)", "GET a/ x=2", "HeaderRegexp(`X`,`1`)", "the header 'X' is '2'"},
        {"Query(`k`,`v`)", "GET a/?k=w", "Query(`k`,`v`)", "the query is 'k=w'"},
        {"Query(`k`,`v`)", "GET a/", "Query(`k`,`v`)", "there is no query"},
        {"ClientIP(`10.0.0.0/8`)", "GET a/ from=192.0.2.7", "ClientIP(`10.0.0.0/8`)", "the client is 192.0.2.7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample;
        sample_init(&sample);
        struct table_entry entry = {.rule = sample_rule(&sample, cases[i].rule, RULE_V3)};
        struct explained explained =
            explain_entry(&entry, sample_request(&sample, cases[i].request), &sample.arena);
        assert_false(explained.matched);
        assert_str_equal(explained.failed, str_from(cases[i].failed));
        assert_str_equal(explained.why, str_from(cases[i].why));
        sample_release(&sample);
    }
}

TEST(explain_tries_in_order_until_one_matches)
{
    struct sample sample;
    sample_init(&sample);
    struct table_entry entries[] = {{.rule = sample_rule(&sample, "Host(`a`)", RULE_V3), .priority = 1, .order = 0},
                                    {.rule = sample_rule(&sample, "Host(`b`)", RULE_V3), .priority = 3, .order = 1},
                                    {.rule = sample_rule(&sample, "PathPrefix(`/`)", RULE_V3), .priority = 2, .order = 2}};
    struct table *table = table_new(entries, 3);
    const struct route_input *input = sample_request(&sample, "GET a/");
    struct explanation explanation = explain(table, input, &sample.arena);
    assert_int_equal(explanation.count, 2);
    assert_ptr_equal(explanation.tried[0].entry->rule, entries[1].rule);
    assert_false(explanation.tried[0].matched);
    assert_true(explanation.tried[1].matched);
    assert_int_equal(explanation.tried[1].failed.len, 0);
    assert_ptr_equal(explanation.found, table_find(table, input));
    table_free(table);
    sample_release(&sample);
}
