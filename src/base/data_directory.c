#include "base/data_directory.h"

#include <stdlib.h>
#include <unistd.h>

struct str data_path(const char *name, struct arena *arena)
{
    const char *own = getenv("PORTICO_DATA"), *shared = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (own != NULL && own[0] != '\0')
        return arena_printf(arena, "%s/%s", own, name);
    if (geteuid() == 0)
        return arena_printf(arena, "/var/lib/portico/%s", name);
    if (shared != NULL && shared[0] == '/')
        return arena_printf(arena, "%s/portico/%s", shared, name);
    return arena_printf(arena, "%s/.local/share/portico/%s", home != NULL ? home : "", name);
}
