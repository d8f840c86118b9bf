/* A client's HTTP/1 connection: reads requests one after another, hands each to the product as a stream, and writes its
 * response. An idle connection is this struct and nothing else.
 *
 * Life: h1_server_new takes an accepted socket -> idle -> (first byte) reading a head -> a stream runs -> finish -> idle
 * or the next pipelined request, or lingering (the client still sends what nobody wants) -> closed, freed at the end of the
 * loop's turn. Threading: the worker's. Ownership: it frees itself; `settings` and `owner`'s list outlive it. */
#ifndef PROTO_H1_SERVER_H
#define PROTO_H1_SERVER_H

#include "base/list.h"
#include "http/stream.h"
#include "net/client.h"
#include "proto/h1/body.h"

/* What an entrypoint says of its connections; may be changed between two requests. */
struct h1_server_settings {
    struct h1_limits limits;
    int64_t head_timeout, idle_timeout;      /* ns; 0: none */
    uint64_t max_requests;                   /* 0: any number */
    int64_t max_age;                         /* ns; 0: any */
    struct stream_handler *handler;
    void *context;                           /* for handler->open */
};

struct h1_active;

struct h1_server {
    struct h1_wire wire;
    struct timer timer;
    struct client client;
    struct list link;                        /* in the owner's list of connections */
    const struct h1_server_settings *settings;
    struct stream *stream;                   /* the request under way; NULL while idle */
    struct h1_active *active;                /* its protocol state, in its arena */
    int64_t opened_at;
    struct deferred freeing;
    uint8_t state;
    bool draining;                           /* close behind the present response */
    bool in_process;                         /* h1_server_process is on the stack */
};

/* Takes the descriptor and joins `connections`. NULL without memory or descriptors (the descriptor is closed). */
struct h1_server *h1_server_new(struct worker *worker, int fd, const struct client *client,
                                const struct h1_server_settings *settings, struct list *connections);
/* The process or entrypoint stops: idle connections close now, others behind their response. */
void h1_server_drain(struct h1_server *connection);
/* At once, whatever runs: the stream hears FACT_CLOSED first, with `why`. */
void h1_server_close(struct h1_server *connection, enum status why);

#endif
