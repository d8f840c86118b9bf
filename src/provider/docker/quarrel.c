#include "provider/docker/quarrel.h"

#include "provider/docker/tree.h"

/* "loadbalancer.healthcheck.path", below the object's own node. */
static struct str path_to(const struct node *node, const struct node *top, struct arena *arena)
{
    struct str path = STR_NONE;
    for (; node != NULL && node != top; node = node->parent)
        if (!str_empty(node->key))
            path = str_empty(path) ? node->key : arena_printf(arena, "%.*s.%.*s", STR_ARGS(node->key), STR_ARGS(path));
    return path;
}

static struct str value_text(const struct node *node, struct arena *arena)
{
    if (node == NULL || node->kind == NODE_NULL)
        return S("not given");
    if (node->kind == NODE_SCALAR)
        return arena_printf(arena, "'%.*s'", STR_ARGS(node->text));
    return S("given otherwise");
}

struct str quarrel_text(const struct definition *one, const struct definition *other, struct arena *arena, struct span *ret_span)
{
    const struct node *left = NULL, *right = NULL;
    struct str first = one->definers->candidate->owner, second = other->definers->candidate->owner;
    tree_equal(one->node, other->node, &left, &right);
    struct str path = left != NULL ? path_to(left, one->node, arena) : path_to(right, other->node, arena);
    const struct node *at = left != NULL && left != one->node ? left : right;
    *ret_span = at != NULL && at != other->node ? at->key_span : one->node->key_span;
    if (str_empty(path))
        return arena_printf(arena, "%.*s and %.*s define it differently", STR_ARGS(first), STR_ARGS(second));
    return arena_printf(arena, "%.*s and %.*s define it differently: '%.*s' is %.*s and %.*s", STR_ARGS(first), STR_ARGS(second),
                        STR_ARGS(path), STR_ARGS(value_text(left, arena)), STR_ARGS(value_text(right, arena)));
}

void quarrel_tell(const struct object *object, const char *noun, const struct definition *definition, struct candidate *candidate,
                  struct str why, struct arena *arena)
{
    if (definition == object->winner)
        return;
    if (merge_counts(object, definition, candidate)) {
        bool behind = candidate->standing > object->winner->standing;
        candidate_tell(candidate, false,
                       arena_printf(arena, behind ? "%s '%.*s' is as %.*s defines it until this one is ready"
                                                  : "%s '%.*s' is as the younger %.*s defines it",
                                    noun, STR_ARGS(object->name), STR_ARGS(object->winner->youngest->owner)),
                       STR_NONE);
        return;
    }
    candidate_tell(candidate, true, arena_printf(arena, "%s '%.*s': %.*s", noun, STR_ARGS(object->name), STR_ARGS(why)),
                   S("give one of them another name: once both are ready it is left out"));
}
