/* Locations that no request can reach, and those that stand there twice (which nginx refuses as well). */
#include "base/vec.h"
#include "config/nginx/compile.h"


/* The locations of one level. */
struct level {
    struct nginx_compile *compile;
    struct map known;             /* "prefix /a" -> its place */
    VEC(const struct nginx_place *) prefixes, expressions;
};

static bool is_match(const struct nginx_place *place, const char *match)
{
    const struct node *node = node_get(node_get(place->router, S("location")), S("match"));
    return node != NULL && node->kind == NODE_SCALAR && str_equal(node->text, str_from(match));
}

static struct span path_span(const struct nginx_place *place)
{
    return place->block->words[place->block->count - 1].span;
}

static struct diag_item *shadowed(struct level *level, const struct nginx_place *place, const struct nginx_place *by)
{
    struct diag_item *item = diag_warning(level->compile->diag, path_span(place), "location \"%.*s\" can never match", STR_ARGS(place->path));
    if (item != &level->compile->diag->beyond) {
        item->context = arena_printf(level->compile->arena, "location \"%.*s\" takes all that it would", STR_ARGS(by->path));
        item->context_span = path_span(by);
    }
    return item;
}

/* --- twice ------------------------------------------------------------------------------------------- */

/* "^~ /a" and "/a" are one to nginx. */
static const char *kind_of(const struct nginx_place *place)
{
    if (place->regex)
        return is_match(place, "regexIgnoreCase") ? "~*" : "~";
    return place->exact ? "=" : place->named ? "@" : "";
}

static void check_twice(struct level *level, const struct nginx_place *place)
{
    struct str key = arena_printf(level->compile->arena, "%s %.*s", kind_of(place), STR_ARGS(place->path));
    const struct nginx_place *first = map_get(&level->known, key);
    if (first == NULL) {
        map_put(&level->known, key, (void *)(uintptr_t)place);
        return;
    }
    if (place->regex) {
        shadowed(level, place, first);
        return;
    }
    struct diag_item *item = diag_error(level->compile->diag, path_span(place), "duplicate location \"%s%.*s\"", place->named ? "@" : "",
                                        STR_ARGS(place->path));
    if (item != &level->compile->diag->beyond) {
        item->context = S("first given");
        item->context_span = path_span(first);
    }
}

/* --- shadows ----------------------------------------------------------------------------------------- */

static bool takes_everything(struct str expression)
{
    static const char *const all[] = {"", "/", "^/", "^", ".*", "^.*", "^.*$", "^/.*", "^/.*$", "^/(.*)", "^/(.*)$", "(.*)", "^(.*)$", "."};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (str_equal(expression, str_from(all[i])))
            return true;
    }
    return false;
}

/* What every text that an expression matches begins with; empty: nothing is sure. */
static struct str sure_beginning(struct nginx_compile *compile, struct str expression)
{
    if (!str_starts(expression, S("^")) || str_find_char(expression, '|', 0) >= 0)
        return STR_NONE;
    char *out = arena_alloc(compile->arena, expression.len + 1);
    size_t length = 0, i = 1;
    for (; i < expression.len; i++) {
        char c = expression.data[i];
        if (c == '\\' && i + 1 < expression.len && strchr(".-+/_~", expression.data[i + 1]) != NULL)
            c = expression.data[++i];
        else if (strchr("\\.[](){}^$?*+", c) != NULL)
            break;
        out[length++] = c;
    }
    /* A quantifier is about the character before it, which may then be absent. */
    if (length > 0 && i < expression.len && strchr("?*{", expression.data[i]) != NULL)
        length--;
    return str_of(out, length);
}

/* Another prefix that is longer and leaves room for expressions lets requests come to them after all. */
static bool has_way_around(const struct level *level, const struct nginx_place *final)
{
    for (size_t i = 0; i < level->prefixes.count; i++) {
        const struct nginx_place *it = level->prefixes.items[i];
        if (it->path.len > final->path.len && str_starts(it->path, final->path) && !is_match(it, "prefixFinal"))
            return true;
    }
    return false;
}

static void check_final(struct level *level, const struct nginx_place *expression)
{
    struct str beginning = is_match(expression, "regex") ? sure_beginning(level->compile, expression->path) : STR_NONE;
    for (size_t i = 0; i < level->prefixes.count; i++) {
        const struct nginx_place *final = level->prefixes.items[i];
        if (!is_match(final, "prefixFinal") || !(str_equal(final->path, S("/")) || (final->path.len > 0 && str_starts(beginning, final->path))))
            continue;
        if (has_way_around(level, final))
            continue;
        shadowed(level, expression, final);
        return;
    }
}

static void check_expressions(struct level *level)
{
    const struct nginx_place *all = NULL;
    for (size_t i = 0; i < level->expressions.count; i++) {
        const struct nginx_place *it = level->expressions.items[i];
        if (all != NULL)
            shadowed(level, it, all);
        else
            check_final(level, it);
        if (all == NULL && takes_everything(it->path))
            all = it;
    }
    for (size_t i = 0; all != NULL && i < level->prefixes.count; i++) {
        const struct nginx_place *it = level->prefixes.items[i];
        if (!is_match(it, "prefixFinal") && it->first_inner == NULL)
            shadowed(level, it, all);
    }
}

static void lint(struct nginx_place *place)
{
    struct level level = {.compile = place->compile};
    if (place->kind != NGINX_PLACE_SERVER && place->kind != NGINX_PLACE_LOCATION)
        return;
    map_init(&level.known, false);
    for (const struct nginx_place *it = place->first_inner; it != NULL; it = it->next) {
        if (it->kind != NGINX_PLACE_LOCATION)
            continue;
        check_twice(&level, it);
        if (it->regex)
            VEC_PUSH(&level.expressions, it);
        else if (!it->exact && !it->named)
            VEC_PUSH(&level.prefixes, it);
    }
    check_expressions(&level);
    VEC_RELEASE(&level.expressions);
    VEC_RELEASE(&level.prefixes);
    map_release(&level.known);
}

static const struct nginx_part part = {.name = "lint-location", .order = 100, .lint = lint};
REGISTER(nginx_part, part);
