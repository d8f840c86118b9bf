/* Routers and services that an operator has put under maintenance: their requests are answered with 503. Known by name, so that it
 * holds through every reload, also while the name is not there for a while; not through a restart.
 *
 * Control thread. The request path looks at the flag in struct router and struct service. */
#ifndef SNAPSHOT_MAINTENANCE_H
#define SNAPSHOT_MAINTENANCE_H

#include "exchange/graph.h"

enum maintained { MAINTAINED_ROUTER, MAINTAINED_SERVICE };
enum maintenance_result {
    MAINTENANCE_DONE,
    MAINTENANCE_UNKNOWN,        /* the graph has nothing of this name */
    MAINTENANCE_IS_CONFIGURED,  /* nobody ordered it: only the configuration can end it */
    MAINTENANCE_REFUSED         /* it is ping, the API or the like: who turned it off could not turn it on again */
};

/* Begins or ends it, in `graph`, which runs, and in all that are compiled from now on. */
enum maintenance_result maintenance_set(struct graph *graph, enum maintained kind, struct str name, bool on);
/* What holds already is written into a graph that was just compiled. */
void maintenance_apply(struct graph *graph);

#endif
