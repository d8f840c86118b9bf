/* The file with the number of this process: written when everything listens, removed at the end, and where the process gives up root
 * in between, by a child of it that stays root and does nothing else. Control thread. One per process. */
#ifndef CLI_PID_FILE_H
#define CLI_PID_FILE_H

#include <stdbool.h>

#include "base/str.h"

/* Writes it, in one step; another name than before: the former file is removed. Empty: there shall be none. `keeper`: rights are
 * about to be given up (before there are other threads). False with errno. */
bool pid_file_set(struct str path, bool keeper);
/* If it still has our number. */
void pid_file_remove(void);

#endif
