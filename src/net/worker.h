/* A worker: one thread with its loop and everything that only it touches. The control thread has one as well
 * (index = number of workers), for what it does over the network (health checks).
 *
 * Nothing in here is locked. Other threads reach a worker by loop_post. */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <pthread.h>

#include "base/chunkq.h"
#include "net/loop.h"
#include "net/traffic.h"

#define PIPES_KEPT 64

struct worker {
    struct loop loop;
    struct chunk_pool chunks;
    unsigned index;
    struct traffic traffic;
    pthread_t thread;
    int pipes[PIPES_KEPT][2];         /* empty pipes, ready for splicing */
    unsigned pipe_count;
    unsigned pipe_size;               /* bytes that a new one takes, while the system grants it */
    /* What higher folders keep per worker; each is theirs to define. */
    struct upstream_pools *upstreams; /* idle connections to servers */
    struct worker_graph *graph;       /* the snapshot in use, listeners, connections */
    struct access_buffer *access;     /* access-log lines not yet written */
    struct list lines;                /* the same of named logs (observe/line_log.h) */
    struct span_buffer *spans;        /* of traces, not yet handed over (observe/tracer.h) */
    struct recent *recent;            /* the last requests (observe/recent.h) */
    struct tls_worker *tls;           /* buffers of TLS connections */
    struct tls_store *certificates;   /* those served now (tls/vault.h) */
    char apart[64];                   /* workers stand in a row: the next one's cache lines are its own */
};

/* The worker of the calling thread, or NULL. */
extern _Thread_local struct worker *worker_self;

bool worker_init(struct worker *worker, unsigned index);
void worker_release(struct worker *worker);
/* Runs the loop on a thread of its own, all signals blocked; it ends by a message that calls loop_stop. False with
 * errno. */
bool worker_start(struct worker *worker, const char *name);
void worker_join(struct worker *worker);

/* An empty pipe, from the store or new; false when there are no descriptors left. */
bool worker_pipe_take(struct worker *worker, int ret_pipe[2]);
/* Gives an EMPTY pipe back (others are closed by the caller). */
void worker_pipe_give(struct worker *worker, int pipe[2]);

/* CPUs that affinity and cgroup quota allow, at least 1. */
unsigned worker_default_count(void);

#endif
