/* The objects of a model by their full names ("api@file"): what references are looked up in.
 * Control thread; lives during one compilation. */
#ifndef SNAPSHOT_NAMES_H
#define SNAPSHOT_NAMES_H

#include "base/map.h"
#include "model/model.h"

enum name_kind { NAME_ROUTER, NAME_MIDDLEWARE, NAME_SERVICE, NAME_TRANSPORT, NAME_TLS_OPTIONS, NAME_KINDS };

/* One object: what it is called in full, and what the binder made of it. */
struct named {
    struct str name;              /* "api@file" */
    struct str provider;
    const void *value;            /* struct router_config, middleware_config, ... */
    const struct node *node;
    void *built;                  /* what compilation made of it; NULL: nothing yet */
    bool building;                /* to find circles */
    bool used;                    /* a middleware: it is in some chain */
    bool failed;                  /* mistakes were reported, by the binder or here: not to be built */
};

struct names {
    struct map maps[NAME_KINDS];  /* full name -> struct named */
    struct arena *arena;
};

/* Collects every part's objects; two with the same full name are an error in `diag`. */
void names_collect(struct names *names, const struct model *model, struct arena *arena, struct diag *diag);
void names_release(struct names *names);

/* "name" (then of `provider`) or "name@provider". NULL: an error with a suggestion was reported at `span`. */
struct named *names_find(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                         struct span span, struct diag *diag);

#endif
