#include "test.h"

#include "middleware/path.h"
#include "middleware/rig.h"

static struct rig rig;

/* The path that a request goes on with, or the status that it is answered with. */
static struct str path_after(const char *type, const char *yaml, const char *path)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, type, yaml));
    struct str url = arena_printf(&rig.arena, "http://example.com%s", path);
    rig_begin(&rig, "GET", url.data);
    if (rig_request(&rig) == VERDICT_ANSWER)
        return arena_printf(&rig.arena, "%d %s", rig.x.response.status,
                            status_reason(rig.x.failure));
    return exchange_request(&rig.x)->path;
}

#define assert_path(type, yaml, path, expected)                                                    \
    do {                                                                                           \
        assert_str_equal(path_after(type, yaml, path), S(expected));                               \
        rig_release(&rig);                                                                         \
    } while (0)

TEST(add_prefix_puts_an_encoded_prefix_before_the_raw_path)
{
    assert_path("addPrefix", "prefix: /foo", "/bar", "/foo/bar");
    assert_path("addPrefix", "prefix: foo", "/bar", "/foo/bar");
    assert_path("addPrefix", "prefix: '/a b'", "/b%2Fc", "/a%20b/b%2Fc");
    assert_path("addPrefix", "prefix: /a%b", "/", "/a%25b/");
}

TEST(add_prefix_leaves_the_query_alone)
{
    path_after("addPrefix", "prefix: /foo", "/bar?x=1");
    assert_str_equal(exchange_request(&rig.x)->query, S("x=1"));
    rig_release(&rig);
}

TEST(add_prefix_needs_a_prefix)
{
    rig_init(&rig);
    assert_false(rig_configure(&rig, "addPrefix", "{}"));
    assert_false(rig_configure(&rig, "addPrefix", "prefix: ''"));
    rig_release(&rig);
}

TEST(strip_prefix_takes_the_first_prefix_that_fits)
{
    assert_path("stripPrefix", "prefixes: [/api]", "/api/foo", "/foo");
    assert_path("stripPrefix", "prefixes: [/api]", "/api/", "/");
    assert_path("stripPrefix", "prefixes: [/api]", "/api", "/");
    assert_path("stripPrefix", "prefixes: [/api]", "/apix", "/x");
    assert_path("stripPrefix", "prefixes: [/none, /a, /api]", "/api/foo", "/pi/foo");
    assert_path("stripPrefix", "prefixes: [/api]", "/other", "/other");
}

TEST(strip_prefix_refuses_what_would_climb)
{
    assert_path("stripPrefix", "prefixes: [/api]", "/api./foo", "400 bad_rewrite");
    assert_path("stripPrefix", "prefixes: [/api]", "/api../foo", "400 bad_rewrite");
    assert_path("stripPrefix", "prefixes: [/api]", "/api%2e%2E/foo", "400 bad_rewrite");
    assert_path("stripPrefix", "prefixes: [/api]", "/api..", "400 bad_rewrite");
    assert_path("stripPrefix", "prefixes: [/api]", "/api.../foo", "/.../foo");
    assert_path("stripPrefix", "prefixes: [/api]", "/api/.well-known", "/.well-known");
}

TEST(strip_prefix_compares_decoded_and_keeps_the_rest_encoded)
{
    assert_path("stripPrefix", "prefixes: [/api]", "/%61pi/a%2Fb%20c", "/a%2Fb%20c");
    assert_path("stripPrefix", "prefixes: ['/a b']", "/a%20b/c", "/c");
    assert_path("stripPrefix", "prefixes: [/api]", "/ap%2", "/ap%2");
}

TEST(strip_prefix_tells_the_server_what_it_took)
{
    path_after("stripPrefix", "prefixes: [/api]", "/api/foo");
    assert_str_equal(rig_request_field(&rig, "X-Forwarded-Prefix"), S("/api"));
    rig_release(&rig);
    path_after("stripPrefix", "prefixes: [/api]", "/foo");
    assert_null(rig_request_field(&rig, "X-Forwarded-Prefix").data);
    rig_release(&rig);
}

TEST(strip_prefix_says_that_force_slash_is_gone)
{
    rig_init(&rig);
    assert_false(rig_configure(&rig, "stripPrefix", "{prefixes: [/a], forceSlash: false}"));
    assert_non_null(strstr(rig_reported(&rig), "no longer read"));
    rig_release(&rig);
}

TEST(strip_prefix_regex_takes_only_what_the_path_begins_with)
{
    assert_path("stripPrefixRegex", "regex: ['/a/[0-9]+']", "/a/12/c", "/c");
    assert_path("stripPrefixRegex", "regex: ['/b']", "/a/b", "/a/b");
    assert_path("stripPrefixRegex", "regex: ['/x', '/[a-z]+/']", "/ab/c%2Fd", "/c%2Fd");
    assert_path("stripPrefixRegex", "regex: ['/a b']", "/a%20b/c", "/c");
    assert_path("stripPrefixRegex", "regex: ['/a']", "/a../c", "400 bad_rewrite");
}

TEST(strip_prefix_regex_forwards_the_match_as_a_safe_value)
{
    path_after("stripPrefixRegex", "regex: ['(?s)/a.+/']", "/a%0D%0Ab/c");
    assert_str_equal(rig_request_field(&rig, "X-Forwarded-Prefix"), S("/a%0D%0Ab/"));
    rig_release(&rig);
}

TEST(strip_prefix_regex_reports_a_bad_expression_at_its_place)
{
    rig_init(&rig);
    assert_false(rig_configure(&rig, "stripPrefixRegex", "regex: ['/a', '/(b']"));
    assert_non_null(strstr(rig_reported(&rig), "c.yaml:1:"));
    assert_non_null(strstr(rig_reported(&rig), "bad regular expression"));
    rig_release(&rig);
}

TEST(replace_path_keeps_the_former_path_in_a_field)
{
    path_after("replacePath", "path: /new", "/old%2Fpath?q=1");
    assert_str_equal(exchange_request(&rig.x)->path, S("/new"));
    assert_str_equal(exchange_request(&rig.x)->query, S("q=1"));
    assert_str_equal(rig_request_field(&rig, "X-Replaced-Path"), S("/old%2Fpath"));
    rig_release(&rig);
}

TEST(replace_path_takes_escapes_as_they_are_and_encodes_the_rest)
{
    assert_path("replacePath", "path: '/a%20b c?d'", "/", "/a%20b%20c%3Fd");
    rig_init(&rig);
    assert_false(rig_configure(&rig, "replacePath", "path: /a%2"));
    rig_release(&rig);
}

TEST(replace_path_regex_rewrites_with_groups)
{
    assert_path("replacePathRegex", "{regex: '^/foo/(.*)', replacement: '/bar/$1'}", "/foo/x%2Fy",
                "/bar/x%2Fy");
    assert_path("replacePathRegex", "{regex: ' ^/(?P<v>[^/]+)/x ', replacement: ' /${v}s '}",
                "/a/x", "/as");
    assert_path("replacePathRegex", "{regex: '^/foo', replacement: ''}", "/foo", "/");
    assert_path("replacePathRegex", "{regex: '^/no', replacement: '/x'}", "/foo", "/foo");
    assert_path("replacePathRegex", "{regex: '^/a(.*)', replacement: '$1'}", "/a../b",
                "400 bad_rewrite");
    assert_path("replacePathRegex", "{regex: '%2F', replacement: '%'}", "/a%2Fb", "/a%25b");
}

TEST(replace_path_regex_notes_the_former_path_only_when_it_matched)
{
    path_after("replacePathRegex", "{regex: '^/foo', replacement: /bar}", "/foo");
    assert_str_equal(rig_request_field(&rig, "X-Replaced-Path"), S("/foo"));
    rig_release(&rig);
    path_after("replacePathRegex", "{regex: '^/no', replacement: /bar}", "/foo");
    assert_null(rig_request_field(&rig, "X-Replaced-Path").data);
    rig_release(&rig);
}

TEST(path_rewrites_leave_the_asterisk_form_alone)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "addPrefix", "prefix: /foo"));
    rig_begin(&rig, "OPTIONS", "http://example.com/");
    exchange_request(&rig.x)->path = S("*");
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    assert_str_equal(exchange_request(&rig.x)->path, S("*"));
    rig_release(&rig);
}

TEST(encoded_characters_are_refused_unless_allowed)
{
    assert_path("encodedCharacters", "{}", "/a%20b", "/a%20b");
    assert_path("encodedCharacters", "{}", "/a%2fb", "400 bad_encoded_character");
    assert_path("encodedCharacters", "{}", "/a%00", "400 bad_encoded_character");
    assert_path("encodedCharacters", "{}", "/%41%5C", "400 bad_encoded_character");
    assert_path("encodedCharacters", "{}", "/%zz%3b", "400 bad_encoded_character");
    assert_path("encodedCharacters", "{}", "/%ff%AF", "/%ff%AF");
    assert_path("encodedCharacters", "allowEncodedSlash: true", "/a%2fb", "/a%2fb");
    assert_path("encodedCharacters", "allowEncodedSlash: true", "/a%25b",
                "400 bad_encoded_character");
    assert_path(
        "encodedCharacters",
        "{allowEncodedPercent: true, allowEncodedQuestionMark: true, allowEncodedHash: true}",
        "/%25%3F%23", "/%25%3F%23");
}
