// Finds a field in a message head, for the two tools of the benchmark, which trust what they read.
#ifndef BENCH_HEAD_H
#define BENCH_HEAD_H

#include <stddef.h>
#include <string.h>
#include <strings.h>

// The value of field `name` in the head (start line included), or NULL. It points into the head and
// ends at a CR.
static inline const char *head_find(const char *head, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    const char *end = head + length, *line = head;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        line++;
        if ((size_t)(end - line) > name_length && strncasecmp(line, name, name_length) == 0 &&
            line[name_length] == ':')
            return line + name_length + 1 + strspn(line + name_length + 1, " ");
    }
    return NULL;
}

#endif
