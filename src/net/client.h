/* Who is on the client's side of a connection. 16 bytes an address; lives inside the connection, valid as long
 * as it. `peer` is the socket's peer, or what a trusted PROXY header said; X-Forwarded-For never changes it. Where the entrypoint
 * reads PROXY headers without believing them (nginx's `listen ... proxy_protocol`), what one said stands in `proxied_ip`. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "net/addr.h"

struct tls_conn;

/* What a PROXY header says beside addresses, as it came (proto/proxyproto). Shared by the copies of a connection's client, which stay
 * on one worker. */
struct client_tlvs {
    unsigned refs;
    uint32_t len;
    char bytes[];
};

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
    struct client_tlvs *tlvs;    /* a reference; NULL: none */
    struct str asked_name;       /* while there is no `secure`: what its handshake asks for */
    uint64_t number;             /* of the connection in this process, from 1 on */
    int64_t opened_at;           /* monotonic ns */
    uint32_t requests;           /* served on the connection so far, this one included */
};

/* Fills `local` and `local_port`, once. */
void client_local(struct client *client);
/* Takes a copy of `tlvs`; nothing for an empty one. */
void client_set_tlvs(struct client *client, struct str tlvs);
/* A copy that is kept, and the end of one. */
static inline void client_copy(struct client *to, const struct client *from)
{
    *to = *from;
    if (to->tlvs != NULL)
        to->tlvs->refs++;
}
void client_drop_tlvs(struct client *client);
static inline void client_release(struct client *client)
{
    if (client->tlvs != NULL)
        client_drop_tlvs(client);
}

#endif
