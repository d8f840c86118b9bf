/* A compiled graph goes to the workers: sockets for new addresses are bound first, so that a port that is taken is known
 * before anything changes; then each worker gets the graph by message and takes it up between two turns.
 * Control thread. */
#ifndef SNAPSHOT_PUBLISH_H
#define SNAPSHOT_PUBLISH_H

#include "base/diag.h"
#include "exchange/graph.h"
#include "net/worker.h"

/* Binds what `graph` listens on and `running` (NULL at first) does not. Gives the workers their references and messages.
 * The caller keeps its own reference. False with an error in `diag`: nothing was sent. */
bool snapshot_publish(struct graph *graph, const struct graph *running, struct worker *workers, unsigned count,
                      struct diag *diag);

#endif
