#include "test.h"

#include "exchange/outgoing_url.h"

static struct outgoing_url parse(const char *text)
{
    struct outgoing_url url;
    assert_true(outgoing_url_parse(str_from(text), &url));
    return url;
}

static void assert_str(struct str got, const char *wanted)
{
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.data != NULL ? got.data : "", wanted, got.len);
}

TEST(the_host_of_a_url_leaves_out_its_schemes_own_port)
{
    assert_str(parse("http://a.example/x").authority, "a.example");
    assert_str(parse("http://a.example:80/x").authority, "a.example");
    assert_str(parse("https://a.example:80").authority, "a.example:80");
    assert_str(parse("https://a.example").port, "443");
    assert_str(parse("http://[::1]:8080/").host, "[::1]");
    assert_int_equal(parse("http://[::1]:8080/").port_number, 8080);
}

TEST(a_url_has_a_path_or_none)
{
    assert_str(parse("http://a").uri, "");
    assert_str(parse("http://a/").uri, "/");
    assert_str(parse("http://a?b=c").uri, "?b=c");
    assert_str(parse("http://a/x").origin, "http://a");
    assert_str(parse("grpcs://a:1").scheme, "https");
}

TEST(a_url_may_lead_to_a_socket)
{
    struct outgoing_url url = parse("http://unix:/run/a.sock:/x/y");
    assert_true(url.unix_socket);
    assert_str(url.host, "/run/a.sock");
    assert_str(url.uri, "/x/y");
    assert_str(url.authority, "localhost");
}

TEST(what_is_no_url_of_a_server_is_refused)
{
    static const char *const bad[] = {"", "a", "ftp://a", "http://", "http://a:0", "http://a:70000", "http://unix:"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct outgoing_url url;
        assert_false(outgoing_url_parse(str_from(bad[i]), &url));
    }
}
