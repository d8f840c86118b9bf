#include "middleware/compress_aside.h"

#include "middleware/codec_threads.h"

struct compress_aside {
    struct filter filter;
    struct exchange *x;
    struct codec_job *job;
    bool live;          /* flushed whenever the source has nothing more */
    bool dirty;         /* took something since the last flush */
    bool ended;         /* the coder was told of the end */
};

static void on_done(void *owner)
{
    struct compress_aside *aside = owner;
    aside->filter.waits = false;
    exchange_resume(aside->x);
}

static void submit(struct compress_aside *aside, enum codec_step step)
{
    aside->filter.waits = codec_job_submit(aside->job, step);
    aside->filter.more = true;
}

static void fill(struct codec_job *job, struct chunkq *in)
{
    job->in_at = job->in_len = 0;
    while (in->bytes != 0 && job->in_len != CODEC_JOB_BYTES) {
        struct str part = str_first(chunkq_front(in), CODEC_JOB_BYTES - job->in_len);
        memcpy(job->in + job->in_len, part.data, part.len);
        job->in_len += part.len;
        chunkq_drop(in, part.len);
    }
}

static enum status collect(struct compress_aside *aside, struct chunkq *out)
{
    struct codec_job *job = aside->job;
    if (job->failed)
        return STATUS_INTERNAL;
    if (job->out_len != 0 && !chunkq_add_copy(out, &aside->x->worker->chunks, str_of(job->out, job->out_len)))
        return STATUS_OVERLOADED;
    job->out_len = 0;
    return STATUS_OK;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct compress_aside *aside = container_of(filter, struct compress_aside, filter);
    struct codec_job *job = aside->job;
    if (filter->waits)
        return STATUS_OK;
    enum status status = collect(aside, out);
    filter->more = false;
    if (status != STATUS_OK)
        return status;
    if (codec_job_has_more(job)) {
        submit(aside, job->step);
    } else if (in->bytes != 0 || (end && !aside->ended)) {
        fill(job, in);
        aside->dirty = true;
        aside->ended = end && in->bytes == 0;
        submit(aside, aside->ended ? CODEC_END : CODEC_GO);
    }
    return STATUS_OK;
}

static enum status flush(struct filter *filter, struct chunkq *out)
{
    struct compress_aside *aside = container_of(filter, struct compress_aside, filter);
    if (aside->live && aside->dirty) {
        aside->dirty = false;
        submit(aside, CODEC_FLUSH);
    }
    return STATUS_OK;
}

static void release(struct filter *filter)
{
    struct compress_aside *aside = container_of(filter, struct compress_aside, filter);
    if (aside->job != NULL)
        codec_job_free(aside->job);
    aside->job = NULL;
}

struct filter *compress_aside_new(struct exchange *x, const struct codec *codec, int level, int64_t length)
{
    struct compress_aside *aside = arena_new(&x->arena, struct compress_aside);
    struct codec_job *job = aside != NULL ? codec_job_new(&x->worker->loop, codec, level, length, on_done, aside) : NULL;
    if (job == NULL)
        return NULL;
    *aside = (struct compress_aside){.filter = {.process = process, .flush = flush, .release = release},
                                     .x = x, .job = job, .live = length < 0};
    return &aside->filter;
}
