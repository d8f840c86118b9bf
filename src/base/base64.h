/* Base 64 (RFC 4648 4 and 5). The caller provides the room; nothing is NUL-terminated.
 *
 * Encoding pads the standard alphabet and does not pad the URL one. Decoding takes either with or without
 * padding, but no half of it, no white space, and no stray bits behind the last byte: one text, one value. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/str.h"

enum base64_alphabet { BASE64_STANDARD, BASE64_URL };

/* Upper bounds; exact for the padded encoding. */
#define BASE64_ENCODED_SIZE(bytes) (((size_t)(bytes) + 2) / 3 * 4)
#define BASE64_DECODED_SIZE(chars) ((size_t)(chars) / 4 * 3 + 2)

/* Writes at most BASE64_ENCODED_SIZE(bytes.len); gives how many. */
size_t base64_encode(enum base64_alphabet alphabet, struct str bytes, char *out);
/* Writes at most BASE64_DECODED_SIZE(text.len) bytes, also when it fails halfway. */
bool base64_decode(enum base64_alphabet alphabet, struct str text, void *out, size_t *ret_len);

#endif
