#include "base/arena.h"

#include "test.h"

TEST(arena_memory_is_aligned_zeroed_when_asked_and_never_shared)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    char *former = NULL;
    for (size_t size = 0; size < 300; size++) {
        char *memory = arena_zalloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 8, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, (int)size, size);
        if (former != NULL && size > 1)
            assert_int_equal((unsigned char)former[size - 2], (size - 1) & 255);
        former = memory;
    }
    arena_release(&arena);
}

TEST(arena_uses_the_first_block_of_its_caller_before_any_other)
{
    _Alignas(8) char first[256];
    struct arena arena;
    arena_init_with(&arena, first + 1, sizeof(first) - 1, 8192);
    char *memory = arena_alloc(&arena, 200);
    assert_ptr_equal(memory, first + 8);
    assert_int_equal(arena.used, 0);
    char *beyond = arena_alloc(&arena, 100);
    assert_true(beyond < first || beyond >= first + sizeof(first));
    assert_true(arena.used > 0);
    arena_release(&arena);
}

TEST(arena_copes_with_a_first_block_too_small_for_anything)
{
    char first[4];
    struct arena arena;
    arena_init_with(&arena, first, sizeof(first), 8192);
    char *memory = arena_alloc(&arena, 8);
    assert_non_null(memory);
    assert_true(memory < first || memory >= first + sizeof(first));
    arena_release(&arena);
}

TEST(arena_gives_null_beyond_its_budget_and_goes_on_within_it)
{
    struct arena arena;
    arena_init(&arena, 10000);
    assert_null(arena_alloc(&arena, 10001));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 6));
    assert_null(arena_array(&arena, uint64_t, SIZE_MAX / 4));
    assert_null(arena_str(&arena, str_of("", SIZE_MAX / 2)).data);
    size_t given = 0;
    while (arena_alloc(&arena, 64) != NULL)
        given += 64;
    assert_in_range(given, 9000, 10000);
    assert_true(arena.used <= 10000);
    arena_release(&arena);
}

TEST(arena_keeps_its_current_block_when_something_large_comes)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    char *before = arena_alloc(&arena, 16);
    memset(arena_alloc(&arena, 100000), 1, 100000);
    char *after = arena_alloc(&arena, 16);
    assert_ptr_equal(after, before + 16);
    arena_release(&arena);
}

TEST(arena_texts_are_terminated_copies)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    char source[] = "abc";
    struct str copy = arena_str(&arena, str_of(source, 3));
    source[0] = 'x';
    assert_string_equal(copy.data, "abc");
    assert_string_equal(arena_concat(&arena, S("ab"), S("cd")).data, "abcd");
    assert_string_equal(arena_concat(&arena, STR_NONE, STR_NONE).data, "");
    assert_str_equal(arena_printf(&arena, "%d-%s", 7, "x"), S("7-x"));
    arena_release(&arena);
}

TEST(arena_printf_needs_no_luck_with_the_room_that_is_left)
{
    for (size_t room = 8; room <= 64; room += 8) {
        _Alignas(8) char first[64];
        struct arena arena;
        arena_init_with(&arena, first, room, ARENA_UNLIMITED);
        struct str printed = arena_printf(&arena, "%s", "thirty-one bytes and no more ok");
        assert_string_equal(printed.data, "thirty-one bytes and no more ok");
        assert_int_equal(printed.len, 31);
        assert_int_equal(printed.data == first, room >= 32);
        arena_release(&arena);
    }
}

TEST(arena_lower_copies_only_what_has_capitals)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str lower = S("already-lower");
    assert_ptr_equal(arena_lower(&arena, lower).data, lower.data);
    assert_str_equal(arena_lower(&arena, S("Mixed-CASE")), S("mixed-case"));
    assert_int_equal(arena_lower(&arena, STR_NONE).len, 0);
    arena_release(&arena);
}
