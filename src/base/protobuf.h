/* Writing protocol buffers (the wire format alone; messages are the caller's knowledge) into a text.
 *
 *     size_t mark = protobuf_open(&text, 2);
 *     protobuf_str(&text, 1, name);
 *     protobuf_close(&text, mark);
 *
 * Members whose value is the type's zero are left out, as proto3 does; in a `oneof` or a packed list that matters to the caller.
 * Overflow is the text's, sticky. */
#ifndef BASE_PROTOBUF_H
#define BASE_PROTOBUF_H

#include "base/text.h"

/* A message as a member; nests. What stands between is moved once, when it is longer than 127 bytes. */
size_t protobuf_open(struct text *out, unsigned field);
void protobuf_close(struct text *out, size_t mark);
void protobuf_varint(struct text *out, uint64_t value);            /* bare: for packed lists and length prefixes */
void protobuf_uint(struct text *out, unsigned field, uint64_t value);
void protobuf_sint(struct text *out, unsigned field, int64_t value);       /* zigzag */
void protobuf_fixed64(struct text *out, unsigned field, uint64_t value);
void protobuf_double(struct text *out, unsigned field, double value);
void protobuf_str(struct text *out, unsigned field, struct str value);

#endif
