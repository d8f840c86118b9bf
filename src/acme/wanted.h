/* Which certificates are to be got, of all that routers ask for: one for each set of names, none for names that are covered. Pure.
 *
 * A name is covered by a certificate file that has not expired, or by another wanted set, exactly or by a wildcard. Sets with
 * wildcards come first, then the larger ones, so that they cover the smaller. What is left of a set is one certificate. */
#ifndef ACME_WANTED_H
#define ACME_WANTED_H

#include "exchange/graph.h"

struct wanted_set {
    struct str resolver;
    struct strs names;              /* no name twice, none that a wildcard of the same set covers */
    struct str router;              /* the first that asks */
};
struct wanted {
    struct wanted_set *items;
    size_t count;
};

/* `now`: Unix seconds. Texts are the wants'; the rest lies in `arena`. */
struct wanted wanted_choose(const struct certificate_want *wants, size_t want_count, struct certificate *const *files,
                            size_t file_count, int64_t now, struct arena *arena);

#endif
