/* Percent-encoding, paths, queries, authorities. */
#include "test.h"

#include <stdlib.h>

#include "http/uri.h"

static struct arena arena;

static void begin(void)
{
    arena_init(&arena, ARENA_UNLIMITED);
}

static void end(void)
{
    arena_release(&arena);
}

/* In memory of exactly that size. */
static struct str exact(const char *text)
{
    size_t len = strlen(text);
    char *copy = arena_alloc(&arena, len != 0 ? len : 1);
    memcpy(copy, text, len);
    return str_of(copy, len);
}

TEST(percent_encoding_is_decoded_or_refused)
{
    begin();
    struct str text;
    assert_true(uri_decode(&arena, exact("a%20b%2fC+%c3%A9%00"), &text));
    assert_str_equal(text, S("a b/C+\xc3\xa9\0"));
    assert_true(uri_decode_query(&arena, exact("a+b%2B"), &text));
    assert_str_equal(text, S("a b+"));
    assert_true(uri_decode(&arena, exact("plain"), &text));
    assert_str_equal(text, S("plain"));
    static const char *const bad[] = {"%", "%2", "a%", "%zz", "%2g", "%%20", "a%+1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(uri_decode(&arena, exact(bad[i]), &text));
    end();
}

TEST(encoding_keeps_what_may_stand_and_comes_back)
{
    begin();
    assert_str_equal(uri_encode_path(&arena, S("/a b/c?d#e%f:@!$&'()*+,;=-._~")),
                     S("/a%20b/c%3Fd%23e%25f:@!$&'()*+,;=-._~"));
    assert_str_equal(uri_encode_component(&arena, S("/a b&=\xff")), S("%2Fa%20b%26%3D%FF"));
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    struct str encoded[] = {uri_encode_path(&arena, str_of(all, 256)),
                            uri_encode_component(&arena, str_of(all, 256))};
    for (size_t i = 0; i < 2; i++) {
        struct str decoded = STR_NONE;
        assert_true(uri_decode(&arena, encoded[i], &decoded));
        assert_str_equal(decoded, str_of(all, 256));
    }
    end();
}

TEST(sanitized_paths_are_those_of_traefik)
{
    static const struct {
        const char *path, *expected;
    } table[] = {
        {"/./foo/bar", "/foo/bar"},   {"/foo/../bar", "/bar"},      {"/foo/bar//", "/foo/bar/"},
        {"/b", "/b"},                 {"/b/", "/b/"},               {"/../../b/", "/b/"},
        {"/../../b", "/b"},           {"/a/b/..", "/a"},            {"/a/b/../", "/a/"},
        {"/a/../../b", "/b"},         {"/a/..///b///", "/b/"},      {"/a/../b", "/b"},
        {"/a/./b", "/a/b"},           {"/a//b", "/a/b"},            {"/a/../c/../b", "/b"},
        {"/a/../../../c/../b", "/b"}, {"/a/../c/../../b", "/b"},    {"/a/..//c/.././b", "/b"},
        {"/", "/"},                   {"//", "/"},                  {"/..", "/"},
        {"/.", "/"},                  {"/./", "/"},                 {"/../", "/"},
        {"/%2e%2E/a", "/a"},          {"/a/%2e./b", "/b"},          {"/a/.%2E", "/"},
        {"/a/%2e/b", "/a/b"},         {"/a/...", "/a/..."},         {"/a/..b", "/a/..b"},
        {"/a/.b/c.", "/a/.b/c."},     {"/a%2f..%2fb", "/a%2f..%2fb"}, {"/a/%2", "/a/%2"},
        {"/a/b/c/../../d", "/a/d"},   {"*", "*"},                   {"", ""},
        {"/a/.", "/a"},               {"/a/..;/b", "/a/..;/b"},
    };
    begin();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct str clean = uri_sanitize_path(&arena, exact(table[i].path));
        if (!str_equal(clean, str_from(table[i].expected)))
            fail_msg("%s became %.*s, not %s", table[i].path, STR_ARGS(clean), table[i].expected);
        assert_str_equal(uri_sanitize_path(&arena, clean), clean);
    }
    struct str same = S("/nothing/to/do");
    assert_ptr_equal(uri_sanitize_path(&arena, same).data, same.data);
    end();
}

TEST(routing_path_decodes_all_but_reserved_characters)
{
    static const struct {
        const char *path, *expected;
    } table[] = {
        {"/foo%20bar", "/foo bar"},     {"/%61%2D%7e", "/a-~"},          {"/a%2fb", "/a%2Fb"},
        {"/a%2Fb", "/a%2Fb"},           {"/%25%3f%23", "/%25%3F%23"},    {"/%3a%40%21", "/%3A%40%21"},
        {"/caf%C3%A9", "/caf\xc3\xa9"}, {"/a;b=c", "/a;b=c"},            {"/%252f", "/%252f"},
    };
    begin();
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_str_equal(uri_routing_path(&arena, exact(table[i].path)), str_from(table[i].expected));
    struct str plain = S("/a/b"), kept = S("/a%2Fb");
    assert_ptr_equal(uri_routing_path(&arena, plain).data, plain.data);
    assert_ptr_equal(uri_routing_path(&arena, kept).data, kept.data);
    static const char *const bad[] = {"/%", "/%2", "/%zz", "/a%2gb"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(uri_routing_path(&arena, exact(bad[i])).data);
    end();
}

TEST(query_is_walked_pair_by_pair)
{
    struct str rest = S("a=1&&b&c=&=d&e=f=g&"), key, value;
    static const char *const expected[][2] = {{"a", "1"}, {"b", NULL}, {"c", ""}, {"", "d"}, {"e", "f=g"}};
    for (size_t i = 0; i < 5; i++) {
        assert_true(uri_next_pair(&rest, &key, &value));
        assert_str_equal(key, str_from(expected[i][0]));
        assert_int_equal(value.data == NULL, expected[i][1] == NULL);
        assert_str_equal(value, str_from(expected[i][1]));
    }
    assert_false(uri_next_pair(&rest, &key, &value));
    rest = S("");
    assert_false(uri_next_pair(&rest, &key, &value));
}

TEST(absolute_uris_are_split)
{
    struct uri uri;
    assert_true(uri_split(S("HTTPS://User.example:8443/a/b?c=d?e#f?g"), &uri));
    assert_str_equal(uri.scheme, S("HTTPS"));
    assert_str_equal(uri.authority, S("User.example:8443"));
    assert_str_equal(uri.path, S("/a/b"));
    assert_str_equal(uri.query, S("c=d?e"));
    assert_true(uri_split(S("ws://a"), &uri));
    assert_int_equal(uri.path.len, 0);
    assert_null(uri.query.data);
    assert_true(uri_split(S("http://a?q"), &uri));
    assert_str_equal(uri.authority, S("a"));
    assert_str_equal(uri.query, S("q"));
    static const char *const bad[] = {"", "/a", "a.example", "ftp://a/", "http:/a", "http://", "http:///a", "://a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(uri_split(str_from(bad[i]), &uri));
}

TEST(authority_gives_host_and_port)
{
    static const struct {
        const char *text, *host;
        int port;
    } good[] = {
        {"[v1F.a:B;c]:81", "[v1f.a:b;c]", 81},
        {"a", "a", 0},         {"A.b-C_d~.", "a.b-c_d~", 0}, {"a:", "a", 0},     {"a:80", "a", 80},
        {"a:65535", "a", 65535}, {"127.0.0.1:8080", "127.0.0.1", 8080}, {"[::1]", "[::1]", 0},
        {"[2001:DB8::A]:443", "[2001:db8::a]", 443},
    };
    static const char *const bad[] = {"",        ":80",   ".",     "..",      "a..",   ".a",       "a:65536",
                                      "a:1x",    "a:-1",  "a:+1",  "a:000080", "a b",  "a@b",      "a/b",
                                      "a%41",    "a,b",   "a#",    "a?",      "[::1",  "[]",       "[::1]x",
                                      "[::1]:x", "[1.2.3.4]", "[v1x]", "[v.x]", "[v1.]", "[v1.x/]", "::1", "a]",   "\xc3\xa9", "a\tb"};
    begin();
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct str host;
        uint16_t port = 1;
        assert_true(uri_split_authority(&arena, exact(good[i].text), &host, &port));
        assert_str_equal(host, str_from(good[i].host));
        assert_int_equal(port, good[i].port);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct str host;
        uint16_t port;
        if (uri_split_authority(&arena, exact(bad[i]), &host, &port))
            fail_msg("%s was accepted", bad[i]);
    }
    char label[300];
    struct str host;
    uint16_t port;
    memset(label, 'a', sizeof(label));
    assert_true(uri_split_authority(&arena, str_of(label, 255), &host, &port));
    assert_false(uri_split_authority(&arena, str_of(label, 256), &host, &port));
    end();
}
