/* Where a container is reached: in which network, at which address. Traefik's order, but nothing is left to chance, and where
 * nothing fits it says which network to join. Pure. */
#ifndef PROVIDER_DOCKER_NETWORK_H
#define PROVIDER_DOCKER_NETWORK_H

#include "provider/docker/candidate.h"

struct reach {
    struct str host;             /* an address, or the name of the engine's host; empty: there is none, `reason` says why */
    uint16_t port;
    bool by_name;                /* `host` is a name */
    struct str reason, hint;     /* what is to be said of it; empty: nothing */
    bool told;                   /* also when it answers: it is about a label; otherwise it is why it may not answer */
    bool mistake;                /* the label names what is not there */
};

/* The address of a port of a container that runs. `port` is the container's own. */
struct reach network_reach(const struct discovery *discovery, const struct candidate *candidate, uint16_t port, struct arena *arena);
/* "10.0.0.2:8000", "[fd00::2]:8000". */
struct str network_authority(const struct reach *reach, struct arena *arena);

#endif
