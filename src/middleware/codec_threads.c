#include "middleware/codec_threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "middleware/codec_store.h"

#define THREADS 2
#define NICENESS 10

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct list waiting;
    unsigned thread_count;
    bool stopping;
    pthread_t threads[THREADS];
} pool = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .waiting = LIST_INIT(pool.waiting),
};

/* ---- the work ---- */

static void run_job(struct codec_job *job)
{
    job->giving = true;
    while (!job->failed && codec_job_has_more(job) && CODEC_JOB_BYTES - job->out_len >= CODEC_ROOM) {
        struct str input = str_of(job->in + job->in_at, job->in_len - job->in_at);
        size_t written = 0;
        job->failed = !job->codec->run(job->coder, job->step, &input, job->out + job->out_len, CODEC_JOB_BYTES - job->out_len,
                                       &written, &job->giving);
        job->in_at = job->in_len - input.len;
        job->out_len += written;
    }
}

/* Never before the loops' threads: they wake seldom and for short, this computes. Neither does it keep a priority in real time that
 * the thread which started it may have. */
static void *run_thread(void *unused)
{
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){.sched_priority = 0});
    setpriority(PRIO_PROCESS, 0, NICENESS);      /* of this thread alone */
    pthread_mutex_lock(&pool.mutex);
    while (!pool.stopping) {
        struct list *first = list_pop(&pool.waiting);
        if (first == NULL) {
            pthread_cond_wait(&pool.work, &pool.mutex);
            continue;
        }
        struct codec_job *job = container_of(first, struct codec_job, link);
        job->is_waiting = false;
        pthread_mutex_unlock(&pool.mutex);
        run_job(job);
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
    while (pool.thread_count < THREADS && pthread_create(&pool.threads[pool.thread_count], NULL, run_thread, NULL) == 0)
        pool.thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void codec_threads_stop(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.stopping = true;
    pthread_cond_broadcast(&pool.work);
    unsigned count = pool.thread_count;
    pthread_mutex_unlock(&pool.mutex);
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool.threads[i], NULL);
    pool.thread_count = 0;
    pool.stopping = false;
}

/* ---- a job ---- */

static void destroy(struct codec_job *job)
{
    job->codec->give(job->coder);
    codec_store_free(job);
}

static void deliver(struct message *message)
{
    struct codec_job *job = container_of(message, struct codec_job, message);
    job->is_under_way = false;
    if (job->owner == NULL)
        destroy(job);
    else
        job->on_done(job->owner);
}

struct codec_job *codec_job_new(struct loop *loop, const struct codec *codec, int level, int64_t length,
                                void (*on_done)(void *owner), void *owner)
{
    struct codec_job *job = codec_store_alloc(sizeof(*job));
    void *coder = job != NULL ? codec->take(length, level) : NULL;
    if (coder == NULL) {
        codec_store_free(job);
        return NULL;
    }
    /* Not the buffers: that would be more work than many a body. */
    memset(job, 0, offsetof(struct codec_job, in));
    job->message.deliver = deliver;
    list_init(&job->link);
    job->loop = loop;
    job->codec = codec;
    job->coder = coder;
    job->on_done = on_done;
    job->owner = owner;
    return job;
}

bool codec_job_submit(struct codec_job *job, enum codec_step step)
{
    job->step = step;
    pthread_mutex_lock(&pool.mutex);
    if (pool.thread_count < THREADS)
        start_threads();
    bool taken = pool.thread_count != 0;
    if (taken) {
        job->is_under_way = job->is_waiting = true;
        list_append(&pool.waiting, &job->link);
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.mutex);
    if (!taken)
        run_job(job);
    return taken;
}

void codec_job_free(struct codec_job *job)
{
    pthread_mutex_lock(&pool.mutex);
    if (job->is_waiting) {
        list_remove(&job->link);
        job->is_waiting = job->is_under_way = false;
    }
    pthread_mutex_unlock(&pool.mutex);
    job->owner = NULL;
    if (!job->is_under_way)
        destroy(job);
}
