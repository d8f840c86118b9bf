#include "route/path_index.h"

#include <stdio.h>

#include "test.h"

static bool finds(const struct path_index *index, const char *path, uint32_t rank)
{
    const struct ranks *lists[PATH_INDEX_LISTS_MAX];
    unsigned count = path_index_find(index, str_from(path), lists);
    for (unsigned i = 0; i < count; i++)
        for (uint32_t k = 0; k < lists[i]->count; k++)
            if (lists[i]->items[k] == rank)
                return true;
    return false;
}

TEST(ranks_stay_ascending_and_each_once)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct ranks ranks = {0};
    static const uint32_t added[] = {5, 1, 9, 5, 3, 1, 7};
    for (size_t i = 0; i < 7; i++)
        ranks_add(&ranks, added[i], &arena);
    assert_int_equal(ranks.count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(ranks.items[i], 2 * i + 1);
    arena_release(&arena);
}

TEST(path_index_tells_exact_paths_from_prefixes)
{
    struct arena arena;
    struct path_index index;
    arena_init(&arena, ARENA_UNLIMITED);
    path_index_init(&index, &arena);
    path_index_add(&index, S("/"), false, 1);
    path_index_add(&index, S("/ab"), true, 2);
    path_index_add(&index, S("/ac"), false, 3);
    path_index_add(&index, S("/abc"), false, 4);
    assert_true(finds(&index, "/", 1));
    assert_true(finds(&index, "/zz", 1));
    assert_true(finds(&index, "/ab", 2));
    assert_false(finds(&index, "/abc", 2));
    assert_false(finds(&index, "/a", 2));
    assert_true(finds(&index, "/acd", 3));
    assert_true(finds(&index, "/abcd", 4));
    assert_false(finds(&index, "/ab", 4));
    assert_false(finds(&index, "", 1));
    arena_release(&arena);
}

TEST(path_index_branches_on_every_byte)
{
    struct arena arena;
    struct path_index index;
    arena_init(&arena, ARENA_UNLIMITED);
    path_index_init(&index, &arena);
    char keys[256][3];
    for (unsigned i = 0; i < 256; i++) {
        snprintf(keys[i], sizeof(keys[i]), "/");
        keys[i][1] = (char)i;
        path_index_add(&index, str_of(keys[i], 2), true, i);
    }
    for (unsigned i = 0; i < 256; i++) {
        const struct ranks *lists[PATH_INDEX_LISTS_MAX];
        assert_int_equal(path_index_find(&index, str_of(keys[i], 2), lists), 1);
        assert_int_equal(lists[0]->items[0], i);
    }
    arena_release(&arena);
}
