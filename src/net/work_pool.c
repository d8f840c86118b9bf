#include "net/work_pool.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#define NICENESS 10

/* A priority in real time that the thread which started it may have is not kept. */
static void step_back(void)
{
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){.sched_priority = 0});
    setpriority(PRIO_PROCESS, 0, NICENESS);      /* of this thread alone */
}

static void *run_thread(void *argument)
{
    struct work_pool *pool = argument;
    step_back();
    pthread_mutex_lock(&pool->mutex);
    while (!pool->stopping) {
        struct list *first = list_pop(&pool->waiting);
        if (first == NULL) {
            pthread_cond_wait(&pool->arrival, &pool->mutex);
            continue;
        }
        struct work *work = container_of(first, struct work, link);
        pool->waiting_count--;
        work->is_waiting = false;
        pthread_mutex_unlock(&pool->mutex);
        pool->run(work);
        loop_post(work->loop, &work->message);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* With all signals blocked: they belong to the control thread. Under the mutex. */
static void start_threads(struct work_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->thread_count < WORK_POOL_THREADS &&
           pthread_create(&pool->threads[pool->thread_count], NULL, run_thread, pool) == 0)
        pool->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool work_pool_submit(struct work_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->thread_count < WORK_POOL_THREADS)
        start_threads(pool);
    bool taken = pool->thread_count != 0 && pool->waiting_count < pool->waiting_max;
    if (taken) {
        work->is_waiting = true;
        pool->waiting_count++;
        list_append(&pool->waiting, &work->link);
        pthread_cond_signal(&pool->arrival);
    }
    pthread_mutex_unlock(&pool->mutex);
    return taken;
}

bool work_pool_withdraw(struct work_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->mutex);
    bool waited = work->is_waiting;
    if (waited) {
        list_remove(&work->link);
        pool->waiting_count--;
        work->is_waiting = false;
    }
    pthread_mutex_unlock(&pool->mutex);
    return waited;
}

void work_pool_stop(struct work_pool *pool, void (*drop)(struct work *work))
{
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->arrival);
    unsigned count = pool->thread_count;
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_lock(&pool->mutex);
    struct list *item;
    while (drop != NULL && (item = list_pop(&pool->waiting)) != NULL) {
        pool->waiting_count--;
        drop(container_of(item, struct work, link));
    }
    pool->thread_count = 0;
    pool->stopping = false;
    pthread_mutex_unlock(&pool->mutex);
}
