#include "base/hex.h"

size_t hex_encode(struct str bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    return HEX_ENCODED_SIZE(bytes.len);
}

bool hex_decode(struct str text, void *out)
{
    unsigned char *bytes = out;
    if (text.len % 2 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = ascii_hex(text.data[i]), low = ascii_hex(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (unsigned char)(high << 4 | low);
    }
    return true;
}
