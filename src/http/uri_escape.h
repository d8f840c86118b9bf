/* Two escapings beyond RFC 3986's own that rewriting needs. Pure. */
#ifndef HTTP_URI_ESCAPE_H
#define HTTP_URI_ESCAPE_H

#include "base/arena.h"

/* A text that becomes part of a query: "%", "&", "+", ";", "#", "?", spaces, controls, what is not ASCII and what URIs do not have
 * are escaped; "=" and "/" are not. The same view when nothing changes; data NULL: over the arena's budget. */
struct str uri_escape_in_query(struct arena *arena, struct str text);
/* A URI that is to stand in a Location: what was escaped without need before its "?" is written plainly ("%41" is "A"); the rest
 * stays. The same view when nothing changes; data NULL as above. */
struct str uri_unescape_needless(struct arena *arena, struct str text);

#endif
