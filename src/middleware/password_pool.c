#include "middleware/password_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/time.h"
#include "middleware/password.h"
#include "middleware/password_cache.h"

#define THREADS 2
#define WAITING_MAX 128 /* some seconds of work with bcrypt at its usual cost */

struct password_job {
    struct message message;
    struct list link;
    struct loop *loop;
    void (*on_done)(void *owner, bool good);
    void *owner; /* NULL: abandoned; the loop's thread only */
    bool good;
    size_t size; /* of all of this, texts included */
    struct str hash, password;
    char texts[];
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct list waiting;
    unsigned waiting_count;
    unsigned thread_count;
    bool stopping;
    pthread_t threads[THREADS];
} pool = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .waiting = LIST_INIT(pool.waiting),
};

static void free_job(struct password_job *job)
{
    size_t size = job->size;
    secret_wipe(job, size);
    free(job);
}

/* On the loop's thread. */
static void deliver(struct message *message)
{
    struct password_job *job = container_of(message, struct password_job, message);
    void (*on_done)(void *, bool) = job->on_done;
    void *owner = job->owner;
    bool good = job->good;
    free_job(job);
    if (owner != NULL)
        on_done(owner, good);
}

/* Many requests of one client may have asked before the first was answered: those find the
 * password in the cache. */
static void verify(struct password_job *job)
{
    job->good = password_cache_has(job->hash, job->password, time_monotonic());
    if (job->good)
        return;
    job->good = password_verify(job->hash, job->password);
    if (job->good)
        password_cache_add(job->hash, job->password, time_monotonic());
}

static void *run_thread(void *unused)
{
    pthread_mutex_lock(&pool.mutex);
    while (!pool.stopping) {
        struct list *first = list_pop(&pool.waiting);
        if (first == NULL) {
            pthread_cond_wait(&pool.work, &pool.mutex);
            continue;
        }
        pool.waiting_count--;
        pthread_mutex_unlock(&pool.mutex);
        struct password_job *job = container_of(first, struct password_job, link);
        verify(job);
        loop_post(job->loop, &job->message);
        pthread_mutex_lock(&pool.mutex);
    }
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

/* With all signals blocked: they belong to the control thread. Under the mutex. */
static void start_threads(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool.thread_count < THREADS &&
           pthread_create(&pool.threads[pool.thread_count], NULL, run_thread, NULL) == 0)
        pool.thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct str copy(char *at, struct str text)
{
    if (text.len != 0)
        memcpy(at, text.data, text.len);
    return str_of(at, text.len);
}

struct password_job *password_pool_submit(struct loop *loop, struct str hash, struct str password,
                                          void (*on_done)(void *owner, bool good), void *owner)
{
    size_t size = sizeof(struct password_job) + hash.len + password.len;
    struct password_job *job = memory_alloc(size);
    *job = (struct password_job){
        .message.deliver = deliver, .loop = loop, .on_done = on_done, .owner = owner, .size = size};
    job->hash = copy(job->texts, hash);
    job->password = copy(job->texts + hash.len, password);

    pthread_mutex_lock(&pool.mutex);
    if (pool.thread_count < THREADS)
        start_threads();
    bool taken = pool.thread_count != 0 && pool.waiting_count < WAITING_MAX;
    if (taken) {
        list_append(&pool.waiting, &job->link);
        pool.waiting_count++;
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.mutex);
    if (taken)
        return job;
    free_job(job);
    return NULL;
}

void password_job_abandon(struct password_job *job)
{
    job->owner = NULL;
}

void password_pool_stop(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.work);
    unsigned count = pool.thread_count;
    pthread_mutex_unlock(&pool.mutex);
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool.threads[i], NULL);

    pthread_mutex_lock(&pool.mutex);
    struct list *item;
    while ((item = list_pop(&pool.waiting)) != NULL)
        free_job(container_of(item, struct password_job, link));
    pool.waiting_count = pool.thread_count = 0;
    pool.stopping = false;
    pthread_mutex_unlock(&pool.mutex);
}
