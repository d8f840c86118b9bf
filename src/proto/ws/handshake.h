/* The opening handshake of a WebSocket (RFC 6455 4.2), the server's side: what a request must say, and the answer to its
 * key. Pure. */
#ifndef PROTO_WS_HANDSHAKE_H
#define PROTO_WS_HANDSHAKE_H

#include "base/status.h"
#include "http/message.h"

#define WS_ACCEPT_SIZE 28

/* OK; END: the request does not ask for a WebSocket; BAD_REQUEST: it does, but not as RFC 6455 wants it. *ret_key is a view
 * into the request. */
enum status ws_handshake_check(const struct request *request, struct str *ret_key);
/* Sec-WebSocket-Accept: WS_ACCEPT_SIZE bytes to `out`, without a NUL. */
void ws_handshake_accept(struct str key, char *out);

#endif
