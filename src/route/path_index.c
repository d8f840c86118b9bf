#include "route/path_index.h"

#include <assert.h>

/* More children than this are found through a table of 256. */
#define FEW_CHILDREN 4

struct path_node {
    struct str label;            /* bytes that lead here from the parent */
    struct path_node **children; /* by the first byte of their labels, no order */
    uint16_t *slots;             /* first byte -> child + 1; NULL while there are few children */
    uint16_t count, capacity;
    struct ranks prefix, exact;
};

void ranks_add(struct ranks *ranks, uint32_t rank, struct arena *arena)
{
    uint32_t at = ranks->count;
    while (at > 0 && ranks->items[at - 1] > rank)
        at--;
    if (at > 0 && ranks->items[at - 1] == rank)
        return;
    if (ranks->count == ranks->capacity) {
        uint32_t capacity = ranks->capacity == 0 ? 1 : ranks->capacity * 2;
        uint32_t *items = arena_alloc(arena, capacity * sizeof(items[0]));
        if (ranks->count > 0)
            memcpy(items, ranks->items, ranks->count * sizeof(items[0]));
        ranks->items = items;
        ranks->capacity = capacity;
    }
    memmove(ranks->items + at + 1, ranks->items + at,
            (ranks->count - at) * sizeof(ranks->items[0]));
    ranks->items[at] = rank;
    ranks->count++;
}

static struct path_node *new_node(struct arena *arena, struct str label)
{
    struct path_node *node = arena_new(arena, struct path_node);
    node->label = label;
    return node;
}

static inline struct path_node *child_of(const struct path_node *node, char first)
{
    if (node->slots != NULL) {
        uint16_t slot = node->slots[(uint8_t)first];
        return slot != 0 ? node->children[slot - 1] : NULL;
    }
    for (unsigned i = 0; i < node->count; i++)
        if (node->children[i]->label.data[0] == first)
            return node->children[i];
    return NULL;
}

static void add_child(struct arena *arena, struct path_node *node, struct path_node *child)
{
    if (node->count == node->capacity) {
        uint16_t capacity = node->capacity == 0 ? 2 : (uint16_t)(node->capacity * 2);
        struct path_node **children = arena_array(arena, struct path_node *, capacity);
        if (node->count > 0)
            memcpy(children, node->children, node->count * sizeof(children[0]));
        node->children = children;
        node->capacity = capacity;
    }
    node->children[node->count++] = child;
    if (node->slots != NULL) {
        node->slots[(uint8_t)child->label.data[0]] = node->count;
    } else if (node->count > FEW_CHILDREN) {
        node->slots = arena_array(arena, uint16_t, 256);
        for (unsigned i = 0; i < node->count; i++)
            node->slots[(uint8_t)node->children[i]->label.data[0]] = (uint16_t)(i + 1);
    }
}

/* Puts a node between `child` and its parent where the first `len` bytes of its label end. The
 * object keeps its place in the parent: what it was moves into a new child. */
static void split(struct arena *arena, struct path_node *node, size_t len)
{
    struct path_node *rest = new_node(arena, STR_NONE);
    *rest = *node;
    rest->label = str_from_index(node->label, len);
    *node = (struct path_node){.label = str_first(node->label, len)};
    add_child(arena, node, rest);
}

static size_t common_len(struct str a, struct str b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

void path_index_init(struct path_index *index, struct arena *arena)
{
    index->arena = arena;
    index->root = new_node(arena, STR_NONE);
}

void path_index_add(struct path_index *index, struct str path, bool exact, uint32_t rank)
{
    struct path_node *node = index->root, *last_list = NULL;
    unsigned nested = 0;
    for (;;) {
        if (node->prefix.count > 0) {
            nested++;
            last_list = node;
        }
        if (path.len == 0)
            break;
        struct path_node *child = child_of(node, path.data[0]);
        if (child == NULL) {
            child = new_node(index->arena, path);
            add_child(index->arena, node, child);
        }
        size_t common = common_len(child->label, path);
        if (common < child->label.len)
            split(index->arena, child, common);
        path = str_from_index(path, common);
        node = child;
    }
    if (!exact && nested >= PATH_INDEX_NESTED_MAX)
        node = last_list;
    ranks_add(exact ? &node->exact : &node->prefix, rank, index->arena);
}

unsigned path_index_find(const struct path_index *index, struct str path, const struct ranks **out)
{
    const struct path_node *node = index->root;
    unsigned found = 0;
    for (;;) {
        if (node->prefix.count > 0)
            out[found++] = &node->prefix;
        if (path.len == 0)
            break;
        const struct path_node *child = child_of(node, path.data[0]);
        if (child == NULL || !str_starts(path, child->label))
            return found;
        path = str_of(path.data + child->label.len, path.len - child->label.len);
        node = child;
    }
    if (node->exact.count > 0)
        out[found++] = &node->exact;
    assert(found <= PATH_INDEX_LISTS_MAX);
    return found;
}
