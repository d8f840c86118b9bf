#include "net/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
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

TEST(worker_keeps_pipes_that_are_given_back_and_closes_the_surplus)
{
    struct worker *worker = malloc(sizeof(*worker));
    int pipes[PIPES_KEPT + 1][2], again[2];
    assert_true(worker_init(worker, 0));
    for (int i = 0; i <= PIPES_KEPT; i++)
        assert_true(worker_pipe_take(worker, pipes[i]));
    assert_true(worker->pipe_size >= 64U << 10);
    assert_true(fcntl(pipes[0][1], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(pipes[0][0], F_GETFD) & FD_CLOEXEC);
    for (int i = 0; i <= PIPES_KEPT; i++)
        worker_pipe_give(worker, pipes[i]);
    assert_int_equal(worker->pipe_count, PIPES_KEPT);
    assert_int_equal(fcntl(pipes[PIPES_KEPT][0], F_GETFD), -1);
    assert_true(worker_pipe_take(worker, again));
    assert_int_equal(again[0], pipes[PIPES_KEPT - 1][0]);      /* the warmest first */
    assert_int_equal(again[1], pipes[PIPES_KEPT - 1][1]);
    worker_pipe_give(worker, again);
    worker_release(worker);
    assert_int_equal(fcntl(pipes[0][0], F_GETFD), -1);
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
