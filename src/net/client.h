/* Who is on the client's side of a connection. 16 bytes an address; lives inside the connection, valid as long
 * as it. `peer` is the socket's peer, or what a trusted PROXY header said; X-Forwarded-For never changes it. Where the entrypoint
 * reads PROXY headers without believing them (nginx's `listen ... proxy_protocol`), what one said stands in `proxied_ip`. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "net/addr.h"

struct tls_conn;

#define CLIENT_TEXT_SIZE 16

struct client {
    struct ip peer, local;
    uint16_t peer_port, local_port;      /* local's: 0 as long as nobody asked the socket (client_local) */
    int descriptor;              /* of the connection, for asking about it */
    bool unix_socket;            /* no addresses */
    bool tls;                    /* the scheme is https */
    bool proxied;                /* a PROXY header was read that does not count as the peer: */
    uint16_t proxied_port;
    struct ip proxied_ip;
    struct ip proxied_local;     /* the address that the header says the client came to */
    uint16_t proxied_local_port;
    uint8_t peer_text_len;       /* 0: not made yet, or longer than fits */
    char peer_text[CLIENT_TEXT_SIZE];    /* of an IPv4 peer, made once for all requests of the connection */
    struct tls_conn *secure;     /* of the connection (tls/conn.h); NULL: plain */
    uint64_t number;             /* of the connection in this process, from 1 on */
    int64_t opened_at;           /* monotonic ns */
    uint32_t requests;           /* served on the connection so far, this one included */
};

/* Fills `local` and `local_port`, once. */
void client_local(struct client *client);

#endif
