/* Whole files, for configuration and state; never for what is served to clients. Calls block: they belong to
 * start-up and the control thread. Errors: false with errno set. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"

/* Reads all of `path` (a pipe too, to its end) into the arena, NUL-terminated as well. EFBIG: it holds more
 * than `max` bytes; EISDIR; ENOMEM: beyond the arena's budget. What root read before it gave up its rights is given again where
 * the file itself is refused (base/kept_files.h). */
bool file_read(struct arena *arena, const char *path, size_t max, struct str *ret_content);
/* Replaces `path` as one step that survives a crash: a reader sees the former content or the new one. The
 * file gets `mode` whatever the umask; a symbolic link is replaced, not followed. EBUSY: the file is a mount
 * point of its own and cannot be replaced. The temporary file beside it (".NAME.XXXXXX") is removed when
 * anything fails. */
bool file_write(const char *path, struct str content, mode_t mode);

#endif
