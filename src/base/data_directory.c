#include "base/data_directory.h"

#include <stdlib.h>
#include <unistd.h>

struct str data_directory(struct arena *arena)
{
    const char *own = getenv("PORTICO_DATA"), *shared = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (own != NULL && own[0] != '\0')
        return str_from(own);
    if (geteuid() == 0)
        return S("/var/lib/portico");
    if (shared != NULL && shared[0] == '/')
        return arena_printf(arena, "%s/portico", shared);
    return arena_printf(arena, "%s/.local/share/portico", home != NULL ? home : "");
}

struct str data_path(const char *name, struct arena *arena)
{
    struct str directory = data_directory(arena);
    return arena_printf(arena, "%.*s/%s", STR_ARGS(directory), name);
}
