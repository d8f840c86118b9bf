/* Copying texts that are mostly short: two halves that overlap instead of a call. Never reads or writes beyond the text.
 * Header-only. */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include "base/str.h"

/* A literal; gives the end of what was written, as all here do. */
#define COPY_LITERAL(out, literal) ((char *)mempcpy((out), (literal), sizeof(literal) - 1))

static inline char *copy_short(char *out, struct str text)
{
    const char *from = text.data;
    size_t len = text.len;
    if (len > 64)
        return (char *)memcpy(out, from, len) + len;
    if (len > 32) {
        memcpy(out, from, 32);
        memcpy(out + len - 32, from + len - 32, 32);
    } else if (len >= 16) {
        memcpy(out, from, 16);
        memcpy(out + len - 16, from + len - 16, 16);
    } else if (len >= 8) {
        memcpy(out, from, 8);
        memcpy(out + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(out, from, 4);
        memcpy(out + len - 4, from + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            out[i] = from[i];
    }
    return out + len;
}

#endif
