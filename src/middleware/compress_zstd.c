/* zstd (RFC 8878) by libzstd. */
#include <zstd.h>

#include "middleware/codec.h"
#include "middleware/codec_store.h"

#define LEVEL 1
#define WINDOW_LOG 18
/* Of our choice: matches from 7 bytes on, as the library has it for large bodies at this level. A tenth less time than its 6 for smaller
 * ones; JSON comes out smaller, scripts up to three per cent larger. */
#define MIN_MATCH 7
#define MIN_MATCH_OF_LEVEL 0

static void destroy(void *coder)
{
    ZSTD_freeCCtx(coder);
}

static void *take(int64_t length, int level)
{
    ZSTD_CCtx *context = codec_store_get(CODEC_STORE_ZSTD);
    if (context == NULL) {
        context = ZSTD_createCCtx();
        if (context == NULL)
            return NULL;
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG);
    }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level >= 0 ? level : LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, level >= 0 ? MIN_MATCH_OF_LEVEL : MIN_MATCH);
    ZSTD_CCtx_setPledgedSrcSize(context, length >= 0 ? (unsigned long long)length : ZSTD_CONTENTSIZE_UNKNOWN);
    return context;
}

static void give(void *coder)
{
    ZSTD_CCtx_reset(coder, ZSTD_reset_session_only);
    codec_store_put(CODEC_STORE_ZSTD, coder, destroy);
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more)
{
    static const ZSTD_EndDirective directives[] = {
        [CODEC_GO] = ZSTD_e_continue, [CODEC_FLUSH] = ZSTD_e_flush, [CODEC_END] = ZSTD_e_end};
    ZSTD_inBuffer in = {.src = input->data, .size = input->len};
    ZSTD_outBuffer produced = {.dst = out, .size = room};
    size_t left = ZSTD_compressStream2(coder, &produced, &in, directives[step]);
    if (ZSTD_isError(left))
        return false;
    *input = str_from_index(*input, in.pos);
    *ret_written = produced.pos;
    *ret_more = step == CODEC_GO ? produced.pos == room : left != 0;
    return true;
}

static const struct codec zstd = {.name = STR("zstd"), .level_max = 19, .slow_from = 6, .take = take, .give = give, .run = run};
REGISTER(codec, zstd);
