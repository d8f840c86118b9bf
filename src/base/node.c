/* The tree of texts. Children are a linked list: trees are read in order, and whoever looks up many keys of
 * a large map builds a map of its own. */
#include "base/node.h"

#include <assert.h>

struct node *node_new(struct arena *arena, enum node_kind kind, struct span span)
{
    struct node *node = arena_new(arena, struct node);
    node->kind = kind;
    node->span = span;
    return node;
}

struct node *node_scalar(struct arena *arena, struct str text, struct span span)
{
    struct node *node = node_new(arena, NODE_SCALAR, span);
    node->text = arena_str(arena, text);
    return node;
}

void node_become(struct node *node, enum node_kind kind)
{
    node->kind = kind;
    node->quoted = false;
    node->count = 0;
    node->first = node->last = NULL;
}

void node_append(struct node *parent, struct node *child)
{
    assert(parent->kind == NODE_LIST || parent->kind == NODE_MAP);
    child->parent = parent;
    child->next = NULL;
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

struct node *node_take(struct node *map, struct str key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    struct node *before = NULL;
    for (struct node *it = map->first; it != NULL; before = it, it = it->next) {
        if (!str_equal_nocase(it->key, key))
            continue;
        if (before != NULL)
            before->next = it->next;
        else
            map->first = it->next;
        if (map->last == it)
            map->last = before;
        map->count--;
        it->next = it->parent = NULL;
        return it;
    }
    return NULL;
}

struct node *node_get(const struct node *map, struct str key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    NODE_FOREACH(map, child) {
        if (str_equal_nocase(child->key, key))
            return child;
    }
    return NULL;
}

struct node *node_at(const struct node *list, size_t index)
{
    if (list == NULL || list->kind == NODE_NULL)
        return NULL;
    if (list->kind != NODE_LIST)
        return index == 0 ? (struct node *)(uintptr_t)list : NULL;
    NODE_FOREACH(list, child) {
        if (index-- == 0)
            return child;
    }
    return NULL;
}

struct span node_span(const struct node *node)
{
    for (; node != NULL; node = node->parent) {
        if (node->kind == NODE_SCALAR && node->span.line > 0)
            return node->span;
        if (node->key_span.line > 0)
            return node->key_span;
        if (node->span.line > 0)
            return node->span;
    }
    return SPAN_NONE;
}

/* `from` takes the place of `to` among its neighbours, under the key that is there. */
static void replace(struct node *to, const struct node *from)
{
    struct node *next = to->next, *parent = to->parent;
    struct str key = to->key;
    *to = *from;
    to->key = key;
    to->next = next;
    to->parent = parent;
    NODE_FOREACH(to, child)
        child->parent = to;
}

/* A section that is merely switched on (`--api`) adds nothing to what is already said about it. */
static bool is_bare_switch(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted && str_equal_nocase(node->text, S("true"));
}

void node_merge(struct node *under, struct node *over)
{
    if (under->kind == NODE_NULL)
        node_become(under, NODE_MAP);
    if (under->kind != NODE_MAP)
        return;
    struct node *next;
    for (struct node *child = node_first(over); child != NULL; child = next) {
        next = child->next;
        struct node *same = node_get(under, child->key);
        if (same == NULL)
            node_append(under, child);
        else if (same->kind == NODE_MAP && child->kind == NODE_MAP)
            node_merge(same, child);
        else if (same->kind != NODE_MAP || !is_bare_switch(child))
            replace(same, child);
    }
    node_become(over, over->kind);
}

struct node *node_make_member(struct arena *arena, struct node *parent, struct str key,
                              struct span key_span)
{
    if (parent->kind == NODE_NULL || is_bare_switch(parent))
        node_become(parent, NODE_MAP);
    if (parent->kind != NODE_MAP)
        return NULL;
    struct node *child = node_get(parent, key);
    if (child == NULL) {
        child = node_new(arena, NODE_NULL, SPAN_NONE);
        child->key = arena_str(arena, key);
        child->key_span = key_span;
        node_append(parent, child);
    }
    return child;
}

struct node *node_make_item(struct arena *arena, struct node *parent, size_t index,
                            struct span span)
{
    if (parent->kind == NODE_NULL)
        node_become(parent, NODE_LIST);
    if (parent->kind != NODE_LIST || index > NODE_INDEX_MAX)
        return NULL;
    while (parent->count <= index)
        node_append(parent, node_new(arena, NODE_NULL, span));
    return node_at(parent, index);
}

/* Takes "[7]" off the front of *indexes. */
static bool take_index(struct str *indexes, size_t *ret_index)
{
    ptrdiff_t close = str_find_char(*indexes, ']', 0);
    uint64_t index;
    if (indexes->data[0] != '[' || close < 0 ||
        !str_to_u64(str_of(indexes->data + 1, (size_t)close - 1), &index) || index > NODE_INDEX_MAX)
        return false;
    *ret_index = (size_t)index;
    *indexes = str_from_index(*indexes, (size_t)close + 1);
    return true;
}

/* The key of a part of a path, and the indexes behind it. */
static struct str part_key(struct str part, struct str *ret_indexes)
{
    ptrdiff_t bracket = str_find_char(part, '[', 0);
    *ret_indexes = bracket < 0 ? STR_NONE : str_from_index(part, (size_t)bracket);
    return bracket < 0 ? part : str_first(part, (size_t)bracket);
}

/* Before anything is made of it. */
static bool path_is_valid(struct str path)
{
    struct str rest = path, part, indexes;
    size_t index, steps = 0, into_lists = 0;
    while (str_split(&rest, '.', &part)) {
        if (str_empty(part_key(part, &indexes)))
            return false;
        for (steps++; !str_empty(indexes); steps++) {
            if (!take_index(&indexes, &index) || ++into_lists > NODE_PATH_INDEXES_MAX)
                return false;
        }
    }
    return steps > 0 && steps <= NODE_PATH_MAX;
}

struct node *node_make_path(struct arena *arena, struct node *root, struct str path,
                            struct span span)
{
    struct node *node = path_is_valid(path) ? root : NULL;
    struct str rest = path, part, indexes;
    size_t index;
    while (node != NULL && str_split(&rest, '.', &part)) {
        struct str key = part_key(part, &indexes);
        struct span key_span = span_inside(span, (size_t)(key.data - path.data), key.len);
        node = node_make_member(arena, node, key, key_span);
        while (node != NULL && !str_empty(indexes) && take_index(&indexes, &index))
            node = node_make_item(arena, node, index, key_span);
    }
    return node;
}

bool node_set_text(struct node *node, struct str text, struct span span)
{
    if (node->kind == NODE_MAP || node->kind == NODE_LIST)
        return str_equal_nocase(text, S("true"));
    node->kind = NODE_SCALAR;
    node->text = text;
    node->span = span;
    return true;
}

struct node *node_copy(struct arena *arena, const struct node *node, size_t *budget)
{
    if (*budget == 0)
        return NULL;
    --*budget;
    struct node *copy = arena_new(arena, struct node);
    *copy = *node;
    copy->key = STR_NONE;
    copy->key_span = SPAN_NONE;
    copy->next = copy->parent = NULL;
    if (node->kind == NODE_LIST || node->kind == NODE_MAP)
        node_become(copy, node->kind);
    NODE_FOREACH(node, child) {
        struct node *below = node_copy(arena, child, budget);
        if (below == NULL)
            return NULL;
        below->key = child->key;
        below->key_span = child->key_span;
        node_append(copy, below);
    }
    return copy;
}
