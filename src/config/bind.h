/* A tree of nodes + an option table -> a filled struct.
 *
 * Every mistake in the tree is reported, each at its place: unknown keys with a suggestion, texts that are not
 * what the option wants, values out of bounds, what is missing, given twice or excluded, and what the option's
 * check and the table's `validate` find. Where nothing is said the defaults stand, so the struct is always
 * complete, but it may be used only when there was no error in it.
 *
 * Ownership: what the struct points to lives in `arena` or in the tree, which must outlive it.
 * Threading: none shared. */
#ifndef CONFIG_BIND_H
#define CONFIG_BIND_H

#include "base/option.h"

struct bind_options {
    /* Another table and what its users call it ("the main configuration"): a key that is unknown here but known
     * there is said to belong there. */
    const struct option_table *elsewhere;
    const char *elsewhere_name;
};

/* `value` has table->size bytes and is cleared first. `node` may be NULL: all defaults. `options` may be NULL.
 * False when an error was reported. */
bool bind_object(const struct option_table *table, const struct node *node, void *value,
                 const struct bind_options *options, struct arena *arena, struct diag *diag);
/* The same into new memory of `arena`; never NULL. */
void *bind_new(const struct option_table *table, const struct node *node,
               const struct bind_options *options, struct arena *arena, struct diag *diag);

#endif
