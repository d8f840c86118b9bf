#include "route/site_path.h"

#include "test.h"

static void gives(const char *path, bool merge, const char *expected)
{
    struct arena arena;
    struct str result;
    arena_init(&arena, ARENA_UNLIMITED);
    enum status status = site_path(&arena, str_from(path), merge, &result);
    if (expected == NULL) {
        assert_int_equal(status, STATUS_BAD_TARGET);
    } else {
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(result.len, strlen(expected));
        assert_memory_equal(result.data, expected, result.len);
    }
    arena_release(&arena);
}

TEST(a_path_is_decoded_and_its_dots_and_slashes_are_resolved)
{
    static const struct {
        const char *path, *expected;
    } rows[] = {
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a//b", "/a/b"},
        {"//", "/"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a/"},
        {"/a/.", "/a/"},
        {"/a/b/../../c", "/c"},
        {"/%61%2Fb", "/a/b"},
        {"/a/%2e%2E/b", "/b"},
        {"/a%20b", "/a b"},
        {"/a%3Fb%23", "/a?b#"},
        {"/a%25b", "/a%b"},
        {"/.well-known/x", "/.well-known/x"},
        {"/a/...", "/a/..."},
        {"/a/.b/..c", "/a/.b/..c"},
        {"/..", NULL},
        {"/a/../..", NULL},
        {"/%2e%2e/x", NULL},
        {"/%00", NULL},
        {"/%4", NULL},
        {"/%zz", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        gives(rows[i].path, true, rows[i].expected);
}

TEST(slashes_stay_where_they_are_not_to_be_merged)
{
    gives("/a//b", false, "/a//b");
    gives("/a//../b", false, "/a/b");
    gives("/a/.//b", false, "/a//b");
}
