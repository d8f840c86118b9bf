#include "net/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

struct visit {
    struct message message;
    struct worker *self;
    char name[16];
    bool signals_blocked;
};

static void look_around(struct message *message)
{
    struct visit *visit = container_of(message, struct visit, message);
    sigset_t set;
    visit->self = worker_self;
    pthread_getname_np(pthread_self(), visit->name, sizeof(visit->name));
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    visit->signals_blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGALRM) == 1;
    loop_stop(&worker_self->loop);
}

TEST(worker_runs_its_loop_on_a_thread_of_its_own_with_signals_blocked)
{
    struct worker *worker = malloc(sizeof(*worker));
    struct visit visit = {.message.deliver = look_around};
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_true(worker_init(worker, 3));
    assert_true(worker_start(worker, "worker-with-a-long-name"));
    loop_post(&worker->loop, &visit.message);
    worker_join(worker);
    assert_ptr_equal(visit.self, worker);
    assert_ptr_equal(worker->loop.owner, worker);
    assert_int_equal(worker->index, 3);
    assert_true(visit.signals_blocked);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGALRM), sigismember(&after, SIGALRM));
    worker_release(worker);
    free(worker);
}

static int size_of(const struct worker_pipe *pipe)
{
    return fcntl(pipe->in, F_GETPIPE_SZ);
}

TEST(worker_keeps_pipes_that_are_given_back_and_closes_the_surplus)
{
    struct worker *worker = malloc(sizeof(*worker));
    struct worker_pipe pipes[PIPES_KEPT + 1], again;
    int ends[PIPES_KEPT + 1][2];
    assert_true(worker_init(worker, 0));
    for (int i = 0; i <= PIPES_KEPT; i++) {
        assert_true(worker_pipe_take(worker, &pipes[i]));
        ends[i][0] = pipes[i].out;
        ends[i][1] = pipes[i].in;
    }
    assert_true(pipes[0].size >= 64U << 10);
    assert_true(fcntl(pipes[0].in, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(pipes[0].out, F_GETFD) & FD_CLOEXEC);
    for (int i = 0; i <= PIPES_KEPT; i++) {
        worker_pipe_give(worker, &pipes[i]);
        assert_int_equal(pipes[i].in, -1);
    }
    assert_int_equal(worker->pipe_count, PIPES_KEPT);
    assert_int_equal(fcntl(ends[PIPES_KEPT][0], F_GETFD), -1);
    assert_true(worker_pipe_take(worker, &again));
    assert_int_equal(again.out, ends[PIPES_KEPT - 1][0]);      /* the warmest first */
    assert_int_equal(again.in, ends[PIPES_KEPT - 1][1]);
    worker_pipe_give(worker, &again);
    worker_release(worker);
    assert_int_equal(fcntl(ends[0][0], F_GETFD), -1);
    free(worker);
}

TEST(worker_has_few_large_pipes_and_makes_new_ones_for_those_that_were_closed)
{
    struct worker *worker = malloc(sizeof(*worker));
    struct worker_pipe pipes[PIPES_LARGE + 2];
    assert_true(worker_init(worker, 0));
    for (int i = 0; i < PIPES_LARGE + 2; i++) {
        assert_true(worker_pipe_take(worker, &pipes[i]));
        assert_true(size_of(&pipes[i]) >= (int)pipes[i].size);
    }
    if (pipes[PIPES_LARGE - 1].size > 64U << 10) {      /* the system grants this user as many */
        assert_int_equal(worker->large_pipes, PIPES_LARGE);
        assert_int_equal(pipes[PIPES_LARGE].size, 64U << 10);
        assert_int_equal(size_of(&pipes[PIPES_LARGE + 1]), 64 << 10);
        worker_pipe_drop(worker, &pipes[0]);
        assert_int_equal(pipes[0].in, -1);
        assert_true(worker_pipe_take(worker, &pipes[0]));
        assert_true(pipes[0].size > 64U << 10);
    }
    for (int i = 0; i < PIPES_LARGE + 2; i++)
        worker_pipe_drop(worker, &pipes[i]);
    assert_int_equal(worker->large_pipes, 0);
    worker_release(worker);
    free(worker);
}

TEST(worker_without_descriptors_for_a_pipe_asks_for_none_for_a_while)
{
    struct worker *worker = malloc(sizeof(*worker));
    struct worker_pipe pipe;
    struct rlimit before, none;
    assert_true(worker_init(worker, 0));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_false(worker_pipe_take(worker, &pipe));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(worker_pipe_take(worker, &pipe));
    worker->loop.now += TIME_S;
    assert_true(worker_pipe_take(worker, &pipe));
    worker_pipe_give(worker, &pipe);
    worker_release(worker);
    free(worker);
}

TEST(worker_default_count_is_within_what_the_affinity_allows)
{
    cpu_set_t set, one;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    assert_in_range(worker_default_count(), 1, CPU_COUNT(&set));
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set)) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(worker_default_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}
