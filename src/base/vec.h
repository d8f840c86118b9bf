/* Growable arrays on the heap: VEC(int) numbers = {0}; VEC_PUSH(&numbers, 7); VEC_RELEASE(&numbers).
 * Running out of memory aborts. Not for the request path: arenas serve there. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"

#define VEC(type) \
    struct { \
        type *items; \
        size_t count, capacity; \
    }

#define VEC_PUSH(vec, ...) \
    do { \
        if ((vec)->count == (vec)->capacity) { \
            (vec)->capacity = (vec)->capacity != 0 ? (vec)->capacity * 2 : 8; \
            (vec)->items = memory_resize((vec)->items, (vec)->capacity * sizeof(*(vec)->items)); \
        } \
        (vec)->items[(vec)->count++] = (__VA_ARGS__); \
    } while (0)

#define VEC_RELEASE(vec) \
    do { \
        free((vec)->items); \
        (vec)->items = NULL; \
        (vec)->count = (vec)->capacity = 0; \
    } while (0)

#endif
