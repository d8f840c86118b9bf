/* The tasks of a Swarm's services as they are now: read when an event tells of a change, for a while after it each second (tasks of
 * other nodes have no events), and every refreshSeconds.
 *
 * A task that is no longer to run is `stopping` for a few seconds and then gone: its orderly end takes as long.
 *
 * The same shape as containers.h, and the same owner. */
#ifndef PROVIDER_DOCKER_SWARM_H
#define PROVIDER_DOCKER_SWARM_H

#include "provider/docker/containers.h"
#include "provider/docker/self.h"

struct swarm;

/* `self`: candidates for our own container, which the engine is asked for its networks; outlives the swarm. */
struct swarm *swarm_new(struct engine *engine, struct loop *loop, struct str provider, bool watch, int64_t refresh,
                        const struct self_hints *self, const struct containers_owner *owner);
void swarm_free(struct swarm *swarm);
const struct follower *swarm_follower(const struct swarm *swarm);
/* A copy of all that is known, our own networks included. */
void swarm_fill(const struct swarm *swarm, struct arena *arena, struct inventory *ret_inventory);

#endif
