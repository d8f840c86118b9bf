/* What an exchange is, has and has come to, by name: in templates, log formats, keys of limits, conditions.
 *
 * Built-in variables are descriptors that register themselves; families ("http_*", "arg_*") take the rest of the name as argument.
 * A user's own come from `variables:` (map, geo, splitClients) and from the `script` middleware's `set`. nginx's names and the
 * model's dotted ones ("request.header.x-user") are the same table.
 *
 * A variable's value is made when it is first asked for and kept for the exchange unless its type is volatile. All sub-steps of a
 * request (redirects inside, subrequests) see the same values. Worker's thread. */
#ifndef EXCHANGE_VARIABLE_H
#define EXCHANGE_VARIABLE_H

#include "base/registry.h"
#include "exchange/compile.h"
#include "exchange/exchange.h"

/* One variable as a template of one graph refers to it. */
struct variable;

struct variable_type {
    const char *name;             /* "host"; of a family "http_" */
    const char *alias;            /* dotted: "request.host"; of a family "request.header."; may be NULL */
    const char *help;             /* one line */
    bool family;
    bool is_volatile;             /* asked anew each time: $status, $request_time, $uri, $args, ... */
    /* data NULL: it has no value (an empty text in templates; "-" in logs). `argument`: a family's rest, lower case, with '_' for
     * '-' as written; empty else. */
    struct str (*get)(struct exchange *x, struct str argument);
    void (*used)(void);           /* a graph refers to it, for what must be kept from then on; NULL: nothing must be */
    /* nginx's variables that may be set: $args, $limit_rate, ...; NULL: it is read only. */
    void (*set)(struct exchange *x, struct str value);
};
REGISTRY(variable_type, const struct variable_type);

/* By name or alias; a user's own shadow none. NULL after an error was reported at `span`, with a suggestion. */
const struct variable *variable_find(struct str name, struct compile *compile, struct span span);
/* The same, and one that does not exist yet is made: what `set`, captures and auth_request_set write to. NULL: it is built in and
 * cannot be set (reported). */
const struct variable *variable_declare(struct str name, struct compile *compile, struct span span);
/* data NULL: it has no value. */
struct str variable_get(const struct variable *variable, struct exchange *x);
void variable_set(const struct variable *variable, struct exchange *x, struct str value);
/* For requests of our own: what the parent has come to is there as well, copied; and back, what was set, so that it outlives them.
 * False: no memory. */
bool variables_inherit(struct exchange *x, const struct exchange *parent);
void variables_give_back(struct exchange *parent, const struct exchange *x);
/* By name at run time, for explain and tests; data NULL: unknown or without a value. */
struct str variable_get_named(struct exchange *x, struct str name);

#endif
