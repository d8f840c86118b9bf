/* Base 16 (RFC 4648 8). The caller provides the room; nothing is NUL-terminated. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/str.h"

#define HEX_ENCODED_SIZE(bytes) (2 * (size_t)(bytes))
#define HEX_DECODED_SIZE(chars) ((size_t)(chars) / 2)

/* Writes HEX_ENCODED_SIZE(bytes.len) lower-case digits; gives how many. */
size_t hex_encode(struct str bytes, char *out);
/* Writes HEX_DECODED_SIZE(text.len) bytes; false when the length is odd or a character is no digit. */
bool hex_decode(struct str text, void *out);

#endif
