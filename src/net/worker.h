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
#define PIPES_LARGE 64      /* more are of the usual size: slow clients hold a pipe each, and what is in it */

/* What bytes go through from socket to socket. */
struct worker_pipe {
    int out, in;                      /* to read from and to write to; -1: none */
    unsigned size;                    /* bytes that may be put in at a time */
};

struct worker {
    struct loop loop;
    struct chunk_pool chunks;
    unsigned index;
    struct traffic traffic;
    pthread_t thread;
    struct worker_pipe pipes[PIPES_KEPT];     /* empty ones, ready for splicing */
    unsigned pipe_count;
    unsigned large_pipes;             /* that there are, in use or not */
    int64_t pipes_again;              /* monotonic ns: none was to be had; asked for again from then on */
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

/* An empty pipe, from the store or new; false when no descriptors are left, or the system grants this user's pipes so little that
 * reading and writing costs less. */
bool worker_pipe_take(struct worker *worker, struct worker_pipe *ret_pipe);
/* Gives an EMPTY pipe back; there is none then. */
void worker_pipe_give(struct worker *worker, struct worker_pipe *pipe);
/* Closes one with bytes in it. */
void worker_pipe_drop(struct worker *worker, struct worker_pipe *pipe);

/* CPUs that affinity and cgroup quota allow, at least 1. */
unsigned worker_default_count(void);

#endif
