/* Owns an arena's blocks: they double from 4 to 64 KiB, and what is large beside them gets one of its own, so
 * that the rest of the current block is not lost. */
#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct arena_block {
    struct arena_block *next;
    _Alignas(16) char data[];
};

#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_MAX ((size_t)65536)

void arena_init(struct arena *arena, size_t budget)
{
    /* Any address but NULL stands for "no room": so arena_alloc needs no second check. */
    char *none = (char *)arena;
    *arena = (struct arena){.next = none, .end = none, .budget = budget};
}

void arena_init_with(struct arena *arena, void *first, size_t size, size_t budget)
{
    arena_init(arena, budget);
    size_t skip = -(uintptr_t)first & 7;
    if (size < skip + 8)
        return;
    arena->next = (char *)first + skip;
    arena->end = arena->next + ((size - skip) & ~(size_t)7);
}

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena_init(arena, 0);
}

/* A block of `size` bytes with its head, not yet in the list; NULL beyond the budget. */
static struct arena_block *new_block(struct arena *arena, size_t size)
{
    if (size > arena->budget - arena->used)
        return NULL;
    struct arena_block *block =
        arena->budget == ARENA_UNLIMITED ? memory_alloc(size) : malloc(size);
    if (block != NULL)
        arena->used += size;
    return block;
}

/* Keeps the current block current. */
static void *alloc_alone(struct arena *arena, size_t size)
{
    struct arena_block *block = new_block(arena, size + sizeof(struct arena_block));
    if (block == NULL)
        return NULL;
    struct arena_block **at = arena->blocks != NULL ? &arena->blocks->next : &arena->blocks;
    block->next = *at;
    *at = block;
    return block->data;
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        if (arena->budget == ARENA_UNLIMITED)
            return memory_alloc(size); /* aborts, saying so */
        return NULL;
    }
    size = (size + 7) & ~(size_t)7;
    size_t block_size = arena->used < BLOCK_FIRST ? BLOCK_FIRST
                        : arena->used > BLOCK_MAX ? BLOCK_MAX
                                                  : arena->used;
    if (size > block_size / 4)
        return alloc_alone(arena, size);
    struct arena_block *block = new_block(arena, block_size);
    if (block == NULL)
        return alloc_alone(arena, size); /* the budget's last bytes */
    block->next = arena->blocks;
    arena->blocks = block;
    arena->next = block->data + size;
    arena->end = (char *)block + (block_size & ~(size_t)7);
    return block->data;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return STR_NONE;
    if (s.len != 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return str_of(copy, s.len);
}

struct str arena_concat(struct arena *arena, struct str a, struct str b)
{
    size_t len = a.len + b.len;
    char *copy = arena_alloc(arena, len + 1);
    if (copy == NULL)
        return STR_NONE;
    if (a.len != 0)
        memcpy(copy, a.data, a.len);
    if (b.len != 0)
        memcpy(copy + a.len, b.data, b.len);
    copy[len] = '\0';
    return str_of(copy, len);
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str result = arena_vprintf(arena, format, args);
    va_end(args);
    return result;
}

/* Prints straight into the room that is left; a second time only when that was too little. */
struct str arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = (size_t)(arena->end - arena->next);
    int len = vsnprintf(room != 0 ? arena->next : NULL, room, format, args);
    assert(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    if (text != NULL && (size_t)len >= room)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text != NULL ? str_of(text, (size_t)len) : STR_NONE;
}

struct str arena_lower(struct arena *arena, struct str s)
{
    size_t at = 0;
    while (at < s.len && ascii_lower(s.data[at]) == s.data[at])
        at++;
    if (at == s.len)
        return s;
    char *copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return STR_NONE;
    memcpy(copy, s.data, at);
    for (; at < s.len; at++)
        copy[at] = ascii_lower(s.data[at]);
    copy[s.len] = '\0';
    return str_of(copy, s.len);
}
