/* How long a message's body is and whether the connection goes on (RFC 9112 6, 9). Internal to h1. */
#ifndef PROTO_H1_FRAMING_H
#define PROTO_H1_FRAMING_H

#include "proto/h1/lines.h"

enum h1_connection_option { H1_OPTION_CLOSE = 1, H1_OPTION_KEEP_ALIVE = 2, H1_OPTION_UPGRADE = 4 };

/* The options of all Connection fields that matter here, as bits of h1_connection_option. */
unsigned h1_all_connection_options(const struct fields *fields);
static inline unsigned h1_connection_options(const struct fields *fields, const struct h1_facts *facts)
{
    if (facts->count[H1_SLOT_CONNECTION] == 0)
        return 0;
    if (facts->count[H1_SLOT_CONNECTION] == 1 && H1_IS(facts->value[H1_SLOT_CONNECTION], "keep-alive"))
        return H1_OPTION_KEEP_ALIVE;
    return h1_all_connection_options(fields);
}

static inline bool h1_keeps_alive(enum http_version version, unsigned options)
{
    return (options & H1_OPTION_CLOSE) == 0 &&
           (version >= HTTP_1_1 || (options & H1_OPTION_KEEP_ALIVE) != 0);
}

/* OK when the transfer codings are "chunked" and nothing else; BAD_TRANSFER_CODING for others before it or
 * without it; BAD_REQUEST when chunked is repeated or not the last. */
enum status h1_check_coding(const struct fields *fields, const struct h1_facts *facts);
/* The one Content-Length. With `allow_repeated`, more with the same value are one (RFC 9110 8.6). */
enum status h1_read_length(const struct fields *fields, const struct h1_facts *facts, bool allow_repeated,
                           int64_t *ret_length);

#endif
