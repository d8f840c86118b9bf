#include "route/rule.h"

#include "sample.h"

static const struct rule *parse(struct sample *sample, struct str text, enum rule_syntax syntax)
{
    return rule_parse(text, syntax, &sample->regexes, &sample->arena, &sample->faults);
}

struct fault_case {
    const char *rule;
    const char *part;           /* what is underlined */
    const char *message, *hint; /* parts of them */
};

static void check_fault(const struct fault_case *c, enum rule_syntax syntax, bool warning)
{
    struct sample sample;
    sample_init(&sample);
    struct str text = str_from(c->rule);
    const struct rule *rule = parse(&sample, text, syntax);
    if ((rule != NULL) != warning || sample.faults.count != 1)
        fail_msg("%s: %zu faults, rule %p", c->rule, sample.faults.count, (const void *)rule);
    const struct rule_fault *fault = &sample.faults.items[0];
    assert_int_equal(fault->warning, warning);
    assert_true(fault->offset + fault->length <= text.len);
    struct str part = str_of(text.data + fault->offset, fault->length);
    if (!str_equal(part, str_from(c->part)) || str_find(fault->message, str_from(c->message)) < 0 ||
        str_find(fault->hint, str_from(c->hint)) < 0 || (c->hint[0] == '\0' && fault->hint.len > 0))
        fail_msg("%s: \"%.*s\": %.*s (%.*s)", c->rule, STR_ARGS(part), STR_ARGS(fault->message),
                 STR_ARGS(fault->hint));
    sample_release(&sample);
}

TEST(rule_faults_have_their_place_and_a_hint)
{
    static const struct fault_case cases[] = {
        {"", "", "empty", "such as Host"},
        {"  ", "", "empty", "such as Host"},
        {"Hots(`a`)", "Hots", "no matcher 'Hots'", "did you mean 'Host'?"},
        {"Host(`a`) && PathPrefx(`/a`)", "PathPrefx", "no matcher", "did you mean 'PathPrefix'?"},
        {"Frobnicate(`a`)", "Frobnicate", "no matcher", ""},
        {"Host(`a`,`b`)", "Host(`a`,`b`)", "one value, not 2", "write Host(`a`) || Host(`b`)"},
        {"Host()", "Host()", "one value, not 0", ""},
        {"Host(``)", "``", "empty", ""},
        {"Header(`a`)", "Header(`a`)", "two values, not 1", ""},
        {"Query(`a`,`b`,`c`)", "Query(`a`,`b`,`c`)", "one or two values, not 3", ""},
        {"Host('a')", "'a'", "single quotes", "`back-quotes`"},
        {"Host(`a", "`a", "no closing back-quote", ""},
        {"Host(\"a)", "\"a)", "no closing quote", ""},
        {"Host(\"a\\q\")", "\\q", "unknown escape", "back-quotes"},
        {"Host(a)", "a", "value is expected", "`back-quotes`"},
        {"Host(`a` `b`)", "`b`", "',' is missing", ""},
        {"Host(`a`", "(", "never closed", ""},
        {"(Host(`a`)", "(", "never closed", ""},
        {"Host(`a`))", ")", "no '('", ""},
        {"Host(`a`) & Host(`b`)", "&", "not an operator", "'&&'"},
        {"Host(`a`) | Host(`b`)", "|", "not an operator", "'||'"},
        {"Host(`a`) and Host(`b`)", "and", "operator is missing", "'&&'"},
        {"not Host(`a`)", "not", "parentheses", "'!'"},
        {"Host(`a`) Host(`b`)", "Host", "operator is missing", "joined"},
        {"Host(`a`) &&", "", "matcher is expected", "such as"},
        {"&& Host(`a`)", "&&", "matcher is expected", "such as"},
        {"Host", "Host", "parentheses", "such as"},
        {"`a`", "`a`", "value alone", "such as"},
        {"Host(`a`) ; x", ";", "does not belong", ""},
        {"Host(`\xf0\x9f\xa6\xad.com`)", "`\xf0\x9f\xa6\xad.com`", "ASCII", "xn--"},
        {"HostRegexp(`\xc3\xa9`)", "`\xc3\xa9`", "ASCII", "xn--"},
        {"HostRegexp(`(example.com`)", "(", "never closed", ""},
        {"PathRegexp(`/a(?=b)`)", "(", "look-ahead", ""},
        {"PathRegexp(\"/a\\\\1\")", "\"/a\\\\1\"", "back-references", ""},
        {"HeaderRegexp(`X`,`[z-a]`)", "z", "backwards", ""},
        {"Path(`css`)", "`css`", "begins with '/'", "write `/css`"},
        {"PathPrefix(`css`)", "`css`", "begins with '/'", "write `/css`"},
        {"ClientIP(`1`)", "`1`", "neither an IP address", "10.0.0.0/8"},
        {"Headers(`X-A`,`b`)", "Headers", "no matcher", "write Header(`X-A`,`b`)"},
        {"HeadersRegexp(`X-A`,`b`)", "HeadersRegexp", "no matcher", "write HeaderRegexp(`X-A`,`b`)"},
        {"HostHeader(`a`)", "HostHeader", "no matcher", "write Host(`a`)"},
        {"HostSNI(`a`)", "HostSNI", "no matcher", "TCP"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_fault(&cases[i], RULE_V3, false);
}

TEST(v2_rule_faults_have_their_place_and_a_hint)
{
    static const struct fault_case cases[] = {
        {"Host()", "Host()", "at least one value", ""},
        {"PathRegexp(`a`)", "PathRegexp", "no matcher", "v3 syntax"},
        {"Hostheder(`a`)", "Hostheder", "no matcher", "did you mean 'HostHeader'?"},
        {"Headers(`a`)", "Headers(`a`)", "pairs of values, not 1", ""},
        {"Headers(`a`,`b`,`c`)", "Headers(`a`,`b`,`c`)", "in pairs", ""},
        {"Headers(`a`,``)", "``", "empty", ""},
        {"HeadersRegexp(`a`,`(b`)", "(", "never closed", ""},
        {"HostRegexp(`{a:(}`)", "`{a:(}`", "regular expression", ""},
        {"HostRegexp(`{a`)", "`{a`", "never closed", ""},
        {"Path(`/a}`)", "`/a}`", "no '{'", ""},
        {"Path(`/{:x}`)", "`/{:x}`", "{name} or {name:regex}", ""},
        {"Path(`css`)", "`css`", "begins with '/'", "write `/css`"},
        {"Query(`a`)", "`a`", "key=value", "mobile=true"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_fault(&cases[i], RULE_V2, false);
}

TEST(rules_that_traefik_takes_and_that_never_match_are_warned_about)
{
    static const struct fault_case cases[] = {
        {"Host(`a.example:8080`)", "`a.example:8080`", "port", "leave the port out"},
        {"Host(`{sub}.example`)", "`{sub}.example`", "braces", "HostRegexp"},
        {"Host(`http://a.example`)", "`http://a.example`", "not a host", "alone"},
        {"Host(`a,b`)", "`a,b`", "not a host", "alone"},
        {"Host(`a*.example`)", "`a*.example`", "first label", "*.example.com"},
        {"Host(`*.*.example`)", "`*.*.example`", "first label", "*.example.com"},
        {"HostRegexp(`{sub:[a-z]+}.example.com`)", "`{sub:[a-z]+}.example.com`", "v2 syntax",
         "write HostRegexp(`^(?:[a-z]+)\\.example\\.com$`)"},
        {"Path(`/p/{id}`)", "`/p/{id}`", "v2 syntax", "write PathRegexp(`^/p/(?:[^/]+)$`)"},
        {"PathPrefix(`/p/{id:[0-9]+}`)", "`/p/{id:[0-9]+}`", "v2 syntax", "write PathRegexp(`^/p/(?:[0-9]+)`)"},
        {"PathRegexp(`^/p/{id}`)", "`^/p/{id}`", "v2 syntax", "{name:...}"},
        {"Path(`/a?b=c`)", "`/a?b=c`", "'?'", "Query"},
        {"Header(`X A`,`b`)", "`X A`", "not the name of a header", ""},
        {"Query(`a=b`)", "`a=b`", "'='", "Query(`key`, `value`)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_fault(&cases[i], RULE_V3, true);
}

TEST(rule_shows_all_its_faults_at_once)
{
    struct sample sample;
    sample_init(&sample);
    assert_null(parse(&sample, S("Hots(`a`) && Path(`b`) || !(ClientIP(`x`) && Host(`a`,`b`))"), RULE_V3));
    assert_int_equal(sample.faults.errors, 4);
    assert_int_equal(sample.faults.items[0].offset, 0);
    assert_int_equal(sample.faults.items[1].offset, 18);
    sample_release(&sample);
}

TEST(rule_bounds_length_depth_and_faults)
{
    struct sample sample;
    sample_init(&sample);
    char *text = arena_alloc(&sample.arena, 200000);
    memset(text, '!', 200000);
    memcpy(text + 64, "Host(`a`)", 9);
    assert_non_null(parse(&sample, str_of(text, 73), RULE_V3));
    memset(text, '(', 200000);
    assert_null(parse(&sample, str_of(text, 60000), RULE_V3));
    assert_null(parse(&sample, str_of(text, 65537), RULE_V3));
    for (size_t i = 0; i < 100; i++)
        memcpy(text + i * 8, "X(`a`)||", 8);
    assert_null(parse(&sample, str_of(text, 798), RULE_V3));
    assert_int_equal(sample.faults.count, 100);
    for (size_t i = 0; i < 6000; i++)
        memcpy(text + i * 10, "Path(`/`)|", 10);
    assert_null(parse(&sample, str_of(text, 59999), RULE_V3));
    for (size_t i = 0; i < 4500; i++)
        memcpy(text + i * 11, "Path(`/`)||", 11);
    assert_null(parse(&sample, str_of(text, 49498), RULE_V3));
    assert_true(str_find(sample.faults.items[0].message, S("too many matchers")) >= 0);
    sample_release(&sample);
}

TEST(identical_regexes_are_compiled_once)
{
    struct sample sample;
    sample_init(&sample);
    const struct rule *rule = sample_rule(&sample, "PathRegexp(`^/a`) || PathRegexp(`^/a`)", RULE_V3);
    assert_ptr_equal(rule->root->first->regex, rule->root->first->next->regex);
    sample_release(&sample);
}

TEST(terms_know_their_text)
{
    struct sample sample;
    sample_init(&sample);
    const struct rule *rule = sample_rule(&sample, " Host(`a`) && !(Path(`/x`) || Path( `/y` ) ) ", RULE_V3);
    assert_str_equal(rule_text(rule, rule->root), S("Host(`a`) && !(Path(`/x`) || Path( `/y` ) )"));
    const struct term *not = rule->root->first->next;
    assert_str_equal(rule_text(rule, not), S("!(Path(`/x`) || Path( `/y` ) )"));
    assert_str_equal(rule_text(rule, not->first), S("Path(`/x`) || Path( `/y` )"));
    assert_str_equal(rule_text(rule, not->first->first->next), S("Path( `/y` )"));
    sample_release(&sample);
}

TEST(rule_hosts_are_those_not_negated)
{
    struct sample sample;
    sample_init(&sample);
    const struct rule *rule = sample_rule(
        &sample, "(Host(`A.example.`) || Host(`*.b.example`) || Host(`*`)) && !Host(`c.example`)", RULE_V3);
    struct strs hosts = rule_hosts(rule, &sample.arena);
    assert_int_equal(hosts.count, 2);
    assert_str_equal(hosts.items[0], S("a.example"));
    assert_str_equal(hosts.items[1], S("*.b.example"));
    sample_release(&sample);
}

TEST(rule_faults_are_reported_inside_their_span)
{
    struct sample sample;
    sample_init(&sample);
    struct diag diag;
    diag_init(&diag, &sample.arena);
    const struct source *source = diag_source(&sample.arena, S("x.yaml"), S("rule: Hots(`a`)\n"));
    assert_null(parse(&sample, S("Hots(`a`)"), RULE_V3));
    rule_report(&sample.faults, (struct span){.source = source, .line = 1, .column = 7, .length = 9}, &diag);
    assert_int_equal(diag.errors, 1);
    assert_int_equal(diag.items[0].span.column, 7);
    assert_int_equal(diag.items[0].span.length, 4);
    assert_str_equal(diag.items[0].hint, S("did you mean 'Host'?"));
    diag_release(&diag);
    sample_release(&sample);
}
