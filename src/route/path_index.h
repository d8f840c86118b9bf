/* A radix tree of exact paths and path prefixes, each with the entries that ask for it.
 *
 * Entries are ranks: positions in the table's order, lower is tried first. A search gives a few
 * lists of ranks, each ascending, which together hold every entry whose path condition the path
 * satisfies (and may hold others). Ownership: nodes and lists live in an arena. Threading: const
 * once built. */
#ifndef ROUTE_PATH_INDEX_H
#define ROUTE_PATH_INDEX_H

#include "base/arena.h"

/* Prefix lists on the way from the root to any node; what is nested more deeply joins the last one.
 */
#define PATH_INDEX_NESTED_MAX 8
/* Lists that one search can give. */
#define PATH_INDEX_LISTS_MAX (PATH_INDEX_NESTED_MAX + 1)

struct ranks {
    uint32_t *items; /* ascending, each once */
    uint32_t count, capacity;
};
void ranks_add(struct ranks *ranks, uint32_t rank, struct arena *arena);

struct path_node;

struct path_index {
    struct path_node *root;
    struct arena *arena;
};

void path_index_init(struct path_index *index, struct arena *arena);
/* Shorter paths have to be added before longer ones. `path` is kept as a view. */
void path_index_add(struct path_index *index, struct str path, bool exact, uint32_t rank);
/* Fills `out` (PATH_INDEX_LISTS_MAX of them); gives how many. */
unsigned path_index_find(const struct path_index *index, struct str path, const struct ranks **out);

#endif
