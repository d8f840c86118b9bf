/* An entrypoint on one worker: its listening socket, its connections, and the graph that its requests run under.
 *
 * A port is known by its address and survives reloads that keep the address; `entry` and the settings are renewed between
 * two turns of the loop. A port whose address is gone stops listening and lives until its last connection has ended.
 * Threading: the worker's. The control thread reaches it by worker_graph_update's message (snapshot/publish.h). */
#ifndef EXCHANGE_PORT_H
#define EXCHANGE_PORT_H

#include "exchange/graph.h"
#include "net/listener.h"
#include "net/worker.h"
#include "proto/settings.h"

/* One worker's hold on one graph: exchanges count up and down without atomics; the graph is let go of when it is not the
 * current one any more and nobody uses it. */
struct graph_pin {
    struct graph *graph;
    unsigned users;
};

struct port {
    struct list link;
    struct listener listener;
    struct worker *worker;
    struct graph_pin *pin;            /* counted as a user */
    struct entry *entry;
    struct addr address;
    struct server_settings settings;
    struct list connections;          /* struct connection: HTTP/1, HTTP/2, and handshakes under way */
    struct list greetings;            /* connections whose PROXY header is awaited */
    uint64_t accepted;                /* connections since it opened */
    unsigned open;                    /* those in both lists */
    bool closing;
};

struct worker_graph {
    struct graph_pin *pin;            /* the current one; counted as a user */
    struct list ports;
    uint64_t sent_away[STATUS_COUNT]; /* connections that were broken off, by reason */
    uint64_t handshakes, handshakes_resumed, handshakes_failed;    /* of TLS with clients; those that succeeded, of them the resumed */
    int64_t told_at[STATUS_COUNT];    /* monotonic ns at which the log last told of one */
    struct list exchanges;            /* struct exchange.link */
    struct await_queues *awaiting;    /* requests that wait for a server (exchange/await_server.h); NULL: none ever did */
    bool stopping;
};

void graph_pin_take(struct graph_pin *pin);
void graph_pin_drop(struct graph_pin *pin);

/* A connection has come into the port's list from other hands: a handshake's, a greeting's. Where the port closes meanwhile, it is
 * asked to end like those that were there. */
void port_took_connection(struct port *port);

void worker_graph_init(struct worker *worker);
/* Makes `graph` (one reference, taken over) the current one. `sockets[i]` is a bound descriptor for graph->entries[i] when
 * that address is new, else -1. */
void worker_graph_update(struct worker *worker, struct graph *graph, const int *sockets);
/* Stops accepting; idle connections close, others behind their response. */
void worker_graph_stop_accepting(struct worker *worker);
void worker_graph_drain(struct worker *worker);
/* Cuts what still runs. */
void worker_graph_abort(struct worker *worker);
/* Lets go of everything; after the loop has ended. */
void worker_graph_release(struct worker *worker);
/* Connections and exchanges that still live. */
unsigned worker_graph_busy(const struct worker *worker);

#endif
