/* Owns the pools' free lists and the queues' rings. */
#include "base/chunkq.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

_Static_assert(sizeof(struct chunk) == offsetof(struct chunk, data),
               "data begins at the header's end");

void chunk_pool_init(struct chunk_pool *pool, uint32_t keep_small, uint32_t keep_large, uint64_t limit)
{
    const uint32_t keep[CHUNK_SHELVES] = {keep_small, keep_large, 0};
    *pool = (struct chunk_pool){.limit = limit != 0 ? limit : UINT64_MAX};
    for (unsigned i = 0; i < CHUNK_SHELVES; i++)
        pool->shelves[i] = (struct chunk_shelf){.room = keep[i], .keep = keep[i], .pool = pool};
}

static size_t size_of(const struct chunk *chunk)
{
    return chunk->capacity + sizeof(struct chunk);
}

void chunk_discard(struct chunk *chunk)
{
    chunk->shelf->pool->held -= size_of(chunk);
    free(chunk);
}

/* Free chunks go until `more` bytes are within the limit, or none are left. */
static bool make_room(struct chunk_pool *pool, size_t more)
{
    for (unsigned i = CHUNK_SHELVES; i-- > 0;) {
        struct chunk_shelf *shelf = &pool->shelves[i];
        while (pool->held + more > pool->limit && shelf->first != NULL) {
            struct chunk *chunk = shelf->first;
            shelf->first = chunk->next_free;
            shelf->room++;
            chunk_discard(chunk);
        }
    }
    return pool->held + more <= pool->limit;
}

void chunk_pool_limit(struct chunk_pool *pool, uint64_t limit)
{
    pool->limit = limit != 0 ? limit : UINT64_MAX;
    make_room(pool, 0);
}

uint64_t chunk_pool_in_use(const struct chunk_pool *pool)
{
    const struct chunk_shelf *small = &pool->shelves[CHUNK_SMALL], *large = &pool->shelves[CHUNK_LARGE];
    return pool->held - (small->keep - small->room) * CHUNK_SMALL_SIZE - (large->keep - large->room) * CHUNK_LARGE_SIZE;
}

void chunk_pool_release(struct chunk_pool *pool)
{
    assert(chunk_pool_in_use(pool) == 0);
    pool->limit = 0;
    make_room(pool, 0);
    *pool = (struct chunk_pool){0};
}

static struct chunk_shelf *shelf_for(struct chunk_pool *pool, size_t size)
{
    return &pool->shelves[size == CHUNK_SMALL_SIZE ? CHUNK_SMALL : size == CHUNK_LARGE_SIZE ? CHUNK_LARGE : CHUNK_ODD];
}

struct chunk *chunk_new_sized(struct chunk_pool *pool, size_t capacity)
{
    if (capacity > UINT32_MAX - sizeof(struct chunk))
        return NULL;
    size_t size = capacity + sizeof(struct chunk);
    if (!make_room(pool, size))
        return NULL;
    struct chunk *chunk = malloc(size);
    if (chunk == NULL)
        return NULL; /* the machine's limit instead of the pool's: the caller sheds load alike */
    *chunk = (struct chunk){.shelf = shelf_for(pool, size), .refs = 1, .capacity = (uint32_t)capacity, .large = size >= CHUNK_LARGE_SIZE};
    pool->held += size;
    return chunk;
}

/* The ring's capacity is a power of two. */
static inline struct slice *slice_at(const struct chunkq *queue, uint32_t index)
{
    return &queue->slices[(queue->head + index) & (queue->capacity - 1)];
}

static inline void drop_first(struct chunkq *queue)
{
    struct slice *first = &queue->slices[queue->head];
    if (first->chunk != NULL)
        chunk_unref(first->chunk);
    queue->head = (queue->head + 1) & (queue->capacity - 1);
    queue->count--;
}

void chunkq_clear(struct chunkq *queue)
{
    while (queue->count != 0)
        drop_first(queue);
    queue->head = 0;
    queue->bytes = 0;
}

void chunkq_release_slow(struct chunkq *queue)
{
    chunkq_clear(queue);
    if (queue->slices != queue->inside)
        free(queue->slices);
    chunkq_init(queue);
}

static __attribute__((noinline)) void grow(struct chunkq *queue)
{
    assert(queue->capacity <= UINT32_MAX / 2);
    struct slice *slices = memory_alloc(2 * (size_t)queue->capacity * sizeof(*slices));
    for (uint32_t i = 0; i < queue->count; i++)
        slices[i] = *slice_at(queue, i);
    if (queue->slices != queue->inside)
        free(queue->slices);
    queue->slices = slices;
    queue->head = 0;
    queue->capacity *= 2;
}

/* Takes over one reference to the chunk; true when the bytes continue the last slice, whose reference then
 * stands for both. */
static inline bool append(struct chunkq *queue, struct chunk *chunk, char *data, size_t len)
{
    queue->bytes += len;
    if (queue->count != 0) {
        struct slice *last = slice_at(queue, queue->count - 1);
        if (last->chunk == chunk && last->data + last->len == data) {
            last->len += len;
            return true;
        }
        if (queue->count == queue->capacity)
            grow(queue);
    }
    struct slice *slice = slice_at(queue, queue->count++);
    slice->chunk = chunk;
    slice->data = data;
    slice->len = len;
    return false;
}

static inline bool lies_inside(const struct chunk *chunk, const char *data, size_t len)
{
    return data >= chunk->data && len <= chunk->capacity - (size_t)(data - chunk->data);
}

void chunkq_add(struct chunkq *queue, struct chunk *chunk, char *data, size_t len)
{
    assert(lies_inside(chunk, data, len));
    if (len != 0 && !append(queue, chunk, data, len))
        chunk->refs++;
}

void chunkq_give(struct chunkq *queue, struct chunk *chunk, char *data, size_t len)
{
    assert(lies_inside(chunk, data, len));
    if (len == 0 || append(queue, chunk, data, len))
        chunk_unref(chunk);
}

void chunkq_add_static(struct chunkq *queue, struct str bytes)
{
    /* The queue never writes through `data` of a slice without a chunk. */
    if (bytes.len != 0)
        append(queue, NULL, (char *)(uintptr_t)bytes.data, bytes.len);
}

/* Copies what fits behind the chunk's used bytes and gives the rest. */
static struct str copy_into(struct chunkq *queue, struct chunk *chunk, struct str bytes)
{
    size_t len = chunk_room(chunk) < bytes.len ? chunk_room(chunk) : bytes.len;
    char *at = chunk->data + chunk->used;
    memcpy(at, bytes.data, len);
    chunk->used += (uint32_t)len;
    chunkq_add(queue, chunk, at, len);
    return str_of(bytes.data + len, bytes.len - len);
}

/* The last chunk, when appending to it disturbs nobody; else NULL. */
static struct chunk *open_chunk(const struct chunkq *queue)
{
    if (queue->count == 0)
        return NULL;
    const struct slice *last = slice_at(queue, queue->count - 1);
    struct chunk *chunk = last->chunk;
    bool open = chunk != NULL && chunk->refs == 1 && chunk_room(chunk) != 0 &&
                last->data + last->len == chunk->data + chunk->used;
    return open ? chunk : NULL;
}

static void unref_chain(struct chunk *chain)
{
    while (chain != NULL) {
        struct chunk *next = chain->next_free;
        chunk_unref(chain);
        chain = next;
    }
}

/* New chunks for `len` bytes, chained by next_free; false with none at the pool's limit. */
static bool new_chain(struct chunk_pool *pool, size_t len, struct chunk **ret_chain)
{
    struct chunk **end = ret_chain;
    *end = NULL;
    while (len != 0) {
        struct chunk *chunk = chunk_new(pool, len > CHUNK_SMALL_SIZE - sizeof(struct chunk));
        if (chunk == NULL) {
            unref_chain(*ret_chain);
            return false;
        }
        chunk->next_free = NULL;
        *end = chunk;
        end = &chunk->next_free;
        len -= chunk->capacity < len ? chunk->capacity : len;
    }
    return true;
}

bool chunkq_add_copy(struct chunkq *queue, struct chunk_pool *pool, struct str bytes)
{
    struct chunk *open = open_chunk(queue), *chain;
    size_t room = open != NULL ? chunk_room(open) : 0;
    if (!new_chain(pool, bytes.len > room ? bytes.len - room : 0, &chain))
        return false;
    if (open != NULL && bytes.len != 0)
        bytes = copy_into(queue, open, bytes);
    while (chain != NULL) {
        struct chunk *next = chain->next_free;
        bytes = copy_into(queue, chain, bytes);
        chunk_unref(chain); /* the queue has its own reference now */
        chain = next;
    }
    return true;
}

bool chunkq_absorb(struct chunkq *to, struct chunkq *from)
{
    struct chunk *open = open_chunk(to);
    if (open == NULL || chunk_room(open) < from->bytes)
        return false;
    struct slice *last = slice_at(to, to->count - 1);
    while (from->count != 0) {
        const struct slice *first = slice_at(from, 0);
        memcpy(last->data + last->len, first->data, first->len);
        last->len += first->len;
        drop_first(from);
    }
    to->bytes += from->bytes;
    open->used += (uint32_t)from->bytes;
    from->bytes = 0;
    return true;
}

size_t chunkq_move(struct chunkq *to, struct chunkq *from, size_t max)
{
    size_t moved = 0;
    assert(to != from);
    while (moved < max && from->count != 0) {
        struct slice *first = &from->slices[from->head];
        struct slice part = *first;
        if (part.len > max - moved) {
            part.len = max - moved;
            if (part.chunk != NULL)
                chunk_ref(part.chunk); /* both queues refer to it now */
            first->data += part.len;
            first->len -= part.len;
        } else {
            from->head = (from->head + 1) & (from->capacity - 1);
            from->count--;
        }
        from->bytes -= part.len;
        moved += part.len;
        if (append(to, part.chunk, part.data, part.len) && part.chunk != NULL)
            chunk_unref(part.chunk);
    }
    return moved;
}

bool chunkq_pack(struct chunkq *to, struct chunkq *from, struct chunk_pool *pool)
{
    while (from->count != 0) {
        const struct slice *first = slice_at(from, 0);
        size_t len = first->len;
        if (first->chunk == NULL || len >= first->chunk->capacity / 4) {
            chunkq_move(to, from, len);
            continue;
        }
        if (!chunkq_add_copy(to, pool, str_of(first->data, len)))
            return false;
        chunkq_drop(from, len);
    }
    return true;
}

size_t chunkq_share(struct chunkq *to, const struct chunkq *from, size_t offset, size_t max)
{
    size_t shared = 0;
    for (uint32_t i = 0; i < from->count && shared < max; i++) {
        const struct slice *slice = slice_at(from, i);
        if (offset >= slice->len) {
            offset -= slice->len;
            continue;
        }
        size_t len = slice->len - offset < max - shared ? slice->len - offset : max - shared;
        if (slice->chunk != NULL)
            chunkq_add(to, slice->chunk, slice->data + offset, len);
        else
            chunkq_add_static(to, str_of(slice->data + offset, len));
        shared += len;
        offset = 0;
    }
    return shared;
}

void chunkq_drop_slow(struct chunkq *queue, size_t len)
{
    assert(len <= queue->bytes);
    queue->bytes -= len;
    while (len != 0) {
        struct slice *first = &queue->slices[queue->head];
        if (first->len > len) {
            first->data += len;
            first->len -= len;
            return;
        }
        len -= first->len;
        drop_first(queue);
    }
}

int chunkq_iovec(const struct chunkq *queue, struct iovec *out, int max)
{
    int count = max >= 0 && queue->count > (uint32_t)max ? max : (int)queue->count;
    for (int i = 0; i < count; i++) {
        const struct slice *slice = slice_at(queue, (uint32_t)i);
        out[i] = (struct iovec){.iov_base = slice->data, .iov_len = slice->len};
    }
    return count;
}
