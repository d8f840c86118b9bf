/* Files that root read at the start and the user that it went on as may not read: what they said then holds, so that a reload, or a
 * container that comes, does not fail over a key that is root's.
 *
 * file_read (base/file.h) keeps what it reads between begin and settle, and gives it where a file is refused (EACCES) later.
 *
 * Threading: the control thread, as file_read. Errors: none. */
#ifndef BASE_KEPT_FILES_H
#define BASE_KEPT_FILES_H

#include "base/str.h"

void kept_files_begin(void);
/* Lets go what can be read now: of a process that is still root, everything. */
void kept_files_settle(void);
/* Of file_read alone. */
void kept_files_add(const char *path, struct str content);
/* False: nothing is kept of it. A view until the file is kept again. */
bool kept_files_find(const char *path, struct str *ret_content);

#endif
