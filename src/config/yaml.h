/* YAML text -> tree of nodes with the place of every key and value. JSON is read by it too.
 *
 * What it reads is YAML as configurations use it: block and flow style, all scalar styles, anchors, aliases
 * and `<<` merges. Plain scalars stay text (the binder knows what an option wants); only YAML 1.2's null is
 * told apart. Refused, each with its place: duplicate keys, a second document, tags other than the core ones,
 * keys that are not texts, nesting deeper than YAML_DEPTH_MAX, and aliases that blow up.
 *
 * Ownership: nodes and texts live in `arena`. Threading: none shared. No I/O. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/node.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 1000000   /* in all */
#define YAML_ALIASED_MAX 100000  /* nodes that aliases may copy */

/* The document's root: a NODE_NULL when it is empty, NULL when it could not be read to its end. Mistakes that
 * leave the rest readable (a duplicate key) are reported and the tree is given: look at diag->errors. */
struct node *yaml_read(struct arena *arena, const struct source *source, struct diag *diag);

#endif
