/* The servers of a load balancer as they are at one time, with what is kept of them for each worker. Most have one roster for as long
 * as their graph lives. Where names are watched (`resolver`, a server's `service`), each of their addresses is a server, and there is
 * another roster whenever DNS has changed its mind: made on the control thread, taken up by each worker at its next pick, held by each
 * exchange that picks from it to its end. So targets of a request keep their indexes, whatever happens meanwhile.
 *
 * Ownership: a changing roster is counted by reference; a fixed one lies in the graph.
 * Threading: rosters are const but for their workers' states; see each function. */
#ifndef SERVICE_ROSTER_H
#define SERVICE_ROSTER_H

#include "exchange/compile.h"
#include "exchange/exchange.h"
#include "upstream/balancer.h"
#include "upstream/health.h"
#include "upstream/lookup.h"

struct roster {
    struct target_set targets;
    char *states;                           /* a balancer's state for each worker, cache lines apart */
    size_t state_stride;
    bool passive;                           /* some target is taken out by what live requests tell */
    struct health_claim **claims;           /* for each target; NULL where there is none */
    _Atomic unsigned refs;                  /* of a changing one */
    struct arena arena;
};

/* How a roster is made; const, the graph's. */
struct roster_rule {
    const struct balancer_type *balancer;
    const struct health_check *health_check;      /* NULL: none */
    const struct transport *transport;
    struct str service;                     /* "api@file" */
    int64_t slow_start;
    unsigned workers;
};

/* A server that is known by name: its places become targets like the model. */
struct roster_name {
    struct target model;                    /* without a server */
    struct lookup_rule rule;
    struct str url;                         /* as configured */
    struct str service;                     /* of SRV records; empty: addresses, with the URL's port */
};

/* An entry is a target or a name. */
struct roster_entry {
    struct target target;                   /* its server's reference is the entry's */
    const struct roster_name *name;         /* NULL: a target */
};

/* A roster of targets alone, in the graph's arena. */
void roster_fill(struct roster *roster, const struct roster_rule *rule, const struct roster_entry *entries, unsigned count,
                 struct arena *arena);
void roster_empty(struct roster *roster);

struct roster_source;

/* One that changes; `entries` lie in the graph's arena as the rule does. Control thread. */
struct roster_source *roster_source_new(const struct roster_rule *rule, const struct roster_entry *entries, unsigned count);
/* Any thread; the graph may be gone afterwards. */
void roster_source_end(struct roster_source *source);
/* The present one, for a worker (or the control thread) to look at until it calls this again: on its own thread. */
struct roster *roster_now(struct roster_source *source, unsigned worker);
/* The one that the exchange picks from: the present one as long as it has tried nobody, then the same to its end. NULL: no memory. */
struct roster *roster_to_pick_from(struct exchange *x, struct roster_source *source);
/* ... as it picked from it last; NULL: it has not. */
struct roster *roster_of(const struct exchange *x, const struct roster_source *source);

/* Called on the control thread when the targets of some load balancer have changed, while the former ones are still there; may be
 * NULL. */
extern void (*roster_on_change)(void);

#endif
