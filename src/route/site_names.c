#include "route/site_names.h"

void site_names_init(struct site_names *names)
{
    memset(names, 0, sizeof(*names));
    map_init(&names->exact, false);
    map_init(&names->leading, false);
    map_init(&names->trailing, false);
}

void site_names_release(struct site_names *names)
{
    map_release(&names->exact);
    map_release(&names->leading);
    map_release(&names->trailing);
    VEC_RELEASE(&names->expressions);
}

static bool add_once(struct map *map, struct str key, void *site)
{
    void *before = map_get(map, key);
    if (before == NULL)
        map_put(map, key, site);
    return before == NULL || before == site;
}

bool site_names_add(struct site_names *names, struct str name, const struct perl_regex *regex, void *site, struct arena *arena)
{
    if (regex != NULL) {
        VEC_PUSH(&names->expressions, (struct site_expression){.regex = regex, .site = site});
        return true;
    }
    name = arena_lower(arena, name);
    if (str_starts(name, S("*.")))
        return add_once(&names->leading, str_from_index(name, 1), site);
    if (str_starts(name, S(".")) && name.len > 1) {
        bool below = add_once(&names->leading, name, site);
        return add_once(&names->exact, str_from_index(name, 1), site) && below;
    }
    if (str_ends(name, S(".*")))
        return add_once(&names->trailing, str_first(name, name.len - 1), site);
    return add_once(&names->exact, name, site);
}

static void *find_leading(const struct map *leading, struct str host)
{
    for (ptrdiff_t dot = str_find_char(host, '.', 0); dot >= 0; dot = str_find_char(host, '.', (size_t)dot + 1)) {
        void *site = dot != 0 ? map_get(leading, str_from_index(host, (size_t)dot)) : NULL;
        if (site != NULL)
            return site;
    }
    return NULL;
}

static void *find_trailing(const struct map *trailing, struct str host)
{
    while (host.len != 0) {
        ptrdiff_t dot = str_find_last_char(host, '.');
        if (dot < 0)
            return NULL;
        void *site = map_get(trailing, str_first(host, (size_t)dot + 1));
        if (site != NULL)
            return site;
        host = str_first(host, (size_t)dot);
    }
    return NULL;
}

void *site_names_find(const struct site_names *names, struct str host, struct captures *captures,
                      const struct perl_regex **ret_regex)
{
    *ret_regex = NULL;
    if (names->only)
        return names->fallback;
    void *site = map_get(&names->exact, host);
    if (site == NULL && names->leading.live != 0)
        site = find_leading(&names->leading, host);
    if (site == NULL && names->trailing.live != 0)
        site = find_trailing(&names->trailing, host);
    for (size_t i = 0; site == NULL && i < names->expressions.count && host.len != 0; i++) {
        if (!perl_regex_match(names->expressions.items[i].regex, host, captures))
            continue;
        site = names->expressions.items[i].site;
        *ret_regex = names->expressions.items[i].regex;
    }
    return site != NULL ? site : names->fallback;
}
