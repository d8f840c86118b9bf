/* A client's connection as its port sees it, whatever speaks on it: something that can be asked to end.
 *
 * Threading: the worker's. Ownership: the connection frees itself; while it lives it is in its port's list. */
#ifndef PROTO_CONNECTION_H
#define PROTO_CONNECTION_H

#include "base/list.h"
#include "base/status.h"
#include "net/traffic.h"

struct connection;

struct connection_ops {
    /* The process or entrypoint stops: an idle connection closes now, others when what runs on them is done. */
    void (*drain)(struct connection *connection);
    /* At once, whatever runs: streams hear FACT_CLOSED first, with `why`. */
    void (*close)(struct connection *connection, enum status why);
};

struct connection {
    struct list link;
    const struct connection_ops *ops;
};

/* Into its port's list, and out of it for good. `open` and `traffic` count those that are in; NULL: nobody counts. */
static inline void connection_join(struct connection *connection, struct list *connections, unsigned *open, struct traffic *traffic)
{
    list_append(connections, &connection->link);
    if (open != NULL)
        *open += 1;
    if (traffic != NULL)
        traffic_count(&traffic->open, 1);
}
static inline void connection_leave(struct connection *connection, unsigned *open, struct traffic *traffic)
{
    list_remove(&connection->link);
    if (open != NULL)
        *open -= 1;
    if (traffic != NULL)
        traffic_count(&traffic->open, -1);
}

static inline void connections_drain(struct list *connections)
{
    LIST_FOREACH(connections, it) {
        struct connection *connection = container_of(it, struct connection, link);
        connection->ops->drain(connection);
    }
}
static inline void connections_close(struct list *connections, enum status why)
{
    while (!list_empty(connections)) {
        struct connection *connection = container_of(connections->next, struct connection, link);
        connection->ops->close(connection, why);
    }
}

#endif
