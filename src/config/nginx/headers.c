/* add_header, add_trailer and expires: a `responseHeaders` in each place that has any. */
#include "config/nginx/compile.h"

#define LEVELS (NGINX_EVERYWHERE | NGINX_LOCATION_IF)

static const struct nginx_syntax rows[] = {
    {"add_header", LEVELS, .min = 2, .max = 3, .repeats = true, .help = "Adds a field to responses of the usual statuses, or with 'always' to all."},
    {"add_trailer", LEVELS, .min = 2, .max = 3, .repeats = true, .help = "Adds a field behind the body."},
    {"add_header_inherit", LEVELS, .min = 1, .max = 1, .help = "on, off, or merge: with the fields of outer levels."},
    {"add_trailer_inherit", LEVELS, .min = 1, .max = 1, .help = "The same for add_trailer."},
    {"expires", LEVELS, .min = 1, .max = 2, .help = "Expires and Cache-Control: a time, 'modified' and a time, epoch, max, off."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

enum inherit { INHERIT_ON, INHERIT_OFF, INHERIT_MERGE };

/* One of the two directives, and where what it says goes. */
struct field_kind {
    const char *directive, *inherit, *key;
};
static const struct field_kind headers = {"add_header", "add_header_inherit", "add"};
static const struct field_kind trailers = {"add_trailer", "add_trailer_inherit", "trailers"};

static enum inherit inherit_at(struct nginx_compile *compile, const struct nginx_scope *scope, const struct field_kind *kind)
{
    const struct nginx_directive *directive = nginx_find(scope, kind->inherit);
    if (directive == NULL || str_equal(directive->words[0].text, S("on")))
        return INHERIT_ON;
    if (str_equal(directive->words[0].text, S("merge")))
        return INHERIT_MERGE;
    if (!str_equal(directive->words[0].text, S("off")))
        nginx_invalid(compile, directive, &directive->words[0]);
    return INHERIT_OFF;
}

/* What was set by the content is set anew by these; all others stand beside what is there. */
static bool replaces(struct str name)
{
    return str_equal_nocase(name, S("Last-Modified")) || str_equal_nocase(name, S("ETag"));
}

static void add_field(struct nginx_compile *compile, struct node *list, const struct nginx_directive *directive,
                      const struct field_kind *kind)
{
    const struct nginx_word *words = directive->words;
    struct node *field = nginx_add_map(compile, list, directive->span);
    nginx_put(compile, field, "name", words[0].text, words[0].span);
    /* White space at the end says nothing (RFC 9110 5.5); line ends stand there by mistake. */
    nginx_put(compile, field, "value", str_trim_space(nginx_template(compile, &words[1])), words[1].span);
    if (kind == &headers && replaces(words[0].text))
        nginx_put_flag(compile, field, "replace", true, words[0].span);
    if (directive->count == 3 && str_equal(words[2].text, S("always")))
        nginx_put_flag(compile, field, "always", true, words[2].span);
    else if (directive->count == 3)
        diag_error(compile->diag, words[2].span, "invalid parameter \"%.*s\"", STR_ARGS(words[2].text));
}

/* The directives that hold at `scope`, from the nearest level outwards; `list` NULL: is there any? */
static bool each_field(struct nginx_compile *compile, const struct nginx_scope *scope, const struct field_kind *kind,
                       struct node *list)
{
    bool any = false;
    for (; scope != NULL; scope = scope->outer) {
        const struct nginx_directive *own = nginx_here(scope, kind->directive);
        enum inherit inherit = inherit_at(compile, scope, kind);
        any = any || own != NULL;
        for (const struct nginx_directive *it = own; it != NULL && list != NULL; it = nginx_same(it))
            add_field(compile, list, it, kind);
        if (inherit == INHERIT_OFF || (own != NULL && inherit == INHERIT_ON))
            break;
    }
    return any;
}

/* The directive, unless it says that there is nothing to say. */
static const struct nginx_directive *expires_at(struct nginx_place *place)
{
    const struct nginx_directive *directive = nginx_find(place->scope, "expires");
    if (directive == NULL || (directive->count == 1 && str_equal(directive->words[0].text, S("off"))))
        return NULL;
    if (directive->count == 2 && !str_equal(directive->words[0].text, S("modified"))) {
        nginx_invalid(place->compile, directive, &directive->words[0]);
        return NULL;
    }
    return directive;
}

static void put_expires(struct nginx_compile *compile, struct node *options, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[directive->count - 1];
    struct str text = nginx_template(compile, word);
    if (directive->count == 2)
        text = arena_concat(compile->arena, S("modified "), text);
    nginx_put(compile, options, "expires", text, word->span);
}

static void add_fields(struct nginx_place *place, struct node *options, const struct field_kind *kind)
{
    if (each_field(place->compile, place->scope, kind, NULL))
        each_field(place->compile, place->scope, kind, nginx_put_list(place->compile, options, kind->key, options->span));
}

static void place_headers(struct nginx_place *place)
{
    const struct nginx_directive *expires = expires_at(place);
    if (expires == NULL && !each_field(place->compile, place->scope, &headers, NULL) &&
        !each_field(place->compile, place->scope, &trailers, NULL))
        return;
    struct node *options = nginx_middleware(place, NGINX_CHAIN_HEADERS, "responseHeaders", place->block->span);
    if (expires != NULL)
        put_expires(place->compile, options, expires);
    add_fields(place, options, &headers);
    add_fields(place, options, &trailers);
}

/* The security header that everybody forgets: one add_header of a level's own lets those of the outer levels go. */
static void lint(struct nginx_place *place)
{
    const struct nginx_directive *own = nginx_here(place->scope, "add_header");
    if (own == NULL || inherit_at(place->compile, place->scope, &headers) != INHERIT_ON || place->scope->outer == NULL)
        return;
    const struct nginx_directive *outer = nginx_all(place->scope->outer, "add_header");
    for (; outer != NULL; outer = nginx_same(outer)) {
        bool again = false;
        for (const struct nginx_directive *it = own; it != NULL; it = nginx_same(it))
            again = again || str_equal_nocase(it->words[0].text, outer->words[0].text);
        if (again)
            continue;
        struct diag_item *item = diag_warning(
            place->compile->diag, own->span,
            "this add_header drops \"%.*s\", which an outer level adds: repeat it here, or say \"add_header_inherit merge\"",
            STR_ARGS(outer->words[0].text));
        if (item == &place->compile->diag->beyond)
            continue;
        item->context = S("which is added there");
        item->context_span = outer->span;
    }
}

static const struct nginx_part part = {.name = "headers", .place = place_headers, .lint = lint};
REGISTER(nginx_part, part);
