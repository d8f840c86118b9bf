#include "middleware/codec_store.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define CODERS_KEPT 8
#define BLOCKS_KEPT 32
#define BLOCK_BYTES_KEPT ((size_t)4 << 20)

/* In front of each block, on a cache line of its own. */
#define BLOCK_ALIGNMENT ((size_t)64)
struct block {
    _Alignas(BLOCK_ALIGNMENT) size_t size;
};

struct shelf {
    void *coders[CODERS_KEPT];
    unsigned count;
    void (*destroy)(void *coder);
};

struct store {
    struct shelf shelves[CODEC_STORE_COUNT];
    struct block *blocks[BLOCKS_KEPT];
    unsigned block_count;
    size_t block_bytes;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct store *mine;

static void release(void *memory)
{
    struct store *store = memory;
    for (unsigned id = 0; id < CODEC_STORE_COUNT; id++)
        while (store->shelves[id].count != 0)
            store->shelves[id].destroy(store->shelves[id].coders[--store->shelves[id].count]);
    while (store->block_count != 0)
        free(store->blocks[--store->block_count]);
    free(store);
    mine = NULL;
}

static void make_key(void)
{
    pthread_key_create(&key, release);
}

static struct store *store_of_thread(void)
{
    if (mine == NULL) {
        pthread_once(&once, make_key);
        mine = calloc(1, sizeof(*mine));
        if (mine != NULL)
            pthread_setspecific(key, mine);
    }
    return mine;
}

void *codec_store_get(enum codec_store_id id)
{
    struct store *store = store_of_thread();
    if (store == NULL || store->shelves[id].count == 0)
        return NULL;
    return store->shelves[id].coders[--store->shelves[id].count];
}

void codec_store_put(enum codec_store_id id, void *coder, void (*destroy)(void *coder))
{
    struct store *store = store_of_thread();
    struct shelf *shelf = store != NULL ? &store->shelves[id] : NULL;
    if (shelf == NULL || shelf->count == CODERS_KEPT) {
        destroy(coder);
        return;
    }
    shelf->destroy = destroy;
    shelf->coders[shelf->count++] = coder;
}

/* The latest come first: bodies of one kind ask for the same sizes again and again. */
void *codec_store_alloc(size_t size)
{
    struct store *store = store_of_thread();
    for (unsigned i = store != NULL ? store->block_count : 0; i-- > 0;) {
        struct block *block = store->blocks[i];
        if (block->size != size)
            continue;
        store->blocks[i] = store->blocks[--store->block_count];
        store->block_bytes -= size;
        return block + 1;
    }
    struct block *block = NULL;
    if (size <= SIZE_MAX / 2)
        block = aligned_alloc(BLOCK_ALIGNMENT, (sizeof(*block) + size + BLOCK_ALIGNMENT - 1) & ~(BLOCK_ALIGNMENT - 1));
    if (block == NULL)
        return NULL;
    block->size = size;
    return block + 1;
}

void codec_store_free(void *memory)
{
    if (memory == NULL)
        return;
    struct block *block = (struct block *)memory - 1;
    struct store *store = store_of_thread();
    if (store == NULL || store->block_count == BLOCKS_KEPT || store->block_bytes + block->size > BLOCK_BYTES_KEPT) {
        free(block);
        return;
    }
    store->blocks[store->block_count++] = block;
    store->block_bytes += block->size;
}
