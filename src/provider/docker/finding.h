/* One run of discover(): what its parts share.
 *
 *     discover.c    each container: filters, readiness, then services.c and routers.c; what is told of it
 *     services.c    its services, with itself as their server
 *     routers.c     its routers: default rule, link to the service
 *     merge.c       what all containers define, and who is believed
 *     part.c        what is left is bound and becomes a part of the model; what is not, remarks
 *
 * Control thread; lives as long as the run, what it makes as long as the model. */
#ifndef PROVIDER_DOCKER_FINDING_H
#define PROVIDER_DOCKER_FINDING_H

#include "base/vec.h"
#include "provider/docker/candidate.h"
#include "provider/docker/constraints.h"
#include "provider/docker/default_rule.h"
#include "provider/docker/merge.h"

struct finding {
    struct model *model;
    struct arena *arena;             /* the model's */
    const struct discovery *discovery;
    struct diag *diag;
    struct constraints constraints;
    struct default_rule *default_rule;      /* NULL: it cannot be read */
    struct candidate *candidates;    /* for each container */
    struct merge merge;
    VEC(struct discovered_server) servers;
};

/* ---- discover.c ---- */

/* Is it the container that we run in? */
bool finding_is_self(const struct finding *finding, const struct candidate *candidate);

/* ---- services.c ---- */

/* The services of its labels, or the one that it gets by itself, and itself as their server where it takes requests; says at the
 * candidate what keeps it from that. `well`: see readiness.h. */
void services_read(struct finding *finding, struct candidate *candidate, bool well);

/* ---- routers.c ---- */

/* Adds the router that it gets by itself, rules and services where labels name none. */
void routers_complete(struct finding *finding, struct candidate *candidate);
/* Is the service that a container gets by itself asked for: by a router without a service, by one that names it, by none at all? */
bool routers_want_own_service(const struct candidate *candidate);

/* ---- part.c ---- */

/* Settled objects -> a part of the model, and remarks. */
void part_make(struct finding *finding);

#endif
