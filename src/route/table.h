/* The routers of one entrypoint, ready to be searched.
 *
 * table_find gives exactly what trying every rule in order would give, but tries few: routers are
 * found by a condition that their rule cannot do without, first the host (exact, or one label below
 * a domain), and among many routers of one host the path (a radix tree of exact paths and
 * prefixes). Rules without such a condition (HostRegexp alone, negations) are tried for every
 * request.
 *
 * Order: higher priority first, then lower `order`. Ownership: the table copies the entries and
 * borrows their rules. Threading: const once made, shared. */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include "route/match.h"

struct table_entry {
    const struct rule *rule;
    int64_t priority; /* already computed: the rule's length where the user gave none */
    void *router;     /* the caller's */
    uint32_t order;   /* among equal priorities */
    uint32_t proven;  /* the table's own: see table.c */
};

struct table;

struct table *table_new(const struct table_entry *entries, size_t count);
void table_free(struct table *table);

/* The first entry whose rule matches; NULL when none does. */
const struct table_entry *table_find(const struct table *table, const struct route_input *input);

/* All entries in the order in which they are tried. */
const struct table_entry *table_entries(const struct table *table, size_t *ret_count);

#endif
