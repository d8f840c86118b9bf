/* types and default_type: sets of media types, one for each pair of these that holds somewhere. */
#include "config/nginx/static.h"

static const struct nginx_syntax rows[] = {
    {"types", NGINX_EVERYWHERE, .block = true, .repeats = true, .help = "Media types, each with the ends of names that it has."},
    {"default_type", NGINX_EVERYWHERE, .min = 1, .max = 1, .help = "The media type of all other files and texts."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

static void put_type(struct nginx_compile *compile, struct node *types, const struct nginx_directive *row)
{
    struct node *former = node_get(types, row->name);
    struct str ends = former != NULL ? former->text : STR_NONE;
    for (size_t i = 0; i < row->count; i++)
        ends = arena_printf(compile->arena, "%.*s%s%.*s", STR_ARGS(ends), ends.len != 0 ? " " : "", STR_ARGS(row->words[i].text));
    nginx_put_named(compile, types, row->name, ends, row->span);
}

/* What nginx knows without a table. */
static void put_built_in(struct nginx_compile *compile, struct node *types, struct span span)
{
    nginx_put(compile, types, "text/html", S("html"), span);
    nginx_put(compile, types, "image/gif", S("gif"), span);
    nginx_put(compile, types, "image/jpeg", S("jpg"), span);
}

static void make_set(struct nginx_place *place, struct str name)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *block = nginx_all(place->scope, "types");
    const struct nginx_directive *fallback = nginx_find(place->scope, "default_type");
    struct span span = block != NULL ? block->span : fallback != NULL ? fallback->span : place->block->span;
    struct node *set = nginx_put_map_named(compile, nginx_section(compile, "http.mediaTypes"), name, span);
    struct node *types = nginx_put_map(compile, set, "types", span);
    if (block == NULL)
        put_built_in(compile, types, span);
    for (; block != NULL; block = nginx_same(block))
        NGINX_FOREACH(block, row)
            put_type(compile, types, row);
    nginx_put(compile, set, "default", fallback != NULL ? fallback->words[0].text : S("text/plain"),
              fallback != NULL ? fallback->words[0].span : span);
}

static void put_types(struct nginx_place *place)
{
    static const char *const names[] = {"types", "default_type", NULL};
    struct nginx_compile *compile = place->compile;
    struct str key = nginx_static_key(place, "mediaTypes", names);
    struct str *name = map_get(&compile->zones, key);
    if (name == NULL) {
        name = arena_new(compile->arena, struct str);
        *name = nginx_unique(compile, "mediaTypes", S("types"));
        map_put(&compile->zones, key, name);
        make_set(place, *name);
    }
    nginx_put(compile, nginx_put_map(compile, place->router, "location", place->block->span), "mediaTypes", *name,
              place->block->span);
}

static const struct nginx_part part = {.name = "types", .order = -20, .place = put_types};
REGISTER(nginx_part, part);
