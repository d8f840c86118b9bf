#include "provider/docker/merge.h"

#include "provider/docker/tree.h"

void merge_init(struct merge *merge, struct arena *arena)
{
    merge->arena = arena;
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        map_init(&merge->objects[kind], false);
}

void merge_release(struct merge *merge)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        map_release(&merge->objects[kind]);
}

struct object *merge_find(const struct merge *merge, enum object_kind kind, struct str name)
{
    return map_get(&merge->objects[kind], name);
}

static struct object *find_or_make(struct merge *merge, enum object_kind kind, struct str name)
{
    struct object *object = merge_find(merge, kind, name);
    if (object != NULL)
        return object;
    object = arena_new(merge->arena, struct object);
    object->kind = kind;
    object->name = name;
    object->last = &object->first;
    object->last_server = &object->servers;
    map_put(&merge->objects[kind], name, object);
    return object;
}

static struct definition *find_equal(const struct object *object, const struct node *node, uint64_t hash, bool broken)
{
    const struct node *one, *other;
    struct definition *it = object->first;
    while (it != NULL && (it->hash != hash || (it->broken != NULL) != broken || !tree_equal(it->node, node, &one, &other)))
        it = it->next;
    return it;
}

static bool is_same_family(const struct candidate *one, const struct candidate *other)
{
    return one == other || (!str_empty(one->family) && str_equal(one->family, other->family));
}

static void add_definer(struct merge *merge, struct definition *definition, struct candidate *candidate)
{
    struct definer *definer = arena_new(merge->arena, struct definer);
    definer->candidate = candidate;
    *definition->last_definer = definer;
    definition->last_definer = &definer->next;
    if (definition->youngest == NULL || candidate->standing < definition->standing) {
        definition->standing = candidate->standing;
        definition->youngest = candidate;
        definition->one_family = true;
        return;
    }
    if (candidate->standing > definition->standing)
        return;
    definition->one_family = definition->one_family && is_same_family(definition->youngest, candidate);
    if (candidate->container->created > definition->youngest->container->created)
        definition->youngest = candidate;
}

struct definition *merge_add(struct merge *merge, enum object_kind kind, const struct node *node, struct candidate *candidate)
{
    struct object *object = find_or_make(merge, kind, node->key);
    const struct broken_object *broken = candidate_broken(candidate, node);
    uint64_t hash = tree_hash(node);
    struct definition *definition = find_equal(object, node, hash, broken != NULL);
    if (definition == NULL) {
        definition = arena_new(merge->arena, struct definition);
        definition->node = node;
        definition->hash = hash;
        definition->broken = broken;
        definition->last_definer = &definition->definers;
        *object->last = definition;
        object->last = &definition->next;
    }
    add_definer(merge, definition, candidate);
    return definition;
}

void merge_add_server(struct merge *merge, struct str service, const struct merged_server *server)
{
    struct object *object = find_or_make(merge, OBJECT_SERVICE, service);
    struct merged_server *copy = arena_new(merge->arena, struct merged_server);
    *copy = *server;
    copy->next = NULL;
    *object->last_server = copy;
    object->last_server = &copy->next;
}

/* `one` is believed rather than `other`: it can be used, or its container is further on. */
static int compare(const struct definition *one, const struct definition *other)
{
    if ((one->broken != NULL) != (other->broken != NULL))
        return one->broken != NULL ? 1 : -1;
    return (int)one->standing - (int)other->standing;
}

/* Of two on a par: does it matter that they differ? */
static bool can_quarrel(const struct definition *one, const struct definition *other)
{
    if (one->broken != NULL || one->standing == STANDING_AWAY)
        return false;
    return !one->one_family || !other->one_family || !is_same_family(one->youngest, other->youngest);
}

static void settle(struct object *object)
{
    struct definition *best = object->first;
    const struct definition *rival = NULL;
    for (struct definition *it = best != NULL ? best->next : NULL; it != NULL; it = it->next) {
        int order = compare(it, best);
        if (order > 0)
            continue;
        if (order < 0)
            rival = NULL;
        else if (rival == NULL && can_quarrel(it, best))
            rival = it->youngest->container->created > best->youngest->container->created ? best : it;
        if (order < 0 || it->youngest->container->created > best->youngest->container->created)
            best = it;
    }
    object->winner = rival == NULL ? best : NULL;
    object->first_rival = rival != NULL ? best : NULL;
    object->rival = rival;
    /* They are named in the order of their coming. */
    for (const struct definition *it = object->first; rival != NULL && it != best; it = it->next) {
        if (it == rival) {
            object->first_rival = rival;
            object->rival = best;
        }
    }
}

void merge_settle(struct merge *merge)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++)
        for (uint32_t i = 0; i < merge->objects[kind].count; i++)
            settle(merge->objects[kind].items[i].value);
}

bool merge_counts(const struct object *object, const struct definition *definition, const struct candidate *candidate)
{
    if (object->winner == NULL || object->winner->broken != NULL)
        return false;
    return definition == object->winner || is_same_family(object->winner->youngest, candidate);
}
