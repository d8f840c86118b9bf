/* The variables of one graph: each name that its templates and scripts refer to, once. For the compiler, for kinds of variables
 * (map, geo, ...) and for whoever lists what there is; everyone else asks exchange/variable.h.
 *
 * Order is free, as in nginx.conf: a name may be used before what makes it has been read. So an unknown name of the owner's own is
 * reported by variable_table_end, when all has been read; in an object of a lenient part, which must answer for itself, at once.
 * Ownership: lies in the graph's arena but for its map: variable_table_release. Control thread; const once the graph is published. */
#ifndef EXCHANGE_VARIABLE_TABLE_H
#define EXCHANGE_VARIABLE_TABLE_H

#include "base/map.h"
#include "exchange/variable.h"

#define VARIABLE_NO_SLOT UINT32_MAX

struct variable_table {
    struct arena *arena;
    struct map by_name;           /* lower case ignored -> struct variable */
    uint32_t slots;               /* values that an exchange has room for: exchange.values */
    bool order_is_free;           /* unknown names are reported at the end */
};

/* A user's own: computed from others when it is asked for. */
typedef struct str (*variable_compute)(const void *state, struct exchange *x);

struct variable {
    struct str name;
    const struct variable_table *owner;
    const struct variable_type *type;     /* NULL: no built-in one has this name */
    struct str argument;          /* of a family */
    variable_compute compute;     /* NULL: none */
    void *state;                  /* of compute */
    void (*destroy)(void *state); /* NULL: it holds nothing outside of the arena */
    bool is_volatile;             /* computed anew each time */
    uint32_t slot;                /* its place in exchange.values; NO_SLOT: asked for each time */
    bool declared;                /* somebody sets it */
    bool defined;                 /* by `http.variables`, whatever has become of that */
    struct span first_use;
};

struct variable_table *variable_table_new(struct arena *arena, bool order_is_free);
void variable_table_release(struct variable_table *variables);
/* Reports the names that nothing makes. */
void variable_table_end(struct variable_table *variables, struct diag *diag);
/* A variable of `http.variables`: its name is taken, what computes it is filled in later. NULL after an error: it is built in. */
struct variable *variable_define(struct compile *compile, struct str name, struct span span);

/* A name as users may choose it: letters, digits and '_', not a digit alone. */
bool variable_name_is_good(struct str name);
/* The built-in types, sorted by name; the first `max` go to `types`. Gives how many there are. */
size_t variable_types(const struct variable_type **types, size_t max);

#endif
