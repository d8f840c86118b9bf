/* What an entrypoint says of its clients' connections, for every version of HTTP. May be changed between two requests;
 * connections hold a pointer to it. Times in ns, 0: none. Threading: the worker's. */
#ifndef PROTO_SETTINGS_H
#define PROTO_SETTINGS_H

#include "http/stream.h"
#include "net/client.h"
#include "net/sock.h"
#include "net/traffic.h"
#include "proto/h1/parse.h"

/* Limits of HTTP/2 connections. A budget is a token bucket: `burst` at once, `rate` a second. */
struct h2_settings {
    uint32_t max_streams;            /* open at once, as told to the client */
    uint32_t max_running;            /* requests whose exchange has not ended, closed streams' included */
    uint32_t reset_burst, reset_rate;        /* streams that end by a reset of either side */
    uint32_t control_burst, control_rate;    /* frames that carry nothing: PING, SETTINGS, empty DATA, ... */
    uint32_t stream_window, connection_window;   /* bytes of request body granted ahead */
    bool any_opening;                /* clients may begin with another frame than SETTINGS */
    bool go_away_at_once;            /* a connection that has served enough names its last stream without a notice before */
};

/* A connection that begins with something else than HTTP/1, taken out of its first owner's hands. */
struct foreign {
    struct sock *sock;               /* to be taken by sock_move, or else closed by the giver */
    struct chunk *input;             /* what has come: a reference of the taker's */
    uint32_t input_at;
    const struct client *client;
};

enum foreign_kind { FOREIGN_TLS, FOREIGN_H2 };

struct server_settings {
    struct h1_limits limits;
    int64_t head_timeout, idle_timeout, write_timeout;
    bool announce_keep_alive;        /* HTTP/1.1 clients are told that the connection is kept, too */
    bool half_close_is_gone;         /* HTTP/1: who ends its direction behind a whole request is gone; else it is given some time */
    uint64_t max_requests;           /* 0: any number */
    int64_t max_age;
    struct h2_settings h2;
    struct stream_handler *handler;
    void *context;                   /* for handler->open and on_foreign */
    unsigned *open;                  /* counts the connections (connection_join); NULL: nobody does */
    struct traffic *traffic;         /* the worker's, where connections count as well; NULL: nowhere */
    /* The first bytes are a ClientHello or the HTTP/2 preface: true when it was taken over. NULL: HTTP/1 alone. */
    bool (*on_foreign)(void *context, enum foreign_kind kind, const struct foreign *foreign);
    /* A connection is broken off because its client went beyond a limit or broke the rules; may be NULL. */
    void (*on_sent_away)(void *context, const struct client *client, enum status why);
};

#endif
