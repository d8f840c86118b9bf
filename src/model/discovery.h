/* What a provider found that announces itself by labels, and what became of it: a container, a Swarm service's task. For people:
 * the log, the API, the dashboard. Filled while the model is (provider/docker/discover.h), lives in its arena. */
#ifndef MODEL_DISCOVERY_H
#define MODEL_DISCOVERY_H

#include "base/option.h"

enum discovery_state {
    DISCOVERY_SERVED,        /* it takes requests */
    DISCOVERY_NOT_READY,     /* its routers stand, it takes no requests: `reason` says why (starting, unhealthy, stopped, its port) */
    DISCOVERY_LEAVING,       /* it was told to stop: it takes requests only where nobody else can */
    DISCOVERY_LEFT_OUT,      /* by its own wish or a rule, or by mistake: `mistake` */
};

struct discovered {
    struct str provider;     /* "docker" */
    struct str id, name;     /* of the container or task; `name` as people know it: "/shop-api-1" without its slash */
    struct str image;
    enum discovery_state state;
    bool mistake;            /* the state is not what its owner wants; otherwise it is an ordinary one */
    struct str reason;       /* "exposedByDefault is off and it has no label traefik.enable=true"; empty: there is nothing to say */
    struct str hint;         /* what to do: "docker network connect shop_default portico"; empty: nothing */
    struct strs routers;     /* full names that it takes part in: "api@docker" */
    struct strs servers;     /* URLs of it, also those that are not asked yet */
};

#endif
