/* Containers as an engine describes them, and nothing else: what the engine's JSON is read into (inspect.h, swarm.h) and what
 * labels are made into configuration from (discover.h). No I/O, no decisions.
 *
 * Ownership: an inventory and all in it live in one arena, immutable once made: a new reading makes a new inventory.
 * Threading: one owner. */
#ifndef PROVIDER_DOCKER_CONTAINER_H
#define PROVIDER_DOCKER_CONTAINER_H

#include "base/arena.h"
#include "config/labels.h"

enum container_state {
    CONTAINER_CREATED,       /* never started */
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING,
    CONTAINER_STOPPED,       /* exited or dead */
    CONTAINER_REMOVED        /* gone from the engine a moment ago: it keeps its routers a little longer */
};
enum container_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_GOOD, HEALTH_BAD };

struct container_network {
    struct str name, id;
    struct str ipv4, ipv6;               /* texts; empty: it has none there */
    struct str virtual_ip;               /* Swarm: of its service in this network; empty: none */
};

/* A port of it that the host publishes. */
struct container_binding {
    uint16_t port, host_port;
    struct str host_ip;                  /* "", "0.0.0.0" and "::" are any */
};

struct container {
    struct str id;                       /* whole */
    struct str name;                     /* without the slash in front; of a task: "web.1.<id>" */
    struct str service;                  /* of a Swarm task: its service's name; else empty */
    struct str image;
    enum container_state state;
    enum container_health health;
    bool stopping;                       /* it got its stop signal (the engine's `kill` event) and still runs */
    int64_t created;                     /* Unix ns */
    int exit_code;                       /* of one that stopped */
    struct str health_output;            /* what its last failed check printed, shortened; may be empty */
    struct label *labels;                /* a task's: those of its service */
    size_t label_count;
    bool labels_beyond;                  /* it has more than are read, and so none here */
    struct str network_mode;             /* "bridge", "host", "none", "container:ID", or a network's name */
    struct container_network *networks;  /* in the order of their names */
    size_t network_count;
    struct str virtual_ip;               /* Swarm: of its service, in the first of its networks that has one; may be empty */
    uint16_t *ports;                     /* TCP ports that the image or the container exposes, lowest first */
    size_t port_count;
    struct container_binding *bindings;  /* of TCP ports */
    size_t binding_count;
};

struct inventory {
    struct arena arena;
    struct container *containers;        /* in the order of name, then id */
    size_t count;
    /* Our own networks when we run in a container of this engine: those that a server can be reached on. */
    struct str self_id, self_name;       /* empty: we do not, or do not know */
    struct container_network *self_networks;
    size_t self_network_count;
    bool self_on_host;                   /* network_mode host: every bridge is reachable */
};

/* Copies all of it into the arena. */
void container_copy(struct container *to, const struct container *from, struct arena *arena);
/* Whether nothing that a configuration follows from differs; what a failed check printed does not count. */
bool container_equal(const struct container *one, const struct container *other);
/* Brings the containers into their order. */
void inventory_sort(struct inventory *inventory);
/* By its whole id or, of at least 12 digits, its beginning; NULL: there is none. */
const struct container *inventory_find(const struct inventory *inventory, struct str id);

#endif
