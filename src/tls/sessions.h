/* Caches of sessions for clients that are given no tickets: session ids of TLS 1.2 and before (RFC 5246 7.3), stateful tickets of
 * TLS 1.3 (RFC 8446 4.6.1). One cache serves all workers, and a reload that names it again finds it as it was.
 *
 * A cache is bounded by bytes; the oldest sessions give way, those that have ended first.
 * Ownership: counted by reference; caches of a name are one as long as somebody holds it.
 * Threading: any thread. Locks are held for a copy of one session, one of several shards each. */
#ifndef TLS_SESSIONS_H
#define TLS_SESSIONS_H

#include <openssl/ssl.h>

#include "base/str.h"

#define SESSIONS_BYTES_MIN 4096

struct sessions;

/* The cache of this name; made, or given this size if it had another. A reference. */
struct sessions *sessions_get(struct str name, size_t bytes);
void sessions_unref(struct sessions *cache);
/* What a context's handshakes agree on is kept there. The cache must outlive the context. False: the library could not. */
bool sessions_use(SSL_CTX *context, struct sessions *cache);
/* How many it holds. */
size_t sessions_count(struct sessions *cache);

#endif
