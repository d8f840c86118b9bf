/* Copying a field's value of which nothing is known yet, checked on the way. Header-only. */
#ifndef PROTO_H1_COPY_VALUE_H
#define PROTO_H1_COPY_VALUE_H

#include "base/str.h"
#include "base/swar.h"
#include "http/token.h"
#include "proto/h1/scan.h"

/* Whether none of eight bytes is below 0x20 or DEL. A neighbour of such a byte may be taken for one too. */
static inline bool copy_value_is_plain(uint64_t word)
{
    uint64_t not_del = word ^ SWAR_ONES * 0x7f;
    uint64_t low = (word - SWAR_ONES * 0x20) & ~word, del = (not_del - SWAR_ONES) & ~not_del;
    return ((low | del) & (SWAR_ONES * 0x80)) == 0;
}

static inline uint64_t copy_value_word(char *out, const char *at, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, at, size);
    memcpy(out, &word, size);
    return word;
}

/* Fewer than 16 bytes, as two words that overlap. */
static inline bool copy_value_short(char *out, struct str value)
{
    if (value.len >= 8) {
        uint64_t first = copy_value_word(out, value.data, 8);
        uint64_t last = copy_value_word(out + value.len - 8, value.data + value.len - 8, 8);
        return copy_value_is_plain(first) && copy_value_is_plain(last);
    }
    if (value.len >= 4)
        return copy_value_is_plain(copy_value_word(out, value.data, 4) |
                                   copy_value_word(out + value.len - 4, value.data + value.len - 4, 4) << 32);
    uint64_t word = SWAR_ONES * ' ';
    for (size_t i = 0; i < value.len; i++)
        word = word << 8 | (unsigned char)(out[i] = value.data[i]);
    return copy_value_is_plain(word);
}

/* False when a byte of it may not stand in a value (RFC 9110 5.5; HTAB is a control that may). */
static inline bool copy_value(char *out, struct str value)
{
    bool plain = true;
    if (value.len < 16)
        return copy_value_short(out, value) || token_is_field_value(value);
    for (size_t at = 0; at + 16 <= value.len; at += 16)
        plain &= scan_copy16(out + at, value.data + at);
    plain &= scan_copy16(out + value.len - 16, value.data + value.len - 16);
    return plain || token_is_field_value(value);
}

#endif
