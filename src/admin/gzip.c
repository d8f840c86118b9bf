#include "admin/gzip.h"

#include <zlib.h>

#define LEVEL 1
#define GZIP_WINDOW (15 + 16)      /* bits; 16: with gzip's head and tail */
#define MEMORY_LEVEL 8

bool gzip_add(struct text *out, struct str bytes)
{
    /* zlib's type lacks a const. */
    z_stream zip = {.next_in = (Bytef *)(uintptr_t)bytes.data, .avail_in = (uInt)bytes.len};
    if (bytes.len > UINT32_MAX || deflateInit2(&zip, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t bound = deflateBound(&zip, (uLong)bytes.len);
    bool good = bound <= UINT32_MAX && text_reserve(out, bound);
    if (good) {
        zip.next_out = (Bytef *)out->data + out->len;
        zip.avail_out = (uInt)bound;
        good = deflate(&zip, Z_FINISH) == Z_STREAM_END;
    }
    if (good)
        out->len += zip.total_out;
    deflateEnd(&zip);
    return good;
}
