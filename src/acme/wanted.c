#include "acme/wanted.h"

#include <stdlib.h>

#include "base/map.h"

static bool is_wildcard(struct str name)
{
    return str_starts(name, S("*."));
}

/* "*.a.example" for "b.a.example"; empty for a wildcard, or a name without a dot. */
static struct str wildcard_for(struct str name, struct arena *arena)
{
    ptrdiff_t dot = str_find_char(name, '.', 0);
    if (is_wildcard(name) || dot <= 0)
        return STR_NONE;
    return arena_concat(arena, S("*"), str_from_index(name, (size_t)dot));
}

static bool is_covered(const struct map *covered, struct str name, struct arena *arena)
{
    struct str wildcard = wildcard_for(name, arena);
    return map_has(covered, name) || (!str_empty(wildcard) && map_has(covered, wildcard));
}

static void cover(struct map *covered, const struct strs *names)
{
    for (size_t i = 0; i < names->count; i++)
        map_put(covered, names->items[i], covered);
}

/* ---- the order in which wants are looked at ---- */

struct ranked {
    const struct certificate_want *want;
    size_t at;
    bool wildcard;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->wildcard != right->wildcard)
        return left->wildcard ? -1 : 1;
    if (left->want->names.count != right->want->names.count)
        return left->want->names.count > right->want->names.count ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

static struct ranked *rank(const struct certificate_want *wants, size_t count, struct arena *arena)
{
    struct ranked *ranked = arena_array(arena, struct ranked, count);
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){.want = &wants[i], .at = i};
        for (size_t j = 0; j < wants[i].names.count; j++)
            ranked[i].wildcard |= is_wildcard(wants[i].names.items[j]);
    }
    if (count > 1)
        qsort(ranked, count, sizeof(*ranked), by_rank);
    return ranked;
}

/* ---- what is left of a want ---- */

static struct strs uncovered(const struct strs *names, const struct map *covered, struct arena *arena)
{
    struct strs left = {.items = arena_array(arena, struct str, names->count)};
    struct map own;
    map_init(&own, false);
    for (size_t i = 0; i < names->count; i++)
        if (is_wildcard(names->items[i]))
            map_put(&own, names->items[i], &own);
    for (size_t i = 0; i < names->count; i++) {
        struct str name = names->items[i], wildcard = wildcard_for(name, arena);
        bool again = !str_empty(wildcard) && map_has(&own, wildcard);
        for (size_t j = 0; !again && j < left.count; j++)
            again = str_equal(left.items[j], name);
        if (!again && !is_covered(covered, name, arena))
            left.items[left.count++] = name;
    }
    map_release(&own);
    return left;
}

struct wanted wanted_choose(const struct certificate_want *wants, size_t want_count, struct certificate *const *files,
                            size_t file_count, int64_t now, struct arena *arena)
{
    struct wanted wanted = {.items = arena_array(arena, struct wanted_set, want_count)};
    struct ranked *ranked = rank(wants, want_count, arena);
    struct map covered;
    map_init(&covered, false);
    for (size_t i = 0; i < file_count; i++)
        if (files[i]->not_after > now)
            cover(&covered, &files[i]->names);
    for (size_t i = 0; i < want_count; i++) {
        const struct certificate_want *want = ranked[i].want;
        struct strs names = uncovered(&want->names, &covered, arena);
        if (names.count == 0)
            continue;
        cover(&covered, &names);
        wanted.items[wanted.count++] = (struct wanted_set){.resolver = want->resolver, .names = names, .router = want->router};
    }
    map_release(&covered);
    return wanted;
}
