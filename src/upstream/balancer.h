/* A way to choose one of a service's servers. One file each, found by name through the registry.
 *
 * A balancer's state belongs to one load balancer of one snapshot and is kept once per worker, so picking takes no
 * lock; what must be common (active requests, response times) is in the servers' atomics.
 * A pick never gives a server that is not ready, weight 0 takes no new requests; -1 when none is left.
 *
 * Panic: when passive checks have ejected every server that is left, it is better to try one than to refuse all: the caller
 * picks again with `panic`, and ejections are not looked at. What an operator or an active check took out stays out. */
#ifndef UPSTREAM_BALANCER_H
#define UPSTREAM_BALANCER_H

#include "base/arena.h"
#include "base/option.h"
#include "base/registry.h"
#include "net/addr.h"
#include "upstream/server.h"

#define BALANCER_WEIGHT_MAX 65535

/* A server as one configuration has it; what an operator orders is the server's own, and goes before it. */
struct target {
    struct server *server;
    uint32_t weight;            /* at most BALANCER_WEIGHT_MAX */
    bool draining;              /* takes no new requests but those that stick to it */
    bool down;                  /* takes none at all, as configured */
    uint32_t tier;              /* those of a tier are asked only while nobody of the ones before is open */
    uint32_t max_active;        /* requests under way there at most; 0: any number */
    const struct passive_check *passive;    /* what live requests tell of it takes it out; NULL: they do not */
    struct str route;           /* the name that sticky routes know it by; may be empty */
    bool leaving;               /* the server is told so when the configuration is published */
};

struct target_set {
    struct target *items;
    unsigned count;
    uint32_t tiers;             /* one more than the highest of the targets' */
    int64_t slow_start;         /* ns over which a new server's weight grows from a tenth; 0: off */
};

/* What a pick may look at. */
struct pick {
    const struct target_set *targets;
    const struct ip *client;
    struct str key;             /* for balancers that use one; empty: they go in turn */
    uint32_t tier;              /* the one that is looked at */
    uint64_t tried;             /* bit i: targets[i] was tried for this request (indexes over 63 count as untried) */
    int64_t now;                /* monotonic ns */
    bool panic;                 /* see above */
    bool leaving;               /* nobody else is left: those that are about to stop may be chosen too */
};

struct balancer_type {
    const char *name;           /* "wrr" */
    const char *summary;
    size_t state_size;          /* per worker, zeroed */
    size_t item_size;           /* per target, zeroed; they stand behind the state, which then is a multiple of 8 long */
    bool uses_key;              /* pick.key is to be set */
    bool weighs;                /* it goes by what servers have to do, or how fast they are (server_weigh) */
    /* Bytes of a worker's state beyond these two, at their end (a multiple of 8 from its beginning); may be NULL. */
    size_t (*more)(const struct target_set *targets);
    void (*init)(void *state, const struct target_set *targets, unsigned worker);    /* may be NULL */
    /* The index of a target, or -1. */
    int (*choose)(void *state, const struct pick *pick);
};
REGISTRY(balancer_type, const struct balancer_type);

/* Case ignored; NULL when unknown. */
const struct balancer_type *balancer_find(struct str name);
/* For an option: the balancers' names in order, ending with NULL, and what stands for each. */
#define BALANCERS_MAX 31
extern struct option_name balancer_names[BALANCERS_MAX + 1];
const struct balancer_type *balancer_at(int value);
/* Bytes of one worker's state, and its beginning. */
size_t balancer_state_size(const struct balancer_type *type, const struct target_set *targets);
void balancer_init(const struct balancer_type *type, void *state, const struct target_set *targets, unsigned worker);

static inline bool target_was_tried(const struct pick *pick, unsigned index)
{
    return index < 64 && (pick->tried >> index & 1) != 0;
}
/* What holds for it now: what is configured, or what an operator ordered instead. */
enum server_state target_state(const struct target *target);
uint32_t target_base_weight(const struct target *target);
/* State and weight let it take new requests, where something else than the configuration has a say; `leaving`: even if it is. */
bool target_is_in_use_by_order(const struct target *target, bool leaving);
static inline bool target_is_in_use(const struct target *target, bool leaving)
{
    if (server_is_ordered(target->server))
        return target_is_in_use_by_order(target, leaving);
    return target->weight != 0 && !target->draining && !target->down;
}
static inline bool target_has_room(const struct target *target)
{
    return target->max_active == 0 || atomic_load_explicit(&target->server->active, memory_order_relaxed) < target->max_active;
}
/* May this target be chosen now? In use, of the tier that is asked, untried, not full, well. */
static inline bool target_is_open(const struct pick *pick, unsigned index)
{
    const struct target *target = &pick->targets->items[index];
    return target->tier == pick->tier && target_is_in_use(target, pick->leaving) && !target_was_tried(pick, index) &&
           target_has_room(target) && (pick->panic ? server_is_healthy(target->server) : server_is_well(target->server, pick->now));
}
/* Its weight at this moment, times 256: slow start lets it grow. At least 1 for an open target. */
uint32_t target_weight(const struct pick *pick, unsigned index);

/* Smooth weighted round robin over the targets that `wanted` accepts (NULL: all open ones), with one number per target
 * kept in `credits`: for balancers that break ties in turn. */
int balancer_smooth(int64_t *credits, const struct pick *pick,
                    bool (*wanted)(const struct pick *pick, unsigned index, const void *owner), const void *owner);
/* For hashes that draw again when a target is not open: the target on which `ticket` falls when each target of the pick's tier has
 * as many tickets as it weighs; `total` of them all. -1: they weigh nothing. */
uint64_t balancer_total(const struct pick *pick);
int balancer_ticket(const struct pick *pick, uint64_t ticket);

#endif
