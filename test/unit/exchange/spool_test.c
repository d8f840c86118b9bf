#include "test.h"

#include "exchange/spool.h"

#include <stdlib.h>
#include <unistd.h>

struct store {
    struct arena arena;
    struct chunk_pool pool;
    struct chunkq queue;
};

static struct spool *begin(struct store *store, int64_t memory_max)
{
    arena_init(&store->arena, ARENA_UNLIMITED);
    chunk_pool_init(&store->pool, 4, 4, 0);
    chunkq_init(&store->queue);
    return spool_new(&store->arena, &store->pool, memory_max);
}

static void end(struct store *store, struct spool *spool)
{
    spool_release(spool);
    chunkq_release(&store->queue);
    assert_int_equal(chunk_pool_in_use(&store->pool), 0);
    chunk_pool_release(&store->pool);
    arena_release(&store->arena);
}

/* `count` pieces of `size` bytes whose content tells their place. */
static void fill(struct store *store, struct spool *spool, unsigned count, size_t size)
{
    char piece[40000];
    for (unsigned i = 0; i < count; i++) {
        for (size_t at = 0; at < size; at++)
            piece[at] = (char)(i * 31 + at * 7);
        assert_true(chunkq_add_copy(&store->queue, &store->pool, str_of(piece, size)));
        assert_int_equal(spool_add(spool, &store->queue), STATUS_OK);
        assert_int_equal(store->queue.bytes, 0);
    }
}

/* Reads a source to its end and compares with what `fill` gave. */
static void check(struct store *store, struct body_source *source, unsigned count, size_t size, size_t max)
{
    size_t at = 0;
    enum status status;
    while ((status = source->ops->read(source, &store->queue, max)) == STATUS_OK) {
        assert_in_range(store->queue.bytes, 1, max);
        while (store->queue.bytes != 0) {
            struct str part = chunkq_front(&store->queue);
            for (size_t i = 0; i < part.len; i++, at++)
                assert_int_equal(part.data[i], (char)(at / size * 31 + at % size * 7));
            chunkq_drop(&store->queue, part.len);
        }
    }
    assert_int_equal(status, STATUS_END);
    assert_int_equal(at, count * size);
}

TEST(spool_gives_a_body_in_memory_any_number_of_times)
{
    struct store store;
    struct spool *spool = begin(&store, 1 << 20);
    fill(&store, spool, 20, 9999);
    assert_int_equal(spool_length(spool), 20 * 9999);
    check(&store, spool_rewind(spool), 20, 9999, 65536);
    check(&store, spool_rewind(spool), 20, 9999, 1000);
    assert_int_equal(spool_bytes(spool).len, 20 * 9999);
    check(&store, spool_rewind(spool), 20, 9999, 65536);
    end(&store, spool);
}

TEST(spool_moves_to_disk_beyond_its_bound)
{
    struct store store;
    struct spool *spool = begin(&store, 100000);
    fill(&store, spool, 100, 9999);
    assert_int_equal(spool_length(spool), 100 * 9999);
    assert_null(spool_bytes(spool).data);
    assert_int_equal(chunk_pool_in_use(&store.pool), 0);
    check(&store, spool_rewind(spool), 100, 9999, 65536);
    check(&store, spool_rewind(spool), 100, 9999, 777);
    end(&store, spool);
}

TEST(spool_rewinds_a_reader_that_has_not_ended)
{
    struct store store;
    struct spool *spool = begin(&store, 0);
    fill(&store, spool, 2, 9999);
    struct body_source *source = spool_rewind(spool);
    assert_int_equal(source->ops->read(source, &store.queue, 5000), STATUS_OK);
    chunkq_clear(&store.queue);
    check(&store, spool_rewind(spool), 2, 9999, 65536);
    end(&store, spool);
}

TEST(spool_keeps_dripped_bytes_together)
{
    struct store store;
    struct spool *spool = begin(&store, 1 << 20);
    for (unsigned i = 0; i < 1000; i++) {
        struct chunk *chunk = chunk_new(&store.pool, true);
        chunk->data[0] = (char)(i * 31);
        chunk->used = 1;
        chunkq_add(&store.queue, chunk, chunk->data, 1);
        chunk_unref(chunk);
        assert_int_equal(spool_add(spool, &store.queue), STATUS_OK);
    }
    assert_in_range(chunk_pool_in_use(&store.pool), 1000, 2 * CHUNK_LARGE_SIZE);
    check(&store, spool_rewind(spool), 1000, 1, 65536);
    end(&store, spool);
}

TEST(spool_goes_on_with_what_follows_its_beginning)
{
    struct store rest_store, store;
    struct spool *rest = begin(&rest_store, 1 << 20), *spool = begin(&store, 1 << 20);
    fill(&rest_store, rest, 1, 500);
    fill(&store, spool, 1, 500);
    struct body_source *source = spool_rewind_before(spool, spool_rewind(rest));
    size_t total = 0;
    while (source->ops->read(source, &store.queue, 300) == STATUS_OK) {
        total += store.queue.bytes;
        chunkq_clear(&store.queue);
    }
    assert_int_equal(total, 1000);
    end(&store, spool);
    end(&rest_store, rest);
}

TEST(spool_without_bytes_is_an_empty_body)
{
    struct store store;
    struct spool *spool = begin(&store, 10);
    assert_non_null(spool_bytes(spool).data);
    assert_int_equal(spool_bytes(spool).len, 0);
    check(&store, spool_rewind(spool), 0, 1, 100);
    end(&store, spool);
}

static void assert_placed(bool kept)
{
    struct store store;
    char folder[] = "/tmp/portico-spool-XXXXXX/inner", *inner = strrchr(folder, '/');
    *inner = '\0';
    assert_non_null(mkdtemp(folder));
    *inner = '/';
    const struct spool_place place = {.folder = str_from(folder), .named = true, .kept = kept};
    struct spool *spool = begin(&store, 1000);
    spool_set_place(spool, &place);
    fill(&store, spool, 1, 3);
    char name[200];
    struct str told = spool_file_name(spool);
    assert_true(str_starts(told, place.folder) && told.len < sizeof(name));
    memcpy(name, told.data, told.len + 1);
    assert_int_equal(access(name, R_OK), 0);
    assert_true(spool_file(spool) >= 0);
    spool_release(spool);
    assert_int_equal(access(name, R_OK), kept ? 0 : -1);
    unlink(name);
    rmdir(folder);
    *inner = '\0';
    rmdir(folder);
    end(&store, spool);
}

TEST(a_file_with_a_name_goes_with_its_body_or_stays)
{
    assert_placed(false);
    assert_placed(true);
}
