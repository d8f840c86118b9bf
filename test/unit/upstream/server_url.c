#include "test.h"

#include "upstream/server.h"

static struct server_url parse(const char *url)
{
    struct server_url parts;
    const char *why = server_url_parse(str_from(url), &parts);
    if (why != NULL)
        fail_msg("%s: %s", url, why);
    return parts;
}

static const char *refusal(const char *url)
{
    struct server_url parts;
    const char *why = server_url_parse(str_from(url), &parts);
    if (why == NULL)
        fail_msg("%s was taken", url);
    return why;
}

TEST(server_url_without_a_port_means_port_80)
{
    struct server_url parts = parse("http://backend");
    assert_str_equal(parts.host, S("backend"));
    assert_str_equal(parts.authority, S("backend"));
    assert_int_equal(parts.port, 80);
    assert_true(str_empty(parts.path));
}

TEST(server_url_keeps_the_path_without_its_last_slash)
{
    struct server_url parts = parse("http://10.0.0.1:8080/base/dir/");
    assert_str_equal(parts.host, S("10.0.0.1"));
    assert_str_equal(parts.authority, S("10.0.0.1:8080"));
    assert_int_equal(parts.port, 8080);
    assert_str_equal(parts.path, S("/base/dir"));
    assert_str_equal(parse("http://a/").path, S(""));
}

TEST(server_url_takes_the_brackets_off_an_ipv6_address)
{
    struct server_url parts = parse("http://[::1]:9000");
    assert_str_equal(parts.host, S("::1"));
    assert_str_equal(parts.authority, S("[::1]:9000"));
    assert_int_equal(parts.port, 9000);
    assert_int_equal(parse("http://[fe80::1]/x").port, 80);
}

TEST(server_url_of_a_unix_socket_has_its_path_as_host)
{
    static const char *const spellings[] = {"unix:/run/app.sock", "unix:///run/app.sock", "http+unix:///run/app.sock"};
    for (size_t i = 0; i < 3; i++) {
        struct server_url parts = parse(spellings[i]);
        assert_true(parts.unix_socket);
        assert_str_equal(parts.host, S("/run/app.sock"));
        assert_str_equal(parts.authority, S("localhost"));
    }
}

TEST(server_url_scheme_ignores_case)
{
    assert_str_equal(parse("HTTP://a").host, S("a"));
}

TEST(server_url_of_https_means_port_443_and_tls)
{
    struct server_url parts = parse("https://backend/x");
    assert_true(parts.secure);
    assert_false(parts.h2c);
    assert_str_equal(parts.scheme, S("https"));
    assert_int_equal(parts.port, 443);
    assert_int_equal(parse("HTTPS://backend:8443").port, 8443);
    assert_false(parse("http://backend").secure);
}

TEST(server_url_of_h2c_means_http_2_without_tls)
{
    struct server_url parts = parse("h2c://backend:50051");
    assert_true(parts.h2c);
    assert_false(parts.secure);
    assert_str_equal(parts.scheme, S("h2c"));
    assert_int_equal(parts.port, 50051);
    assert_int_equal(parse("h2c://backend").port, 80);
}

TEST(server_url_refuses_other_schemes_and_says_what_is_read)
{
    static const char *const urls[] = {"ftp://a", "h2://a", "https:a", "httpsx://a", "a:80", "", "http:/a"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        assert_non_null(strstr(refusal(urls[i]), "http://host[:port]"));
}

TEST(server_url_refuses_what_is_malformed)
{
    static const char *const urls[] = {
        "http://",          "http://:80",     "http://a:0",        "http://a:65536",  "http://a:",
        "http://a:8x",      "http://u@a",     "http://a b",        "http://::1",      "http://[::1",
        "http://[1.2.3.4]", "http://a/x?y=1", "http://a?y",        "http://a/#f",     "http://a/x y",
        "unix:",            "unix:relative",  "http+unix://host/", "http://a/\x7f",   "http://a\r\n",
        "http://%61",       "unix:/",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        refusal(urls[i]);
}

TEST(server_url_refuses_a_socket_path_that_the_system_cannot_hold)
{
    char url[300] = "unix:/";
    memset(url + 6, 'x', 200);
    refusal(url);
}

TEST(server_url_origin_ends_before_the_path)
{
    assert_str_equal(server_url_origin(S("http://a:80/base/")), S("http://a:80"));
    assert_str_equal(server_url_origin(S("http://[::1]")), S("http://[::1]"));
    assert_str_equal(server_url_origin(S("unix:/run/x")), S("unix:/run/x"));
}
