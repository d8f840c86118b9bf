/* Keeps the addresses of servers with a name up to date: asked for at once when the server is made, again when the
 * answer's time to live ends (at least a second), and after a failure with growing patience; former addresses stay in use
 * while the name does not resolve.
 *
 * One per process, on the control thread's loop. Without it (a check of a configuration) names stay unresolved.
 * Threading: the control thread, but resolve_end, which any thread may reach by giving back the last reference. */
#ifndef UPSTREAM_RESOLVE_H
#define UPSTREAM_RESOLVE_H

#include "net/loop.h"
#include "upstream/server.h"

/* Servers that are there already are looked up too. False when DNS cannot be set up. */
bool resolve_start(struct loop *loop);
/* At the end, when no other thread holds servers. The loop turns once more afterwards, for those that went just now. */
void resolve_stop(void);

/* For upstream/server.c: */
void resolve_begin(struct server *server);
/* True: the server is the resolver's now, and freed by it on the control thread. */
bool resolve_end(struct server *server);

/* How long to wait before the next look-up: after `failures` in a row, or after an answer with this TTL. Pure. */
int64_t resolve_pause(unsigned failures, int64_t ttl);

#endif
