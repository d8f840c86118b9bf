/* Rewriting the path of a request: what addPrefix, stripPrefix[Regex] and replacePath[Regex]
 * share.
 *
 * A request's path is raw, as it will be forwarded. Users write prefixes decoded, so prefixes are
 * compared with the decoded path and cut off the raw one: what is left keeps the client's own
 * encoding ("%2F" stays "%2F"). Threading: the worker's; pure but for path_forward. */
#ifndef MIDDLEWARE_PATH_H
#define MIDDLEWARE_PATH_H

#include "exchange/middleware.h"

/* Length of the part of `raw` that decodes to `prefix`; -1 when the decoded path does not begin
 * with it. */
ptrdiff_t path_match_prefix(struct str raw, struct str prefix);
/* Length of the part of `raw` that decodes to `count` bytes. */
size_t path_skip_decoded(struct str raw, size_t count);
/* `text` with what may not stand raw in a path percent-encoded. `keep_escapes`: "%41" is an escape
 * already; else the "%" is a character like others. The same view when nothing changes; data NULL
 * beyond the arena's budget. */
struct str path_encode(struct arena *arena, struct str text, bool keep_escapes);
/* A segment is "." or "..", dots encoded or not: servers would resolve it to another place. */
bool path_has_dot_segment(struct str raw);
/* Whether every "%" has two hex digits behind it. */
bool path_escapes_are_whole(struct str raw);
/* `path` with "/" in front if it has none. */
struct str path_rooted(struct arena *arena, struct str path);

/* Makes `path` (raw; data NULL: memory ran out) the request's. NEXT, or ANSWER after refusing a
 * path that holds dot segments or broken escapes (400 bad_rewrite). */
enum verdict path_forward(struct exchange *x, struct str path);

/* option_check: "is empty". */
const char *path_check_not_empty(struct str text, struct arena *arena, size_t *ret_offset,
                                 size_t *ret_length);

#endif
