/* Writing a tar archive (POSIX ustar) of small files into a text. Pure. */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include "base/text.h"

/* A file with mode 0600; `name` has less than 100 bytes and `content` less than 8 GiB (asserted). `seconds`: Unix time. */
void tar_add(struct text *archive, struct str name, struct str content, int64_t seconds);
/* Two blocks of zeros, behind the last file. */
void tar_end(struct text *archive);

#endif
