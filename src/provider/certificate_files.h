/* The files that certificates, keys and authorities are read from: they are watched as the configuration is, so that a renewed
 * certificate is served without anybody's doing. Control thread. */
#ifndef PROVIDER_CERTIFICATE_FILES_H
#define PROVIDER_CERTIFICATE_FILES_H

#include "provider/settings.h"

void certificate_files_note(const struct model *model, struct settings_files *files);

#endif
