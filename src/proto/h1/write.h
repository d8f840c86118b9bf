/* HTTP/1.1 heads written to bytes. Pure. A name or value that could break the framing (controls but HTAB; names:
 * anything but token characters) is never written: the field is left out.
 * `lines` of a message is written as it stands, behind its fields.
 * These write the framing fields (Content-Length, Transfer-Encoding, Connection) themselves: those among the
 * fields of the message are passed over, and so are a request's Host and, when request->upgrade is set, its
 * Upgrade. Other hop-by-hop fields are the caller's to remove. */
#ifndef PROTO_H1_WRITE_H
#define PROTO_H1_WRITE_H

#include "http/message.h"
#include "proto/h1/parse.h"

/* Bytes that the head needs at most, to reserve a chunk: more than are written, since the writers copy in
 * whole words. Beyond it stands `connection`, of which 64 bytes are counted in. */
size_t h1_request_size(const struct request *request);
size_t h1_response_size(const struct response *response);

/* Writes to `out`, which has the room; gives the length. `framing` chosen by the caller.
 * `connection`: the value for Connection ("close", "keep-alive", "upgrade"; at most 64 bytes), or empty for
 * none; with request->upgrade set, Upgrade is written too. Host is written first from request->authority, then
 * the fields. The target is path and query; bytes that may not stand in one (a rewritten path may have them) are
 * percent-encoded. 0 when the method is no token. */
size_t h1_write_request(char *out, const struct request *request, enum h1_framing framing,
                        struct str connection);
/* `date` is the ready Date value (29 bytes), used when the response has none and is final.
 * With H1_NO_BODY a Content-Length is written where it tells of a body that does not follow: for HEAD when
 * body_length is not BODY_UNKNOWN, for 304 when it is above 0, for 1xx and 204 never. */
size_t h1_write_response(char *out, const struct response *response, enum h1_framing framing,
                         struct str connection, struct str date);

#endif
