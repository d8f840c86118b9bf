/* The two ways in which a state lies on disk; of storage.c alone. Each reads into an inited, empty state, and writes what is
 * unsaved in one; false: `why`. */
#ifndef ACME_STORAGE_PLACE_H
#define ACME_STORAGE_PLACE_H

#include "acme/state.h"
#include "base/text.h"

bool storage_file_read(const char *path, struct str resolver, struct state *state, struct text *why);
bool storage_file_write(const char *path, struct str resolver, const struct state *state, struct text *why);

/* `path` without a trailing slash. Writing gives new certificates their folders. */
bool storage_directory_read(const char *path, struct state *state, struct text *why);
bool storage_directory_write(const char *path, struct state *state, struct text *why);
void storage_directory_drop(const char *path, struct str folder);

/* A private file, whole. A missing one is an empty text. False: `why`; others may read it, it is none, or cannot be read. */
bool storage_read_private(const char *path, struct arena *arena, struct str *ret_text, struct text *why);
/* In place of what is there, 0600. */
bool storage_write_private(const char *path, struct str content, struct text *why);
/* The folder and those above it, 0700 each that is new. False with errno. */
bool storage_make_folder(const char *path);

#endif
