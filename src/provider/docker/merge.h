/* What containers define together. Many may define one object; that is how replicas come about:
 *
 * - Equal definitions are one. Of services the servers do not count: those of all who define it equally are its servers.
 * - Where definitions differ, those of containers that are further on count: ready, leaving, waiting, away (enum standing).
 * - Where equals in that differ, nobody is believed and the object is left out, as in Traefik; unless all of them are of one
 *   Compose or Swarm service: then it is being rolled over, and the youngest container is believed. Containers that do not run are
 *   not worth a quarrel either.
 *
 * Cost: linear in definitions; two are compared text by text only where their hashes are equal.
 * Ownership: all in the arena but the maps, which merge_release frees. Control thread. */
#ifndef PROVIDER_DOCKER_MERGE_H
#define PROVIDER_DOCKER_MERGE_H

#include "base/map.h"
#include "provider/docker/candidate.h"

enum object_kind { OBJECT_ROUTER, OBJECT_MIDDLEWARE, OBJECT_SERVICE, OBJECT_TRANSPORT, OBJECT_TLS_OPTIONS, OBJECT_TLS_STORE, OBJECT_KINDS };

struct definer {
    struct candidate *candidate;
    struct definer *next;
};

/* One way in which an object is written, and by whom. */
struct definition {
    const struct node *node;         /* without servers */
    uint64_t hash;
    struct definer *definers, **last_definer;
    enum standing standing;          /* the best of them */
    const struct candidate *youngest;      /* of those of that standing */
    bool one_family;                 /* those of that standing are of one Compose or Swarm service */
    const struct broken_object *broken;    /* it is not to be used; else NULL */
    struct definition *next;
};

/* A server that a container adds to a service. */
struct merged_server {
    struct candidate *candidate;
    const struct definition *definition;
    struct server_config *config;
    const struct node *node;
    struct merged_server *next;
};

struct object {
    enum object_kind kind;
    struct str name;
    struct definition *first, **last;
    struct merged_server *servers, **last_server;
    struct definition *winner;       /* once settled; NULL: it is left out */
    const struct definition *rival;  /* left out because this one and `first_rival` are on a par */
    const struct definition *first_rival;
};

struct merge {
    struct arena *arena;
    struct map objects[OBJECT_KINDS];      /* name -> struct object, in the order of their coming */
};

void merge_init(struct merge *merge, struct arena *arena);
void merge_release(struct merge *merge);
/* `node` says what the object is, `node->key` its name. */
struct definition *merge_add(struct merge *merge, enum object_kind kind, const struct node *node, struct candidate *candidate);
void merge_add_server(struct merge *merge, struct str service, const struct merged_server *server);
/* Who is believed, once everybody was heard. */
void merge_settle(struct merge *merge);
/* Does what it defines count? It may define otherwise what is being rolled over. */
bool merge_counts(const struct object *object, const struct definition *definition, const struct candidate *candidate);
struct object *merge_find(const struct merge *merge, enum object_kind kind, struct str name);

#endif
