/* A client's HTTP/1 connection: reads requests one after another, hands each to the product as a stream, and writes its
 * response. An idle connection is this struct and nothing else.
 *
 * Life: h1_server_new takes an accepted socket -> idle -> (first byte) reading a head -> a stream runs -> finish -> idle
 * or the next pipelined request, or lingering (the client still sends what nobody wants) -> closed, freed at the end of the
 * loop's turn. Threading: the worker's. Ownership: it frees itself; `settings` and `owner`'s list outlive it. */
#ifndef PROTO_H1_SERVER_H
#define PROTO_H1_SERVER_H

#include "proto/connection.h"
#include "proto/h1/body.h"
#include "proto/settings.h"

struct h1_active;

struct h1_server {
    struct h1_wire wire;
    struct timer timer;
    struct client client;
    struct connection connection;            /* in the owner's list */
    const struct server_settings *settings;
    struct stream *stream;                   /* the request under way; NULL while idle */
    struct h1_active *active;                /* its protocol state, in its arena */
    struct deferred freeing;
    uint8_t state;
    bool pipelined;                          /* the next request's beginning came with the one before */
    bool spliced;                            /* the last body went through a pipe: little of the next is read along with its head */
    bool draining;                           /* close behind the present response */
    bool in_process;                         /* h1_server_process is on the stack */
};

/* Takes the descriptor and joins `connections`. NULL without memory or descriptors (the descriptor is closed). */
struct h1_server *h1_server_new(struct worker *worker, int fd, const struct client *client,
                                const struct server_settings *settings, struct list *connections);
/* The same for a socket that another owner had (TLS, a PROXY header) with what it had read: `input` may be NULL, else its
 * reference is taken over. The socket is closed on failure. */
struct h1_server *h1_server_adopt(struct worker *worker, struct sock *from, struct chunk *input, uint32_t input_at,
                                  const struct client *client, const struct server_settings *settings,
                                  struct list *connections);

#endif
