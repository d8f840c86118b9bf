/* gzip (RFC 1952) by zlib. */
#include <stdlib.h>
#include <zlib.h>

#include "middleware/codec.h"
#include "middleware/codec_store.h"

/* 69 KB of state instead of 261 at the ratio that larger windows give on texts of the web. */
#define LEVEL 4
#define WINDOW_BITS (16 + 13)
#define MEMORY_LEVEL 6

static void destroy(void *coder)
{
    deflateEnd(coder);
    free(coder);
}

static void *take(int64_t length, int level)
{
    z_stream *stream = codec_store_get(CODEC_STORE_GZIP);
    if (stream != NULL) {
        /* Nothing was coded since the reset, so this writes nothing. */
        deflateParams(stream, level >= 0 ? level : LEVEL, Z_DEFAULT_STRATEGY);
        return stream;
    }
    stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    if (deflateInit2(stream, level >= 0 ? level : LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

static void give(void *coder)
{
    deflateReset(coder);
    codec_store_put(CODEC_STORE_GZIP, coder, destroy);
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more)
{
    static const int flushes[] = {[CODEC_GO] = Z_NO_FLUSH, [CODEC_FLUSH] = Z_SYNC_FLUSH, [CODEC_END] = Z_FINISH};
    z_stream *stream = coder;
    uInt offered = input->len < UINT32_MAX ? (uInt)input->len : UINT32_MAX;
    stream->next_in = (Bytef *)(uintptr_t)input->data;
    stream->avail_in = offered;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)room;
    int result = deflate(stream, flushes[step]);
    *input = str_from_index(*input, offered - stream->avail_in);
    *ret_written = room - stream->avail_out;
    *ret_more = stream->avail_out == 0 && result != Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

static const struct codec gzip = {.name = STR("gzip"), .level_max = 9, .take = take, .give = give, .run = run};
REGISTER(codec, gzip);
