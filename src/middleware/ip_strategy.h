/* Which address counts as the client's: the socket's peer, or one out of X-Forwarded-For (which
 * only trusted peers can set: others' is removed before). Shared by the address lists and by what
 * counts per source. Threading: compiled strategies are const. */
#ifndef MIDDLEWARE_IP_STRATEGY_H
#define MIDDLEWARE_IP_STRATEGY_H

#include "exchange/middleware.h"

/* Options. */
struct ip_strategy {
    const struct node *origin;
    int64_t depth; /* the n-th address of X-Forwarded-For from the right; 0: not used */
    struct strs
        excluded_ips; /* the first from the right that is not one of these; empty: not used */
    int64_t ipv6_subnet; /* bits of an IPv6 address that count; 0: all */
};
extern const struct option_table ip_strategy_table;

struct ip_rule {
    unsigned depth, ipv6_bits;
    struct networks excluded;
};

/* `options` may be NULL: the peer. */
struct ip_rule ip_rule_from(const struct ip_strategy *options, struct arena *arena);
/* False when there is no such address (X-Forwarded-For is too short, or holds something else
 * there). */
bool ip_rule_find(const struct ip_rule *rule, const struct exchange *x, struct ip *ret_ip);

#endif
