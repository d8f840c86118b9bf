/* A model becomes the graph that runs: logs and traces are opened, the graph is compiled, sockets are bound, the workers are told.
 * All of it or nothing. Control thread. */
#ifndef CLI_TAKE_UP_H
#define CLI_TAKE_UP_H

#include "exchange/graph.h"
#include "net/worker.h"

struct take_up {
    struct graph *running;            /* that is replaced; NULL: none yet */
    struct worker *workers;
    unsigned worker_count;
};

/* Opens the named logs of a graph that are not open yet, as taking it up would. False after an error. */
bool take_up_open_logs(const struct graph *graph, struct diag *diag);
/* Published, with one reference for the caller, and the owner of the model; or NULL with the mistakes in `diag`: the model is still
 * the caller's then, who shows them from it, and what runs was not touched. */
struct graph *take_up(const struct take_up *place, struct model *model, struct diag *diag);

#endif
