/* Each location, each `if` in one and each server itself becomes a router: a "place", which the parts fill. */
#include "config/nginx/place.h"

static const struct nginx_syntax rows[] = {
    {"location", NGINX_SERVER | NGINX_LOCATION, .min = 1, .max = 2, .block = true, .inside = NGINX_LOCATION, .repeats = true},
    {"internal", NGINX_LOCATION, .max = 0},
    {"absolute_redirect", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true},
    {"port_in_redirect", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true},
    {"server_name_in_redirect", NGINX_EVERYWHERE, .min = 1, .max = 1, .flag = true},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* ---- what a location matches ---- */

/* How a location is written, and what that means. Longer ones first, since they may stand against the path. */
static const struct modifier {
    struct str text;
    const char *match;
} modifiers[] = {
    {STR("~*"), "regexIgnoreCase"}, {STR("~"), "regex"}, {STR("^~"), "prefixFinal"}, {STR("="), "exact"}, {STR("@"), "named"}};
#define MODIFIER_COUNT (sizeof(modifiers) / sizeof(modifiers[0]))

struct matcher {
    const struct modifier *modifier;      /* NULL: a prefix */
    struct str path;
    struct span span;
};

static struct span span_behind(struct span span, size_t bytes)
{
    span.column += (uint32_t)bytes;
    span.length = span.length > bytes ? span.length - (uint32_t)bytes : 1;
    return span;
}

static bool read_matcher(struct nginx_compile *compile, const struct nginx_directive *block, struct matcher *ret_matcher)
{
    const struct nginx_word *word = &block->words[0];
    *ret_matcher = (struct matcher){.path = word->text, .span = word->span};
    for (size_t i = 0; i < MODIFIER_COUNT; i++) {
        const struct modifier *it = &modifiers[i];
        bool alone = block->count == 2 && str_equal(word->text, it->text) && !str_equal(it->text, S("@"));
        bool glued = block->count == 1 && str_starts(word->text, it->text);
        if (!alone && !glued)
            continue;
        ret_matcher->modifier = it;
        ret_matcher->path = alone ? block->words[1].text : str_from_index(word->text, it->text.len);
        ret_matcher->span = alone ? block->words[1].span : span_behind(word->span, it->text.len + (word->quoted ? 1 : 0));
        return true;
    }
    if (block->count == 2) {
        diag_error(compile->diag, word->span, "invalid location modifier \"%.*s\"", STR_ARGS(word->text));
        return false;
    }
    return true;
}

static bool is_modifier(const struct matcher *matcher, const char *match)
{
    return matcher->modifier != NULL && strcmp(matcher->modifier->match, match) == 0;
}

/* ---- names ---- */

static struct str place_name(const struct nginx_place *outer, const struct nginx_server *server, const struct nginx_directive *block,
                             const struct matcher *matcher)
{
    struct nginx_compile *compile = server->compile;
    struct str wanted = server->name;
    if (matcher != NULL)
        wanted = arena_printf(compile->arena, "%.*s%s%.*s%.*s", STR_ARGS(server->name), matcher->modifier != NULL ? " " : "",
                              matcher->modifier != NULL ? (int)matcher->modifier->text.len : 0,
                              matcher->modifier != NULL ? matcher->modifier->text.data : "", STR_ARGS(matcher->path));
    else if (outer != NULL)
        wanted = arena_printf(compile->arena, "%.*s %.*s:%u", STR_ARGS(outer->name), STR_ARGS(block->name), block->span.line);
    return nginx_unique(compile, "http.routers", wanted);
}

/* ---- making places ---- */

static struct nginx_place *new_place(struct nginx_server *server, struct nginx_place *outer, const struct nginx_directive *block,
                                     enum nginx_place_kind kind, const struct matcher *matcher)
{
    struct nginx_compile *compile = server->compile;
    struct nginx_place *place = arena_new(compile->arena, struct nginx_place);
    *place = (struct nginx_place){.kind = kind, .compile = compile, .server = server, .outer = outer, .block = block};
    enum nginx_context context = kind == NGINX_PLACE_IF ? NGINX_LOCATION_IF : kind == NGINX_PLACE_LIMIT_EXCEPT ? NGINX_LIMIT_EXCEPT : NGINX_LOCATION;
    bool inner = kind == NGINX_PLACE_IF || kind == NGINX_PLACE_LIMIT_EXCEPT;
    place->scope = kind == NGINX_PLACE_SERVER
                       ? server->scope
                       : nginx_scope_new(compile, block, context, outer != NULL ? outer->scope : server->scope);
    place->name = place_name(outer, server, block, matcher);
    place->router = nginx_put_map_named(compile, nginx_section(compile, "http.routers"), place->name, block->span);
    struct node *location = nginx_put_map(compile, place->router, "location", block->span);
    nginx_put(compile, location, "site", server->name, block->span);
    const char *match = kind == NGINX_PLACE_SERVER ? "fallback" : inner ? "inner" : NULL;
    if (matcher != NULL)
        match = matcher->modifier != NULL ? matcher->modifier->match : NULL;
    if (match != NULL)
        nginx_put(compile, location, "match", str_from(match), block->span);
    if (matcher != NULL) {
        nginx_put(compile, location, "path", matcher->path, matcher->span);
        place->path = matcher->path;
        place->named = is_modifier(matcher, "named");
        place->exact = is_modifier(matcher, "exact");
        place->regex = is_modifier(matcher, "regex") || is_modifier(matcher, "regexIgnoreCase");
    }
    return place;
}

static void check_nesting(const struct nginx_place *outer, const struct matcher *matcher)
{
    struct diag *diag = outer->compile->diag;
    if (outer->kind != NGINX_PLACE_LOCATION)
        return;
    if (outer->exact)
        diag_error(diag, matcher->span, "location \"%.*s\" cannot be inside the exact location \"%.*s\"", STR_ARGS(matcher->path),
                   STR_ARGS(outer->path));
    else if (outer->named)
        diag_error(diag, matcher->span, "location \"%.*s\" cannot be inside the named location \"@%.*s\"", STR_ARGS(matcher->path),
                   STR_ARGS(outer->path));
    else if (is_modifier(matcher, "named"))
        diag_error(diag, matcher->span, "named location \"@%.*s\" can be on the server level only", STR_ARGS(matcher->path));
    else if (!outer->regex && !is_modifier(matcher, "regex") && !is_modifier(matcher, "regexIgnoreCase") &&
             !str_starts(matcher->path, outer->path))
        diag_error(diag, matcher->span, "location \"%.*s\" is outside location \"%.*s\"", STR_ARGS(matcher->path), STR_ARGS(outer->path));
}

static void make_inner(struct nginx_place *outer, struct nginx_place ***end);

static struct nginx_place *make_location(struct nginx_place *outer, const struct nginx_directive *block)
{
    struct matcher matcher;
    if (!read_matcher(outer->compile, block, &matcher))
        return NULL;
    check_nesting(outer, &matcher);
    bool nested = outer->kind == NGINX_PLACE_LOCATION;
    struct nginx_place *place = new_place(outer->server, nested ? outer : NULL, block, NGINX_PLACE_LOCATION, &matcher);
    if (nested)
        nginx_put(outer->compile, node_get(place->router, S("location")), "within", outer->name, block->span);
    return place;
}

bool nginx_has_own_server(const struct nginx_directive *block)
{
    if (!str_equal(block->name, S("limit_except")))
        return false;
    NGINX_FOREACH(block, it)
        if (str_equal(it->name, S("proxy_pass")) || str_equal(it->name, S("grpc_pass")))
            return true;
    return false;
}

/* `if` at the level of a server has no place: nothing but a script may stand in it. A limit_except has one where it has a server of its
 * own; else its guards are all there is to it (access.c). */
static void make_inner(struct nginx_place *outer, struct nginx_place ***end)
{
    NGINX_FOREACH(outer->block, it) {
        struct nginx_place *place = NULL;
        if (!it->block)
            continue;
        if (str_equal(it->name, S("location")) && it->count != 0)
            place = make_location(outer, it);
        else if (str_equal(it->name, S("if")) && outer->kind != NGINX_PLACE_SERVER)
            place = new_place(outer->server, outer, it, NGINX_PLACE_IF, NULL);
        else if (nginx_has_own_server(it) && outer->kind == NGINX_PLACE_LOCATION)
            place = new_place(outer->server, outer, it, NGINX_PLACE_LIMIT_EXCEPT, NULL);
        if (place == NULL)
            continue;
        **end = place;
        *end = &place->next;
        struct nginx_place **inner = &place->first_inner;
        make_inner(place, &inner);
    }
}

struct nginx_place *nginx_places(struct nginx_server *server)
{
    struct nginx_place *place = new_place(server, NULL, server->block, NGINX_PLACE_SERVER, NULL);
    struct nginx_place **end = &place->first_inner;
    make_inner(place, &end);
    return place;
}

/* ---- filling them ---- */

/* Who gives the content: the part whose directive stands here; an `if` has that of its location unless it has its own. */
static const struct nginx_part *content_part(const struct nginx_place *place, const struct nginx_directive **ret_directive)
{
    size_t count;
    const struct nginx_part *const *parts = nginx_parts(&count);
    for (size_t i = 0; i < count; i++) {
        if (parts[i]->content_directive == NULL)
            continue;
        *ret_directive = nginx_here(place->scope, parts[i]->content_directive);
        if (*ret_directive != NULL)
            return parts[i];
    }
    bool inherits = place->kind == NGINX_PLACE_IF || place->kind == NGINX_PLACE_LIMIT_EXCEPT;
    return inherits && place->outer != NULL ? content_part(place->outer, ret_directive) : NULL;
}

static void put_content(struct nginx_place *place)
{
    const struct nginx_directive *directive = NULL;
    const struct nginx_part *part = place->kind != NGINX_PLACE_SERVER ? content_part(place, &directive) : NULL;
    if (part == NULL) {
        nginx_files_content(place);
        return;
    }
    struct node *location = node_get(place->router, S("location"));
    if (place->kind == NGINX_PLACE_LOCATION && !place->named && !place->regex && str_ends(place->path, S("/")))
        nginx_put_flag(place->compile, location, "addsSlash", true, directive->span);
    part->content(place, directive);
}

static void put_redirects(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    struct span span = place->block->span;
    struct node *redirects = nginx_put_map(compile, place->router, "redirects", span);
    bool absolute = nginx_flag(place->scope, "absolute_redirect", true);
    nginx_put_flag(compile, redirects, "absolute", absolute, span);
    if (!nginx_flag(place->scope, "port_in_redirect", true))
        nginx_put_flag(compile, redirects, "port", false, span);
    if (nginx_flag(place->scope, "server_name_in_redirect", false))
        nginx_put_flag(compile, redirects, "siteName", true, span);
}

static void put_chain(struct nginx_place *place, struct node *owner, unsigned from, unsigned to)
{
    struct node *list = NULL;
    for (unsigned i = from; i < to; i++)
        NODE_FOREACH(place->chain[i], it) {
            if (list == NULL)
                list = nginx_put_list(place->compile, owner, "middlewares", place->block->span);
            nginx_add_text(place->compile, list, it->text, it->span);
        }
}

/* The script of a server runs before a location is looked for; what it answers passes what the server says of answers. */
static void put_server_chain(struct nginx_place *place)
{
    if (place->chain[NGINX_CHAIN_REWRITE] != NULL && place->chain[NGINX_CHAIN_REWRITE]->count != 0)
        put_chain(place, place->server->site, 0, NGINX_CHAIN_REWRITE + 1);
    place->chain[NGINX_CHAIN_REWRITE] = NULL;
}

static void run_parts(struct nginx_place *place)
{
    size_t count;
    const struct nginx_part *const *parts = nginx_parts(&count);
    for (size_t i = 0; i < count; i++)
        if (parts[i]->place != NULL)
            parts[i]->place(place);
}

static void run_lints(struct nginx_place *place)
{
    size_t count;
    const struct nginx_part *const *parts = nginx_parts(&count);
    for (size_t i = 0; i < count; i++)
        if (parts[i]->lint != NULL)
            parts[i]->lint(place);
}

static void put_internal(struct nginx_place *place)
{
    const struct nginx_directive *internal = nginx_here(place->scope, "internal");
    if (internal != NULL && place->kind == NGINX_PLACE_LOCATION)
        nginx_middleware(place, NGINX_CHAIN_REWRITE, "internalOnly", internal->span);
}

void nginx_fill_places(struct nginx_place *place)
{
    put_internal(place);
    put_redirects(place);
    run_parts(place);
    put_content(place);
    if (place->kind == NGINX_PLACE_SERVER)
        put_server_chain(place);
    put_chain(place, place->router, 0, NGINX_CHAIN_COUNT);
    run_lints(place);
    for (struct nginx_place *it = place->first_inner; it != NULL; it = it->next)
        nginx_fill_places(it);
}
