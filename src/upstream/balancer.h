/* A way to choose one of a service's servers. One file each, found by name through the registry.
 *
 * A balancer's state belongs to one load balancer of one snapshot and is kept once per worker, so picking takes no
 * lock; what must be common (active requests, response times) is in the servers' atomics.
 * A pick never gives a server that is not ready, weight 0 takes no new requests; NULL when none is left. */
#ifndef UPSTREAM_BALANCER_H
#define UPSTREAM_BALANCER_H

#include "base/arena.h"
#include "base/registry.h"
#include "net/addr.h"
#include "upstream/server.h"

struct target {
    struct server *server;
    uint32_t weight;
};

struct target_set {
    struct target *items;
    unsigned count;
    int64_t slow_start;         /* ns over which a new server's weight grows from a tenth; 0: off */
};

/* What a pick may look at. */
struct pick {
    const struct target_set *targets;
    const struct ip *client;
    uint64_t tried;             /* bit i: targets[i] was tried for this request (indexes over 63 count as untried) */
    int64_t now;                /* monotonic ns */
};

struct balancer_type {
    const char *name;           /* "wrr" */
    const char *summary;
    size_t state_size;          /* per worker, zeroed; plus item_size per target behind it */
    size_t item_size;
    void (*init)(void *state, const struct target_set *targets);    /* may be NULL */
    /* The index of a target, or -1. */
    int (*choose)(void *state, const struct pick *pick);
};
REGISTRY(balancer_type, const struct balancer_type);

/* Case ignored; NULL when unknown. */
const struct balancer_type *balancer_find(struct str name);

/* May this target be chosen now? Ready, untried, weight over 0. */
bool target_is_open(const struct pick *pick, unsigned index);
/* Its weight at this moment, times 256: slow start lets it grow. At least 1 for an open target. */
uint32_t target_weight(const struct pick *pick, unsigned index);

#endif
