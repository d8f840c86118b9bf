#include "base/chunkq.h"

#include "base/rand.h"
#include "test.h"

#define SMALL_ROOM (CHUNK_SMALL_SIZE - sizeof(struct chunk))
#define LARGE_ROOM (CHUNK_LARGE_SIZE - sizeof(struct chunk))

static void assert_queue(const struct chunkq *queue, struct str expected)
{
    struct iovec parts[64];
    int count = chunkq_iovec(queue, parts, 64);
    size_t at = 0;
    assert_int_equal(queue->bytes, expected.len);
    for (int i = 0; i < count; i++) {
        assert_true(parts[i].iov_len != 0 && parts[i].iov_len <= expected.len - at);
        assert_memory_equal(parts[i].iov_base, expected.data + at, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    assert_int_equal(at, expected.len);
}

/* Writes into a chunk as a reader of a socket would. */
static char *fill(struct chunk *chunk, struct str bytes)
{
    char *at = chunk->data + chunk->used;
    memcpy(at, bytes.data, bytes.len);
    chunk->used += (uint32_t)bytes.len;
    return at;
}

TEST(chunk_comes_back_warm_from_its_pool)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool, 2, 1, 0);
    struct chunk *small = chunk_new(&pool, false), *large = chunk_new(&pool, true);
    assert_int_equal(small->capacity, SMALL_ROOM);
    assert_int_equal(large->capacity, LARGE_ROOM);
    assert_int_equal((uintptr_t)small->data % 16, 0);
    assert_int_equal(chunk_pool_in_use(&pool), CHUNK_SMALL_SIZE + CHUNK_LARGE_SIZE);
    fill(small, S("x"));
    chunk_unref(small);
    chunk_unref(large);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    assert_ptr_equal(chunk_new(&pool, false), small);
    assert_int_equal(small->used, 0);
    assert_int_equal(pool.shelves[CHUNK_SMALL].room, 2);
    assert_int_equal(pool.shelves[CHUNK_LARGE].room, 0);
    chunk_unref(small);
    chunk_pool_release(&pool);
}

TEST(chunk_pool_keeps_no_more_than_told_and_no_odd_sizes)
{
    struct chunk_pool pool;
    struct chunk *chunks[5];
    chunk_pool_init(&pool, 2, 0, 0);
    for (size_t i = 0; i < 5; i++)
        chunks[i] = chunk_new(&pool, false);
    for (size_t i = 0; i < 5; i++)
        chunk_unref(chunks[i]);
    struct chunk *odd = chunk_new_sized(&pool, 10000);
    assert_int_equal(odd->capacity, 10000);
    chunk_unref(odd);
    chunk_unref(chunk_new(&pool, true));
    assert_int_equal(pool.shelves[CHUNK_SMALL].room, 0);
    assert_null(pool.shelves[CHUNK_LARGE].first);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunk_pool_release(&pool);
}

TEST(chunk_pool_stops_at_its_limit_with_free_chunks_and_without)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool, 4, 4, 2 * CHUNK_SMALL_SIZE);
    struct chunk *first = chunk_new(&pool, false), *second = chunk_new(&pool, false);
    assert_non_null(second);
    assert_null(chunk_new(&pool, false));
    chunk_unref(second);
    assert_null(chunk_new(&pool, true));
    assert_null(chunk_new_sized(&pool, CHUNK_SMALL_SIZE));
    assert_null(chunk_new_sized(&pool, SIZE_MAX));
    chunk_unref(first);
    first = chunk_new_sized(&pool, CHUNK_SMALL_SIZE);     /* free ones make room for it */
    assert_null(chunk_new(&pool, false));
    chunk_unref(first);
    assert_non_null(first = chunk_new(&pool, false));
    chunk_unref(first);
    chunk_pool_release(&pool);
}

TEST(chunkq_joins_adjacent_bytes_of_a_chunk)
{
    struct chunk_pool pool;
    struct chunkq queue;
    chunk_pool_init(&pool, 4, 4, 0);
    chunkq_init(&queue);
    struct chunk *chunk = chunk_new(&pool, false);
    char *at = fill(chunk, S("hello world"));
    chunkq_add(&queue, chunk, at, 5);
    chunkq_add(&queue, chunk, at + 5, 0);
    chunkq_add(&queue, chunk, at + 5, 6);
    assert_int_equal(queue.count, 1);
    assert_int_equal(chunk->refs, 2);
    chunkq_add(&queue, chunk, at, 1);
    assert_int_equal(queue.count, 2);
    assert_int_equal(chunk->refs, 3);
    chunk_unref(chunk);
    assert_queue(&queue, S("hello worldh"));
    chunkq_drop(&queue, 7);
    assert_str_equal(chunkq_front(&queue), S("orld"));
    chunkq_drop(&queue, 5);
    assert_int_equal(chunkq_front(&queue).len, 0);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunkq_release(&queue);
    chunk_pool_release(&pool);
}

TEST(chunkq_of_four_slices_lives_inside_its_struct_and_a_fifth_moves_it_out)
{
    struct chunkq queue;
    chunkq_init(&queue);
    const char *letters = "a-b-c-d-e-f";
    chunkq_add_static(&queue, S("x"));
    chunkq_drop(&queue, 1); /* the ring now wraps */
    for (size_t i = 0; i < 4; i++)
        chunkq_add_static(&queue, str_of(letters + 2 * i, 1));
    assert_ptr_equal(queue.slices, queue.inside);
    assert_queue(&queue, S("abcd"));
    chunkq_add_static(&queue, str_of(letters + 8, 1));
    assert_ptr_not_equal(queue.slices, queue.inside);
    assert_queue(&queue, S("abcde"));
    struct iovec parts[3];
    assert_int_equal(chunkq_iovec(&queue, parts, 3), 3);
    assert_int_equal(chunkq_iovec(&queue, parts, 0), 0);
    chunkq_release(&queue);
    assert_ptr_equal(queue.slices, queue.inside);
}

TEST(chunkq_add_copy_fills_the_last_chunk_before_it_takes_another)
{
    struct chunk_pool pool;
    struct chunkq queue;
    static char bytes[100000];
    chunk_pool_init(&pool, 4, 4, 0);
    chunkq_init(&queue);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    assert_true(chunkq_add_copy(&queue, &pool, STR_NONE));
    assert_true(chunkq_add_copy(&queue, &pool, str_of(bytes, 100)));
    assert_true(chunkq_add_copy(&queue, &pool, str_of(bytes + 100, SMALL_ROOM - 100)));
    assert_int_equal(queue.count, 1);
    assert_int_equal(chunk_pool_in_use(&pool), CHUNK_SMALL_SIZE);
    assert_true(
        chunkq_add_copy(&queue, &pool, str_of(bytes + SMALL_ROOM, sizeof(bytes) - SMALL_ROOM)));
    assert_queue(&queue, str_of(bytes, sizeof(bytes)));
    chunkq_clear(&queue);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunkq_release(&queue);
    chunk_pool_release(&pool);
}

TEST(chunkq_add_copy_never_writes_into_a_chunk_that_someone_else_reads)
{
    struct chunk_pool pool;
    struct chunkq queue;
    chunk_pool_init(&pool, 4, 4, 0);
    chunkq_init(&queue);
    struct chunk *input = chunk_new(&pool, false);
    chunkq_add(&queue, input, fill(input, S("body")), 4);
    assert_true(chunkq_add_copy(&queue, &pool, S("\r\n")));
    assert_int_equal(input->used, 4);
    chunk_unref(input);
    assert_queue(&queue, S("body\r\n"));
    chunkq_release(&queue);
    chunk_pool_release(&pool);
}

TEST(chunkq_add_copy_adds_nothing_when_the_limit_is_met_halfway)
{
    struct chunk_pool pool;
    struct chunkq queue;
    static char bytes[CHUNK_LARGE_SIZE * 2];
    chunk_pool_init(&pool, 4, 4, CHUNK_SMALL_SIZE + CHUNK_LARGE_SIZE);
    chunkq_init(&queue);
    assert_true(chunkq_add_copy(&queue, &pool, S("first")));
    assert_false(chunkq_add_copy(&queue, &pool, str_of(bytes, sizeof(bytes))));
    assert_queue(&queue, S("first"));
    assert_int_equal(chunk_pool_in_use(&pool), CHUNK_SMALL_SIZE);
    chunkq_release(&queue);
    chunk_pool_release(&pool);
}

TEST(chunkq_move_splits_a_slice_and_joins_it_again)
{
    struct chunk_pool pool;
    struct chunkq from, to;
    chunk_pool_init(&pool, 4, 4, 0);
    chunkq_init(&from);
    chunkq_init(&to);
    assert_true(chunkq_add_copy(&from, &pool, S("hello world")));
    chunkq_add_static(&from, S("!"));
    assert_int_equal(chunkq_move(&to, &from, 0), 0);
    assert_int_equal(chunkq_move(&to, &from, 5), 5);
    assert_queue(&to, S("hello"));
    assert_queue(&from, S(" world!"));
    assert_int_equal(chunkq_move(&to, &from, SIZE_MAX), 7);
    assert_queue(&to, S("hello world!"));
    assert_int_equal(to.count, 2);
    assert_int_equal(to.slices[0].chunk->refs, 1);
    assert_int_equal(from.bytes, 0);
    chunkq_release(&to);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunkq_release(&from);
    chunk_pool_release(&pool);
}

/* Any mixture of adding, moving and dropping hands the bytes on in order and loses no chunk. */
TEST(chunkq_passes_a_stream_through_two_queues_unchanged)
{
    struct chunk_pool pool;
    struct chunkq first, second;
    uint8_t written = 0, read = 0;
    chunk_pool_init(&pool, 3, 1, 0);
    chunkq_init(&first);
    chunkq_init(&second);
    for (int turn = 0; turn < 20000; turn++) {
        char bytes[300];
        size_t len = rand_below(sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)written++;
        assert_true(chunkq_add_copy(&first, &pool, str_of(bytes, len)));
        chunkq_move(&second, &first, rand_below(400));
        for (size_t left = rand_below(400); left != 0 && second.bytes != 0;) {
            struct str front = chunkq_front(&second);
            size_t part = front.len < left ? front.len : left;
            for (size_t i = 0; i < part; i++)
                assert_int_equal((uint8_t)front.data[i], read++);
            chunkq_drop(&second, part);
            left -= part;
        }
    }
    assert_true((uint8_t)(read + first.bytes + second.bytes) == written);
    chunkq_release(&first);
    chunkq_release(&second);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunk_pool_release(&pool);
}

TEST(chunkq_pack_copies_drops_together_and_moves_the_rest)
{
    struct chunk_pool pool;
    struct chunkq from, to;
    chunk_pool_init(&pool, 3, 3, 0);
    chunkq_init(&from);
    chunkq_init(&to);
    for (unsigned i = 0; i < 100; i++) {
        struct chunk *chunk = chunk_new(&pool, true);
        size_t len = i == 50 ? 20000 : 3;
        memset(chunk->data, 'a' + (int)(i % 26), len);
        chunk->used = (uint32_t)len;
        chunkq_add(&from, chunk, chunk->data, len);
        chunk_unref(chunk);
    }
    assert_true(chunk_pool_in_use(&pool) >= 100 * CHUNK_LARGE_SIZE);
    assert_true(chunkq_pack(&to, &from, &pool));
    assert_int_equal(from.bytes, 0);
    assert_int_equal(to.bytes, 99 * 3 + 20000);
    assert_true(chunk_pool_in_use(&pool) <= 3 * CHUNK_LARGE_SIZE);
    assert_str_equal(str_first(chunkq_front(&to), 6), S("aaabbb"));
    chunkq_release(&to);
    chunkq_release(&from);
    chunk_pool_release(&pool);
}

TEST(chunkq_share_gives_a_stretch_and_leaves_it_there)
{
    struct chunk_pool pool;
    struct chunkq from, to;
    chunk_pool_init(&pool, 3, 3, 0);
    chunkq_init(&from);
    chunkq_init(&to);
    assert_true(chunkq_add_copy(&from, &pool, S("0123")));
    chunkq_add_static(&from, S("4567"));
    assert_int_equal(chunkq_share(&to, &from, 2, 4), 4);
    assert_str_equal(chunkq_front(&to), S("23"));
    chunkq_drop(&to, 2);
    assert_str_equal(chunkq_front(&to), S("45"));
    assert_int_equal(chunkq_share(&to, &from, 8, 4), 0);
    assert_int_equal(chunkq_share(&to, &from, 6, 100), 2);
    assert_int_equal(from.bytes, 8);
    chunkq_release(&from);
    chunkq_release(&to);
    assert_int_equal(chunk_pool_in_use(&pool), 0);
    chunk_pool_release(&pool);
}
