#include "route/locations.h"

#include "test.h"

#define ITEMS_MAX 16

/* Locations as nginx.conf writes them; `within` is the index of another. */
struct row {
    const char *modifier, *path;
    int within;
};

struct fixture {
    struct arena arena;
    struct location items[ITEMS_MAX];
    struct perl_regex *regexes[ITEMS_MAX];
    struct location_level *level;
    size_t count;
};

static enum location_match match_of(const char *modifier)
{
    return strcmp(modifier, "=") == 0    ? LOCATION_EXACT
           : strcmp(modifier, "^~") == 0 ? LOCATION_PREFIX_FINAL
           : strcmp(modifier, "~") == 0  ? LOCATION_REGEX
           : strcmp(modifier, "~*") == 0 ? LOCATION_REGEX_IGNORE_CASE
                                         : LOCATION_PREFIX;
}

static void make(struct fixture *fixture, const struct row *rows, size_t count)
{
    struct location *pointers[ITEMS_MAX];
    memset(fixture, 0, sizeof(*fixture));
    arena_init(&fixture->arena, ARENA_UNLIMITED);
    fixture->count = count;
    for (size_t i = 0; i < count; i++) {
        struct location *it = pointers[i] = &fixture->items[i];
        struct str error;
        size_t offset;
        it->match = match_of(rows[i].modifier);
        it->path = str_from(rows[i].path);
        it->within = rows[i].within >= 0 ? &fixture->items[rows[i].within] : NULL;
        if (it->match == LOCATION_REGEX || it->match == LOCATION_REGEX_IGNORE_CASE)
            it->regex = fixture->regexes[i] =
                perl_regex_new(it->path, it->match == LOCATION_REGEX_IGNORE_CASE, &fixture->arena, &error, &offset);
        if (strcmp(rows[i].modifier, "/") == 0)
            it->adds_slash = true;
    }
    fixture->level = locations_new(pointers, count, &fixture->arena);
}

static void release(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++)
        if (fixture->regexes[i] != NULL)
            perl_regex_free(fixture->regexes[i]);
    arena_release(&fixture->arena);
}

static void leads(struct fixture *fixture, const char *path, int expected)
{
    struct captures captures = {.count = 0};
    const struct location *found = NULL;
    enum location_found result = locations_find(fixture->level, str_from(path), &captures, &found);
    int index = result != LOCATION_FOUND_NONE ? (int)(found - fixture->items) : -1;
    if (index != expected)
        print_error("%s leads to %d, not to %d\n", path, index, expected);
    assert_int_equal(index, expected);
}

TEST(nginx_s_own_example_of_locations)
{
    static const struct row rows[] = {{"=", "/", -1},
                                      {"", "/", -1},
                                      {"", "/documents/", -1},
                                      {"^~", "/images/", -1},
                                      {"~*", "\\.(gif|jpg|jpeg)$", -1}};
    struct fixture fixture;
    make(&fixture, rows, 5);
    leads(&fixture, "/", 0);
    leads(&fixture, "/index.html", 1);
    leads(&fixture, "/documents/document.html", 2);
    leads(&fixture, "/images/1.gif", 3);
    leads(&fixture, "/documents/1.JPG", 4);
    release(&fixture);
}

TEST(the_longest_prefix_is_found_among_many)
{
    static const struct row rows[] = {{"", "/a", -1}, {"", "/a/b", -1}, {"", "/a/b/c", -1}, {"", "/ab", -1}, {"=", "/a/b", -1}, {"", "/a-", -1}};
    struct fixture fixture;
    make(&fixture, rows, 6);
    leads(&fixture, "/a", 0);
    leads(&fixture, "/a/", 0);
    leads(&fixture, "/a/b", 4);
    leads(&fixture, "/a/b/", 1);
    leads(&fixture, "/a/b/cd", 2);
    leads(&fixture, "/abc", 3);
    leads(&fixture, "/a/z", 0);
    leads(&fixture, "/a-z", 5);
    leads(&fixture, "/b", -1);
    leads(&fixture, "", -1);
    release(&fixture);
}

TEST(expressions_are_asked_in_the_order_of_the_file)
{
    static const struct row rows[] = {{"", "/", -1}, {"~", "^/x", -1}, {"~", "y$", -1}, {"~", "^/x.*y$", -1}};
    struct fixture fixture;
    make(&fixture, rows, 4);
    leads(&fixture, "/xy", 1);
    leads(&fixture, "/zy", 2);
    leads(&fixture, "/z", 0);
    release(&fixture);
}

TEST(nested_locations_come_before_the_outer_expressions)
{
    static const struct row rows[] = {{"", "/a/", -1},    {"~", "\\.php$", 0}, {"=", "/a/exact", 0}, {"", "/a/deep/", 0},
                                      {"~", "\\.x$", -1}, {"^~", "/f/", -1},   {"", "/f/g/", 5}};
    struct fixture fixture;
    make(&fixture, rows, 7);
    leads(&fixture, "/a/i.php", 1);
    leads(&fixture, "/a/exact", 2);
    leads(&fixture, "/a/deep/i", 3);
    leads(&fixture, "/a/deep/i.x", 4);
    leads(&fixture, "/f/g/i.x", 6);
    leads(&fixture, "/f/i.x", 5);
    release(&fixture);
}

TEST(a_path_that_lacks_only_its_slash_is_redirected)
{
    static const struct row rows[] = {{"/", "/user/", -1}, {"", "/", -1}, {"", "/user!", -1}, {"/", "/x/", -1}, {"=", "/x", -1}};
    struct fixture fixture;
    const struct location *found;
    struct captures captures = {.count = 0};
    make(&fixture, rows, 5);
    assert_int_equal(locations_find(fixture.level, S("/user"), &captures, &found), LOCATION_FOUND_SLASH);
    assert_ptr_equal(found, &fixture.items[0]);
    leads(&fixture, "/user!", 2);
    leads(&fixture, "/use", 1);
    leads(&fixture, "/user/", 0);
    leads(&fixture, "/x", 4);
    release(&fixture);
}

TEST(explaining_names_what_lost)
{
    static const struct row rows[] = {{"^~", "/images/", -1}, {"~", "\\.gif$", -1}, {"", "/", -1}};
    struct fixture fixture;
    struct location_reason reason;
    make(&fixture, rows, 3);
    locations_explain(fixture.level, S("/images/1.gif"), &reason);
    assert_ptr_equal(reason.winner, &fixture.items[0]);
    assert_ptr_equal(reason.expression, &fixture.items[1]);
    locations_explain(fixture.level, S("/1.gif"), &reason);
    assert_ptr_equal(reason.winner, &fixture.items[1]);
    assert_ptr_equal(reason.remembered, &fixture.items[2]);
    release(&fixture);
}
