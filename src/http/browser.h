/* Browsers of which something is known that requests do not say, by their User-Agent. Pure. */
#ifndef HTTP_BROWSER_H
#define HTTP_BROWSER_H

#include "base/str.h"

/* Internet Explorer 4 to 6 without the service pack that mended it. */
bool browser_is_msie6(struct str agent);
/* Safari on macOS and iOS, and no other browser that calls itself so. */
bool browser_is_safari(struct str agent);

#endif
