#include "middleware/compress_filter.h"

#include "base/list.h"

#define SMALL_INPUT ((size_t)4096)      /* what it is coded to fits a small chunk */

struct compress_filter {
    struct filter filter;
    struct chunk_pool *pool;
    const struct codec *codec;
    void *coder;
    bool live;          /* flushed whenever the source has nothing more */
    bool dirty;         /* took something since the last flush */
};

/* Runs the coder over one stretch until it has taken all of it and, flushing or ending, given all that it holds. */
static enum status code(struct compress_filter *compress, enum codec_step step, struct str input, struct chunk **chunk,
                        struct chunkq *out)
{
    bool more = true;
    while (input.len != 0 || more) {
        if (*chunk != NULL && chunk_room(*chunk) < CODEC_ROOM) {
            chunk_unref(*chunk);
            *chunk = NULL;
        }
        if (*chunk == NULL)
            *chunk = chunk_new(compress->pool, true);
        if (*chunk == NULL)
            return STATUS_OVERLOADED;
        char *at = (*chunk)->data + (*chunk)->used;
        size_t written;
        if (!compress->codec->run(compress->coder, step, &input, at, chunk_room(*chunk), &written, &more))
            return STATUS_INTERNAL;
        (*chunk)->used += (uint32_t)written;
        chunkq_add(out, *chunk, at, written);
    }
    return STATUS_OK;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    struct chunk *chunk = in->bytes <= SMALL_INPUT ? chunk_new(compress->pool, false) : NULL;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && in->bytes != 0) {
        struct str part = chunkq_front(in);
        bool last = end && part.len == in->bytes;
        status = code(compress, last ? CODEC_END : CODEC_GO, part, &chunk, out);
        end = end && !last;
        chunkq_drop(in, part.len);
        compress->dirty = true;
    }
    if (status == STATUS_OK && end)
        status = code(compress, CODEC_END, STR_NONE, &chunk, out);
    if (chunk != NULL)
        chunk_unref(chunk);
    return status;
}

static enum status flush(struct filter *filter, struct chunkq *out)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    if (!compress->live || !compress->dirty)
        return STATUS_OK;
    compress->dirty = false;
    struct chunk *chunk = chunk_new(compress->pool, false);
    enum status status = code(compress, CODEC_FLUSH, STR_NONE, &chunk, out);
    if (chunk != NULL)
        chunk_unref(chunk);
    return status;
}

static void release(struct filter *filter)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    if (compress->coder != NULL)
        compress->codec->give(compress->coder);
    compress->coder = NULL;
}

struct filter *compress_filter_new(struct arena *arena, struct chunk_pool *pool, const struct codec *codec,
                                   int level, int64_t length)
{
    struct compress_filter *compress = arena_new(arena, struct compress_filter);
    void *coder = compress != NULL ? codec->take(length, level) : NULL;
    if (coder == NULL)
        return NULL;
    *compress = (struct compress_filter){.filter = {.process = process, .flush = flush, .release = release},
                                         .pool = pool,
                                         .codec = codec,
                                         .coder = coder,
                                         .live = length < 0};
    return &compress->filter;
}
