/* One container on its way into the configuration: what its labels say, how far it is, what will be told of it.
 *
 * Ownership: all of it lives in the model's arena. Control thread. */
#ifndef PROVIDER_DOCKER_CANDIDATE_H
#define PROVIDER_DOCKER_CANDIDATE_H

#include "provider/docker/discover.h"
#include "service/load_balancer.h"

/* Who defines an object when containers do not agree: the first of these that there is. */
enum standing {
    STANDING_READY,          /* it takes requests */
    STANDING_LEAVING,        /* it was told to stop */
    STANDING_WAITING,        /* it runs and is not ready */
    STANDING_AWAY            /* it does not run */
};

/* An object of its that is left out. */
struct broken_object {
    const struct node *node;
    struct str reason;
    struct span span;
    struct broken_object *next;
};

/* It takes requests of a service. */
struct own_server {
    const struct node *service;
    const struct node *node;
    struct server_config *config;
    struct own_server *next;
};

struct candidate {
    const struct container *container;
    struct discovered *found;
    struct str owner;                /* "container web-1": begins the places of its labels */
    struct str name;                 /* of what it gets by itself; see naming.h */
    struct str family;
    bool labelled;                   /* it has a label of ours */
    bool enabled;
    bool disabled;                   /* by a label of its own: what else its labels say was not read */
    bool lb_swarm;
    bool asks_tcp, asks_udp;
    struct str network;              /* of its labels; empty: none */
    struct node *http, *tls;         /* maps, unless it is disabled; nothing below but what their tables have as sections */
    struct broken_object *broken;
    struct node *own_service;        /* the service that it gets by itself; NULL: its labels define one */
    struct own_server *servers, **last_server;
    size_t services, services_out;   /* that take it as a server, and those of them that were left out */
    enum standing standing;
};

void candidate_init(struct candidate *candidate, const struct container *container, struct discovered *found, struct arena *arena);
/* Reads the labels. `diag` lives as long as the model. */
void candidate_read(struct candidate *candidate, const struct discovery *discovery, struct arena *arena, struct diag *diag);
/* The object that `node` describes is left out for a reason; its other definitions, of other containers, are not. */
void candidate_break(struct candidate *candidate, const struct node *node, struct str reason, struct span span, struct arena *arena);
const struct broken_object *candidate_broken(const struct candidate *candidate, const struct node *node);
/* Why it is as it is. The first reason stands, unless a mistake comes after what was none. Texts are not copied. */
void candidate_tell(struct candidate *candidate, bool mistake, struct str reason, struct str hint);
/* What of `network` its labels say (traefik.docker.network, ...), without reading all of them; empty: nothing. */
struct str candidate_network_label(const struct container *container);

/* What it gets by itself has no label: it stands in a text of its own, "container web-1: the default rule" (`what` may be empty). */
struct span candidate_own_span(const struct candidate *candidate, struct str what, struct str text, struct arena *arena);
/* Adds to one of the lists of what is told of it. */
void candidate_add(struct strs *list, struct str text, struct arena *arena);
/* The section of `http`, made when absent. */
struct node *candidate_section(struct candidate *candidate, struct str name, struct arena *arena);
/* Reports in `to` what was found in `from`, which ends with it. Gives the first mistake as one sentence, with its
 * place; empty: there was none. */
struct str candidate_carry(struct diag *from, struct diag *to, struct span *ret_span);

#endif
