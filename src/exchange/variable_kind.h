/* The plug of computed variables (http.variables.NAME): map, geo, splitClients. One file each in variable/, registered as middlewares
 * are. What one is computed from is asked for when it is, so their order does not matter; one that leads back to itself has no
 * value there.
 *
 * Compiled on the control thread, const afterwards; asked on the workers' threads. */
#ifndef EXCHANGE_VARIABLE_KIND_H
#define EXCHANGE_VARIABLE_KIND_H

#include "base/registry.h"
#include "exchange/compile.h"
#include "exchange/exchange.h"

struct variable_kind {
    struct choice_type choice;      /* name, summary, option table */
    size_t state_size;
    /* Options into `state` (zeroed, in compile->arena); false after reporting. */
    bool (*compile)(const void *options, void *state, struct compile *compile);
    /* The value for this exchange: a view of the configuration, the request or the exchange's arena. data NULL: none. */
    struct str (*get)(const void *state, struct exchange *x);
    /* It is to be computed each time that it is asked for. May be NULL: once for an exchange. */
    bool (*is_volatile)(const void *options);
    /* Lets go of what the state holds outside of the arena; also of one whose compile gave up half-way. May be NULL. */
    void (*destroy)(void *state);
};
REGISTRY(variable_kind, const struct variable_kind);

#endif
