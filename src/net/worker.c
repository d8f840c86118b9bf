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

#define PIPE_SIZE_WANTED (1U << 20)
#define PIPE_SIZE_DEFAULT (64U << 10)

_Thread_local struct worker *worker_self;

bool worker_init(struct worker *worker, unsigned index)
{
    *worker = (struct worker){.index = index, .pipe_size = PIPE_SIZE_WANTED};
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
    while (worker->pipe_count > 0) {
        worker->pipe_count--;
        close(worker->pipes[worker->pipe_count][0]);
        close(worker->pipes[worker->pipe_count][1]);
    }
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

bool worker_pipe_take(struct worker *worker, int ret_pipe[2])
{
    if (worker->pipe_count > 0) {
        worker->pipe_count--;
        ret_pipe[0] = worker->pipes[worker->pipe_count][0];
        ret_pipe[1] = worker->pipes[worker->pipe_count][1];
        return true;
    }
    if (pipe2(ret_pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        return false;
    /* The system bounds one pipe (pipe-max-size) and all pipes of a user (pipe-user-pages-soft): what it refused
     * once is not asked for again. */
    while (fcntl(ret_pipe[1], F_SETPIPE_SZ, worker->pipe_size) < 0 && worker->pipe_size > PIPE_SIZE_DEFAULT)
        worker->pipe_size /= 2;
    return true;
}

void worker_pipe_give(struct worker *worker, int pipe[2])
{
    if (worker->pipe_count == PIPES_KEPT) {
        close(pipe[0]);
        close(pipe[1]);
        return;
    }
    worker->pipes[worker->pipe_count][0] = pipe[0];
    worker->pipes[worker->pipe_count][1] = pipe[1];
    worker->pipe_count++;
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
