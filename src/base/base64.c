#include "base/base64.h"

static const char digits[2][65] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encode(enum base64_alphabet alphabet, struct str bytes, char *out)
{
    const unsigned char *in = (const unsigned char *)bytes.data;
    size_t len = 0, i = 0;
    for (; i + 3 <= bytes.len; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            out[len++] = digits[alphabet][group >> shift & 63];
    }
    size_t left = bytes.len - i;
    if (left == 0)
        return len;
    uint32_t group = (uint32_t)in[i] << 16 | (left == 2 ? (uint32_t)in[i + 1] << 8 : 0);
    for (size_t j = 0; j <= left; j++)
        out[len++] = digits[alphabet][group >> (18 - 6 * j) & 63];
    for (; alphabet == BASE64_STANDARD && len % 4 != 0;)
        out[len++] = '=';
    return len;
}

/* 0 to 63, or -1. */
static int digit_value(enum base64_alphabet alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_digit(c))
        return c - '0' + 52;
    if (c == digits[alphabet][62])
        return 62;
    return c == digits[alphabet][63] ? 63 : -1;
}

/* Takes "=" or "==" off when it completes a group of four; what remains of a wrong one is no digit. */
static struct str without_padding(struct str text)
{
    if (text.len != 0 && text.len % 4 == 0) {
        if (str_ends(text, S("==")))
            text.len -= 2;
        else if (str_ends(text, S("=")))
            text.len -= 1;
    }
    return text;
}

bool base64_decode(enum base64_alphabet alphabet, struct str text, void *out, size_t *ret_len)
{
    unsigned char *bytes = out;
    size_t len = 0;
    uint32_t bits = 0;
    unsigned count = 0; /* of bits that are not yet written */
    text = without_padding(text);
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(alphabet, text.data[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[len++] = (unsigned char)(bits >> count);
            bits &= (UINT32_C(1) << count) - 1;
        }
    }
    if (bits != 0)
        return false;
    *ret_len = len;
    return true;
}
