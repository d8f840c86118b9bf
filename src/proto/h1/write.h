/* HTTP/1.1 heads written to bytes. Pure. A name or value that could break the framing (CR, LF, NUL) is
 * never written: the field is left out.
 * These write the framing fields (Content-Length, Transfer-Encoding, Connection) themselves: the fields of
 * the message must not hold them. */
#ifndef PROTO_H1_WRITE_H
#define PROTO_H1_WRITE_H

#include "http/message.h"
#include "proto/h1/parse.h"

/* Bytes that the head needs at most, to reserve a chunk. */
size_t h1_request_size(const struct request *request);
size_t h1_response_size(const struct response *response);

/* Writes to `out`, which has the room; gives the length. `framing` chosen by the caller.
 * `connection`: the value for Connection ("close", "keep-alive", "upgrade"), or empty for none;
 * with request->upgrade set, Upgrade is written too. Host is written first from request->authority. */
size_t h1_write_request(char *out, const struct request *request, enum h1_framing framing,
                        struct str connection);
/* `date` is the ready Date value (29 bytes), used when the response has none and is final. */
size_t h1_write_response(char *out, const struct response *response, enum h1_framing framing,
                         struct str connection, struct str date);

#endif
