/* What is done with trees of labels besides reading them: members are taken out, and two objects are compared. Pure. */
#ifndef PROVIDER_DOCKER_TREE_H
#define PROVIDER_DOCKER_TREE_H

#include "base/node.h"

/* A node that stands alone, with the same children: to be hung below another. */
struct node *tree_alias(struct arena *arena, const struct node *node);
/* Adds a member with a text; `span` is where both come from. */
struct node *tree_add_text(struct arena *arena, struct node *map, struct str key, struct str text, struct span span);

/* Equal for trees that say the same: the order of a map's members and the case of its keys mean nothing. */
uint64_t tree_hash(const struct node *node);
/* False: they differ, at the nodes that are given (one may be NULL: the other has more). */
bool tree_equal(const struct node *one, const struct node *other, const struct node **ret_one, const struct node **ret_other);

/* "container web-1: traefik.http.routers.x.rule", "compose.yaml:12:9". */
struct str tree_place(struct span span, struct arena *arena);

#endif
