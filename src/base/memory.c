/* Owns the one answer to malloc's NULL: say how much was wanted and abort. */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Uses no heap: there is none left. */
static _Noreturn void fail(size_t size)
{
    char line[80];
    int len = snprintf(line, sizeof(line), "out of memory: %zu bytes were wanted\n", size);
    ssize_t written = write(STDERR_FILENO, line, (size_t)len);
    (void)written;
    abort();
}

void *memory_alloc(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == NULL)
        fail(size);
    return memory;
}

void *memory_zalloc(size_t size)
{
    void *memory = calloc(1, size != 0 ? size : 1);
    if (memory == NULL)
        fail(size);
    return memory;
}

void *memory_zalloc_apart(size_t size)
{
    size_t whole = (size + MEMORY_LINE - 1) / MEMORY_LINE * MEMORY_LINE;
    void *memory = aligned_alloc(MEMORY_LINE, whole);
    if (memory == NULL)
        fail(size);
    return memset(memory, 0, whole);
}

void *memory_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size != 0 ? size : 1);
    if (resized == NULL)
        fail(size);
    return resized;
}

char *memory_copy_text(const char *data, size_t len)
{
    if (len == SIZE_MAX)
        fail(len);
    char *copy = memory_alloc(len + 1);
    if (len != 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void memory_give_back(void)
{
    malloc_trim(0);
}
