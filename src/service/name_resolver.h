/* The option `resolver`: who is asked for names, and what counts of the answers. */
#ifndef SERVICE_NAME_RESOLVER_H
#define SERVICE_NAME_RESOLVER_H

#include "exchange/compile.h"
#include "upstream/lookup.h"

struct name_resolver_config {
    const struct node *origin;
    struct strs servers;
    int64_t valid, timeout;     /* ns */
    bool ipv4, ipv6;
};
extern const struct option_table name_resolver_table;

/* NULL: the system's servers, as they say. In the compile's arena. */
struct lookup_rule name_resolver_compile(const struct name_resolver_config *config, struct compile *compile);

#endif
