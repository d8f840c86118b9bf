/* Bytes as gzip (RFC 1952), at the fastest level: the control thread has other work, and JSON shrinks to a tenth as it is. */
#ifndef ADMIN_GZIP_H
#define ADMIN_GZIP_H

#include "base/text.h"

/* Adds to `out`; false when there is no room or no memory, and nothing is added. */
bool gzip_add(struct text *out, struct str bytes);

#endif
