/* gzip's levels 1 to 3 by ISA-L's igzip: a fourth of zlib's time at level 1 and a few per cent smaller. From level 4 on zlib packs
 * better. Built where the library is. */
#include <isa-l/igzip_lib.h>

#include "middleware/codec_store.h"
#include "middleware/gzip_engine.h"

#define LEVELS 3
/* As quick as 1 within a tenth and a per cent smaller; 3 takes twice as long for another three per cent. */
#define LEVEL 2

/* Blocks of 16 Ki symbols: larger ones pack no better and cost memory. */
static const uint32_t work_sizes[LEVELS + 1] = {
    0, ISAL_DEF_LVL1_SMALL, ISAL_DEF_LVL2_SMALL, ISAL_DEF_LVL3_SMALL};

struct isal_coder {
    struct gzip_coder coder;
    uint32_t level;
    _Alignas(64) struct isal_zstream stream;
    _Alignas(64) uint8_t work[];        /* of the level's size */
};

static void *take(int level)
{
    uint32_t size = work_sizes[level];
    struct isal_coder *isal = codec_store_alloc(sizeof(*isal) + size);
    if (isal == NULL)
        return NULL;
    isal_deflate_init(&isal->stream);
    isal->stream.level = (uint32_t)level;
    isal->stream.level_buf = isal->work;
    isal->stream.level_buf_size = size;
    isal->stream.gzip_flag = IGZIP_GZIP;
    return isal;
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more)
{
    struct isal_zstream *stream = &((struct isal_coder *)coder)->stream;
    uint32_t offered = input->len < UINT32_MAX ? (uint32_t)input->len : UINT32_MAX;
    stream->next_in = (uint8_t *)(uintptr_t)input->data;
    stream->avail_in = offered;
    stream->next_out = (uint8_t *)out;
    stream->avail_out = (uint32_t)room;
    stream->flush = step == CODEC_FLUSH ? SYNC_FLUSH : NO_FLUSH;
    stream->end_of_stream = step == CODEC_END && offered == input->len;
    int result = isal_deflate(stream);
    *input = str_from_index(*input, offered - stream->avail_in);
    *ret_written = room - stream->avail_out;
    enum isal_zstate_state state = stream->internal_state.state;
    *ret_more = step == CODEC_END ? state != ZSTATE_END : stream->avail_out == 0 && state != ZSTATE_NEW_HDR;
    return result == COMP_OK;
}

static const struct gzip_engine isal_engine = {
    .level_from = 1, .level_to = LEVELS, .level_usual = LEVEL, .take = take, .give = codec_store_free, .run = run};
REGISTER(gzip_engine, isal_engine);
