/* The containers of one engine as they are now: listed once, each looked at, and again whenever an event names it.
 *
 * A container that was removed stays for a few seconds as CONTAINER_REMOVED, until another takes its place: Compose removes and
 * creates, and its routers are not to answer 404 meanwhile. One that gets its stop signal is `stopping` from that moment on.
 *
 * Ownership: containers_new/containers_free; the engine is the caller's and outlives it. Threading: the control thread. */
#ifndef PROVIDER_DOCKER_CONTAINERS_H
#define PROVIDER_DOCKER_CONTAINERS_H

#include "provider/docker/container.h"
#include "provider/docker/follower.h"

struct containers;
struct containers_owner {
    void *owner;
    void (*on_change)(void *owner);                            /* containers_fill would give something else */
    void (*on_stopping)(void *owner, struct str id);           /* it was told to stop, just now */
    void (*on_gone)(void *owner, struct str id);               /* it does not run any more, just now */
    void (*on_started)(void *owner, struct str id);            /* what was known of its ports is void */
};

struct containers *containers_new(struct engine *engine, struct loop *loop, struct str provider, bool watch,
                                  const struct containers_owner *owner);
void containers_free(struct containers *containers);
const struct follower *containers_follower(const struct containers *containers);
/* A copy of all that is known, in `arena`; who we are is not said (self.h). */
void containers_fill(const struct containers *containers, struct arena *arena, struct inventory *ret_inventory);

#endif
