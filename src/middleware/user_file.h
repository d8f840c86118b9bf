/* Files of users ("name:hash" lines, as htpasswd writes them) that are looked at when somebody asks to come in, so that a change holds
 * at once, without a reload. What was read is kept and read again when the file has changed; only so many files are kept.
 *
 * Lines that begin with '#' are skipped; behind a second ':' stands a comment; the first line of a name counts.
 * Threading: any thread. It blocks for a stat, and for reading a file that has changed. */
#ifndef MIDDLEWARE_USER_FILE_H
#define MIDDLEWARE_USER_FILE_H

#include "base/arena.h"

#define USER_FILE_MAX ((size_t)16 << 20)

enum user_file {
    USER_FILE_FOUND,      /* *ret_hash: the user's */
    USER_FILE_NOT_FOUND,  /* no such user; *ret_hash: somebody else's (always the same one's for a name), empty when there is nobody */
    USER_FILE_MISSING,    /* no such file */
    USER_FILE_UNREADABLE
};

/* The hash lies in the arena. */
enum user_file user_file_find(struct str path, struct str name, struct arena *arena, struct str *ret_hash);

#endif
