/* The plug of middlewares: one change to a request or a response, one file each in middleware/.
 *
 *     struct add_prefix { const struct node *origin; struct str prefix; };
 *     static const struct option options[] = { OPTION(STR, struct add_prefix, prefix, .required = true, .help = "...") };
 *     static const struct option_table table = OPTION_TABLE(struct add_prefix, options, .summary = "...");
 *     static enum verdict on_request(struct exchange *x, struct middleware *m, void *own) { ... return VERDICT_NEXT; }
 *     static const struct middleware_type add_prefix = {
 *         .choice = {.name = "addPrefix", .summary = "Puts a prefix before the path.", .table = &table},
 *         .on_request = on_request };
 *     REGISTER(middleware_type, add_prefix);
 *
 * A request passes the chain in order, its response in reverse order (only those whose on_request said NEXT or WAITed and then
 * NEXT). A failure further down becomes an answer (x->failure says why) and passes on_response as well.
 * Hooks run on the worker's thread; compiled state is shared by all workers and const but for atomics. */
#ifndef EXCHANGE_MIDDLEWARE_H
#define EXCHANGE_MIDDLEWARE_H

#include "base/json.h"
#include "base/registry.h"
#include "exchange/compile.h"
#include "exchange/exchange.h"

struct middleware;

enum verdict {
    VERDICT_NEXT,        /* go on */
    VERDICT_ANSWER,      /* on_request, on_response: exchange_answer was called; on_response then replaces the response */
    VERDICT_WAIT,        /* on_request, on_response: exchange_resume(x) will be called, and the hook then called again */
    VERDICT_RETRY,       /* on_response: forget this response and try again (only if exchange_can_retry) */
    VERDICT_DETOUR,      /* on_response: exchange_detour was called: another service gives the response */
    VERDICT_REROUTE,     /* both: one of the exchange_go_ functions was called (exchange/visit.h): another location goes on */
};

/* What a limiter has done and holds, for metrics. */
struct limit_counts {
    uint64_t refused;               /* requests since the process began */
    int64_t allowed, delayed;       /* the same; -1: it has no such number */
    int64_t active;                 /* requests under way; -1 as above */
    int breaker;                    /* enum breaker_state (middleware/breaker.h); -1: it is none */
};

struct middleware_type {
    struct choice_type choice;      /* name, alias, summary, option table */
    size_t state_size;              /* compiled instance: middleware->state, zeroed */
    size_t exchange_size;           /* memory of its own in each exchange (`own`), zeroed; 0: own is NULL */
    /* Compiles m->options into m->state; false after reporting. May be NULL. */
    bool (*compile)(struct middleware *m, struct compile *compile);
    /* Lets go of what the state holds outside of the arena; also of one whose compile gave up half-way. May be NULL. */
    void (*destroy)(struct middleware *m);
    /* on_request looks at the request, the options and files alone and changes nothing beyond the exchange (it never WAITs):
     * `portico explain` calls it to tell what becomes of a request. */
    bool pure;
    /* The same of on_response where the answer was made here. */
    bool pure_response;
    /* What it makes of the request (before on_request would be called) or, where there is one, of the answer, in a few words for
     * `explain`; nothing: nothing worth a word. May be NULL. */
    void (*explain)(struct exchange *x, const struct middleware *m, struct text *out);
    /* Its on_request refuses nobody and changes nothing but what is known of the client. A request that is refused before its router
     * would look at it passes those in front that are so, or have no on_request: it gets their error pages and fields. */
    bool harmless;
    /* It lets pass only those whom somebody has chosen: by a password, an address, another service's word. */
    bool guards;
    /* For a guard: it has nothing to say of this request (no rule of its list fits). Its on_request would let it pass; where one of
     * several must let a request in (anyOf) that does not count. May be NULL. */
    bool (*abstains)(struct exchange *x, const struct middleware *m);
    enum verdict (*on_request)(struct exchange *x, struct middleware *m, void *own);
    enum verdict (*on_response)(struct exchange *x, struct middleware *m, void *own);
    /* For a type that stands for others (chain): their references, in order. Such a type has no other hooks. */
    const struct strs *(*members)(const void *options);
    /* What it counts and holds now, as members of an object that is open in `json`: how many it refused, who is limited, the
     * state of a breaker. Control thread, while workers run; may be NULL. */
    void (*report)(const struct middleware *m, struct json *json);
    /* What keeps requests from going on now though none should be kept (an open breaker), as a literal for people, and since when
     * (monotonic ns; 0: unknown). NULL: all is well. As report; may be NULL. */
    const char *(*complain)(const struct middleware *m, int64_t *ret_since);
    /* The same as numbers with fixed meanings; limiters and breakers have it. `counts` comes with zeros and -1. Control thread,
     * while workers run; may be NULL. */
    void (*count)(const struct middleware *m, struct limit_counts *counts);
    /* Once per exchange whose on_request of this middleware was called, whatever happened; the last chance to count down. */
    void (*on_finish)(struct exchange *x, struct middleware *m, void *own);
};
REGISTRY(middleware_type, const struct middleware_type);

struct middleware {
    const struct middleware_type *type;
    struct str name;                /* "auth@file" */
    struct str provider;
    const struct node *origin;      /* where it was written; NULL: nobody wrote it */
    const void *options;            /* the struct of the type's table, in the model's arena */
    void *state;
    size_t own_offset;              /* of its `own` in the exchange's chain memory */
};

/* By name or alias, case ignored; NULL when unknown. */
const struct middleware_type *middleware_find(struct str name);

#endif
