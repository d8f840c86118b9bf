#include "net/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "net/cgroup.h"
#include "net/ring.h"

/* Warm buffers that a worker keeps when it is idle: 1 MiB of small ones, 2 MiB of large ones. */
#define KEEP_SMALL 256
#define KEEP_LARGE 64

#define PIPE_SIZE_LARGE (1U << 20)
#define PIPE_SIZE_USUAL (64U << 10)
#define PIPE_PAUSE (100 * TIME_MS)      /* no pipe was to be had */

_Thread_local struct worker *worker_self;

bool worker_init(struct worker *worker, unsigned index)
{
    *worker = (struct worker){.index = index};
    if (!loop_init(&worker->loop))
        return false;
    worker->loop.owner = worker;
    list_init(&worker->lines);
    traffic_join(&worker->traffic);
    chunk_pool_init(&worker->chunks, KEEP_SMALL, KEEP_LARGE, 0);
    return true;
}

void worker_release(struct worker *worker)
{
    traffic_leave(&worker->traffic);
    ring_close(&worker->loop);
    loop_release(&worker->loop);
    chunk_pool_release(&worker->chunks);
    while (worker->pipe_count > 0)
        worker_pipe_drop(worker, &worker->pipes[--worker->pipe_count]);
}

/* ---- the thread ---- */

static void *run(void *argument)
{
    worker_self = argument;
    loop_run(&worker_self->loop);
    return NULL;
}

bool worker_start(struct worker *worker, const char *name)
{
    sigset_t all, before;
    sigfillset(&all);
    /* A thread inherits the mask of the one that starts it. */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        errno = error;
        return false;
    }
    char short_name[16];
    snprintf(short_name, sizeof(short_name), "%s", name);
    pthread_setname_np(worker->thread, short_name);
    return true;
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}

/* ---- pipes ---- */

static bool resize(const struct worker_pipe *pipe, unsigned size)
{
    return fcntl(pipe->in, F_SETPIPE_SZ, size) >= 0;
}

/* The system bounds one pipe (pipe-max-size) and all pipes of a user (pipe-user-pages-soft); beyond that a new one has two pages. */
static bool grow(struct worker *worker, struct worker_pipe *pipe)
{
    for (unsigned size = PIPE_SIZE_LARGE; size > PIPE_SIZE_USUAL && worker->large_pipes < PIPES_LARGE; size /= 2) {
        if (!resize(pipe, size))
            continue;
        pipe->size = size;
        worker->large_pipes++;
        return true;
    }
    pipe->size = PIPE_SIZE_USUAL;
    return fcntl(pipe->in, F_GETPIPE_SZ) >= (int)PIPE_SIZE_USUAL || resize(pipe, PIPE_SIZE_USUAL);
}

bool worker_pipe_take(struct worker *worker, struct worker_pipe *ret_pipe)
{
    int ends[2];
    if (worker->pipe_count > 0) {
        *ret_pipe = worker->pipes[--worker->pipe_count];
        return true;
    }
    if (worker->loop.now < worker->pipes_again)
        return false;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0) {
        *ret_pipe = (struct worker_pipe){.out = ends[0], .in = ends[1]};
        if (grow(worker, ret_pipe))
            return true;
        worker_pipe_drop(worker, ret_pipe);
    }
    worker->pipes_again = worker->loop.now + PIPE_PAUSE;
    return false;
}

void worker_pipe_give(struct worker *worker, struct worker_pipe *pipe)
{
    if (worker->pipe_count == PIPES_KEPT) {
        worker_pipe_drop(worker, pipe);
        return;
    }
    worker->pipes[worker->pipe_count++] = *pipe;
    pipe->out = pipe->in = -1;
}

void worker_pipe_drop(struct worker *worker, struct worker_pipe *pipe)
{
    worker->large_pipes -= pipe->size > PIPE_SIZE_USUAL;
    close(pipe->out);
    close(pipe->in);
    pipe->out = pipe->in = -1;
}

/* ---- how many ---- */

/* The kernel wants a set for every CPU it could have, which may be more than fit in a cpu_set_t. */
static unsigned affinity_count(void)
{
    for (unsigned cpus = CPU_SETSIZE; cpus <= CPU_SETSIZE * 64; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (set == NULL)
            break;
        size_t size = CPU_ALLOC_SIZE(cpus);
        bool got = sched_getaffinity(0, size, set) == 0;
        unsigned count = got ? (unsigned)CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (got)
            return count;
    }
    return 1;
}

unsigned worker_default_count(void)
{
    unsigned count = affinity_count(), limit = cgroup_cpu_limit("");
    if (limit != 0 && limit < count)
        count = limit;
    return count > 0 ? count : 1;
}
