#include "base/map.h"

#include <stdio.h>

#include "base/list.h"
#include "base/vec.h"
#include "test.h"

TEST(map_gives_back_what_was_put)
{
    struct map map;
    int one = 1, two = 2;
    map_init(&map, false);
    assert_null(map_get(&map, S("a")));
    assert_null(map_remove(&map, S("a")));
    assert_null(map_put(&map, S("a"), &one));
    assert_null(map_put(&map, STR_NONE, &two));
    assert_ptr_equal(map_get(&map, S("a")), &one);
    assert_ptr_equal(map_get(&map, S("")), &two);
    assert_null(map_get(&map, S("A")));
    assert_ptr_equal(map_put(&map, S("a"), &two), &one);
    assert_int_equal(map.live, 2);
    map_release(&map);
    assert_false(map_has(&map, S("a")));
    map_release(&map);
}

TEST(map_ignores_case_when_told)
{
    struct map map;
    int value;
    map_init(&map, true);
    map_put(&map, S("Host"), &value);
    assert_true(map_has(&map, S("hOST")));
    assert_ptr_equal(map_remove(&map, S("HOST")), &value);
    map_release(&map);
}

#define MANY 20000

TEST(map_holds_many_through_growth_removal_and_return)
{
    static char keys[MANY][16];
    struct map map;
    map_init(&map, false);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key-%zu", i);
        assert_null(map_put(&map, str_from(keys[i]), keys[i]));
    }
    for (size_t i = 0; i < MANY; i += 3)
        assert_ptr_equal(map_remove(&map, str_from(keys[i])), keys[i]);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(map_get(&map, str_from(keys[i])), i % 3 == 0 ? NULL : keys[i]);
    for (size_t i = 0; i < MANY; i += 3)
        map_put(&map, str_from(keys[i]), keys[i]);
    assert_int_equal(map.live, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(map_get(&map, str_from(keys[i])), keys[i]);
    map_release(&map);
}

TEST(map_iterates_in_the_order_of_insertion_and_marks_the_removed)
{
    struct map map;
    const char *names[] = {"delta", "alpha", "charlie", "bravo"};
    map_init(&map, false);
    for (size_t i = 0; i < 4; i++)
        map_put(&map, str_from(names[i]), &names[i]);
    map_remove(&map, S("alpha"));
    assert_int_equal(map.count, 4);
    for (uint32_t i = 0; i < map.count; i++) {
        if (i == 1)
            assert_null(map.items[i].key.data);
        else
            assert_ptr_equal(map.items[i].value, &names[i]);
    }
    map_release(&map);
}

TEST(map_does_not_grow_when_entries_come_and_go)
{
    struct map map;
    char keys[4][8];
    map_init(&map, false);
    for (size_t i = 0; i < 10000; i++) {
        char *key = keys[i % 4];
        if (i >= 4)
            assert_non_null(map_remove(&map, str_from(key)));
        snprintf(key, sizeof(keys[0]), "%zu", i);
        map_put(&map, str_from(key), key);
    }
    assert_int_equal(map.live, 4);
    assert_true(map.capacity <= 16);
    map_release(&map);
}

struct member {
    int number;
    struct list link;
};

TEST(list_keeps_order_and_lets_the_body_remove)
{
    struct list head;
    struct member members[4];
    list_init(&head);
    assert_null(list_pop(&head));
    for (int i = 0; i < 4; i++) {
        members[i].number = i;
        list_append(&head, &members[i].link);
    }
    LIST_FOREACH(&head, it)
    {
        if (container_of(it, struct member, link)->number % 2 == 0)
            list_remove(it);
    }
    list_remove(&members[0].link); /* again: harmless */
    list_push(&head, &members[2].link);
    const int expected[] = {2, 1, 3};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(container_of(list_pop(&head), struct member, link)->number, expected[i]);
    assert_true(list_empty(&head));
}

TEST(vec_grows_and_releases)
{
    VEC(int) numbers = {0};
    for (int i = 0; i < 100; i++)
        VEC_PUSH(&numbers, i * i);
    assert_int_equal(numbers.count, 100);
    assert_int_equal(numbers.items[99], 99 * 99);
    VEC_RELEASE(&numbers);
    assert_null(numbers.items);
}
