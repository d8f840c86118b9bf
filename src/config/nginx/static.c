#include "config/nginx/static.h"

struct str nginx_static_key(const struct nginx_place *place, const char *prefix, const char *const *names)
{
    struct arena *arena = place->compile->arena;
    struct str key = str_from(prefix);
    for (; *names != NULL; names++)
        key = arena_printf(arena, "%.*s:%p", STR_ARGS(key), (const void *)nginx_find(place->scope, *names));
    return key;
}

static void join(struct nginx_place *place, enum nginx_chain at, struct str name, struct span span)
{
    if (place->chain[at] == NULL)
        place->chain[at] = node_new(place->compile->arena, NODE_LIST, span);
    nginx_add_text(place->compile, place->chain[at], name, span);
}

struct node *nginx_shared_middleware(struct nginx_place *place, enum nginx_chain at, const char *type, struct str key,
                                     struct span span)
{
    struct nginx_compile *compile = place->compile;
    struct str *made = map_get(&compile->zones, key);
    struct node *options = NULL;
    if (made == NULL) {
        made = arena_new(compile->arena, struct str);
        *made = nginx_unique(compile, "middlewares", str_from(type));
        map_put(&compile->zones, key, made);
        struct node *object = nginx_put_map_named(compile, nginx_section(compile, "http.middlewares"), *made, span);
        options = nginx_put_map(compile, object, type, span);
    }
    join(place, at, *made, span);
    return options;
}

void nginx_static_links(struct nginx_place *place, struct node *options)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *links = nginx_find(place->scope, "disable_symlinks");
    struct span span = links != NULL ? links->span : options->span;
    struct str word = links != NULL ? links->words[0].text : S("off"), from;
    const struct nginx_word *from_word;
    if (str_equal(word, S("off"))) {
        nginx_put(compile, options, "symlinks", S("anywhere"), span);
        return;
    }
    if (!str_equal(word, S("on")) && !str_equal(word, S("if_not_owner"))) {
        nginx_invalid(compile, links, &links->words[0]);
        return;
    }
    nginx_put(compile, options, "symlinks", str_equal(word, S("on")) ? S("none") : S("owned"), span);
    struct nginx_word value = {.text = S("/"), .span = span};
    if (nginx_parameter(links, 1, "from", &from, &from_word))
        value = (struct nginx_word){.text = from, .span = from_word->span};
    else if (links->count > 1)
        nginx_invalid(compile, links, &links->words[1]);
    nginx_put(compile, options, "symlinksFrom", nginx_template(compile, &value), value.span);
}

bool nginx_static_direct(const struct nginx_place *place)
{
    const struct nginx_directive *proxied = nginx_find(place->scope, "gzip_proxied");
    for (size_t i = 0; proxied != NULL && i < proxied->count; i++)
        if (str_equal(proxied->words[i].text, S("any")))
            return false;
    return true;
}
