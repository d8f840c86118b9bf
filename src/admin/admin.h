/* What the process shows of itself and lets people do: the API, the dashboard, metrics. One per process, on the control thread.
 *
 * The control thread tells it what happens (a configuration runs, one was refused); routes (admin/call.h) read it. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/diag.h"
#include "base/registry.h"
#include "exchange/graph.h"
#include "net/worker.h"

/* What a refused or a running configuration had to say; texts lie in `arena`. */
struct admin_note {
    enum diag_severity severity;
    struct str place;                 /* "portico.yaml:14:21", "flag --x"; empty: none */
    struct str message, hint, line;   /* hint: the suggestion; line: the source's line, for the caret */
    unsigned column, length;
};

struct admin_load {
    int64_t at;                       /* Unix ns; 0: never */
    bool good;
    struct arena arena;
    struct admin_note *notes;
    size_t note_count;
};

/* What others of the process do on request; NULL members: cannot be done. */
struct admin_actions {
    void *owner;
    void (*reload)(void *owner);      /* reads the configuration again, as SIGHUP does */
};

struct admin {
    struct worker *control, *workers;
    unsigned worker_count;
    struct graph *graph;              /* that runs; one reference */
    struct admin_actions actions;
    int64_t started_wall;             /* Unix ns */
    int64_t configured_wall;          /* since when this graph runs */
    uint64_t reloads, reloads_failed;
    struct admin_load last_load;      /* the last attempt, good or bad */
};

/* NULL before admin_start and behind admin_stop. Control thread. */
extern struct admin *admin_self;
/* The control thread's worker, for messages; NULL before admin_start and behind admin_stop. Any thread. */
struct worker *admin_control(void);

void admin_start(struct worker *control, struct worker *workers, unsigned count, const struct admin_actions *actions);
/* This graph runs from now on. `diag`: warnings and notes of its loading. */
void admin_use(struct graph *graph, const struct diag *diag);
/* A configuration was refused. */
void admin_refused(const struct diag *diag);
/* Part of the admin that has a life of its own (history, feeds): told of the beginning and the end, and of each configuration. */
struct admin_part {
    void (*start)(void);              /* behind admin_start */
    void (*use)(struct graph *graph); /* behind each admin_use */
    void (*stopping)(void);           /* requests under way are waited for from now on: streams end */
    void (*stop)(void);               /* the workers' loops have ended */
};
REGISTRY(admin_part, const struct admin_part);

/* The process stops as soon as what runs has ended. Control thread. */
void admin_stopping(void);
void admin_stop(void);

#endif
