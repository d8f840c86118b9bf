#include "route/locations.h"

#include <stdlib.h>

/* A path of one level. Among sorted paths, all prefixes of a text stand on the chain of `shorter` of the last one that is not
 * behind it. */
struct location_path {
    struct str path;
    const struct location *exact, *prefix;
    const struct location_path *shorter;      /* the longest other path that this one begins with; NULL: none */
};

struct location_level {
    struct location_path *paths;
    size_t path_count;
    const struct location **expressions;      /* in the order of the file */
    size_t expression_count;
    const struct location *root;              /* the prefix "/", where that is the only path: nothing need be searched */
    bool slashes;                             /* some location adds a slash */
};

static bool is_path(const struct location *location)
{
    return location->match == LOCATION_PREFIX || location->match == LOCATION_PREFIX_FINAL || location->match == LOCATION_EXACT;
}

static bool is_expression(const struct location *location)
{
    return location->match == LOCATION_REGEX || location->match == LOCATION_REGEX_IGNORE_CASE;
}

static int by_path(const void *one, const void *other)
{
    return str_compare(((const struct location_path *)one)->path, ((const struct location_path *)other)->path);
}

/* Two locations of one path (an exact one and a prefix) become one. */
static void join_equal(struct location_level *level)
{
    size_t kept = 0;
    for (size_t i = 0; i < level->path_count; i++) {
        struct location_path *it = &level->paths[i];
        struct location_path *last = kept != 0 ? &level->paths[kept - 1] : NULL;
        if (last != NULL && str_equal(last->path, it->path)) {
            last->exact = last->exact != NULL ? last->exact : it->exact;
            last->prefix = last->prefix != NULL ? last->prefix : it->prefix;
        } else {
            level->paths[kept++] = *it;
        }
    }
    level->path_count = kept;
}

static void link_shorter(struct location_level *level)
{
    for (size_t i = 1; i < level->path_count; i++) {
        const struct location_path *it = &level->paths[i - 1];
        while (it != NULL && !str_starts(level->paths[i].path, it->path))
            it = it->shorter;
        level->paths[i].shorter = it;
    }
}

static void add_to_level(struct location_level *level, const struct location *location)
{
    if (is_expression(location)) {
        level->expressions[level->expression_count++] = location;
    } else {
        struct location_path *it = &level->paths[level->path_count++];
        *it = (struct location_path){.path = location->path};
        if (location->match == LOCATION_EXACT)
            it->exact = location;
        else
            it->prefix = location;
        level->slashes |= location->adds_slash;
    }
}

/* `next` chains the locations of one level in the order of the file. */
struct siblings {
    struct location *location;
    struct siblings *next;
    size_t count;
    struct siblings *first, *last;      /* of those that are nested in it */
};

static struct location_level *new_level(const struct siblings *parent, struct arena *arena)
{
    struct location_level *level = arena_new(arena, struct location_level);
    level->paths = arena_array(arena, struct location_path, parent->count + 1);
    level->expressions = arena_array(arena, const struct location *, parent->count + 1);
    for (const struct siblings *it = parent->first; it != NULL; it = it->next)
        add_to_level(level, it->location);
    qsort(level->paths, level->path_count, sizeof(*level->paths), by_path);
    join_equal(level);
    link_shorter(level);
    if (level->path_count == 1 && str_equal(level->paths[0].path, S("/")) && level->paths[0].exact == NULL)
        level->root = level->paths[0].prefix;
    return level;
}

static void append_sibling(struct siblings *parent, struct siblings *it)
{
    if (parent->last != NULL)
        parent->last->next = it;
    else
        parent->first = it;
    parent->last = it;
    parent->count++;
}

static void make_inner(const struct siblings *parent, struct arena *arena)
{
    for (const struct siblings *it = parent->first; it != NULL; it = it->next) {
        if (it->count == 0)
            continue;
        it->location->inner = new_level(it, arena);
        make_inner(it, arena);
    }
}

struct location_level *locations_new(struct location *const *items, size_t count, struct arena *arena)
{
    struct siblings site = {.location = NULL};
    struct siblings *all = arena_array(arena, struct siblings, count + 1);
    for (size_t i = 0; i < count; i++)
        all[i] = (struct siblings){.location = items[i]};
    for (size_t i = 0; i < count; i++) {
        if (!is_path(items[i]) && !is_expression(items[i]))
            continue;
        struct siblings *parent = &site;
        for (size_t j = 0; items[i]->within != NULL && j < count; j++)
            if (items[j] == items[i]->within)
                parent = &all[j];
        append_sibling(parent, &all[i]);
    }
    make_inner(&site, arena);
    return new_level(&site, arena);
}

/* The last path that is not behind `path` in order; NULL: all are. */
static const struct location_path *last_up_to(const struct location_level *level, struct str path)
{
    size_t from = 0, to = level->path_count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (str_compare(level->paths[middle].path, path) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from != 0 ? &level->paths[from - 1] : NULL;
}

/* The path of a location that adds a slash is the next one in order: nothing sorts between "/a" and "/a/" that "/a" does not begin,
 * but paths such as "/a!" do, so it is looked for by itself. */
static const struct location *adds_slash_to(const struct location_level *level, struct str path)
{
    size_t from = 0, to = level->path_count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        struct str it = level->paths[middle].path;
        int order = str_compare(str_first(it, path.len), path);
        if (order == 0)
            order = it.len <= path.len ? -1 : (unsigned char)it.data[path.len] - '/';
        if (order == 0 && it.len > path.len + 1)
            order = 1;
        if (order == 0) {
            const struct location_path *found = &level->paths[middle];
            if (found->exact != NULL && found->exact->adds_slash)
                return found->exact;
            return found->prefix != NULL && found->prefix->adds_slash ? found->prefix : NULL;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* The path of this level alone: exact, else the longest prefix. */
static const struct location *find_path(const struct location_level *level, struct str path, bool *ret_exact)
{
    *ret_exact = false;
    if (level->root != NULL)
        return path.len != 0 && path.data[0] == '/' ? level->root : NULL;
    const struct location_path *it = last_up_to(level, path);
    if (it != NULL && it->exact != NULL && it->path.len == path.len && str_equal(it->path, path)) {
        *ret_exact = true;
        return it->exact;
    }
    for (; it != NULL; it = it->shorter)
        if (it->prefix != NULL && str_starts(path, it->path))
            return it->prefix;
    return NULL;
}

static const struct location *find_expression(const struct location_level *level, struct str path, struct captures *captures)
{
    for (size_t i = 0; i < level->expression_count; i++)
        if (perl_regex_match(level->expressions[i]->regex, path, captures))
            return level->expressions[i];
    return NULL;
}

/* An expression's own locations may say more. */
static enum location_found go_into(const struct location *location, struct str path, struct captures *captures,
                                   const struct location **ret_location)
{
    *ret_location = location;
    if (location->inner == NULL)
        return LOCATION_FOUND;
    const struct location *inner = NULL;
    enum location_found found = locations_find(location->inner, path, captures, &inner);
    if (found == LOCATION_FOUND_NONE)
        return LOCATION_FOUND;
    *ret_location = inner;
    return found;
}

enum location_found locations_find(const struct location_level *level, struct str path, struct captures *captures,
                                   const struct location **ret_location)
{
    bool exact;
    const struct location *prefix = find_path(level, path, &exact);
    *ret_location = prefix;
    if (exact)
        return LOCATION_FOUND;
    const struct location *slash = level->slashes ? adds_slash_to(level, path) : NULL;
    if (slash != NULL) {
        *ret_location = slash;
        return LOCATION_FOUND_SLASH;
    }
    if (prefix != NULL && prefix->inner != NULL) {
        const struct location *inner = NULL;
        enum location_found found = locations_find(prefix->inner, path, captures, &inner);
        if (found == LOCATION_FOUND_SLASH || (found == LOCATION_FOUND && (inner->match == LOCATION_EXACT || is_expression(inner)))) {
            *ret_location = inner;
            return found;
        }
        if (found == LOCATION_FOUND)
            *ret_location = inner;
    }
    if (prefix == NULL || prefix->match != LOCATION_PREFIX_FINAL) {
        const struct location *expression = find_expression(level, path, captures);
        if (expression != NULL)
            return go_into(expression, path, captures, ret_location);
    }
    return *ret_location != NULL ? LOCATION_FOUND : LOCATION_FOUND_NONE;
}

void locations_explain(const struct location_level *level, struct str path, struct location_reason *ret_reason)
{
    struct captures captures = {.count = 0};
    bool exact;
    *ret_reason = (struct location_reason){.winner = NULL};
    ret_reason->remembered = find_path(level, path, &exact);
    if (exact)
        ret_reason->remembered = NULL;
    ret_reason->expression = find_expression(level, path, &captures);
    ret_reason->slash = locations_find(level, path, &captures, &ret_reason->winner) == LOCATION_FOUND_SLASH;
}
