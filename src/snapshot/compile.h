/* A model becomes a running graph: references resolved, rules compiled into tables, middlewares and services built.
 * Control thread. Nothing that runs is touched; state with an identity is shared with the running graph by key. */
#ifndef SNAPSHOT_COMPILE_H
#define SNAPSHOT_COMPILE_H

#include "base/diag.h"
#include "exchange/graph.h"

/* Takes the model over when it succeeds (one reference to the graph is the caller's). NULL when errors were reported: the
 * model is still the caller's then. `workers`: threads that will run it. */
struct graph *snapshot_compile(struct model *model, unsigned workers, struct diag *diag);

#endif
