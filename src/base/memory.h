/* malloc and its kin that never give NULL: without memory for the control side there is no going on,
 * so they say how much was wanted and abort. The request path works under budgets (arena, chunk pool). */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *memory_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_zalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Zeroed, on cache lines that nothing else lies on: for what one thread writes all the time. */
#define MEMORY_LINE ((size_t)64)
void *memory_zalloc_apart(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_resize(void *memory, size_t size) __attribute__((returns_nonnull));
/* NUL-terminated copy of `len` bytes. */
char *memory_copy_text(const char *data, size_t len) __attribute__((malloc, returns_nonnull));

/* What was freed and is kept for later goes back to the system: after something large was made out of much that is gone. */
void memory_give_back(void);

#endif
