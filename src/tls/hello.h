/* A ClientHello read before OpenSSL sees it (RFC 8446 4.1.2, RFC 6066 3, RFC 7301): which name is asked for decides which
 * options hold, so it must be known before the handshake begins. Pure, bounded, no I/O. */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include "base/status.h"
#include "base/str.h"

#define HELLO_BYTES_MAX ((size_t)16384 + 256)     /* of records that one may take */
#define HELLO_NAME_MAX 253

struct hello {
    char name[HELLO_NAME_MAX + 1];  /* server_name in lower case, without a trailing dot; empty: none */
    uint32_t name_len;
    bool rsa, ecdsa, ed25519;       /* signatures that the client verifies */
    bool h2, http1, acme;           /* offered by ALPN */
    bool alpn;                      /* the extension is there */
    bool tls13;                     /* offered */
};

static inline struct str hello_name(const struct hello *hello)
{
    return str_of(hello->name, hello->name_len);
}

/* `bytes` from the first byte of the connection on; the message may lie in several records. OK; AGAIN: more must come, never
 * said of HELLO_BYTES_MAX bytes; BAD_REQUEST: not one that can be read (the library is then left to say what is wrong), or a
 * name with other characters than a host's. Without a signature_algorithms extension `rsa` and `ecdsa` are true; without TLS
 * 1.3 a kind of key counts only where a cipher suite is offered that goes with it. */
enum status hello_parse(struct str bytes, struct hello *ret_hello);

#endif
