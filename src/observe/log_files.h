/* Log files whose names have variables: a line opens its file, or finds it open. Each worker keeps its own; the least recently used goes
 * when there are more than `max`.
 *
 * Threading: a log_files is shared by all workers, each of which touches its own part; making and freeing: when no worker does. */
#ifndef OBSERVE_LOG_FILES_H
#define OBSERVE_LOG_FILES_H

#include "base/str.h"

struct log_files;

struct log_files_settings {
    unsigned max;                 /* 0: none stays open */
    unsigned min_uses;            /* within `inactive`, for one to stay open */
    int64_t inactive, valid;      /* ns */
};

struct log_files *log_files_new(const struct log_files_settings *settings, unsigned workers);
void log_files_free(struct log_files *files);
/* Adds `line` (its end included) to the file at `path`, NUL-terminated. `now`: monotonic ns. False with errno. */
bool log_files_write(struct log_files *files, unsigned worker, const char *path, struct str line, int64_t now);
/* Files are opened anew from now on. Any thread. */
void log_files_reopen(struct log_files *files);

#endif
