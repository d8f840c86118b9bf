/* Writes the model's tree. Names of objects are unique in their section; keys of large maps are found by hashing, so a file with
 * ten thousand locations takes no ten thousand times as long. */
#include "config/nginx/compile.h"

#include <stdlib.h>

#include "base/memory.h"

#define KEYS_BY_SCAN 16   /* a map with more keys than this is looked through by hashing */

/* The keys of one large map. */
struct nginx_members {
    const struct node *map;
    struct map keys;              /* key -> its node */
    const struct node *last;      /* of those that are in `keys` */
    struct nginx_members *next;
};

void nginx_members_release(struct nginx_compile *compile)
{
    struct nginx_members *next;
    for (struct nginx_members *it = compile->members; it != NULL; it = next) {
        next = it->next;
        map_release(&it->keys);
        free(it);
    }
    compile->members = NULL;
}

static struct nginx_members *members_of(struct nginx_compile *compile, const struct node *map)
{
    struct nginx_members *it = compile->members;
    while (it != NULL && it->map != map)
        it = it->next;
    if (it != NULL)
        return it;
    it = memory_zalloc(sizeof(*it));
    it->map = map;
    map_init(&it->keys, true);
    it->next = compile->members;
    compile->members = it;
    return it;
}

static struct node *find_member(struct nginx_compile *compile, const struct node *map, struct str key)
{
    if (map->count <= KEYS_BY_SCAN)
        return node_get(map, key);
    struct nginx_members *members = members_of(compile, map);
    for (struct node *it = members->last != NULL ? members->last->next : map->first; it != NULL; it = it->next) {
        map_put(&members->keys, it->key, it);
        members->last = it;
    }
    return map_get(&members->keys, key);
}

static struct node *make_member(struct nginx_compile *compile, struct node *map, struct str key, enum node_kind kind,
                                struct span span)
{
    if (map->kind == NODE_NULL)
        node_become(map, NODE_MAP);
    struct node *node = find_member(compile, map, key);
    if (node != NULL)
        return node;
    node = node_new(compile->arena, kind, span);
    node->key = key;
    node->key_span = span;
    node_append(map, node);
    return node;
}

/* --- values ------------------------------------------------------------------------------------------ */

struct node *nginx_put_named(struct nginx_compile *compile, struct node *map, struct str key, struct str text, struct span span)
{
    struct node *node = make_member(compile, map, key, NODE_SCALAR, span);
    node->kind = NODE_SCALAR;
    node->text = text.data != NULL ? text : S("");
    node->span = span;
    return node;
}

struct node *nginx_put(struct nginx_compile *compile, struct node *map, const char *key, struct str text, struct span span)
{
    return nginx_put_named(compile, map, str_from(key), text, span);
}

struct node *nginx_put_flag(struct nginx_compile *compile, struct node *map, const char *key, bool on, struct span span)
{
    return nginx_put(compile, map, key, on ? S("true") : S("false"), span);
}

struct node *nginx_put_number(struct nginx_compile *compile, struct node *map, const char *key, int64_t number, struct span span)
{
    return nginx_put(compile, map, key, arena_printf(compile->arena, "%lld", (long long)number), span);
}

struct node *nginx_put_time(struct nginx_compile *compile, struct node *map, const char *key, int64_t ms, struct span span)
{
    return nginx_put(compile, map, key, arena_printf(compile->arena, "%lldms", (long long)ms), span);
}

/* --- maps and lists ---------------------------------------------------------------------------------- */

struct node *nginx_put_map_named(struct nginx_compile *compile, struct node *map, struct str key, struct span span)
{
    return make_member(compile, map, key, NODE_MAP, span);
}

struct node *nginx_put_map(struct nginx_compile *compile, struct node *map, const char *key, struct span span)
{
    return make_member(compile, map, str_from(key), NODE_MAP, span);
}

struct node *nginx_put_list(struct nginx_compile *compile, struct node *map, const char *key, struct span span)
{
    return make_member(compile, map, str_from(key), NODE_LIST, span);
}

struct node *nginx_add_text(struct nginx_compile *compile, struct node *list, struct str text, struct span span)
{
    struct node *node = node_new(compile->arena, NODE_SCALAR, span);
    node->text = text.data != NULL ? text : S("");
    node_append(list, node);
    return node;
}

struct node *nginx_add_map(struct nginx_compile *compile, struct node *list, struct span span)
{
    struct node *node = node_new(compile->arena, NODE_MAP, span);
    node_append(list, node);
    return node;
}

struct node *nginx_section(struct nginx_compile *compile, const char *path)
{
    struct node *node = compile->root;
    struct str rest = str_from(path), part;
    while (str_split(&rest, '.', &part))
        node = nginx_put_map_named(compile, node, part, SPAN_NONE);
    return node;
}

/* --- objects ----------------------------------------------------------------------------------------- */

static struct str without_at(struct nginx_compile *compile, struct str name)
{
    if (str_find_char(name, '@', 0) < 0)
        return name;
    struct str copy = arena_str(compile->arena, name);
    char *data = memcpy(arena_alloc(compile->arena, name.len + 1), copy.data, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        if (data[i] == '@')
            data[i] = '~';
    }
    return str_of(data, name.len);
}

struct str nginx_unique(struct nginx_compile *compile, const char *section, struct str wanted)
{
    wanted = without_at(compile, wanted);
    struct str first = arena_printf(compile->arena, "%s/%.*s", section, STR_ARGS(wanted));
    /* The value is the last number that was given to this name. */
    uintptr_t number = (uintptr_t)map_get(&compile->names, first);
    struct str full = first;
    while (map_has(&compile->names, full))
        full = arena_printf(compile->arena, "%.*s-%zu", STR_ARGS(first), (size_t)++number);
    map_put(&compile->names, first, (void *)(number != 0 ? number : 1));
    if (!str_equal(full, first))
        map_put(&compile->names, full, (void *)1);
    return str_from_index(full, strlen(section) + 1);
}

struct node *nginx_free_middleware(struct nginx_place *place, const char *type, struct span span, struct str *ret_name)
{
    struct nginx_compile *compile = place->compile;
    *ret_name = nginx_unique(compile, "middlewares",
                             arena_printf(compile->arena, "%.*s-%s", STR_ARGS(place->name), type));
    struct node *object = nginx_put_map_named(compile, nginx_section(compile, "http.middlewares"), *ret_name, span);
    return nginx_put_map(compile, object, type, span);
}

struct node *nginx_middleware(struct nginx_place *place, enum nginx_chain at, const char *type, struct span span)
{
    struct str name;
    struct node *options = nginx_free_middleware(place, type, span, &name);
    if (place->chain[at] == NULL)
        place->chain[at] = node_new(place->compile->arena, NODE_LIST, span);
    nginx_add_text(place->compile, place->chain[at], name, span);
    return options;
}

struct node *nginx_service(struct nginx_place *place, const char *kind, struct span span)
{
    struct nginx_compile *compile = place->compile;
    struct str name = nginx_unique(compile, "services", place->name);
    struct node *object = nginx_put_map_named(compile, nginx_section(compile, "http.services"), name, span);
    nginx_put(compile, place->router, "service", name, span);
    return nginx_put_map(compile, object, kind, span);
}
