/* Memory that is freed all at once: for one exchange, one model, one snapshot.
 *
 * Ownership: whoever inits an arena releases it. Pointers from it live until arena_release.
 * Not thread-safe: an arena has one owner at a time. It may be moved; its blocks stay where they are.
 * Limits: an arena has a budget; arena_alloc gives NULL beyond it (config arenas: SIZE_MAX).
 * A caller that set no budget need not check for NULL: running out of memory aborts. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    char *next;                  /* first free byte of the current block */
    char *end;
    struct arena_block *blocks;  /* blocks that this arena allocated, newest first */
    size_t used;                 /* bytes in `blocks` */
    size_t budget;               /* bytes that `blocks` may take in all */
};

#define ARENA_UNLIMITED ((size_t)-1)

void arena_init(struct arena *arena, size_t budget);
/* The same, with a first block that the caller owns (a pooled chunk, the stack); it is never freed here. */
void arena_init_with(struct arena *arena, void *first, size_t size, size_t budget);
/* Frees every block; the arena can be used again after an init. */
void arena_release(struct arena *arena);

/* Not zeroed, aligned to 8 bytes, never NULL within the budget (not even for 0 bytes). */
void *arena_alloc_slow(struct arena *arena, size_t size) __attribute__((noinline));
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    /* next and end are both aligned, so what fits unrounded fits rounded, and a huge size cannot wrap. */
    if (size <= (size_t)(arena->end - arena->next)) {
        void *memory = arena->next;
        arena->next += (size + 7) & ~(size_t)7;
        return memory;
    }
    return arena_alloc_slow(arena, size);
}
static inline void *arena_zalloc(struct arena *arena, size_t size)
{
    void *memory = arena_alloc(arena, size);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}
/* A product that overflows is as much as there can be: beyond every budget. */
static inline void *arena_zalloc_many(struct arena *arena, size_t size, size_t count)
{
    size_t product;
    if (__builtin_mul_overflow(size, count, &product))
        return arena_alloc_slow(arena, SIZE_MAX / 4);
    return arena_zalloc(arena, product);
}
#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_array(arena, type, count) \
    ((type *)arena_zalloc_many((arena), sizeof(type), (count)))

/* Where an arena stands, to give back what is allocated from here on (unless it began another block meanwhile). */
struct arena_mark {
    char *next, *end;
};
static inline struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){.next = arena->next, .end = arena->end};
}
static inline void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    if (arena->end == mark.end)
        arena->next = mark.next;
}

/* A copy that is NUL-terminated as well; data NULL when the budget is exhausted. */
struct str arena_str(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* a and b joined. */
struct str arena_concat(struct arena *arena, struct str a, struct str b);
/* `s` in ASCII lower case (the same view when it is already). */
struct str arena_lower(struct arena *arena, struct str s);

#endif
