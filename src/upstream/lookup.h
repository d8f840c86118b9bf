/* Names that only a request tells: looked up on the worker that has it, and remembered there for as long as the answer holds. Servers
 * of the configuration are not looked up here (upstream/resolve.h).
 *
 * Threading: the worker's. Ownership: a struct lookup is the asker's; it is told once, or cancelled. */
#ifndef UPSTREAM_LOOKUP_H
#define UPSTREAM_LOOKUP_H

#include "base/list.h"
#include "net/addr.h"
#include "net/worker.h"

struct upstream_pools;

/* Who is asked, and what counts; const, the configuration's. */
struct lookup_rule {
    struct str servers;               /* "10.0.0.53,10.0.0.54:5353"; empty: the system's */
    int64_t valid;                    /* ns that an answer holds; 0: as it says itself */
    bool no_v4, no_v6;
};

#define LOOKUP_ADDRESSES_MAX 16

struct lookup {
    /* The addresses are there (count 0: the name has none), until the callback returns. Never from within lookup_begin. */
    void (*done)(struct lookup *lookup, const struct ip *addresses, unsigned count);
    struct list link;                 /* private */
};

/* OK: the name is known, and its addresses are copied to `addresses` (LOOKUP_ADDRESSES_MAX; *ret_count may be 0: it has none).
 * AGAIN: `done` follows. OVERLOADED: it cannot be asked for. */
enum status lookup_begin(struct worker *worker, const struct lookup_rule *rule, struct str name, struct lookup *lookup,
                         struct ip *addresses, unsigned *ret_count);
/* Nobody wants to know any more; also of one that was told or never begun. */
void lookup_cancel(struct lookup *lookup);
/* At the end of a worker. */
void lookup_forget_all(struct upstream_pools *pools);

#endif
