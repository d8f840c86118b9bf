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
    bool bare_feeds;           /* for connections: a bare LF ends a line too (proto/h1/line_ends.h) */
    bool repair_targets;       /* for clients' connections: as proto/h1/repair.h has it */
    bool drop_odd_names;
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
 * which the caller inited; what they held is dropped). OK, AGAIN, or the status of the refusal. An empty line
 * before the request line is skipped (RFC 9112 2.2). Host rules, absolute form, Connection, Upgrade, Expect
 * are settled here:
 *   - an absolute form replaces Host, also as a field; request->scheme is left as the caller set it otherwise;
 *   - an empty path becomes "/" ("*" for OPTIONS without a query);
 *   - the target's bytes are visible ASCII without " # < > and, before "?", without backslash and with two hex
 *     digits behind each "%";
 *   - upgrade stays empty for HTTP/1.0, and when "h2c" is among the protocols (RFC 9113 3.1 withdrew it, and
 *     a tunnel to it would carry requests past the rules here);
 *   - expects_continue only with a body (RFC 9110 10.1.1).
 * A head that is refused before its end came may be told AGAIN until its end or a limit is there. */
enum status h1_parse_request(struct str bytes, const struct h1_limits *limits, struct request *request,
                             struct h1_head *head);

/* Reads a response head. `request_method` and the status decide the framing. Refusals are
 * UPSTREAM_BAD_RESPONSE and UPSTREAM_HEAD_TOO_LARGE (and OUT_OF_MEMORY). A missing reason phrase, and
 * Content-Length repeated with one value, are accepted.
 * response->body_length is the length announced, also where no body follows because the request was HEAD or
 * the status is 304: head->framing says whether one does. HEAD without a length: BODY_UNKNOWN; 1xx, 204 and
 * 304 without one: BODY_NONE. A 1xx or 204 that announces a body ends the connection. */
enum status h1_parse_response(struct str bytes, const struct h1_limits *limits, enum method request_method,
                              struct response *response, struct h1_head *head);

#endif
