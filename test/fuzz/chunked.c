/* Chunked bodies; the first byte says in which steps they come. The data, the trailers and the end must be the same
 * as in one piece. */
#include <assert.h>
#include <stdlib.h>

#include "proto/h1/chunked.h"

struct decoded {
    struct arena arena;
    struct fields trailers;
    char *data;
    size_t len, consumed;
    enum status status;
};

static struct decoded decode(struct str bytes, size_t step)
{
    struct decoded decoded = {.data = malloc(bytes.len + 1), .status = STATUS_AGAIN};
    struct h1_chunked decoder;
    arena_init(&decoded.arena, ARENA_UNLIMITED);
    fields_init(&decoded.trailers, &decoded.arena, 0);
    h1_chunked_init(&decoder);
    while (decoded.consumed < bytes.len) {
        size_t left = bytes.len - decoded.consumed, len = left < step ? left : step;
        size_t skip, data;
        char *piece = malloc(len);
        memcpy(piece, bytes.data + decoded.consumed, len);
        decoded.status = h1_chunked_next(&decoder, str_of(piece, len), &decoded.trailers, &skip, &data);
        assert(skip + data <= len);
        assert((decoded.status == STATUS_OK) == (data != 0));
        assert(decoded.status != STATUS_AGAIN || skip == len);
        memcpy(decoded.data + decoded.len, piece + skip, data);
        decoded.len += data;
        decoded.consumed += skip + data;
        free(piece);
        if (decoded.status != STATUS_OK && decoded.status != STATUS_AGAIN)
            break;
    }
    return decoded;
}

static void release(struct decoded *decoded)
{
    free(decoded->data);
    arena_release(&decoded->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str bytes = str_of((const char *)data + 1, size - 1);
    struct decoded whole = decode(bytes, bytes.len != 0 ? bytes.len : 1);
    struct decoded pieces = decode(bytes, data[0] % 32 + 1);
    assert(whole.status == pieces.status);
    assert(whole.consumed == pieces.consumed);
    assert(str_equal(str_of(whole.data, whole.len), str_of(pieces.data, pieces.len)));
    assert(whole.trailers.count == pieces.trailers.count);
    for (uint32_t i = 0; i < whole.trailers.count; i++) {
        assert(str_equal(whole.trailers.items[i].name, pieces.trailers.items[i].name));
        assert(str_equal(whole.trailers.items[i].value, pieces.trailers.items[i].value));
    }
    release(&whole);
    release(&pieces);
    return 0;
}
