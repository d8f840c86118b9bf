/* Buffers that hold bytes on their way through, and queues of them.
 *
 * A pool belongs to one worker thread; everything here is used on that thread alone. Chunks come in two
 * sizes: small for heads and arenas, large for bodies. They are counted by reference, so a parsed head can
 * point into a chunk while the rest of it is relayed. A chunk goes back to its pool when the last reference
 * goes; the pool keeps a bounded number of free ones, the most recently used (warm) first.
 *
 * An idle connection holds no chunk. A chunkq never grows by itself: who fills it compares chunkq.bytes with
 * a limit, and a full queue stops the reading (back-pressure). */
#ifndef BASE_CHUNKQ_H
#define BASE_CHUNKQ_H

#include <sys/uio.h>

#include "base/poison.h"
#include "base/str.h"

#define CHUNK_SMALL_SIZE ((size_t)8192)      /* with its header; holds an exchange and its heads */
#define CHUNK_LARGE_SIZE ((size_t)32768)

struct chunk_pool;
struct chunk_shelf;

struct chunk {
    struct chunk *next_free;
    struct chunk_shelf *shelf;  /* of its pool, where it goes when it is free */
    uint32_t refs;
    uint32_t capacity;          /* bytes in data */
    uint32_t used;              /* bytes written so far: readers beyond it append here */
    bool large;
    _Alignas(16) char data[];
};

/* Free chunks of one size, the warmest first. */
struct chunk_shelf {
    struct chunk *first;
    uint32_t room;              /* for how many more */
    uint32_t keep;              /* ... when it is empty */
    struct chunk_pool *pool;
};

enum { CHUNK_SMALL, CHUNK_LARGE, CHUNK_ODD, CHUNK_SHELVES };      /* of odd sizes none is kept */

struct chunk_pool {
    struct chunk_shelf shelves[CHUNK_SHELVES];
    uint64_t held;              /* bytes, headers included, of the chunks in use and of free ones */
    uint64_t limit;             /* of them: chunk_new gives NULL there; UINT64_MAX: none */
};

/* `limit` in bytes; 0: none. The pool stays where it is. */
void chunk_pool_init(struct chunk_pool *pool, uint32_t keep_small, uint32_t keep_large, uint64_t limit);
/* Another limit; what is handed out stays out. */
void chunk_pool_limit(struct chunk_pool *pool, uint64_t limit);
/* Bytes handed out, headers included. */
uint64_t chunk_pool_in_use(const struct chunk_pool *pool);
/* Every chunk has come back before. */
void chunk_pool_release(struct chunk_pool *pool);

/* A chunk of an odd capacity, for a head that outgrew the pooled sizes; NULL at the pool's limit. */
struct chunk *chunk_new_sized(struct chunk_pool *pool, size_t capacity);

/* One reference, used 0; NULL at the pool's limit. */
static inline struct chunk *chunk_new(struct chunk_pool *pool, bool large)
{
    struct chunk_shelf *shelf = &pool->shelves[large ? CHUNK_LARGE : CHUNK_SMALL];
    struct chunk *chunk = shelf->first;
    if (chunk == NULL)
        return chunk_new_sized(pool, (large ? CHUNK_LARGE_SIZE : CHUNK_SMALL_SIZE) - sizeof(struct chunk));
    shelf->first = chunk->next_free;
    shelf->room++;
    chunk->refs = 1;
    chunk->used = 0;
    poison_remove(chunk->data, chunk->capacity);
    return chunk;
}

static inline struct chunk *chunk_ref(struct chunk *chunk)
{
    chunk->refs++;
    return chunk;
}

/* Back to the heap. */
void chunk_discard(struct chunk *chunk);
/* Where the last reference goes: back to the pool, or to the heap when the pool has enough. */
static inline void chunk_unref(struct chunk *chunk)
{
    if (--chunk->refs != 0)
        return;
    struct chunk_shelf *shelf = chunk->shelf;
    if (shelf->room == 0) {
        chunk_discard(chunk);
        return;
    }
    shelf->room--;
    chunk->next_free = shelf->first;
    shelf->first = chunk;
    poison_add(chunk->data, chunk->capacity);
}

/* Bytes that still fit behind chunk->used. */
static inline size_t chunk_room(const struct chunk *chunk)
{
    return chunk->capacity - chunk->used;
}

/* A stretch of bytes in a queue; with chunk NULL the bytes are someone else's and outlive the queue's use. */
struct slice {
    struct chunk *chunk;
    char *data;
    size_t len;
};

/* A first-in first-out queue of slices, none of them empty; adjacent appends to one chunk are joined.
 * It must not be moved in memory: `slices` may point into it. */
struct chunkq {
    struct slice *slices;       /* ring; the first four are inside */
    uint32_t head, count, capacity;
    size_t bytes;               /* sum of all slices */
    struct slice inside[4];
};

static inline void chunkq_init(struct chunkq *queue)
{
    queue->slices = queue->inside;
    queue->head = queue->count = 0;
    queue->capacity = sizeof(queue->inside) / sizeof(queue->inside[0]);
    queue->bytes = 0;
}
/* Drops what is queued and frees; the queue is then empty, as after init. */
void chunkq_release_slow(struct chunkq *queue);
static inline void chunkq_release(struct chunkq *queue)
{
    if (queue->count != 0 || queue->slices != queue->inside)
        chunkq_release_slow(queue);
}
/* Drops what is queued and keeps the room for slices. */
void chunkq_clear(struct chunkq *queue);

/* Appends bytes of a chunk, taking a reference of its own. */
void chunkq_add(struct chunkq *queue, struct chunk *chunk, char *data, size_t len);
/* The same, taking over the caller's reference. */
void chunkq_give(struct chunkq *queue, struct chunk *chunk, char *data, size_t len);
/* Appends bytes that outlive the queue's use of them (literals, arena memory of the same exchange). */
void chunkq_add_static(struct chunkq *queue, struct str bytes);
/* Copies bytes in, into free room of the last chunk (if nobody else refers to it: its reader would take
 * them for input) or new chunks; false at the pool's limit, with nothing added. */
bool chunkq_add_copy(struct chunkq *queue, struct chunk_pool *pool, struct str bytes);
/* Moves up to `max` bytes from one queue to another; gives how many. */
size_t chunkq_move(struct chunkq *to, struct chunkq *from, size_t max);
/* Moves everything by copying it behind the last bytes of `to`, if their chunk is nobody else's and has the room; else
 * false, with nothing moved. For few bytes: one slice is cheaper to write than two. */
bool chunkq_absorb(struct chunkq *to, struct chunkq *from);
/* Moves everything, for a queue that lasts: short stretches of large chunks are copied together, so that a
 * peer that drips bytes cannot pin a chunk with each. False at the pool's limit, with a rest left in `from`. */
bool chunkq_pack(struct chunkq *to, struct chunkq *from, struct chunk_pool *pool);
/* Appends up to `max` bytes of `from`, beginning at `offset`, by reference: both queues then hold them. Gives
 * how many. */
size_t chunkq_share(struct chunkq *to, const struct chunkq *from, size_t offset, size_t max);
/* Drops `len` bytes from the front; there are at least as many. Mostly they are all of the only slice. */
void chunkq_drop_slow(struct chunkq *queue, size_t len);
static inline void chunkq_drop(struct chunkq *queue, size_t len)
{
    if (queue->count != 1 || len != queue->bytes) {
        chunkq_drop_slow(queue, len);
        return;
    }
    struct chunk *chunk = queue->slices[queue->head].chunk;
    queue->head = queue->count = 0;
    queue->bytes = 0;
    if (chunk != NULL)
        chunk_unref(chunk);
}
/* The first stretch; empty when the queue is. */
static inline struct str chunkq_front(const struct chunkq *queue)
{
    const struct slice *first = &queue->slices[queue->head];
    return queue->count != 0 ? str_of(first->data, first->len) : STR_NONE;
}
/* Up to `max` entries for writev from the front; gives how many. */
int chunkq_iovec(const struct chunkq *queue, struct iovec *out, int max);

#endif
