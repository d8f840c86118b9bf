/* The addresses that servers listen on. All `listen`s of a file are read before the first server is translated, because what one of
 * them says of an address (ssl, http2, proxy_protocol) holds for all servers there. Private to config/nginx/. */
#ifndef CONFIG_NGINX_LISTEN_H
#define CONFIG_NGINX_LISTEN_H

#include "config/nginx/place.h"

/* One address, and what its listens say together. */
struct nginx_address {
    struct str text;              /* "0.0.0.0:80", "[::]:80", "unix:/run/x.sock": the entrypoint's address */
    struct str name;              /* the entrypoint's */
    struct node *entry;           /* entryPoints.NAME */
    bool tls, http2, proxy_protocol;
    struct nginx_scope *first;    /* of the server that is the default one here, else of the first: what it says holds for all */
    const struct nginx_directive *options_by, *default_by;    /* who has said it; NULL: nobody */
    const struct nginx_directive *server, *tls_by;            /* the last server that has it; the listen that says ssl */
};

/* The addresses of one `listen` (a host may have several, and so does a range of ports); NULL: the one of a server without any. Gives how
 * many there are; the first `max` go to `found`. Those that were wrong are left out, as reported before. */
size_t nginx_listen_addresses(struct nginx_compile *compile, const struct nginx_directive *listen, struct nginx_address **found, size_t max);
#define NGINX_LISTEN_MAX 1024
/* The addresses of all listens of a server. */
size_t nginx_server_addresses(const struct nginx_server *server, struct nginx_address **found, size_t max);

#endif
