#include "route/match.h"

#include "sample.h"

struct match_case {
    const char *rule, *request;
    bool matches;
};

static void check(const struct match_case *cases, size_t count, enum rule_syntax syntax)
{
    for (size_t i = 0; i < count; i++) {
        struct sample sample;
        sample_init(&sample);
        const struct rule *rule = sample_rule(&sample, cases[i].rule, syntax);
        if (rule_match(rule, sample_request(&sample, cases[i].request)) != cases[i].matches)
            fail_msg("%s on %s should be %d", cases[i].rule, cases[i].request, cases[i].matches);
        sample_release(&sample);
    }
}
#define CHECK(syntax, cases) check(cases, sizeof(cases) / sizeof((cases)[0]), syntax)

TEST(host_matches_without_case_and_dots_at_the_end)
{
    static const struct match_case cases[] = {
        {"Host(`example.com`)", "GET example.com/", true},
        {"Host(`EXAMPLE.COM`)", "GET example.com/path", true},
        {"Host(`example.com`)", "GET EXAMPLE.com/", true},
        {"Host(`example.com.`)", "GET example.com/", true},
        {"Host(`example.com`)", "GET example.org/", false},
        {"Host(`example.com`)", "GET www.example.com/", false},
        {"Host(`example.com`)", "GET -/", false},
        {"Host(`xn--9t9h.com`)", "GET xn--9t9h.com/", true},
        {"Host(`127.0.0.1`)", "GET 127.0.0.1/", true},
        {"Host(`10::10`)", "GET [10::10]/", true},
        {"Host(`[10::10]`)", "GET [10::10]/", true},
        {"Host(`*.example.com`)", "GET a.example.com/", true},
        {"Host(`*.EXAMPLE.com.`)", "GET a.example.com/", true},
        {"Host(`*.example.com`)", "GET example.com/", false},
        {"Host(`*.example.com`)", "GET a.b.example.com/", false},
        {"Host(`*.example.com`)", "GET aexample.com/", false},
        {"Host(`*`)", "GET a.b.example.com/", true},
        {"Host(`*`)", "GET -/", true},
        {"HostRegexp(`^[a-z]+\\.traefik\\.com$`)", "GET foobar.traefik.com/", true},
        {"HostRegexp(`^[a-zA-Z-]+\\.com$`)", "GET example.com/", true},
        {"HostRegexp(`^[A-Z]+\\.com$`)", "GET EXAMPLE.com/", false},
        {"HostRegexp(`ample`)", "GET example.com/", true},
        {"HostRegexp(`^[a-zA-Z-]+\\.com$`)", "GET example.org/", false},
        {"HostRegexp(`{domain:[a-zA-Z-]+\\.com}`)", "GET example.com/", false},
    };
    CHECK(RULE_V3, cases);
}

TEST(path_matchers_see_the_routing_path)
{
    static const struct match_case cases[] = {
        {"Path(`/products`)", "GET a/products", true},
        {"Path(`/products`)", "GET a/products/", false},
        {"Path(`/products`)", "GET a/products?q=1", true},
        {"PathPrefix(`/products`)", "GET a/products-for-sale", true},
        {"PathPrefix(`/products`)", "GET a/product", false},
        {"PathPrefix(`/api/`)", "GET a/api", false},
        {"PathPrefix(`/foo bar`)", "GET a/foo%20bar/x", true},
        {"Path(`/a%2Fb`)", "GET a/a%2fb", true},
        {"Path(`/a/b`)", "GET a/a%2Fb", false},
        {"Path(`/a`)", "GET a/%61", true},
        {"PathRegexp(`^/(css|js)`)", "GET a/css/main.css", true},
        {"PathRegexp(`^/(css|js)`)", "GET a/CSS", false},
        {"PathRegexp(`s/m`)", "GET a/css/main.css", true},
        {"PathRegexp(`/{path:(css|js)}`)", "GET a/%7Bpath:css%7D/", true},
        {"PathRegexp(`/{path:(css|js)}`)", "GET a/css", false},
    };
    CHECK(RULE_V3, cases);
}

TEST(method_header_query_and_client_matchers)
{
    static const struct match_case cases[] = {
        {"Method(`GET`)", "GET a/", true},
        {"Method(`get`)", "GET a/", true},
        {"Method(`get`)", "get a/", false},
        {"Method(`GET`)", "POST a/", false},
        {"Method(`PURGE`)", "PURGE a/", true},
        {"Method(`PURGE`)", "BREW a/", false},
        {"Method(`PURGE`)", "GET a/", false},
        {"Header(`X-Kind`,`b`)", "GET a/ x-kind=a X-KIND=b", true},
        {"Header(`X-Kind`,`b`)", "GET a/ X-Kind=B", false},
        {"Header(`X-Kind`,`b`)", "GET a/ X-Kind=b,c", false},
        {"Header(`X-Kind`,`b`)", "GET a/", false},
        {"Header(`content-type`,`text/html`)", "GET a/ Content-Type=text/html", true},
        {"HeaderRegexp(`X-Forwarded-Proto`,`^https?$`)", "GET a/ X-Forwarded-Proto=ws X-Forwarded-Proto=https", true},
        {"HeaderRegexp(`X-Forwarded-Proto`,`^https?$`)", "GET a/ X-Forwarded-Proto=HTTPS", false},
        {"Query(`mobile`)", "GET a/?mobile", true},
        {"Query(`mobile`)", "GET a/?mobile=", true},
        {"Query(`mobile`)", "GET a/?mobile=1", false},
        {"Query(`mobile`)", "GET a/", false},
        {"Query(`mobile`)", "GET a/?other", false},
        {"Query(`k`,`v`)", "GET a/?x=y&k=w&k=v", true},
        {"Query(`k`,`a b`)", "GET a/?k=a+b", true},
        {"Query(`k`,`a b`)", "GET a/?k=a%20b", true},
        {"Query(`k k`,`=`)", "GET a/?k%20k==", true},
        {"Query(`k`,`v`)", "GET a/?K=v", false},
        {"Query(`k`,`v`)", "GET a/?k=vv", false},
        {"Query(`k`,`vv`)", "GET a/?k=v", false},
        {"Query(`k`,`v`)", "GET a/?k=%zz&k=v", true},
        {"QueryRegexp(`k`,`^[0-9]+$`)", "GET a/?k=a&k=12", true},
        {"QueryRegexp(`k`,`^a b$`)", "GET a/?k=a%20b", true},
        {"QueryRegexp(`k`,`.`)", "GET a/?k=%z", false},
        {"QueryRegexp(`k`)", "GET a/?k", true},
        {"ClientIP(`127.0.0.1`)", "GET a/ from=127.0.0.1", true},
        {"ClientIP(`127.0.0.1`)", "GET a/ from=::ffff:127.0.0.1", true},
        {"ClientIP(`192.168.1.0/24`)", "GET a/ from=192.168.1.100", true},
        {"ClientIP(`192.168.1.7/24`)", "GET a/ from=192.168.1.100", true},
        {"ClientIP(`192.168.1.0/24`)", "GET a/ from=192.168.2.1", false},
        {"ClientIP(`fd00::/8`)", "GET a/ from=fd12::1", true},
        {"ClientIP(`10.0.0.0/8`)", "GET a/ X-Forwarded-For=10.0.0.1", false},
    };
    CHECK(RULE_V3, cases);
}

TEST(operators_bind_as_in_go)
{
    static const struct match_case cases[] = {
        {"Host(`a`) || Host(`b`) && Path(`/x`)", "GET a/", true},
        {"(Host(`a`) || Host(`b`)) && Path(`/x`)", "GET a/", false},
        {"!Host(`a`) && Path(`/x`)", "GET b/x", true},
        {"!Host(`a`) && Path(`/x`)", "GET b/y", false},
        {"!(Host(`a`) && Path(`/x`))", "GET a/y", true},
        {"!(Host(`a`) || Path(`/x`))", "GET b/x", false},
        {"!!Host(`a`)", "GET a/", true},
        {"HOST(\"a\")&&method(\"GET\",)&&Pathprefix(`/`)", "GET a/", true},
        {"Path(\"/\\x61\\u00e9\\101\\\"\")", "GET a/a%C3%A9A%22", true},
        {"\tHost(`a`)\r\n  && Path(`/x`)\n", "GET a/x", true},
        {"Path(`/a\r\nb`)", "GET a/a%0Ab", true},
    };
    CHECK(RULE_DEFAULT, cases);
}

TEST(v2_rules_take_several_values_and_templates)
{
    static const struct match_case cases[] = {
        {"Host(`example.com`, `example.org`)", "GET EXAMPLE.org/", true},
        {"Host(`example.com`, `example.org`)", "GET example.net/", false},
        {"HostHeader(`localhost`)", "GET localhost/foo", true},
        {"Host(`nope`,`localhost`) && PathPrefix(`/foo`)", "GET localhost/foo", true},
        {"Host(`nope,localhost`) && PathPrefix(`/bar`)", "GET localhost/foo", false},
        {"HostRegexp(`example.com`, `example.org`)", "GET example.org/", true},
        {"HostRegexp(`example.com`)", "GET exampleXcom/", false},
        {"HostRegexp(`{domain:[a-zA-Z-]+\\.com}`)", "GET example.com/", true},
        {"HostRegexp(`{domain:[a-zA-Z-]+\\.com}`)", "GET example.org/", false},
        {"HostRegexp(`{subdomain:(foo\\.)?bar\\.com}`)", "GET foo.bar.com/", true},
        {"HostRegexp(`{subdomain:(foo\\.)?bar\\.com}`)", "GET fooubar.com/", false},
        {"HostRegexp(`{sub}.Example.com`)", "GET a.example.com/", true},
        {"HostRegexp(`{sub}.example.com`)", "GET a.b.example.com/", false},
        {"Path(`/css`, `/js`)", "GET a/js", true},
        {"Path(`/css`, `/js`)", "GET a/js/main.js", false},
        {"Path(`/css{path:(/.*)?}`)", "GET a/css/main.css", true},
        {"Path(`/css{path:(/.*)?}`)", "GET a/css.css", false},
        {"Path(`/p/{id:[0-9]{2}}/x`)", "GET a/p/12/x", true},
        {"Path(`/p/{id}`)", "GET a/p/1/2", false},
        {"PathPrefix(`/css-{name:[0-9]?}`)", "GET a/css-222/main.css", true},
        {"PathPrefix(`/css-{name:[0-9]?}`)", "GET a/css.css", false},
        {"Method(`GET`,`POST`)", "POST a/", true},
        {"Headers(`Content-Type`,`application/json`)", "GET a/ Content-Type=application/json", true},
        {"Headers(`A`,`1`,`B`,`2`)", "GET a/ A=1", false},
        {"Headers(`A`,`1`,`B`,`2`)", "GET a/ A=1 B=2", true},
        {"HeadersRegexp(`Content-Type`,`application/(text|json)`)", "GET a/ Content-Type=application/json", true},
        {"HeadersRegexp(`X`,`http{secure:s?}`)", "GET a/ X=http{secure:s}", true},
        {"Query(`a=b`,`c=d`)", "GET a/?a=b&c=d", true},
        {"Query(`a=b`,`c=d`)", "GET a/?a=b", false},
        {"Query(`a=b`)", "GET a/?a=x&a=b", false},
        {"Query(`a=`)", "GET a/?a=x", true},
        {"Query(`a={n:[0-9]+}`)", "GET a/?a=12", true},
        {"Query(`a={n:[0-9]+}`)", "GET a/?a=12x", false},
        {"ClientIP(`127.0.0.1`, `192.168.1.0/24`)", "GET a/ from=192.168.1.1", true},
    };
    CHECK(RULE_V2, cases);
}

TEST(client_ip_never_matches_a_peer_without_address)
{
    struct sample sample;
    sample_init(&sample);
    const struct rule *rule = sample_rule(&sample, "ClientIP(`::/0`)", RULE_V3);
    sample_request(&sample, "GET a/ from=fd00::1");
    assert_true(rule_match(rule, &sample.input));
    sample.input.peer = NULL;
    assert_false(rule_match(rule, &sample.input));
    sample_release(&sample);
}
