/* Validation only; nobody here needs code points. */
#include "base/utf8.h"

static bool in_range(char c, unsigned char low, unsigned char high)
{
    return (unsigned char)c >= low && (unsigned char)c <= high;
}

/* The table of RFC 3629 4: what a first byte asks of its second says all about overlong forms,
 * surrogates and the upper end. */
size_t utf8_sequence(struct str s)
{
    if (s.len == 0)
        return 0;
    unsigned char first = (unsigned char)s.data[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                    : first >= 0xe0 && first <= 0xef ? 3
                    : first >= 0xf0 && first <= 0xf4 ? 4
                                                     : 0;
    if (length == 0 || s.len < length)
        return 0;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (!in_range(s.data[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (!in_range(s.data[i], 0x80, 0xbf))
            return 0;
    }
    return length;
}

bool utf8_valid(struct str s)
{
    while (s.len != 0) {
        size_t length = utf8_sequence(s);
        if (length == 0)
            return false;
        s = str_of(s.data + length, s.len - length);
    }
    return true;
}
