/* Configuration as a tree of texts, before it means anything: what every dialect is turned into (YAML,
 * flags, environment, labels) and the only thing that the binder reads.
 *
 * Ownership: nodes live in an arena; strings too. Threading: one owner; read-only once built. */
#ifndef BASE_NODE_H
#define BASE_NODE_H

#include "base/arena.h"
#include "base/diag.h"

enum node_kind {
    NODE_NULL,      /* "key:" without a value, YAML's null */
    NODE_SCALAR,    /* text */
    NODE_LIST,
    NODE_MAP
};

/* There are tens of thousands, and they last as long as the configuration: so they are packed. */
struct node {
    enum node_kind kind : 8;
    bool quoted;             /* a scalar that was written in quotes: "true" is a string */
    uint32_t count;          /* children */
    struct str key;          /* inside a map: the key as written */
    struct span key_span;
    struct span span;        /* of the value; for maps and lists, of their first line */
    struct node *next, *parent;
    union {
        struct str text;                  /* NODE_SCALAR; of NODE_NULL what was written, if anything was */
        struct {
            struct node *first, *last;    /* NODE_LIST, NODE_MAP */
        };
    };
};

#define NODE_INDEX_MAX 255   /* of a list in a path */
#define NODE_PATH_MAX 32     /* steps of a path */
#define NODE_PATH_INDEXES_MAX 4   /* of them, those into a list, whose items in front are made too */

struct node *node_new(struct arena *arena, enum node_kind kind, struct span span);
struct node *node_scalar(struct arena *arena, struct str text, struct span span);
/* Makes a node without children a map or list without members, or nothing: whatever it was. */
void node_become(struct node *node, enum node_kind kind);
/* Adds `child` at the end of a list or, with its key set, of a map. */
void node_append(struct node *parent, struct node *child);

/* Unlinks the member `key` (case ignored) of a map and gives it, without its neighbours; NULL: there is none. */
struct node *node_take(struct node *map, struct str key);

/* A member of a map by key, case ignored; NULL when absent or `map` is NULL or no map. */
struct node *node_get(const struct node *map, struct str key);
/* An item of a list; NULL when out of range. A scalar or map counts as a list of one. */
struct node *node_at(const struct node *list, size_t index);
/* The best span for complaints about `node`: a scalar's value, otherwise its key, its value or its
 * parent's; SPAN_NONE for NULL. */
struct span node_span(const struct node *node);

/* Lays `over`, a map, onto `under`, a map or null (an empty file; anything else is left alone): members
 * that both have are merged when maps and replaced otherwise. Used for flags and environment over files. */
void node_merge(struct node *under, struct node *over);
/* The member `key` of `parent` (keys compared without case), made when absent. A parent that is null or
 * the bare switch `true` becomes a map. NULL when it is another scalar or a list. */
struct node *node_make_member(struct arena *arena, struct node *parent, struct str key,
                              struct span key_span);
/* The item `index` of `parent`, made when absent, with nulls before it. A parent that is null becomes a
 * list. NULL when it is a scalar or a map, or index exceeds NODE_INDEX_MAX. */
struct node *node_make_item(struct arena *arena, struct node *parent, size_t index, struct span span);
/* The node at a dotted path ("entryPoints.web.address", "servers[0].url"), made on the way when absent.
 * `span` is where the path is written; each key gets its part of it. NULL when the path runs through a
 * scalar or is malformed. */
struct node *node_make_path(struct arena *arena, struct node *root, struct str path, struct span span);
/* Turns a node into a scalar, in place, unless it is a map or list and `text` is the bare switch "true"
 * (`--api.insecure --api`): that says nothing new. False when it is a map or list and `text` is another. */
bool node_set_text(struct node *node, struct str text, struct span span);
/* A copy with all below it, without key and neighbours; NULL as soon as *budget nodes are used up. */
struct node *node_copy(struct arena *arena, const struct node *node, size_t *budget);

/* The first member or item; NULL when there is none, or when `node` can have none, or is NULL. */
static inline struct node *node_first(const struct node *node)
{
    return node != NULL && (node->kind == NODE_LIST || node->kind == NODE_MAP) ? node->first : NULL;
}

#define NODE_FOREACH(parent, it) \
    for (struct node *it = node_first(parent); it != NULL; it = it->next)

#endif
