/* Request heads that are not as RFC 9112 has them, for ports that are told to take them (struct h1_limits). What comes out of a repair
 * is read strictly like any other head, and is all that anybody behind gets to see: there is one reading, and it is the repaired one.
 *
 *   bare_feeds        a bare LF ends a line (proto/h1/line_ends.h)
 *   repair_targets    a fragment is cut off; quotes, angle brackets, bytes beyond ASCII and, in the path, backslashes are encoded
 *   drop_odd_names    field lines whose name is no token are left out, where it has no white space and no controls
 *
 * A target is not repaired where its authority would change, nor a line that others could take for the continuation of another one, for
 * the end of the head, or for a field of another name. Pure. */
#ifndef PROTO_H1_REPAIR_H
#define PROTO_H1_REPAIR_H

#include "proto/h1/parse.h"

/* Is it worth a try, after the strict reader has said `strictly`? */
bool h1_is_repairable(struct str bytes, const struct h1_limits *limits, enum status strictly);
/* As h1_parse_request, of the head at the start of `bytes`; head->length is how much of `bytes` it is. The head that was read lies in the
 * arena of the request's fields. `strictly`: what to say where a repair helps nothing. */
enum status h1_parse_repaired(struct str bytes, const struct h1_limits *limits, struct request *request, struct h1_head *head,
                              enum status strictly);
/* A target as it may stand in a request, in the arena; data NULL: there is nothing to repair, it is beyond that, or no memory. */
struct str h1_repair_target(struct str target, struct arena *arena);

#endif
