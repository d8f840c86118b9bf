/* gzip (RFC 1952): zlib, and the choice between it and an engine that is quicker at a level. */
#include <stdlib.h>
#include <zlib.h>

#include "middleware/codec_store.h"
#include "middleware/gzip_engine.h"

/* 69 KB of state instead of 261 at the ratio that larger windows give on texts of the web. */
#define LEVEL 4
#define WINDOW_BITS (16 + 13)
#define MEMORY_LEVEL 6

struct zlib_coder {
    struct gzip_coder coder;
    z_stream stream;
};

static void destroy(void *coder)
{
    struct zlib_coder *zlib = coder;
    deflateEnd(&zlib->stream);
    free(zlib);
}

static void *zlib_take(int level)
{
    struct zlib_coder *zlib = codec_store_get(CODEC_STORE_GZIP);
    if (zlib != NULL) {
        /* Nothing was coded since the reset, so this writes nothing. */
        deflateParams(&zlib->stream, level, Z_DEFAULT_STRATEGY);
        return zlib;
    }
    zlib = calloc(1, sizeof(*zlib));
    if (zlib == NULL)
        return NULL;
    if (deflateInit2(&zlib->stream, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(zlib);
        return NULL;
    }
    return zlib;
}

static void zlib_give(void *coder)
{
    struct zlib_coder *zlib = coder;
    deflateReset(&zlib->stream);
    codec_store_put(CODEC_STORE_GZIP, zlib, destroy);
}

static bool zlib_run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                     bool *ret_more)
{
    static const int flushes[] = {[CODEC_GO] = Z_NO_FLUSH, [CODEC_FLUSH] = Z_SYNC_FLUSH, [CODEC_END] = Z_FINISH};
    z_stream *stream = &((struct zlib_coder *)coder)->stream;
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

static const struct gzip_engine zlib_engine = {
    .level_from = 0, .level_to = 9, .level_usual = LEVEL, .take = zlib_take, .give = zlib_give, .run = zlib_run};

static const struct gzip_engine *engine_for(int level)
{
    REGISTRY_FOREACH(gzip_engine, const struct gzip_engine, it)
        if (level < 0 || (level >= (*it)->level_from && level <= (*it)->level_to))
            return *it;
    return &zlib_engine;
}

static void *take(int64_t length, int level)
{
    const struct gzip_engine *engine = engine_for(level);
    struct gzip_coder *coder = engine->take(level >= 0 ? level : engine->level_usual);
    if (coder != NULL)
        coder->engine = engine;
    return coder;
}

static void give(void *coder)
{
    ((struct gzip_coder *)coder)->engine->give(coder);
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more)
{
    return ((struct gzip_coder *)coder)->engine->run(coder, step, input, out, room, ret_written, ret_more);
}

/* igzip codes all that a relay holds in less. */
static size_t slice(int level)
{
    const struct gzip_engine *engine = engine_for(level);
    if (engine != &zlib_engine)
        return SIZE_MAX;
    return level > LEVEL ? 8192 : 16384;
}

static const struct codec gzip = {.name = STR("gzip"), .level_max = 9, .slice = slice, .take = take, .give = give, .run = run};
REGISTER(codec, gzip);
