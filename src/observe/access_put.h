/* Writing a line behind a pointer, into room that was made before for the longest it can become. Private to observe/. */
#ifndef OBSERVE_ACCESS_PUT_H
#define OBSERVE_ACCESS_PUT_H

#include "base/digits.h"
#include "base/str.h"
#include "base/swar.h"

static inline char *put(char *out, struct str s)
{
    if (s.len != 0)
        memcpy(out, s.data, s.len);
    return out + s.len;
}

static inline char *put_char(char *out, char c)
{
    *out = c;
    return out + 1;
}

/* Nothing in it is to be escaped: looked at several bytes at a time, the last ones overlapping those before. */
static inline bool put_is_plain(struct str s)
{
    const char *at = s.data, *end = s.data + s.len;
    if (s.len >= 16) {
        for (; end - at > 16; at += 16)
            if (!swar_plain16(at))
                return false;
        return swar_plain16(end - 16);
    }
    if (s.len >= 8)
        return swar_plain(swar_load64(at)) && swar_plain(swar_load64(end - 8));
    if (s.len >= 4)
        return swar_plain(swar_load32(at) | swar_load32(end - 4) << 32);
    for (size_t i = 0; i < s.len; i++)
        if (!swar_plain(SWAR_ONES * (unsigned char)s.data[i]))
            return false;
    return true;
}

#endif
