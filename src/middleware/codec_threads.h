/* A few threads for codings that take long however little they are given: Brotli and zstd gather up to 256 KiB and then pack
 * all of it in one go, which at their high levels takes up to a third of a second. The loop serves others meanwhile.
 *
 * A job is one body's: its coder, and a stretch of input and output each. It is its owner's but while it is under way.
 * Threading: every function is for the loop's thread but codec_threads_stop. */
#ifndef MIDDLEWARE_CODEC_THREADS_H
#define MIDDLEWARE_CODEC_THREADS_H

#include "middleware/codec.h"
#include "net/work_pool.h"

#define CODEC_JOB_BYTES ((size_t)65536)

struct codec_job {
    struct work work;
    const struct codec *codec;
    void *coder;
    void (*on_done)(void *owner);
    void *owner;                /* NULL: abandoned */
    enum codec_step step;
    size_t in_at, in_len;       /* what is left of the input */
    size_t out_len;             /* the owner sets it to 0 when it has taken the output */
    bool giving;                /* the coder has more output: submit again */
    bool failed;
    bool is_under_way;
    char in[CODEC_JOB_BYTES], out[CODEC_JOB_BYTES];
};

/* A job for a body, as codec->take; on_done(owner) is called on the loop's thread behind each step. NULL without memory. */
struct codec_job *codec_job_new(struct loop *loop, const struct codec *codec, int level, int64_t length,
                                void (*on_done)(void *owner), void *owner);
/* Does `step` with the input until that is taken, the output is full or there is no more. True: on_done will be called. False: there
 * are no threads, and it was done at once. */
bool codec_job_submit(struct codec_job *job, enum codec_step step);
static inline bool codec_job_has_more(const struct codec_job *job)
{
    return job->in_at != job->in_len || job->giving;
}
/* At any time; on_done will not be called. */
void codec_job_free(struct codec_job *job);

/* Ends the threads. For the end of the process: what is under way ends first, and its message is on its way to the loop then. */
void codec_threads_stop(void);

#endif
