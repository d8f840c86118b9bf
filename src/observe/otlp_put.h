/* Protocol buffers written behind a pointer, into room that was made before for the longest that may come. Private to observe/otlp
 * and span_sink; base/protobuf.h is for what is written rarely. */
#ifndef OBSERVE_OTLP_PUT_H
#define OBSERVE_OTLP_PUT_H

#include <endian.h>

#include "base/copy.h"
#include "base/swar.h"
#include "base/utf8.h"

#define PUT_BYTES_TAG(field) ((char)((field) << 3 | 2))
#define PUT_HEAD_MAX 11               /* of a member: its tag (fields below 16) and its length */

static inline unsigned put_varint_size(uint64_t value)
{
    unsigned size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static inline char *put_varint(char *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (char)(value | 0x80);
    *out++ = (char)value;
    return out;
}

static inline char *put_head(char *out, unsigned field, size_t len)
{
    *out++ = PUT_BYTES_TAG(field);
    return put_varint(out, len);
}

static inline char *put_text(char *out, struct str text)
{
    return text.len != 0 ? mempcpy(out, text.data, text.len) : out;
}

static inline char *put_bytes(char *out, unsigned field, struct str bytes)
{
    return put_text(put_head(out, field, bytes.len), bytes);
}

/* Little-endian, as the wire has it. */
static inline char *put_fixed64(char *out, unsigned field, uint64_t value)
{
    uint64_t wire = htole64(value);
    *out++ = (char)(field << 3 | 1);
    return mempcpy(out, &wire, sizeof(wire));
}

/* UTF-8, which is mostly ASCII. */
static inline bool put_is_utf8(struct str text)
{
    size_t i = 0;
    uint64_t bits = 0;
    for (; i + 8 <= text.len; i += 8)
        bits |= swar_load64(text.data + i);
    if (text.len >= 8 && i < text.len)
        bits |= swar_load64(text.data + text.len - 8);
    else
        for (; i < text.len; i++)
            bits |= (unsigned char)text.data[i];
    return (bits & SWAR_ONES * 0x80) == 0 || utf8_valid(text);
}

#endif
