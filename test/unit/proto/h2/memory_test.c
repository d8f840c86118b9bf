#include "test.h"

#include "proto/h2/memory.h"

TEST(h2_memory_gives_the_piece_that_came_back_last_to_who_asks_for_its_size)
{
    struct h2_memory memory = {0};
    nghttp2_mem mem = h2_memory_for(&memory);
    void *first = mem.malloc(100, mem.mem_user_data), *second = mem.malloc(65, mem.mem_user_data);
    mem.free(first, mem.mem_user_data);
    mem.free(second, mem.mem_user_data);
    void *other = mem.malloc(200, mem.mem_user_data);
    assert_true(other != first && other != second);
    assert_ptr_equal(mem.malloc(127, mem.mem_user_data), second);
    assert_ptr_equal(mem.malloc(64, mem.mem_user_data), first);
    memset(first, 1, 127);
    mem.free(first, mem.mem_user_data);
    mem.free(second, mem.mem_user_data);
    mem.free(other, mem.mem_user_data);
    mem.free(NULL, mem.mem_user_data);
    h2_memory_trim(&memory);
    for (size_t i = 0; i < H2_MEMORY_SIZES; i++)
        assert_null(memory.kept[i]);
}

TEST(h2_memory_holds_what_was_asked_for_whatever_the_size)
{
    struct h2_memory memory = {0};
    nghttp2_mem mem = h2_memory_for(&memory);
    for (unsigned round = 0; round < 2; round++) {
        char *pieces[700];
        for (size_t size = 0; size < 700; size++) {
            pieces[size] = mem.malloc(size, mem.mem_user_data);
            memset(pieces[size], (int)(size & 127), size);
        }
        for (size_t size = 0; size < 700; size++) {
            for (size_t i = 0; i < size; i++)
                assert_int_equal(pieces[size][i], size & 127);
            mem.free(pieces[size], mem.mem_user_data);
        }
    }
    h2_memory_trim(&memory);
}

TEST(h2_memory_clears_and_resizes)
{
    struct h2_memory memory = {0};
    nghttp2_mem mem = h2_memory_for(&memory);
    char *piece = mem.malloc(40, mem.mem_user_data);
    memset(piece, 'x', 40);
    mem.free(piece, mem.mem_user_data);
    piece = mem.calloc(5, 8, mem.mem_user_data);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(piece[i], 0);
    memcpy(piece, "kept", 5);
    piece = mem.realloc(piece, 300, mem.mem_user_data);
    assert_string_equal(piece, "kept");
    mem.free(piece, mem.mem_user_data);
    assert_null(mem.calloc(SIZE_MAX / 2, 4, mem.mem_user_data));
    h2_memory_trim(&memory);
}
