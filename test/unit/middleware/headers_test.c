#include "test.h"

#include "middleware/rig.h"

static struct rig rig;

static void begin(const char *yaml, const char *method)
{
    rig_init(&rig);
    if (!rig_configure(&rig, "headers", yaml))
        fail_msg("%s", rig_reported(&rig));
    rig_begin(&rig, method, "http://example.com/");
}

static bool is_refused(const char *yaml, const char *report)
{
    rig_init(&rig);
    bool refused =
        !rig_configure(&rig, "headers", yaml) && strstr(rig_reported(&rig), report) != NULL;
    rig_release(&rig);
    return refused;
}

#define assert_sent(name, value) assert_str_equal(rig_request_field(&rig, name), S(value))
#define assert_answered(name, value) assert_str_equal(rig_response_field(&rig, name), S(value))
#define assert_no_answered(name) assert_null(rig_response_field(&rig, name).data)

TEST(headers_sets_and_removes_fields_of_requests)
{
    begin("customRequestHeaders: {X-Script: test, x-gone: '', Accept: 'a/b'}", "GET");
    rig_field(&rig, "X-Gone", "1");
    rig_field(&rig, "x-gone", "2");
    rig_field(&rig, "Accept", "*/*");
    rig_field(&rig, "Accept", "text/html");
    rig_field(&rig, "X-Kept", "yes");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_sent("X-Script", "test");
    assert_sent("Accept", "a/b");
    assert_sent("X-Kept", "yes");
    assert_null(rig_request_field(&rig, "X-Gone").data);
    assert_int_equal(fields_remove(&exchange_request(&rig.x)->fields, FIELD_ACCEPT), 1);
    rig_release(&rig);
}

TEST(headers_changes_the_host)
{
    begin("customRequestHeaders: {host: 'Other.org:81', X-A: b}", "GET");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_str_equal(exchange_request(&rig.x)->authority, S("Other.org:81"));
    assert_str_equal(exchange_request(&rig.x)->host, S("other.org"));
    assert_sent("X-A", "b");
    rig_release(&rig);
}

TEST(headers_sets_and_removes_fields_of_responses)
{
    begin("customResponseHeaders: {X-A: '1', Server: ''}", "GET");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 200);
    fields_add_id(&rig.x.response.fields, FIELD_SERVER, S("backend"));
    fields_add(&rig.x.response.fields, S("X-a"), S("0"));
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_answered("X-A", "1");
    assert_no_answered("Server");
    rig_release(&rig);
}

TEST(headers_leaves_the_framing_of_messages_alone)
{
    begin("customResponseHeaders: {Content-Length: '5', X-A: b}", "GET");
    assert_non_null(strstr(rig_reported(&rig), "'Content-Length' belongs to the connection"));
    rig_respond(&rig, 200);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_no_answered("Content-Length");
    assert_answered("X-A", "b");
    rig_release(&rig);
}

TEST(headers_refuses_options_that_cannot_be_fields)
{
    assert_true(is_refused("{}", "at least one option"));
    assert_true(
        is_refused("customRequestHeaders: {'X A': b}", "'X A' is not a header field's name"));
    assert_true(is_refused("customResponseHeaders: {X-A: \"b\\r\\nX-B: c\"}",
                           "bytes that no header field may hold"));
    assert_true(is_refused("contentSecurityPolicy: \"a\\nb\"", "contentSecurityPolicy"));
    assert_true(is_refused("accessControlAllowHeaders: [\"a\\nb\"]", "accessControlAllowHeaders"));
    assert_true(is_refused("customRequestHeaders: {Host: 'a/b'}", "is not a host"));
    assert_true(is_refused("accessControlAllowOriginListRegex: ['(']", "bad regular expression"));
    assert_true(is_refused("sslRedirect: true", "redirectScheme"));
    assert_true(is_refused("featurePolicy: x", "permissionsPolicy"));
}

/* --- CORS --- */

TEST(headers_answers_a_preflight)
{
    begin("{accessControlAllowMethods: [GET, OPTIONS, PUT], accessControlAllowHeaders: [X-A, X-B],"
          " accessControlAllowOriginList: ['https://foo.bar.org'], accessControlMaxAge: 100,"
          " accessControlAllowCredentials: true, addVaryHeader: true}",
          "OPTIONS");
    rig_field(&rig, "Origin", "https://foo.bar.org");
    rig_field(&rig, "Access-Control-Request-Method", "GET");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_int_equal(rig.x.response.status, 200);
    assert_int_equal(rig.x.response.body_length, 0);
    assert_answered("Access-Control-Allow-Origin", "https://foo.bar.org");
    assert_answered("Access-Control-Allow-Methods", "GET,OPTIONS,PUT");
    assert_answered("Access-Control-Allow-Headers", "X-A,X-B");
    assert_answered("Access-Control-Allow-Credentials", "true");
    assert_answered("Access-Control-Max-Age", "100");
    rig_release(&rig);
}

TEST(headers_answers_a_preflight_of_a_stranger_without_allowing_it)
{
    begin("accessControlAllowOriginList: ['https://foo.bar.org']", "OPTIONS");
    rig_field(&rig, "Origin", "https://evil.org");
    rig_field(&rig, "Access-Control-Request-Method", "GET");
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    assert_no_answered("Access-Control-Allow-Origin");
    assert_answered("Access-Control-Max-Age", "0");
    rig_release(&rig);
}

TEST(headers_passes_options_requests_that_are_no_preflights)
{
    begin("accessControlAllowOriginList: ['*']", "OPTIONS");
    rig_field(&rig, "Origin", "https://foo.bar.org");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_release(&rig);
    begin("customRequestHeaders: {X-A: b}", "OPTIONS");
    rig_field(&rig, "Origin", "https://foo.bar.org");
    rig_field(&rig, "Access-Control-Request-Method", "GET");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_release(&rig);
}

static struct str allowed_origin(const char *yaml, const char *origin)
{
    begin(yaml, "GET");
    rig_field(&rig, "Origin", origin);
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 200);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    static char text[100];
    struct str value = rig_response_field(&rig, "Access-Control-Allow-Origin");
    size_t len = value.len < sizeof(text) ? value.len : sizeof(text);
    memcpy(text, value.len != 0 ? value.data : "", len);
    rig_release(&rig);
    return str_of(text, len);
}

TEST(headers_names_the_origin_that_may_read_a_response)
{
    assert_str_equal(allowed_origin("accessControlAllowOriginList: ['*']", "https://a.org"),
                     S("*"));
    assert_str_equal(
        allowed_origin("accessControlAllowOriginList: ['https://a.org', 'https://b.org']",
                       "https://b.org"),
        S("https://b.org"));
    assert_str_equal(allowed_origin("accessControlAllowOriginListRegex: ['^https://(.*)\\.org$']",
                                    "https://b.org"),
                     S("https://b.org"));
    assert_str_equal(allowed_origin("accessControlAllowOriginListRegex: ['^https://(.*)\\.org$']",
                                    "https://b.com"),
                     S(""));
}

TEST(headers_adds_origin_to_vary_once)
{
    const struct {
        struct str before, after;
    } cases[] = {
        {STR(""), STR("Origin")},       {STR("Accept"), STR("Accept,Origin")},
        {STR("origin"), STR("origin")}, {STR("Accept, Origin"), STR("Accept, Origin")},
        {STR("*"), STR("*")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin("{addVaryHeader: true, accessControlExposeHeaders: [X-A, X-B]}", "GET");
        rig_respond(&rig, 200);
        if (cases[i].before.len != 0)
            fields_add_id(&rig.x.response.fields, FIELD_VARY, cases[i].before);
        assert_int_equal(rig_response(&rig), VERDICT_NEXT);
        assert_str_equal(rig_response_field(&rig, "Vary"), cases[i].after);
        assert_answered("Access-Control-Expose-Headers", "X-A,X-B");
        rig_release(&rig);
    }
}

/* --- security --- */

TEST(headers_sends_every_security_field)
{
    begin("{frameDeny: true, contentTypeNosniff: true, browserXssFilter: true, "
          "contentSecurityPolicy: a,"
          " contentSecurityPolicyReportOnly: b, referrerPolicy: c, permissionsPolicy: d, "
          "stsSeconds: 10, publicKey: e}",
          "GET");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig_respond(&rig, 200);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_answered("X-Frame-Options", "DENY");
    assert_answered("X-Content-Type-Options", "nosniff");
    assert_answered("X-XSS-Protection", "1; mode=block");
    assert_answered("Content-Security-Policy", "a");
    assert_answered("Content-Security-Policy-Report-Only", "b");
    assert_answered("Referrer-Policy", "c");
    assert_answered("Permissions-Policy", "d");
    assert_no_answered("Strict-Transport-Security");
    assert_no_answered("Public-Key-Pins");
    rig_release(&rig);
}

TEST(headers_prefers_custom_values)
{
    begin("{frameDeny: true, customFrameOptionsValue: SAMEORIGIN, browserXssFilter: true, "
          "customBrowserXSSValue: '0'}",
          "GET");
    rig_respond(&rig, 200);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    assert_answered("X-Frame-Options", "SAMEORIGIN");
    assert_answered("X-XSS-Protection", "0");
    rig_release(&rig);
}

static struct str strict_transport(const char *yaml, bool tls, const char *proto)
{
    begin(yaml, "GET");
    rig.client.tls = tls;
    if (proto != NULL)
        rig_field(&rig, "X-Forwarded-Proto", proto);
    rig_respond(&rig, 200);
    assert_int_equal(rig_response(&rig), VERDICT_NEXT);
    struct str value = rig_response_field(&rig, "Strict-Transport-Security");
    static char text[100];
    memcpy(text, value.len != 0 ? value.data : "", value.len);
    rig_release(&rig);
    return str_of(text, value.len);
}

TEST(headers_sends_strict_transport_security_over_tls)
{
    assert_str_equal(strict_transport("stsSeconds: 10", true, NULL), S("max-age=10"));
    assert_str_equal(
        strict_transport("{stsSeconds: 10, stsIncludeSubdomains: true, stsPreload: true}", true,
                         NULL),
        S("max-age=10; includeSubDomains; preload"));
    assert_str_equal(strict_transport("stsSeconds: 10", false, NULL), S(""));
    assert_str_equal(strict_transport("{stsSeconds: 10, forceSTSHeader: true}", false, NULL),
                     S("max-age=10"));
    assert_str_equal(
        strict_transport("{stsSeconds: 10, isDevelopment: true, forceSTSHeader: true}", true, NULL),
        S(""));
    assert_str_equal(
        strict_transport("{stsSeconds: 10, sslProxyHeaders: {X-Forwarded-Proto: https}}", false,
                         "https"),
        S("max-age=10"));
    assert_str_equal(
        strict_transport("{stsSeconds: 10, sslProxyHeaders: {X-Forwarded-Proto: https}}", false,
                         "http"),
        S(""));
}

static int host_status(const char *yaml, const char *url, const char *forwarded_host)
{
    begin(yaml, "GET");
    rig_begin(&rig, "GET", url);
    if (forwarded_host != NULL)
        rig_field(&rig, "X-Forwarded-Host", forwarded_host);
    int status = rig_request(&rig) == VERDICT_ANSWER ? rig.x.response.status : 0;
    rig_release(&rig);
    return status;
}

TEST(headers_serves_only_allowed_hosts)
{
    assert_int_equal(host_status("allowedHosts: [foo.com, bar.com]", "http://BAR.com/", NULL), 0);
    assert_int_equal(host_status("allowedHosts: [foo.com, bar.com]", "http://bar.com:8080/", NULL),
                     0);
    assert_int_equal(host_status("allowedHosts: ['bar.com:80']", "http://bar.com:8080/", NULL),
                     421);
    assert_int_equal(host_status("allowedHosts: ['[::1]']", "http://[::1]:80/", NULL), 0);
    assert_int_equal(host_status("allowedHosts: [foo.com]", "http://evil.com/", NULL), 421);
    assert_int_equal(
        host_status("{allowedHosts: [foo.com], isDevelopment: true}", "http://evil.com/", NULL), 0);
    assert_int_equal(host_status("{allowedHosts: [foo.com], hostsProxyHeaders: [X-Forwarded-Host]}",
                                 "http://evil.com/", "foo.com"),
                     0);
    assert_int_equal(host_status("{allowedHosts: [foo.com], hostsProxyHeaders: [X-Forwarded-Host]}",
                                 "http://foo.com/", "evil.com"),
                     421);
}
