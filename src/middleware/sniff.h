/* The media type of a body by its first bytes, as browsers find it (WHATWG MIME Sniffing 6, 7.1)
 * and Go's http.DetectContentType names it. Pure. */
#ifndef MIDDLEWARE_SNIFF_H
#define MIDDLEWARE_SNIFF_H

#include "base/str.h"

#define SNIFF_BYTES ((size_t)512) /* more are not looked at */

/* Never empty: "application/octet-stream" when nothing fits. */
struct str sniff_type(struct str bytes);

#endif
