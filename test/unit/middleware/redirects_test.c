#include "test.h"

#include "middleware/rig.h"

static struct rig rig;

/* "302 https://example.com/", or "next". */
static struct str redirected(const char *type, const char *yaml, const char *method,
                             const char *url)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, type, yaml));
    rig.client.tls = strncmp(url, "https", 5) == 0;
    rig_begin(&rig, method, url);
    if (rig_request(&rig) == VERDICT_NEXT)
        return S("next");
    return arena_printf(&rig.arena, "%d %.*s", rig.x.response.status,
                        STR_ARGS(rig_response_field(&rig, "Location")));
}

#define assert_redirect(type, yaml, method, url, expected)                                         \
    do {                                                                                           \
        assert_str_equal(redirected(type, yaml, method, url), S(expected));                        \
        rig_release(&rig);                                                                         \
    } while (0)

TEST(redirect_scheme_keeps_the_method_of_all_but_get)
{
    assert_redirect("redirectScheme", "scheme: https", "GET", "http://foo/a?b",
                    "302 https://foo/a?b");
    assert_redirect("redirectScheme", "scheme: https", "POST", "http://foo/", "307 https://foo/");
    assert_redirect("redirectScheme", "scheme: https", "HEAD", "http://foo/", "307 https://foo/");
    assert_redirect("redirectScheme", "{scheme: https, permanent: true}", "GET", "http://foo/",
                    "301 https://foo/");
    assert_redirect("redirectScheme", "{scheme: https, permanent: true}", "POST", "http://foo/",
                    "308 https://foo/");
}

TEST(redirect_scheme_knows_ports)
{
    assert_redirect("redirectScheme", "scheme: https", "GET", "http://foo:8080/",
                    "302 https://foo/");
    assert_redirect("redirectScheme", "{scheme: https, port: '8443'}", "GET", "http://foo:8080/",
                    "302 https://foo:8443/");
    assert_redirect("redirectScheme", "{scheme: https, port: '443'}", "GET", "http://foo/",
                    "302 https://foo/");
    assert_redirect("redirectScheme", "{scheme: http, port: '80'}", "GET", "https://foo/",
                    "302 http://foo/");
    assert_redirect("redirectScheme", "{scheme: https, port: '8443'}", "GET", "https://foo:8000/",
                    "302 https://foo:8443/");
    assert_redirect("redirectScheme", "scheme: https", "GET", "https://foo:8000/x",
                    "302 https://foo/x");
    assert_redirect("redirectScheme", "scheme: https", "GET", "http://[::1]:80/",
                    "302 https://[::1]/");
    assert_redirect("redirectScheme", "scheme: https", "GET", "http://[::1]/",
                    "302 https://[::1]/");
}

TEST(redirect_scheme_lets_pass_what_is_right_already)
{
    assert_redirect("redirectScheme", "scheme: https", "GET", "https://foo/", "next");
    assert_redirect("redirectScheme", "scheme: https", "GET", "https://foo:443/", "next");
    assert_redirect("redirectScheme", "{scheme: https, port: '8443'}", "GET", "https://foo:8443/",
                    "next");
}

TEST(redirect_scheme_believes_a_trusted_peer)
{
    rig_init(&rig);
    assert_true(rig_configure(&rig, "redirectScheme", "scheme: https"));
    rig_begin(&rig, "GET", "http://foo/");
    rig_field(&rig, "X-Forwarded-Proto", "https");
    rig.x.forwarded_trusted = true;
    assert_int_equal(rig_request(&rig), VERDICT_NEXT);
    rig.x.forwarded_trusted = false;
    assert_int_equal(rig_request(&rig), VERDICT_ANSWER);
    rig_release(&rig);
}

TEST(redirect_scheme_checks_its_options)
{
    rig_init(&rig);
    assert_false(rig_configure(&rig, "redirectScheme", "{}"));
    assert_false(rig_configure(&rig, "redirectScheme", "scheme: 'a b'"));
    assert_false(rig_configure(&rig, "redirectScheme", "{scheme: https, port: '70000'}"));
    rig_release(&rig);
}

TEST(redirect_regex_works_on_the_whole_url)
{
    assert_redirect("redirectRegex",
                    "{regex: '^http://localhost/(.*)', replacement: 'http://mydomain/${1}'}", "GET",
                    "http://localhost/a?b=c", "302 http://mydomain/a?b=c");
    assert_redirect("redirectRegex",
                    "{regex: '^http://(.*)$', replacement: 'https://$1', permanent: true}", "PUT",
                    "http://foo:81/a", "308 https://foo:81/a");
    assert_redirect("redirectRegex", "{regex: '^ftp', replacement: 'x'}", "GET", "http://foo/",
                    "next");
}

TEST(redirect_regex_does_not_redirect_to_the_same_url)
{
    assert_redirect("redirectRegex", "{regex: 'foo', replacement: 'foo'}", "GET", "http://foo/",
                    "next");
}

TEST(redirect_regex_encodes_what_no_url_has)
{
    assert_redirect("redirectRegex", "{regex: '.*/a', replacement: \"http://x/b c\\r\\nX: y\"}",
                    "GET", "http://foo/a", "302 http://x/b%20c%0D%0AX:%20y");
}
