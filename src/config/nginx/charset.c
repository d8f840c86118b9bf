/* charset and its kin, and gunzip, which stands behind it: unpacked before texts are converted. */
#include "config/nginx/static.h"

#define IFS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)

static const struct nginx_syntax rows[] = {
    {"charset", IFS, .min = 1, .max = 1, .help = "What texts are in; off."},
    {"source_charset", IFS, .min = 1, .max = 1, .help = "What texts are in before they are converted."},
    {"override_charset", IFS, .min = 1, .max = 1, .flag = true, .help = "Convert what servers say the charset of."},
    {"charset_types", NGINX_EVERYWHERE, .min = 1, .max = NGINX_MANY, .help = "Media types besides text/html; '*': all."},
    {"charset_map", NGINX_HTTP, .min = 2, .max = 2, .block = true, .repeats = true, .help = "A conversion, character by character."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- maps ---- */

static bool joins(const struct nginx_directive *map, struct str one, struct str other)
{
    return str_equal_nocase(map->words[0].text, one) && str_equal_nocase(map->words[1].text, other);
}

static const struct nginx_directive *find_map(const struct nginx_compile *compile, struct str one, struct str other)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "charset_map"); it != NULL; it = nginx_same(it))
        if (joins(it, one, other) || joins(it, other, one))
            return it;
    return NULL;
}

static void check_map(struct nginx_compile *compile, const struct nginx_directive *map)
{
    struct str from = map->words[0].text, to = map->words[1].text;
    if (str_equal_nocase(from, to))
        diag_error(compile->diag, map->span, "\"charset_map\" between the same charsets \"%.*s\" and \"%.*s\"", STR_ARGS(from),
                   STR_ARGS(to));
    else if (str_equal_nocase(from, S("utf-8")))
        diag_error(compile->diag, map->words[0].span,
                   "\"charset_map\" with \"utf-8\" charset should be given in the second column");
    else if (find_map(compile, from, to) != map)
        diag_error(compile->diag, map->span, "duplicate \"charset_map\" between \"%.*s\" and \"%.*s\"", STR_ARGS(from), STR_ARGS(to));
    NGINX_FOREACH(map, row)
        if (row->count != 1)
            diag_error(compile->diag, row->span, "invalid parameters number");
}

static void check_maps(struct nginx_compile *compile)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "charset_map"); it != NULL; it = nginx_same(it))
        check_map(compile, it);
}

static void put_maps(struct nginx_compile *compile, struct node *options)
{
    for (const struct nginx_directive *it = nginx_here(compile->http, "charset_map"); it != NULL; it = nginx_same(it)) {
        struct node *map = nginx_add_map(compile, nginx_put_list(compile, options, "maps", it->span), it->span);
        nginx_put(compile, map, "from", it->words[0].text, it->words[0].span);
        nginx_put(compile, map, "to", it->words[1].text, it->words[1].span);
        struct node *characters = nginx_put_map(compile, map, "characters", it->span);
        NGINX_FOREACH(it, row)
            if (row->count == 1)
                nginx_put_named(compile, characters, row->name, row->words[0].text, row->span);
    }
}

/* ---- charset ---- */

static void check_pair(struct nginx_place *place, const struct nginx_directive *charset, const struct nginx_directive *source)
{
    struct str from = source->words[0].text, to = charset->words[0].text;
    bool known = !nginx_has_variables(from) && !nginx_has_variables(to);
    if (known && !str_equal(from, S("off")) && !str_equal_nocase(from, to) && find_map(place->compile, from, to) == NULL)
        diag_error(place->compile->diag, source->span, "no \"charset_map\" between the charsets \"%.*s\" and \"%.*s\"",
                   STR_ARGS(from), STR_ARGS(to));
}

static void put_options(struct nginx_place *place, struct node *options, const struct nginx_directive *charset)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_directive *source = nginx_find(place->scope, "source_charset");
    const struct nginx_directive *types = nginx_find(place->scope, "charset_types");
    bool override = nginx_flag(place->scope, "override_charset", false);
    nginx_put(compile, options, "charset", nginx_template(compile, &charset->words[0]), charset->words[0].span);
    if (source != NULL) {
        check_pair(place, charset, source);
        nginx_put(compile, options, "source", nginx_template(compile, &source->words[0]), source->words[0].span);
    }
    if (override)
        nginx_put_flag(compile, options, "override", true, charset->span);
    if (types != NULL) {
        struct node *list = nginx_put_list(compile, options, "types", types->span);
        nginx_add_text(compile, list, S("text/html"), types->span);
        for (size_t i = 0; i < types->count; i++)
            nginx_add_text(compile, list, types->words[i].text, types->words[i].span);
    }
    if (source != NULL || override)
        put_maps(compile, options);
}

static void put_charset(struct nginx_place *place)
{
    static const char *const names[] = {"charset", "source_charset", "override_charset", "charset_types", NULL};
    const struct nginx_directive *charset = nginx_find(place->scope, "charset");
    if (charset == NULL || str_equal(charset->words[0].text, S("off")))
        return;
    struct node *options = nginx_shared_middleware(place, NGINX_CHAIN_CHARSET, "charset",
                                                   nginx_static_key(place, "charset", names), charset->span);
    if (options != NULL)
        put_options(place, options, charset);
}

static void put_gunzip(struct nginx_place *place)
{
    static const char *const names[] = {"gunzip", "gzip_vary", "gzip_proxied", NULL};
    if (!nginx_flag(place->scope, "gunzip", false))
        return;
    struct span span = nginx_find(place->scope, "gunzip")->span;
    struct node *options =
        nginx_shared_middleware(place, NGINX_CHAIN_CHARSET, "gunzip", nginx_static_key(place, "gunzip", names), span);
    if (options == NULL)
        return;
    nginx_put_flag(place->compile, options, "vary", nginx_flag(place->scope, "gzip_vary", false), span);
    nginx_put_flag(place->compile, options, "direct", nginx_static_direct(place), span);
}

static void put_codings(struct nginx_place *place)
{
    put_charset(place);
    put_gunzip(place);
}

static const struct nginx_part part = {.name = "charset", .global = check_maps, .place = put_codings};
REGISTER(nginx_part, part);
