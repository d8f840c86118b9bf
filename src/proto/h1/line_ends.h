/* Heads whose lines end with a bare LF, for ports and servers that are told to be so lenient (h1_limits.bare_feeds). RFC 9112 2.2 lets
 * a recipient take a bare LF as the end of a line; a reader in front of us that does not would see another head, so by default nobody
 * does. The head is read strictly all the same, behind a repair of its line ends. Pure. */
#ifndef PROTO_H1_LINE_ENDS_H
#define PROTO_H1_LINE_ENDS_H

#include "proto/h1/parse.h"

/* The head at the start of `bytes` with CRLF at the end of each line, in the arena; *ret_length: how much of `bytes` it is. Empty lines
 * before it are left out. OK, AGAIN: its end has not come, FIELDS_TOO_LARGE, OUT_OF_MEMORY. */
enum status h1_repair_line_ends(struct str bytes, const struct h1_limits *limits, struct arena *arena, struct str *ret_head,
                                size_t *ret_length);
/* Is it worth a repair: a line of the head ends so? */
bool h1_has_bare_feed(struct str bytes);

#endif
