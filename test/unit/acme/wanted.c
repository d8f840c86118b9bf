#include "acme/wanted.h"

#include "test.h"

#define NOW 1000

static struct arena arena;

#define WANT(name_of_resolver, ...) \
    (struct certificate_want) \
    { \
        .resolver = STR(name_of_resolver), .router = STR("r"), \
        .names = {(struct str[]){__VA_ARGS__}, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str)} \
    }

static struct wanted choose(const struct certificate_want *wants, size_t count, struct certificate *file)
{
    arena_init(&arena, ARENA_UNLIMITED);
    return wanted_choose(wants, count, &file, file != NULL, NOW, &arena);
}

TEST(the_same_names_in_any_order_are_one_certificate)
{
    struct certificate_want wants[] = {WANT("le", STR("a.example"), STR("b.example")), WANT("le", STR("b.example"), STR("a.example")),
                                       WANT("other", STR("a.example"))};
    struct wanted wanted = choose(wants, 3, NULL);
    assert_int_equal(wanted.count, 1);
    assert_int_equal(wanted.items[0].names.count, 2);
    assert_str_equal(wanted.items[0].names.items[0], S("a.example"));
    assert_str_equal(wanted.items[0].resolver, S("le"));
    arena_release(&arena);
}

TEST(larger_sets_cover_smaller_ones_whatever_the_order)
{
    struct certificate_want wants[] = {WANT("le", STR("a.example")), WANT("le", STR("b.example"), STR("a.example")),
                                       WANT("le", STR("c.example"), STR("a.example"))};
    struct wanted wanted = choose(wants, 3, NULL);
    assert_int_equal(wanted.count, 2);
    assert_str_equal(wanted.items[0].names.items[0], S("b.example"));
    assert_int_equal(wanted.items[1].names.count, 1);
    assert_str_equal(wanted.items[1].names.items[0], S("c.example"));
    arena_release(&arena);
}

TEST(a_wildcard_covers_one_label_in_its_own_set_and_in_others)
{
    struct certificate_want wants[] = {WANT("le", STR("x.a.example")), WANT("le", STR("y.x.a.example")),
                                       WANT("dns", STR("a.example"), STR("*.a.example"), STR("b.a.example"), STR("a.example"))};
    struct wanted wanted = choose(wants, 3, NULL);
    assert_int_equal(wanted.count, 2);
    assert_str_equal(wanted.items[0].resolver, S("dns"));
    assert_int_equal(wanted.items[0].names.count, 2);
    assert_str_equal(wanted.items[0].names.items[1], S("*.a.example"));
    assert_str_equal(wanted.items[1].names.items[0], S("y.x.a.example"));
    arena_release(&arena);
}

TEST(a_certificate_file_covers_names_until_it_expires)
{
    struct str names[] = {STR("*.a.example"), STR("c.example")};
    struct certificate file = {.names = {names, 2}, .not_after = NOW + 1};
    struct certificate_want wants[] = {WANT("le", STR("b.a.example"), STR("d.example")), WANT("le", STR("c.example")),
                                       WANT("le", STR("*.a.example"))};
    struct wanted wanted = choose(wants, 3, &file);
    assert_int_equal(wanted.count, 1);
    assert_int_equal(wanted.items[0].names.count, 1);
    assert_str_equal(wanted.items[0].names.items[0], S("d.example"));
    arena_release(&arena);
    file.not_after = NOW;
    wanted = choose(wants, 3, &file);
    assert_int_equal(wanted.count, 3);
    arena_release(&arena);
}

TEST(nobody_wants_anything_is_nothing)
{
    assert_int_equal(choose(NULL, 0, NULL).count, 0);
    arena_release(&arena);
}
