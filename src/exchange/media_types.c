#include "exchange/media_types.h"

static bool is_between(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

static bool next_extension(struct str *rest, struct str *ret_extension)
{
    size_t begin = 0, end;
    while (begin < rest->len && is_between(rest->data[begin]))
        begin++;
    for (end = begin; end < rest->len && !is_between(rest->data[end]);)
        end++;
    *ret_extension = str_of(rest->data + begin, end - begin);
    *rest = str_from_index(*rest, end);
    return ret_extension->len != 0;
}

/* Of two that name an extension the later one holds, as in a file that is read from its beginning. */
struct media_types *media_types_new(const struct media_types_config *config, struct arena *arena)
{
    struct media_types *types = arena_new(arena, struct media_types);
    map_init(&types->by_extension, true);
    types->fallback = config->fallback;
    for (size_t i = 0; i < config->types.count; i++) {
        struct str rest = config->types.items[i].value, extension;
        struct str *type = &config->types.items[i].name;
        while (next_extension(&rest, &extension))
            map_put(&types->by_extension, extension, type);
    }
    return types;
}

void media_types_release(struct media_types *types)
{
    map_release(&types->by_extension);
}

struct str media_types_of(const struct media_types *types, struct str name)
{
    ptrdiff_t slash = str_find_last_char(name, '/');
    struct str last = str_from_index(name, (size_t)(slash + 1));
    ptrdiff_t dot = str_find_last_char(last, '.');
    const struct str *found = dot > 0 ? map_get(&types->by_extension, str_from_index(last, (size_t)dot + 1)) : NULL;
    return found != NULL ? *found : types->fallback;
}
