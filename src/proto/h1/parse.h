/* HTTP/1.0 and 1.1 heads, read strictly (RFC 9112): what is ambiguous is refused, so nobody behind can read
 * it differently. Pure: bytes in, a head out; no I/O, no allocation but fields in the given arena.
 *
 * The caller keeps the bytes in place (names and values are views into them) and calls again with more when
 * told AGAIN; `seen` lets a call resume the search for the end of the head, so slow senders cost O(n). */
#ifndef PROTO_H1_PARSE_H
#define PROTO_H1_PARSE_H

#include "base/status.h"
#include "http/message.h"

struct h1_limits {
    uint32_t line_bytes;       /* request line or status line; over it: TARGET_TOO_LONG */
    uint32_t head_bytes;       /* the whole head; FIELDS_TOO_LARGE */
    uint32_t field_count;      /* TOO_MANY_FIELDS */
};

/* How a message's body is framed (RFC 9112 6.3). */
enum h1_framing {
    H1_NO_BODY,
    H1_LENGTH,           /* request.body_length bytes */
    H1_CHUNKED,
    H1_UNTIL_CLOSE,      /* responses only */
};

struct h1_head {
    size_t length;             /* bytes of the head, its empty line included; set on OK */
    size_t seen;               /* in: 0 at first; out: how far the search for the end got */
    enum h1_framing framing;
    bool keep_alive;           /* version and Connection allow another message */
};

/* Reads a request head from the start of `bytes`, filling `request` (its fields in request->fields.arena,
 * which the caller inited). OK, AGAIN, or the status of the refusal. Leading empty lines (at most one CRLF)
 * are skipped (RFC 9112 2.2). Host rules, absolute form, Connection, Upgrade, Expect are settled here.
 * request->scheme is left as the caller set it unless the target is absolute. */
enum status h1_parse_request(struct str bytes, const struct h1_limits *limits, struct request *request,
                             struct h1_head *head);

/* Reads a response head. `request_method` and the status decide the framing. Refusals are
 * UPSTREAM_BAD_RESPONSE and UPSTREAM_HEAD_TOO_LARGE. */
enum status h1_parse_response(struct str bytes, const struct h1_limits *limits, enum method request_method,
                              struct response *response, struct h1_head *head);

#endif
