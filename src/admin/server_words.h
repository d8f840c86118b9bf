/* What becomes of requests for a server now, in one word, and why, in a sentence. Control thread; reads atomics, and the
 * server's lock for its addresses. */
#ifndef ADMIN_SERVER_WORDS_H
#define ADMIN_SERVER_WORDS_H

#include "base/status.h"
#include "upstream/balancer.h"

/* The worst that holds. */
enum server_word {
    SERVER_IS_READY,
    SERVER_IS_DRAINING,       /* only requests that stick to it */
    SERVER_IS_LEAVING,        /* it is about to stop: only where nobody else is ready */
    SERVER_IS_UNRESOLVED,     /* its name has no address */
    SERVER_IS_EJECTED,        /* by requests that failed there: tried again soon */
    SERVER_IS_UNHEALTHY,      /* by its health check */
    SERVER_IS_DOWN,           /* by an operator */
    SERVER_WORD_COUNT
};

/* `now`: monotonic ns. */
enum server_word server_word_of(const struct target *target, int64_t now);
/* "ready". */
const char *server_word_name(enum server_word word);
/* Why it is so; empty when ready. `last` is how its last request failed (OK: unknown). In `arena`. */
struct str server_why(const struct target *target, enum server_word word, enum status last, int64_t now, struct arena *arena);
/* "ready", "draining", "down"; NULL for as configured. */
const char *server_state_name(int state);

#endif
