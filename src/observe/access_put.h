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

/* Two words that overlap: a text of 8 to 16 bytes. */
static inline bool put_pair_if_plain(char *out, struct str s)
{
    uint64_t words[2] = {swar_load64(s.data), swar_load64(s.data + s.len - 8)};
    swar_bytes bytes;
    memcpy(out, &words[0], 8);
    memcpy(out + s.len - 8, &words[1], 8);
    memcpy(&bytes, words, sizeof(bytes));
    return swar_plain16(bytes);
}

/* Up to 7 bytes, as one word. */
static inline bool put_word_if_plain(char *out, struct str s)
{
    const char *at = s.data, *end = s.data + s.len;
    if (s.len >= 4) {
        memcpy(out, at, 4);
        memcpy(out + s.len - 4, end - 4, 4);
        return swar_plain(swar_load32(at) | swar_load32(end - 4) << 32);
    }
    if (s.len == 0)
        return true;
    const uint32_t first = (unsigned char)at[0], middle = (unsigned char)at[s.len >> 1], last = (unsigned char)end[-1];
    out[0] = (char)first;
    out[s.len >> 1] = (char)middle;
    out[s.len - 1] = (char)last;
    return swar_plain((SWAR_ONES * ' ' << 24) | (uint64_t)(last << 16 | middle << 8 | first));
}

/* As put, and true when nothing of it is to be escaped: copied and looked at in one pass, the last bytes overlapping those before.
 * When false, what was written counts for nothing. */
static inline bool put_if_plain(char *out, struct str s)
{
    const char *at = s.data, *end = s.data + s.len;
    if (s.len < 8)
        return put_word_if_plain(out, s);
    if (s.len <= 16)
        return put_pair_if_plain(out, s);
    for (; end - at > 16; at += 16, out += 16)
        if (!swar_copy_plain16(out, at))
            return false;
    return swar_copy_plain16(out - (16 - (end - at)), end - 16);
}

#endif
