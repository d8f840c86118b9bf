/* Why a request goes where it goes: every router in the order tried, and which matcher turned it
 * away. For `portico explain` and the API; texts live in the given arena and in the rules. */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "route/table.h"

struct explained {
    const struct table_entry *entry;
    bool matched;
    struct str failed; /* the part of the rule that failed, as written: "Host(`a`)"; empty when it
                          matched */
    struct str why;    /* "the host is 'b'"; empty when it matched */
};

struct explanation {
    struct explained *tried; /* up to and with the one that matched */
    size_t count;
    const struct table_entry *found; /* what table_find gives */
};

struct explanation explain(const struct table *table, const struct route_input *input,
                           struct arena *arena);
/* The same for one entry. */
struct explained explain_entry(const struct table_entry *entry, const struct route_input *input,
                               struct arena *arena);

#endif
