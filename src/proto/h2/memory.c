#include "proto/h2/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/poison.h"

/* Pieces are malloc's, of a whole number of steps: it knows itself how large they are. */
static void *take(size_t size, void *owner)
{
    struct h2_memory *memory = owner;
    size_t steps = size / H2_MEMORY_STEP;      /* and one more at most */
    if (steps >= H2_MEMORY_SIZES)
        return malloc(size);
    void *piece = memory->kept[steps];
    if (piece == NULL)
        return malloc((steps + 1) * H2_MEMORY_STEP);
    memcpy(&memory->kept[steps], piece, sizeof(void *));
    poison_remove(piece, (steps + 1) * H2_MEMORY_STEP);
    return piece;
}

static void give(void *piece, void *owner)
{
    struct h2_memory *memory = owner;
    if (piece == NULL)
        return;
    size_t steps = malloc_usable_size(piece) / H2_MEMORY_STEP;
    if (steps == 0 || steps > H2_MEMORY_SIZES) {
        free(piece);
        return;
    }
    memcpy(piece, &memory->kept[steps - 1], sizeof(void *));
    memory->kept[steps - 1] = piece;
    poison_add((char *)piece + sizeof(void *), steps * H2_MEMORY_STEP - sizeof(void *));
}

static void *take_zeroed(size_t count, size_t size, void *owner)
{
    size_t bytes;
    void *piece = __builtin_mul_overflow(count, size, &bytes) ? NULL : take(bytes, owner);
    return piece != NULL ? memset(piece, 0, bytes) : NULL;
}

static void *resize(void *piece, size_t size, void *owner)
{
    return realloc(piece, size);
}

nghttp2_mem h2_memory_for(struct h2_memory *memory)
{
    return (nghttp2_mem){.mem_user_data = memory, .malloc = take, .free = give, .calloc = take_zeroed, .realloc = resize};
}

void h2_memory_trim(struct h2_memory *memory)
{
    for (size_t i = 0; i < H2_MEMORY_SIZES; i++) {
        for (void *piece; (piece = memory->kept[i]) != NULL;) {
            memcpy(&memory->kept[i], piece, sizeof(void *));
            free(piece);
        }
    }
}
