#include "middleware/compress_filter.h"

#include "base/list.h"

#define SMALL_INPUT ((size_t)4096)      /* what it is coded to fits a small chunk */
#define STEP_OUTPUT ((size_t)131072)    /* a few bytes may be unpacked to very many */

struct compress_filter {
    struct filter filter;
    struct chunk_pool *pool;
    const struct codec *codec;
    void *coder;
    size_t slice;       /* bytes of input of one step */
    bool live;          /* flushed whenever the source has nothing more */
    bool dirty;         /* took something since the last flush */
    bool ended;         /* the coder was told of the end */
    bool giving;        /* the coder has more output than fitted into the last step */
    struct chunk *chunk;    /* that the next step goes on with */
};

static bool provide_chunk(struct compress_filter *compress, bool large)
{
    if (compress->chunk != NULL && chunk_room(compress->chunk) < CODEC_ROOM) {
        chunk_unref(compress->chunk);
        compress->chunk = NULL;
        large = true;
    }
    if (compress->chunk == NULL)
        compress->chunk = chunk_new(compress->pool, large);
    return compress->chunk != NULL;
}

/* Runs the coder over one stretch until it has taken all of it and, flushing or ending, given all that it holds; or until `most` is
 * in `out`. */
static enum status code(struct compress_filter *compress, enum codec_step step, struct str *input, struct chunkq *out, size_t most)
{
    compress->giving = true;
    while ((input->len != 0 || compress->giving) && out->bytes < most) {
        if (!provide_chunk(compress, true))
            return STATUS_OVERLOADED;
        struct chunk *chunk = compress->chunk;
        char *at = chunk->data + chunk->used;
        size_t written;
        if (!compress->codec->run(compress->coder, step, input, at, chunk_room(chunk), &written, &compress->giving))
            return STATUS_INTERNAL;
        chunk->used += (uint32_t)written;
        chunkq_add(out, chunk, at, written);
    }
    return STATUS_OK;
}

static void leave_chunk(struct compress_filter *compress)
{
    if (compress->chunk != NULL)
        chunk_unref(compress->chunk);
    compress->chunk = NULL;
}

/* One step's worth of `in`. */
static enum status code_step(struct compress_filter *compress, struct chunkq *in, struct chunkq *out, bool end)
{
    size_t left = compress->slice, most = out->bytes + STEP_OUTPUT;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && in->bytes != 0 && left != 0 && out->bytes < most) {
        struct str part = str_first(chunkq_front(in), left), rest = part;
        bool last = end && part.len == in->bytes;
        status = code(compress, last ? CODEC_END : CODEC_GO, &rest, out, most);
        chunkq_drop(in, part.len - rest.len);
        left -= part.len - rest.len;
        compress->dirty = true;
        compress->ended = last && rest.len == 0;
    }
    struct str nothing = STR_NONE;
    if (status == STATUS_OK && in->bytes == 0 && (compress->giving || (end && !compress->ended)) && out->bytes < most) {
        status = code(compress, end ? CODEC_END : CODEC_GO, &nothing, out, most);
        compress->ended = end;
    }
    return status;
}

static enum status process(struct filter *filter, struct chunkq *in, struct chunkq *out, bool end)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    enum status status = STATUS_OK;
    if (!filter->more && in->bytes <= SMALL_INPUT)
        provide_chunk(compress, false);
    status = code_step(compress, in, out, end);
    filter->more = status == STATUS_OK && (in->bytes != 0 || compress->giving || (end && !compress->ended));
    if (!filter->more)
        leave_chunk(compress);
    return status;
}

static enum status flush(struct filter *filter, struct chunkq *out)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    if (!compress->live || !compress->dirty)
        return STATUS_OK;
    compress->dirty = false;
    provide_chunk(compress, false);
    struct str nothing = STR_NONE;
    enum status status = code(compress, CODEC_FLUSH, &nothing, out, SIZE_MAX);
    leave_chunk(compress);
    return status;
}

static void release(struct filter *filter)
{
    struct compress_filter *compress = container_of(filter, struct compress_filter, filter);
    if (compress->coder != NULL)
        compress->codec->give(compress->coder);
    compress->coder = NULL;
    leave_chunk(compress);
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
                                         .slice = codec->slice != NULL ? codec->slice(level) : SIZE_MAX,
                                         .live = length < 0};
    return &compress->filter;
}
