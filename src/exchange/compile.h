/* What a middleware or service may ask while it is compiled from its options into the running graph. Implemented by
 * snapshot/ (an upward need, so a small vtable). Control thread only.
 *
 * Errors go to `diag`, with spans from the options' `origin` node: node_span(node_get(options->origin, S("key"))).
 * Memory: `arena` is the snapshot's and is freed with it; a destroy hook is needed only for what lies elsewhere. */
#ifndef EXCHANGE_COMPILE_H
#define EXCHANGE_COMPILE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/node.h"
#include "base/option.h"

struct media_types;
struct middleware;
struct perl_regex;
struct router;
struct service;
struct site;
struct transport;
struct compile;
struct variable_table;

struct compile_ops {
    struct service *(*service)(struct compile *compile, struct str reference, struct span span);
    const struct transport *(*transport)(struct compile *compile, struct str reference, struct span span);
    bool (*secure)(struct compile *compile, const struct transport *transport);
    void *(*shared)(struct compile *compile, struct str key, size_t size, void (*init)(void *memory),
                    void (*destroy)(void *memory));
    const struct perl_regex *(*perl_regex)(struct compile *compile, struct str pattern, bool ignore_case, struct span span);
    struct router *const *(*router)(struct compile *compile, struct str reference, struct span span);
    const struct media_types *(*media_types)(struct compile *compile, struct str reference, struct span span);
    struct middleware **(*middlewares)(struct compile *compile, const struct strs *references, const struct node *list,
                                       unsigned *ret_count, size_t *ret_memory);
};

struct compile {
    const struct compile_ops *ops;
    struct arena *arena;
    struct diag *diag;
    struct str provider;         /* of the object being compiled: unqualified references are in it */
    struct str path;             /* identity of the instance: "router@file/auth@file/basicAuth": keys of shared state */
    bool lenient;                /* the object's part comes from many hands (model/model.h): what is ordinary there needs no warning */
    unsigned workers;            /* worker threads; state per worker is indexed by worker->index */
    struct variable_table *variables; /* those that the graph's templates name (exchange/variable.h) */
};

/* Another service by reference ("name", "name@provider"); NULL after an error was reported. */
static inline struct service *compile_service(struct compile *compile, struct str reference, struct span span)
{
    return compile->ops->service(compile, reference, span);
}
/* A transport by reference; empty: the default one. */
static inline const struct transport *compile_transport(struct compile *compile, struct str reference, struct span span)
{
    return compile->ops->transport(compile, reference, span);
}
/* The transport is going to reach servers by TLS: its options for that are compiled, once. False after an error. */
static inline bool compile_secure(struct compile *compile, const struct transport *transport)
{
    return compile->ops->secure(compile, transport);
}
/* State with an identity: the same memory as a running snapshot uses for this key (limiters' buckets, breakers), or new,
 * zeroed and inited. Lives as long as any snapshot uses it. Shared by all workers: use atomics or locks. */
static inline void *compile_shared(struct compile *compile, struct str key, size_t size, void (*init)(void *memory),
                                   void (*destroy)(void *memory))
{
    return compile->ops->shared(compile, key, size, init, destroy);
}
/* A regular expression of nginx's kind (route/captures.h), compiled once for the graph, which owns it; NULL after an error. */
static inline const struct perl_regex *compile_perl_regex(struct compile *compile, struct str pattern, bool ignore_case,
                                                          struct span span)
{
    return compile->ops->perl_regex(compile, pattern, ignore_case, span);
}
/* Middlewares that one has inside of itself (anyOf), by reference, chains flattened; `list` is where they are written. Their
 * own_offsets are in *ret_memory bytes that whoever asks keeps for each exchange. NULL after an error was reported. */
static inline struct middleware **compile_middlewares(struct compile *compile, const struct strs *references,
                                                      const struct node *list, unsigned *ret_count, size_t *ret_memory)
{
    return compile->ops->middlewares(compile, references, list, ret_count, ret_memory);
}
/* A router that has a location, by reference: where it will stand once all are built (routers refer to each other in circles).
 * NULL after an error was reported. */
static inline struct router *const *compile_router(struct compile *compile, struct str reference, struct span span)
{
    return compile->ops->router(compile, reference, span);
}
/* A set of media types by reference; NULL after an error was reported. */
static inline const struct media_types *compile_media_types(struct compile *compile, struct str reference, struct span span)
{
    return compile->ops->media_types(compile, reference, span);
}

#endif
