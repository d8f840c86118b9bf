/* Whether a request satisfies a rule. Pure; nothing is allocated but decoded query values for
 * QueryRegexp.
 *
 * What matchers see: the host as struct request has it (lower case, no port, no dot at the end),
 * the routing path (uri_routing_path), fields with case-insensitive names of which one value has to
 * fit, query values decoded, and the socket's peer, never X-Forwarded-For. Threading: any; rules
 * are const. */
#ifndef ROUTE_MATCH_H
#define ROUTE_MATCH_H

#include "route/rule.h"

struct route_input {
    const struct request *request;
    struct str path;       /* the routing path */
    const struct ip *peer; /* NULL: not known (a unix socket); ClientIP then never matches */
    struct arena *arena;   /* for decoded query values */
};

bool term_match(const struct term *term, const struct route_input *input);

static inline bool rule_match(const struct rule *rule, const struct route_input *input)
{
    return term_match(rule->root, input);
}

/* Whether `host` is one label followed by `suffix` (".d"). */
bool host_below(struct str host, struct str suffix);

#endif
