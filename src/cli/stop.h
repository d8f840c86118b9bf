/* Stopping without losing a request: accepting ends (after requestAcceptGraceTimeout), idle connections close, what runs may
 * end within the grace time, then the rest is cut. A second signal cuts at once. Control thread. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include "exchange/graph.h"
#include "net/worker.h"

struct stop {
    struct worker *control;
    struct worker *workers;
    unsigned worker_count;
    unsigned stage;
    unsigned workers_done;
    struct timer timer;
    int64_t accept_grace, grace;
    int ping_status;                  /* what /ping answers from then on */
};

/* The first call begins; each further one goes to the end at once. The control loop is stopped when all workers are done. */
void stop_begin(struct stop *stop, const struct graph *graph);
bool stop_has_begun(const struct stop *stop);

#endif
