#include "base/hex.h"

typedef uint8_t sixteen __attribute__((vector_size(16)));

static sixteen digits_of(sixteen nibbles)
{
    return nibbles + '0' + (sixteen)((nibbles > 9) & ('a' - '0' - 10));
}

/* Sixteen bytes (a request's id) at once: the compiler's vectors, so every machine's. */
static void encode_sixteen(const char *bytes, char *out)
{
    sixteen in;
    memcpy(&in, bytes, sizeof(in));
    sixteen high = digits_of(in >> 4), low = digits_of(in & 15);
    sixteen first = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    sixteen second = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    memcpy(out, &first, sizeof(first));
    memcpy(out + sizeof(first), &second, sizeof(second));
}

size_t hex_encode(struct str bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;
    for (; i + 16 <= bytes.len; i += 16)
        encode_sixteen(bytes.data + i, out + 2 * i);
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
