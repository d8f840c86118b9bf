#include "middleware/codec_threads.h"

#include <limits.h>

#include "middleware/codec_store.h"

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

static void run(struct work *work)
{
    run_job(container_of(work, struct codec_job, work));
}

static struct work_pool pool = WORK_POOL_INIT(pool, run, UINT_MAX);

void codec_threads_stop(void)
{
    work_pool_stop(&pool, NULL);
}

/* ---- a job ---- */

static void destroy(struct codec_job *job)
{
    job->codec->give(job->coder);
    codec_store_free(job);
}

static void deliver(struct message *message)
{
    struct codec_job *job = container_of(message, struct codec_job, work.message);
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
    job->work.message.deliver = deliver;
    list_init(&job->work.link);
    job->work.loop = loop;
    job->codec = codec;
    job->coder = coder;
    job->on_done = on_done;
    job->owner = owner;
    return job;
}

bool codec_job_submit(struct codec_job *job, enum codec_step step)
{
    job->step = step;
    job->is_under_way = true;      /* before a thread may have it */
    if (work_pool_submit(&pool, &job->work))
        return true;
    job->is_under_way = false;
    run_job(job);
    return false;
}

void codec_job_free(struct codec_job *job)
{
    if (work_pool_withdraw(&pool, &job->work))
        job->is_under_way = false;
    job->owner = NULL;
    if (!job->is_under_way)
        destroy(job);
}
