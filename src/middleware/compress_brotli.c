/* br (RFC 7932) by libbrotlienc. */
#include <brotli/encode.h>

#include "middleware/codec.h"
#include "middleware/codec_store.h"

/* Quality 2 is as quick as gzip's level 4 and packs better; windows beyond 256 KiB cost memory that pages do not repay. */
#define QUALITY 2
#define WINDOW_BITS 18

static void *allocate(void *owner, size_t size)
{
    return codec_store_alloc(size);
}

static void give_back(void *owner, void *memory)
{
    codec_store_free(memory);
}

/* The smallest window that holds a body of this length. */
static uint32_t window_for(int64_t length)
{
    uint32_t bits = BROTLI_MIN_WINDOW_BITS;
    while (bits < WINDOW_BITS && (length < 0 || (INT64_C(1) << bits) - 16 < length))
        bits++;
    return bits;
}

static void *take(int64_t length, int level)
{
    BrotliEncoderState *encoder = BrotliEncoderCreateInstance(allocate, give_back, NULL);
    if (encoder == NULL)
        return NULL;
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, level >= 0 ? (uint32_t)level : QUALITY);
    BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, window_for(length));
    if (length > 0)
        BrotliEncoderSetParameter(encoder, BROTLI_PARAM_SIZE_HINT,
                                  length < UINT32_MAX ? (uint32_t)length : UINT32_MAX);
    return encoder;
}

static void give(void *coder)
{
    BrotliEncoderDestroyInstance(coder);
}

static bool run(void *coder, enum codec_step step, struct str *input, char *out, size_t room, size_t *ret_written,
                bool *ret_more)
{
    static const BrotliEncoderOperation operations[] = {[CODEC_GO] = BROTLI_OPERATION_PROCESS,
                                                        [CODEC_FLUSH] = BROTLI_OPERATION_FLUSH,
                                                        [CODEC_END] = BROTLI_OPERATION_FINISH};
    const uint8_t *next_in = (const uint8_t *)input->data;
    uint8_t *next_out = (uint8_t *)out;
    size_t in_left = input->len, out_left = room;
    if (!BrotliEncoderCompressStream(coder, operations[step], &in_left, &next_in, &out_left, &next_out, NULL))
        return false;
    *input = str_from_index(*input, input->len - in_left);
    *ret_written = room - out_left;
    *ret_more = BrotliEncoderHasMoreOutput(coder);
    return true;
}

static const struct codec brotli = {.name = STR("br"), .level_max = 11, .slow_from = 4, .take = take, .give = give, .run = run};
REGISTER(codec, brotli);
