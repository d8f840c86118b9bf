/* What engines answered, from test/wire/recorded. */
#ifndef RECORDED_H
#define RECORDED_H

#include "base/file.h"
#include "test.h"

/* "docker-20.10/container.json"; in the arena. */
static inline struct str recorded(struct arena *arena, const char *name)
{
    struct str path = arena_printf(arena, "test/wire/recorded/%s", name), content;
    if (!file_read(arena, path.data, (size_t)1 << 20, &content))
        fail_msg("%s cannot be read", path.data);
    return content;
}

#endif
