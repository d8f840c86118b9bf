#include "route/normalize.h"

#include "sample.h"

static const struct entrypoint_http lenient = {
    .sanitize_path = true,
    .encoded_characters = {.allow_slash = true, .allow_backslash = true, .allow_null = true, .allow_semicolon = true,
                           .allow_percent = true, .allow_question_mark = true, .allow_hash = true},
};

static enum status run(struct sample *sample, const struct entrypoint_http *settings, const char *path,
                       struct str *ret_routing_path)
{
    struct normalizer normalizer;
    normalizer_init(&normalizer, settings);
    sample->request = (struct request){.path = str_from(path)};
    return normalize(&normalizer, &sample->request, &sample->arena, ret_routing_path);
}

TEST(paths_have_one_reading)
{
    static const struct {
        const char *path, *forwarded, *routing;
    } cases[] = {
        {"/foo/bar", "/foo/bar", "/foo/bar"},
        {"/./foo/bar", "/foo/bar", "/foo/bar"},
        {"/foo/../bar", "/bar", "/bar"},
        {"/foo/bar//", "/foo/bar/", "/foo/bar/"},
        {"/foo//////bar", "/foo/bar", "/foo/bar"},
        {"/../../x", "/x", "/x"},
        {"/a/%2e%2E/b", "/b", "/b"},
        {"/a/%2f%2e./b", "/a/%2F../b", "/a/%2F../b"},
        {"/%66oo%2fbar", "/foo%2Fbar", "/foo%2Fbar"},
        {"/foo%20bar", "/foo%20bar", "/foo bar"},
        {"/a%7e%2a", "/a~%2A", "/a~%2A"},
        {"/.well-known/acme-challenge/x", "/.well-known/acme-challenge/x", "/.well-known/acme-challenge/x"},
        {"/a.b/c.d", "/a.b/c.d", "/a.b/c.d"},
        {"/0123456/.", "/0123456", "/0123456"},
        {"/01234567//x", "/01234567/x", "/01234567/x"},
        {"/", "/", "/"}, {"*", "*", "*"}, {"", "", ""}, {"//", "/", "/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample;
        sample_init(&sample);
        struct str routing;
        assert_int_equal(run(&sample, &lenient, cases[i].path, &routing), STATUS_OK);
        assert_str_equal(sample.request.path, str_from(cases[i].forwarded));
        assert_str_equal(routing, str_from(cases[i].routing));
        sample_release(&sample);
    }
}

TEST(a_clean_path_is_left_where_it_is)
{
    struct sample sample;
    sample_init(&sample);
    const char *path = "/products/12345/reviews?no";
    struct str routing;
    assert_int_equal(run(&sample, &lenient, path, &routing), STATUS_OK);
    assert_ptr_equal(sample.request.path.data, path);
    assert_ptr_equal(routing.data, path);
    assert_int_equal(sample.arena.used, 0);
    sample_release(&sample);
}

TEST(without_sanitize_path_segments_stay)
{
    struct sample sample;
    sample_init(&sample);
    struct entrypoint_http settings = lenient;
    settings.sanitize_path = false;
    struct str routing;
    assert_int_equal(run(&sample, &settings, "/a//b/../%63", &routing), STATUS_OK);
    assert_str_equal(routing, S("/a//b/../c"));
    sample_release(&sample);
}

TEST(each_encoded_character_is_refused_alone)
{
    static const struct {
        const char *path;
        size_t allowed;
    } cases[] = {
        {"/a%2fb", offsetof(struct encoded_characters, allow_slash)},
        {"/a%5Cb", offsetof(struct encoded_characters, allow_backslash)},
        {"/a%00b", offsetof(struct encoded_characters, allow_null)},
        {"/a%3bb", offsetof(struct encoded_characters, allow_semicolon)},
        {"/a%25b", offsetof(struct encoded_characters, allow_percent)},
        {"/a%3fb", offsetof(struct encoded_characters, allow_question_mark)},
        {"/a%23b", offsetof(struct encoded_characters, allow_hash)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample sample;
        sample_init(&sample);
        struct entrypoint_http settings = lenient;
        *((char *)&settings.encoded_characters + cases[i].allowed) = false;
        struct str routing;
        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
            assert_int_equal(run(&sample, &settings, cases[k].path, &routing),
                             k == i ? STATUS_BAD_ENCODED_CHARACTER : STATUS_OK);
        sample_release(&sample);
    }
}

TEST(malformed_escapes_are_a_bad_target)
{
    static const char *const paths[] = {"/%", "/%2", "/a%zz", "/a%2/", "/aaaaaaaaaaaaaaaaaaa%"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct sample sample;
        sample_init(&sample);
        struct str routing;
        assert_int_equal(run(&sample, &lenient, paths[i], &routing), STATUS_BAD_TARGET);
        sample_release(&sample);
    }
}

TEST(semicolons_in_a_query_are_separators_or_data)
{
    for (int encode = 0; encode < 2; encode++) {
        struct sample sample;
        sample_init(&sample);
        struct entrypoint_http settings = lenient;
        settings.encode_query_semicolons = encode;
        struct normalizer normalizer;
        normalizer_init(&normalizer, &settings);
        struct request request = {.path = S("/"), .query = S("foo=bar;baz=bar")};
        struct str routing;
        assert_int_equal(normalize(&normalizer, &request, &sample.arena, &routing), STATUS_OK);
        assert_str_equal(request.query, encode ? S("foo=bar%3Bbaz=bar") : S("foo=bar&baz=bar"));
        sample_release(&sample);
    }
}

TEST(normalize_keeps_the_budget)
{
    char first[8];
    struct arena tiny;
    arena_init_with(&tiny, first, sizeof(first), 0);
    struct normalizer normalizer;
    normalizer_init(&normalizer, &lenient);
    struct request request = {.path = S("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%41")};
    struct str routing;
    assert_int_equal(normalize(&normalizer, &request, &tiny, &routing), STATUS_OUT_OF_MEMORY);
    request = (struct request){.path = S("/"), .query = S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;b")};
    assert_int_equal(normalize(&normalizer, &request, &tiny, &routing), STATUS_OUT_OF_MEMORY);
    arena_release(&tiny);
}
