/* Says which character set texts are in, and converts them where a table for that is given. */
#include "exchange/middleware.h"
#include "exchange/text_template.h"
#include "http/token.h"
#include "middleware/charset_table.h"

struct charset_map {
    const struct node *origin;
    struct str from, to;
    struct strmap characters;
};

struct charset {
    const struct node *origin;
    struct str charset, source;
    struct strs types;
    struct objects maps;
    bool override;
};

struct charset_state {
    const struct text_template *charset, *source;
    struct charset_table **tables;
    size_t table_count;
};

static const struct option map_options[] = {
    OPTION(STR, struct charset_map, from, .required = true, .help = "A character set of one byte."),
    OPTION(STR, struct charset_map, to, .required = true, .help = "Another, or utf-8."),
    OPTION(STRMAP, struct charset_map, characters, .help = "Characters in hexadecimal, from the one to the other: C4: D094."),
};
static const struct option_table map_table =
    OPTION_TABLE(struct charset_map, map_options, .summary = "How texts are converted; it serves both ways.");

static const struct option options[] = {
    OPTION(STR, struct charset, charset, .required = true,
           .help = "What texts are in, or are converted to (utf-8); may have variables; an empty text or off: nothing is done."),
    OPTION(STR, struct charset, source, .help = "What texts are in that do not say so themselves, when they are to be converted."),
    OPTION(STRS, struct charset, types,
           .fallback = "text/html,text/xml,text/plain,text/vnd.wap.wml,application/javascript,application/rss+xml",
           .help = "Media types that are texts; *: all."),
    OPTION(BOOL, struct charset, override, .help = "Convert what says itself what it is in, too."),
    OPTION(LIST, struct charset, maps, .table = &map_table, .help = "Conversions."),
};
static const struct option_table table =
    OPTION_TABLE(struct charset, options, .summary = "Says which character set texts are in, and converts them.");

/* ---- compiling ---- */

static bool compile_map(struct charset_state *state, const struct charset_map *map, struct compile *compile)
{
    struct charset_table *made = charset_table_new(map->from, map->to, compile->arena);
    for (size_t i = 0; i < map->characters.count; i++) {
        const struct strmap_item *item = &map->characters.items[i];
        if (charset_table_add(made, item->name, item->value, compile->arena))
            continue;
        diag_error(compile->diag, node_span(node_get(map->origin, S("characters"))), "'%.*s: %.*s' is no character of %.*s and %.*s",
                   STR_ARGS(item->name), STR_ARGS(item->value), STR_ARGS(map->from), STR_ARGS(map->to));
        return false;
    }
    state->tables[state->table_count++] = made;
    return true;
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct charset *charset = m->options;
    struct charset_state *state = m->state;
    state->charset = text_template_new(charset->charset, compile, node_span(node_get(charset->origin, S("charset"))));
    state->source = text_template_new(charset->source, compile, node_span(node_get(charset->origin, S("source"))));
    state->tables = arena_array(compile->arena, struct charset_table *, charset->maps.count + 1);
    bool good = state->charset != NULL && state->source != NULL;
    for (size_t i = 0; i < charset->maps.count; i++)
        good = compile_map(state, charset->maps.items[i].value, compile) && good;
    return good;
}

/* ---- responses ---- */

/* Where "; charset=x" begins in a Content-Type, and x; without it the type's length. */
static size_t split_type(struct str type, struct str *ret_charset)
{
    *ret_charset = STR_NONE;
    for (ptrdiff_t at = str_find_char(type, ';', 0); at >= 0; at = str_find_char(type, ';', (size_t)at + 1)) {
        struct str rest = str_trim(str_from_index(type, (size_t)at + 1));
        if (!str_starts_nocase(rest, S("charset=")))
            continue;
        *ret_charset = str_from_index(rest, sizeof("charset=") - 1);
        ptrdiff_t end = str_find_char(*ret_charset, ';', 0);
        *ret_charset = str_trim(end >= 0 ? str_first(*ret_charset, (size_t)end) : *ret_charset);
        if (ret_charset->len >= 2 && str_starts(*ret_charset, S("\"")) && str_ends(*ret_charset, S("\"")))
            *ret_charset = str_of(ret_charset->data + 1, ret_charset->len - 2);
        return (size_t)at;
    }
    return type.len;
}

static bool is_text(const struct charset *charset, struct str type)
{
    ptrdiff_t end = str_find_char(type, ';', 0);
    struct str bare = str_trim(end >= 0 ? str_first(type, (size_t)end) : type);
    for (size_t i = 0; i < charset->types.count; i++)
        if (str_equal(charset->types.items[i], S("*")) || str_equal_nocase(charset->types.items[i], bare))
            return true;
    return false;
}

static void say(struct exchange *x, struct str type, struct str charset)
{
    struct str text = arena_printf(&x->arena, "%.*s; charset=%.*s", STR_ARGS(type), STR_ARGS(charset));
    struct field *field = fields_find(&x->response.fields, FIELD_CONTENT_TYPE);
    if (x->response.status != 301 && x->response.status != 302 && text.data != NULL && field != NULL)
        field->value = text;
}

static const struct charset_table *find_table(const struct charset_state *state, struct str from, struct str to, bool *ret_back)
{
    for (size_t i = 0; i < state->table_count; i++) {
        const struct charset_table *it = state->tables[i];
        *ret_back = str_equal_nocase(it->to, from) && str_equal_nocase(it->from, to);
        if (*ret_back || (str_equal_nocase(it->from, from) && str_equal_nocase(it->to, to)))
            return it;
    }
    return NULL;
}

static void convert(struct exchange *x, const struct charset_state *state, struct str type, struct str from, struct str to)
{
    struct fields *fields = &x->response.fields;
    bool back;
    const struct charset_table *found = find_table(state, from, to, &back);
    if (found == NULL || fields_value(fields, FIELD_CONTENT_ENCODING).len != 0)
        return;
    bool body = x->response.body_length != 0 && !status_is_bodiless(x->response.status) && exchange_request(x)->method != METHOD_HEAD;
    struct filter *filter = body ? charset_filter_new(&x->arena, &x->worker->chunks, found, back) : NULL;
    if (body && filter == NULL)
        return;
    if (body)
        exchange_filter_response(x, filter);
    if (found->utf8 && x->response.body_length > 0) {
        x->response.body_length = BODY_UNKNOWN;
        fields_remove(fields, FIELD_ACCEPT_RANGES);
    }
    say(x, type, to);
}

static enum verdict on_response(struct exchange *x, struct middleware *m, void *own)
{
    const struct charset *charset = m->options;
    const struct charset_state *state = m->state;
    struct str type = fields_value(&x->response.fields, FIELD_CONTENT_TYPE), said;
    if (type.len == 0)
        return VERDICT_NEXT;
    struct str bare = str_first(type, split_type(type, &said));
    if (said.len != 0 ? !charset->override : !is_text(charset, type))
        return VERDICT_NEXT;
    struct str to = text_template_text(state->charset, x);
    if (to.len == 0 || str_equal(to, S("off")) || !token_is_valid(to))
        return VERDICT_NEXT;
    struct str from = said.len != 0 ? said : text_template_text(state->source, x);
    if (from.len == 0 || str_equal_nocase(from, to))
        say(x, bare, to);
    else
        convert(x, state, bare, from, to);
    return VERDICT_NEXT;
}

static const struct middleware_type charset_type = {
    .choice = {.name = "charset", .summary = "Says which character set texts are in, and converts them.", .table = &table},
    .state_size = sizeof(struct charset_state),
    .compile = compile,
    .on_response = on_response,
};
REGISTER(middleware_type, charset_type);
