/* The chunked transfer coding (RFC 9112 7.1), decoded strictly. Pure; state fits in an idle-free struct.
 * Chunk sizes: hex digits, at most 15, no sign, no spaces before CRLF but those of an extension; extensions
 * are skipped up to a limit; a bare LF is refused. */
#ifndef PROTO_H1_CHUNKED_H
#define PROTO_H1_CHUNKED_H

#include "base/status.h"
#include "http/fields.h"

struct h1_chunked {
    uint64_t left;             /* data bytes left in the current chunk */
    uint32_t line_bytes;       /* of the size line or trailer section so far, for the limits */
    uint8_t state;
};

void h1_chunked_init(struct h1_chunked *decoder);

/* Looks at `bytes` and says what they begin with:
 *   OK     *ret_data bytes of body data stand after *ret_skip bytes of framing (data may be 0: feed on).
 *          The caller consumes skip + data.
 *   AGAIN  *ret_skip bytes of framing were consumed; more are needed.
 *   END    the last chunk and the trailer section ended after *ret_skip bytes.
 *   BAD_CHUNK, FIELDS_TOO_LARGE  refused.
 * Trailer fields are collected line by line into `trailers` (copied into its arena); forbidden ones
 * (framing, routing, authentication; RFC 9110 6.5.1) are dropped. */
enum status h1_chunked_next(struct h1_chunked *decoder, struct str bytes, struct fields *trailers,
                            size_t *ret_skip, size_t *ret_data);

/* Writes the size line of a chunk ("1a2b\r\n") to `out` (at least 20 bytes); gives its length. */
size_t h1_chunk_prefix(uint64_t size, char *out);

#endif
