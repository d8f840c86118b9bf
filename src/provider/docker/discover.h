/* Containers and their labels -> routers, middlewares and services, by Traefik's rules (the reference's 1.5) and with what its
 * users miss: a mistake disables its own object, what is left out has a reason, and a container that is not ready keeps its
 * routers. A pure function: no I/O, no clock.
 *
 * Control thread (and `portico check`, which makes containers of a Compose file). */
#ifndef PROVIDER_DOCKER_DISCOVER_H
#define PROVIDER_DOCKER_DISCOVER_H

#include "model/discovery.h"
#include "model/docker.h"
#include "model/model.h"
#include "provider/docker/container.h"

/* What is known of an address that a server has. */
enum port_answer {
    PORT_UNKNOWN,            /* not asked yet */
    PORT_OPEN,
    PORT_REFUSED,            /* does it listen on 127.0.0.1 only, or not yet? */
    PORT_SILENT,             /* no answer in time */
    PORT_UNREACHABLE         /* no way there */
};

struct discovery {
    const struct docker_config *config;
    struct str provider;                 /* "docker", "swarm": what stands behind '@' */
    const struct inventory *inventory;
    /* NULL: every port counts as open (providers.docker.portCheck is off, `check`). `address` is "10.0.0.2:8000". */
    enum port_answer (*port_of)(const void *owner, struct str container_id, struct str address);
    const void *owner;
};

/* Where a server would be, whether it is asked or not: what is to be probed, and what leaves when its container is told to stop. */
struct discovered_server {
    struct str container_id;
    struct str address;                  /* "10.0.0.2:8000", "[fd00::2]:8000"; empty: not asked (a name, a label's own URL) */
    struct str url;
    bool running;                        /* it has an address and its container runs: it is worth a probe */
};
struct discovered_servers {
    struct discovered_server *items;
    size_t count;
};

/* Adds a lenient part of this provider to the model, remarks about objects that were left out, and one struct discovered for each
 * container. Mistakes are contained in `diag` (warnings; see diag_make_strict): nothing here refuses a configuration, but a
 * constraint or default rule that cannot be read is an error at its option. `ret_servers` (in the model's arena) may be NULL. */
void discover(struct model *model, const struct discovery *discovery, struct diag *diag, struct discovered_servers *ret_servers);

#endif
