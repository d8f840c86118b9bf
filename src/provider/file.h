/* The file provider: dynamic configuration in one file or a directory of files (not searched deeper).
 * Control thread; blocks on files. */
#ifndef PROVIDER_FILE_H
#define PROVIDER_FILE_H

#include "provider/settings.h"

/* Adds a part "file" to the model for each file, in the order of their names. Errors go to `diag`. */
void file_provider_read(struct model *model, const struct settings *settings, struct diag *diag, struct settings_files *files);

#endif
