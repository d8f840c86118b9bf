/* Runs another program and waits for it. For commands, never for the proxy: it blocks. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/text.h"

/* Whom a program runs as, where we are root for someone. */
struct program_user {
    uid_t uid;
    gid_t gid;
    const char *name, *home;
};

/* The path of a program: along PATH, then where administration programs lie. NULL: there is none. */
const char *program_find(const char *name, struct arena *arena);
/* `words` end with NULL, the first is a path. It reads `input`; what it says, errors too, is added to `output`. `user` NULL: as
 * who we are. Gives its exit code; -1: it could not be run, or a signal ended it. */
int program_run(const char *const *words, struct str input, const struct program_user *user, struct text *output);

#endif
