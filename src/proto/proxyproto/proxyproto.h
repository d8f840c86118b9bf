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
    struct str tlvs;                  /* behind the addresses (v2, 2.2); in the parsed bytes; empty: none */
};

/* Could these first bytes be those of a header? False as soon as they cannot: a peer that may send one has left it out. */
bool proxyproto_may_begin(struct str bytes);
/* OK with *ret_length bytes consumed; AGAIN: more needed; BAD_PROXY_HEADER. Of a family or a transport that the format does not know the
 * connection's own addresses hold. */
enum status proxyproto_parse(struct str bytes, struct proxyproto *ret_header, size_t *ret_length);

#define PROXYPROTO_TLV_SSL 0x20
#define PROXYPROTO_SSL_HEAD 5         /* of its value: a byte of flags and the result of verifying; TLVs follow */
/* The value of the first TLV of a type; data NULL: there is none, or what is before it is broken. */
struct str proxyproto_tlv(struct str tlvs, unsigned type);

#endif
