/* The chunked transfer coding (RFC 9112 7.1), decoded strictly. Pure; state fits in an idle-free struct.
 * Chunk sizes: hex digits, at most 15, no sign, no spaces before CRLF but those before an extension; extensions
 * are skipped up to a limit; a bare CR or LF is refused. */
#ifndef PROTO_H1_CHUNKED_H
#define PROTO_H1_CHUNKED_H

#include "base/status.h"
#include "http/fields.h"

#define H1_CHUNK_LINE_MAX 1024        /* size line with its extensions */
#define H1_TRAILER_BYTES_MAX 8192     /* the trailer section */
#define H1_TRAILER_COUNT_MAX 64

struct h1_chunked {
    uint64_t left;             /* data bytes left in the current chunk; who moves data past the decoder
                                  (splice) takes them off here */
    char *line;                /* a trailer line as far as it came, in the arena of the trailers */
    uint32_t line_len, line_capacity;
    uint32_t line_bytes;       /* of the size line or trailer section so far, for the limits */
    uint8_t state;
    uint8_t trailer_count;
};

void h1_chunked_init(struct h1_chunked *decoder);

/* Looks at `bytes` and says what they begin with:
 *   OK     *ret_data bytes (at least 1) of body data stand after *ret_skip bytes of framing. The caller
 *          consumes skip + data.
 *   AGAIN  *ret_skip bytes, all that were given, were framing; more are needed.
 *   END    the last chunk and the trailer section ended after *ret_skip bytes.
 *   BAD_CHUNK, BAD_FIELD (a trailer), FIELDS_TOO_LARGE, TOO_MANY_FIELDS, OUT_OF_MEMORY  refused.
 * Trailer fields are collected line by line into `trailers` (copied into its arena); forbidden ones
 * (framing, routing, authentication, content; RFC 9110 6.5.1) are dropped. */
enum status h1_chunked_next(struct h1_chunked *decoder, struct str bytes, struct fields *trailers,
                            size_t *ret_skip, size_t *ret_data);

/* Whether a field may stand in a trailer section. */
bool h1_trailer_is_allowed(struct str name);

/* Writes the size line of a chunk ("1a2b\r\n") to `out` (at least 20 bytes); gives its length. */
size_t h1_chunk_prefix(uint64_t size, char *out);

#endif
