#include "test.h"

#include <brotli/decode.h>
#include <stdlib.h>

#include "base/memory.h"
#include "middleware/codec_threads.h"

#define QUALITY 9

struct packing {
    struct loop loop;
    struct codec_job *job;
    unsigned done;
    char *coded;
    size_t coded_len;
};

static void on_done(void *owner)
{
    ((struct packing *)owner)->done++;
}

static void begin(struct packing *work)
{
    memset(work, 0, sizeof(*work));
    assert_true(loop_init(&work->loop));
    work->coded = memory_alloc(4 << 20);
    work->job = codec_job_new(&work->loop, codec_find(S("br")), QUALITY, -1, on_done, work);
    assert_non_null(work->job);
}

static void end(struct packing *work)
{
    codec_threads_stop();
    loop_turn(&work->loop, 0);
    loop_release(&work->loop);
    free(work->coded);
}

static void wait_for(struct packing *work)
{
    unsigned before = work->done;
    while (work->job->is_under_way)
        loop_turn(&work->loop, TIME_S);
    assert_int_equal(work->done, before + 1);
}

/* All of one stretch: as often as there is more. */
static void run(struct packing *work, enum codec_step step, struct str input)
{
    struct codec_job *job = work->job;
    memcpy(job->in, input.data, input.len);
    job->in_at = 0;
    job->in_len = input.len;
    do {
        assert_true(codec_job_submit(job, step));
        wait_for(work);
        assert_false(job->failed);
        memcpy(work->coded + work->coded_len, job->out, job->out_len);
        work->coded_len += job->out_len;
        job->out_len = 0;
    } while (codec_job_has_more(job));
}

TEST(codec_threads_code_a_body_in_steps)
{
    struct packing work;
    char *text = memory_alloc(CODEC_JOB_BYTES * 9), *plain = memory_alloc(CODEC_JOB_BYTES * 9);
    uint32_t seed = 1;
    for (size_t i = 0; i < CODEC_JOB_BYTES * 9; i++)
        text[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    begin(&work);
    for (size_t i = 0; i < 9; i++)
        run(&work, i == 8 ? CODEC_END : CODEC_GO, str_of(text + i * CODEC_JOB_BYTES, CODEC_JOB_BYTES));
    size_t len = CODEC_JOB_BYTES * 9;
    assert_int_equal(BrotliDecoderDecompress(work.coded_len, (uint8_t *)work.coded, &len, (uint8_t *)plain),
                     BROTLI_DECODER_RESULT_SUCCESS);
    assert_str_equal(str_of(plain, len), str_of(text, CODEC_JOB_BYTES * 9));
    codec_job_free(work.job);
    end(&work);
    free(text);
    free(plain);
}

TEST(codec_threads_let_jobs_go_at_any_time)
{
    for (unsigned round = 0; round < 20; round++) {
        struct packing work;
        begin(&work);
        struct codec_job *others[4];
        for (size_t i = 0; i < 4; i++) {
            others[i] = codec_job_new(&work.loop, codec_find(S("zstd")), 19, -1, on_done, &work);
            memset(others[i]->in, 'x', others[i]->in_len = CODEC_JOB_BYTES);
            assert_true(codec_job_submit(others[i], CODEC_END));
        }
        if (round % 2 == 0)
            loop_turn(&work.loop, TIME_MS);
        unsigned before = work.done;
        for (size_t i = 0; i < 4; i++)
            codec_job_free(others[i]);
        codec_job_free(work.job);
        end(&work);
        assert_int_equal(work.done, before);
    }
}
