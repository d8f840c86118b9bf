/* The PROXY protocol, versions 1 and 2, as a receiver reads it before anything else on a connection
 * (haproxy.org, proxy-protocol.txt). Pure.
 * A header is at most 107 bytes (v1) or 16 + 65535 (v2; over 4096 is refused here). */
#ifndef PROTO_PROXYPROTO_H
#define PROTO_PROXYPROTO_H

#include <netinet/in.h>

#include "base/status.h"
#include "base/str.h"

struct proxyproto {
    bool local;                       /* LOCAL or UNKNOWN: the connection's own addresses hold */
    struct sockaddr_storage source;   /* AF_INET, AF_INET6, or AF_UNSPEC for other families */
    struct sockaddr_storage destination;
};

/* Could these first bytes be those of a header? False as soon as they cannot: a peer that may send one has left it out. */
bool proxyproto_may_begin(struct str bytes);
/* OK with *ret_length bytes consumed; AGAIN: more needed; BAD_PROXY_HEADER. */
enum status proxyproto_parse(struct str bytes, struct proxyproto *ret_header, size_t *ret_length);

#endif
