/* Who is on the client's side of a connection. 16 bytes an address; lives inside the connection, valid as long
 * as it. `peer` is the socket's peer, or what a trusted PROXY header said; X-Forwarded-For never changes it. Where the entrypoint
 * reads PROXY headers without believing them (nginx's `listen ... proxy_protocol`), what one said stands in `greeting`. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "net/addr.h"

struct tls_conn;

/* What few connections have and no other shall hold room for: what a PROXY header said. Shared by the copies of a connection's client,
 * which stay on one worker. */
struct client_greeting {
    unsigned refs;
    uint32_t tlvs_len;
    struct ip peer, local;       /* the client and the address that it came to, where they do not count as the connection's */
    uint16_t peer_port, local_port;
    bool has_addresses;          /* ... and that is so */
    char tlvs[];                 /* what stood beside the addresses, as it came (proto/proxyproto) */
};

#define CLIENT_TEXT_SIZE 16

struct client {
    struct ip peer, local;
    uint16_t peer_port, local_port;      /* local's: 0 as long as nobody asked the socket (client_local) */
    int descriptor;              /* of the connection, for asking about it */
    bool unix_socket;            /* no addresses */
    bool tls;                    /* the scheme is https */
    uint8_t peer_text_len;       /* 0: not made yet, or longer than fits */
    char peer_text[CLIENT_TEXT_SIZE];    /* of an IPv4 peer, made once for all requests of the connection */
    uint32_t requests;           /* served on the connection so far, this one included */
    struct tls_conn *secure;     /* of the connection (tls/conn.h); NULL: plain */
    struct client_greeting *greeting;    /* a reference; NULL: none */
    const struct str *asked_name;        /* while there is no `secure`: what its handshake asks for; NULL: unknown */
    uint64_t number;             /* of the connection in this process, from 1 on */
    int64_t opened_at;           /* monotonic ns */
};

/* Fills `local` and `local_port`, once. */
void client_local(struct client *client);
/* Gives it a greeting of its own, zeroed but for a copy of `tlvs`. */
struct client_greeting *client_greet(struct client *client, struct str tlvs);
/* What was said of addresses that do not count as the connection's; NULL: nothing. */
static inline const struct client_greeting *client_proxied(const struct client *client)
{
    return client->greeting != NULL && client->greeting->has_addresses ? client->greeting : NULL;
}
/* A copy that is kept, and the end of one. */
static inline void client_copy(struct client *to, const struct client *from)
{
    *to = *from;
    if (to->greeting != NULL)
        to->greeting->refs++;
}
void client_drop_greeting(struct client *client);
static inline void client_release(struct client *client)
{
    if (client->greeting != NULL)
        client_drop_greeting(client);
}

#endif
