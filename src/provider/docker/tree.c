#include "provider/docker/tree.h"

#define PLACE_MAX 4096

struct node *tree_alias(struct arena *arena, const struct node *node)
{
    struct node *alias = arena_new(arena, struct node);
    *alias = *node;
    alias->next = alias->parent = NULL;
    return alias;
}

struct node *tree_add_text(struct arena *arena, struct node *map, struct str key, struct str text, struct span span)
{
    struct node *node = node_scalar(arena, text, span);
    node->key = key;
    node->key_span = span;
    node_append(map, node);
    return node;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t product = (a ^ 0x9e3779b97f4a7c15U) * (b | 1);
    return product ^ product >> 29;
}

uint64_t tree_hash(const struct node *node)
{
    uint64_t hash = (uint64_t)node->kind + 1;
    if (node->kind == NODE_SCALAR)
        return mix(hash, str_hash(node->text));
    NODE_FOREACH(node, child) {
        uint64_t below = tree_hash(child);
        if (node->kind == NODE_MAP)
            hash += mix(str_hash_nocase(child->key), below);
        else
            hash = mix(hash, below);
    }
    return hash;
}

static bool differ(const struct node *one, const struct node *other, const struct node **ret_one, const struct node **ret_other)
{
    *ret_one = one;
    *ret_other = other;
    return false;
}

static bool equal_maps(const struct node *one, const struct node *other, const struct node **ret_one, const struct node **ret_other)
{
    NODE_FOREACH(one, child) {
        const struct node *same = node_get(other, child->key);
        if (same == NULL)
            return differ(child, NULL, ret_one, ret_other);
        if (!tree_equal(child, same, ret_one, ret_other))
            return false;
    }
    NODE_FOREACH(other, child)
        if (node_get(one, child->key) == NULL)
            return differ(NULL, child, ret_one, ret_other);
    return true;
}

bool tree_equal(const struct node *one, const struct node *other, const struct node **ret_one, const struct node **ret_other)
{
    if (one->kind != other->kind)
        return differ(one, other, ret_one, ret_other);
    if (one->kind == NODE_MAP)
        return equal_maps(one, other, ret_one, ret_other);
    if (one->kind == NODE_SCALAR)
        return str_equal(one->text, other->text) || differ(one, other, ret_one, ret_other);
    const struct node *left = node_first(one), *right = node_first(other);
    for (; left != NULL && right != NULL; left = left->next, right = right->next)
        if (!tree_equal(left, right, ret_one, ret_other))
            return false;
    return (left == NULL && right == NULL) || differ(left, right, ret_one, ret_other);
}

struct str tree_place(struct span span, struct arena *arena)
{
    struct text text;
    text_init(&text, PLACE_MAX);
    diag_render_place(span, &text);
    struct str place = arena_str(arena, text_str(&text));
    text_release(&text);
    return place;
}
