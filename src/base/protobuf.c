#include "base/protobuf.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2 };

#define VARINT_MAX 10

static unsigned put_varint(char *out, uint64_t value)
{
    unsigned len = 0;
    for (; value >= 0x80; value >>= 7)
        out[len++] = (char)(value | 0x80);
    out[len++] = (char)value;
    return len;
}

void protobuf_varint(struct text *out, uint64_t value)
{
    char bytes[VARINT_MAX];
    text_add(out, str_of(bytes, put_varint(bytes, value)));
}

static void add_tag(struct text *out, unsigned field, unsigned kind)
{
    protobuf_varint(out, field << 3 | kind);
}

size_t protobuf_open(struct text *out, unsigned field)
{
    add_tag(out, field, BYTES);
    text_add_char(out, 0);
    return out->len;
}

/* One byte was left for the length; a longer one pushes the message back. */
void protobuf_close(struct text *out, size_t mark)
{
    if (out->overflow)
        return;
    char bytes[VARINT_MAX];
    size_t size = out->len - mark;
    unsigned len = put_varint(bytes, size);
    if (!text_reserve(out, len - 1))
        return;
    if (len > 1)
        memmove(out->data + mark + len - 1, out->data + mark, size);
    memcpy(out->data + mark - 1, bytes, len);
    out->len += len - 1;
}

void protobuf_uint(struct text *out, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    add_tag(out, field, VARINT);
    protobuf_varint(out, value);
}

void protobuf_sint(struct text *out, unsigned field, int64_t value)
{
    protobuf_uint(out, field, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void protobuf_fixed64(struct text *out, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    char bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (char)(value >> 8 * i);
    add_tag(out, field, FIXED64);
    text_add(out, str_of(bytes, sizeof(bytes)));
}

void protobuf_double(struct text *out, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    protobuf_fixed64(out, field, bits);
}

void protobuf_str(struct text *out, unsigned field, struct str value)
{
    if (value.len == 0)
        return;
    add_tag(out, field, BYTES);
    protobuf_varint(out, value.len);
    text_add(out, value);
}
