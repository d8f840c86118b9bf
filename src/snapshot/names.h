/* The objects of a model by their full names ("api@file"): what references are looked up in.
 * Control thread; lives during one compilation. */
#ifndef SNAPSHOT_NAMES_H
#define SNAPSHOT_NAMES_H

#include "base/map.h"
#include "model/model.h"

/* Of the same order as enum remark_kind. */
enum name_kind { NAME_ROUTER, NAME_MIDDLEWARE, NAME_SERVICE, NAME_TRANSPORT, NAME_TLS_OPTIONS, NAME_SITE, NAME_VARIABLE, NAME_KINDS };

/* One object: what it is called in full, and what the binder made of it. */
struct named {
    enum name_kind kind;
    struct str name;              /* "api@file" */
    struct str provider;
    const void *value;            /* struct router_config, middleware_config, ... */
    const struct node *node;
    void *built;                  /* what compilation made of it; NULL: nothing yet */
    bool building;                /* to find circles */
    bool used;                    /* a middleware: it is in some chain */
    bool failed;                  /* mistakes were reported, by the binder or here: not to be built */
    bool lenient;                 /* of a lenient part: its mistakes are its own */
    struct str left_out;          /* failed, and the rest goes on without it: why; else empty */
};

struct names {
    struct map maps[NAME_KINDS];  /* full name -> struct named */
    struct map left_out[NAME_KINDS];      /* full name -> struct remark: what was left out while the model was filled */
    const struct model *model;
    struct arena arena;           /* of what lasts as long as the compilation; the full names last as long as the graph */
};

/* Collects every part's objects; two with the same full name are an error in `diag`. The full names lie in `arena`. */
void names_collect(struct names *names, const struct model *model, struct arena *arena, struct diag *diag);
void names_release(struct names *names);

/* Comes and goes what is behind "@provider"? Then what refers to something that is not there waits for it (is left out) and
 * refuses no configuration. So do Docker's names, whether there is a container or not. */
bool names_is_lenient(const struct names *names, struct str provider);

/* "router", "set of TLS options", ... */
const char *names_kind_text(enum name_kind kind);

/* "name" (then of `provider`) or "name@provider". NULL: there is none, which was reported at `span` with a suggestion: as an error,
 * or contained (base/diag.h) where it is of a lenient provider. It may have failed: see build_usable. */
struct named *names_find(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                         struct span span, struct diag *diag);

#endif
