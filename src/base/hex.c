#include "base/hex.h"

#include <endian.h>

/* Four bytes to eight digits at once: each nibble in a byte of its own, then '0' or 'a' - 10 added to all of them. */
static uint64_t encode_word(uint32_t word)
{
    uint64_t spread = word;
    spread = (spread | spread << 16) & UINT64_C(0x0000ffff0000ffff);
    spread = (spread | spread << 8) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t nibbles = (spread >> 4 & UINT64_C(0x000f000f000f000f)) | (spread & UINT64_C(0x000f000f000f000f)) << 8;
    uint64_t letters = (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return nibbles + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
}

size_t hex_encode(struct str bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;
    for (; i + 4 <= bytes.len; i += 4) {
        uint32_t word;
        memcpy(&word, bytes.data + i, sizeof(word));
        uint64_t text = htole64(encode_word(le32toh(word)));
        memcpy(out + 2 * i, &text, sizeof(text));
    }
    for (; i < bytes.len; i++) {
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
