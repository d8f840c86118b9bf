/* The URL that a request is sent to, as a middleware found it (proxyPass): what Host is made of, and where service `forward` goes
 * when it is told no service. Views into its text. Pure. */
#ifndef EXCHANGE_OUTGOING_URL_H
#define EXCHANGE_OUTGOING_URL_H

#include "base/arena.h"
#include "base/str.h"

struct outgoing_url {
    struct str text;              /* the whole */
    struct str scheme;            /* "http", "https" or "h2c" */
    struct str origin;            /* "http://host:port", as it stands */
    struct str host;              /* without a port; of a socket its path */
    struct str authority;         /* for Host: without the scheme's own port; "localhost" for a socket */
    struct str port;              /* as text; empty for a socket */
    struct str uri;               /* path and query; empty: none. It begins with '/', but where the URL has a query alone ('?') */
    uint16_t port_number;
    bool unix_socket, secure;
};

/* Schemes: http, https, h2c; grpc and grpcs are other names for h2c and https. "http://unix:/path:/uri" too. False: it is none. */
bool outgoing_url_parse(struct str text, struct outgoing_url *ret_url);

#endif
