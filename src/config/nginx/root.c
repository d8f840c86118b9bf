/* root and alias: where the files of each place lie. */
#include "config/nginx/compile.h"

static const struct nginx_syntax rows[] = {
    {"root", NGINX_EVERYWHERE | NGINX_LOCATION_IF, .min = 1, .max = 1, .help = "The folder in which paths are looked for."},
    {"alias", NGINX_LOCATION, .min = 1, .max = 1, .help = "What stands in the place of the location's part of the path."},
};
static const struct nginx_syntax_table table = NGINX_SYNTAX_TABLE(rows);
REGISTER(nginx_syntax_table, table);

/* The directive that holds, and the place that it stands in; NULL: outside of all. */
static const struct nginx_directive *find_root(const struct nginx_place *place, const struct nginx_place **ret_place)
{
    *ret_place = place;
    for (const struct nginx_scope *scope = place->scope; scope != NULL; scope = scope->outer) {
        while (*ret_place != NULL && (*ret_place)->scope != scope)
            *ret_place = (*ret_place)->outer;
        const struct nginx_directive *alias = nginx_here(scope, "alias"), *root = nginx_here(scope, "root");
        if (alias != NULL || root != NULL)
            return alias != NULL ? alias : root;
        if (*ret_place == NULL)
            *ret_place = place;
    }
    *ret_place = NULL;
    return NULL;
}

static struct str path_of(struct nginx_compile *compile, const struct nginx_directive *directive)
{
    const struct nginx_word *word = &directive->words[0];
    struct nginx_word path = *word;
    if (!str_starts(path.text, S("$")))
        path.text = nginx_prefix_path(compile, path.text);
    if (str_equal(directive->name, S("root")) && str_ends(path.text, S("/")))
        path.text = str_first(path.text, path.text.len - 1);
    return nginx_template(compile, &path);
}

static bool check_alias(const struct nginx_place *place, const struct nginx_directive *alias)
{
    struct diag *diag = place->compile->diag;
    const struct nginx_directive *root = nginx_here(place->scope, "root");
    if (root != NULL)
        diag_error(diag, root->span, "\"root\" directive is duplicate, \"alias\" directive was specified earlier");
    if (place->named)
        diag_error(diag, alias->span, "the \"alias\" directive cannot be used inside the named location");
    return root == NULL && !place->named;
}

static void put_root(struct nginx_place *place)
{
    struct nginx_compile *compile = place->compile;
    const struct nginx_place *owner;
    const struct nginx_directive *directive = find_root(place, &owner);
    struct node *location = nginx_put_map(compile, place->router, "location", place->block->span);
    if (directive == NULL) {
        struct str root = nginx_prefix_path(compile, S("html"));
        nginx_put(compile, location, "root", root, place->block->span);
        return;
    }
    struct str path = path_of(compile, directive);
    /* "root /;" is the folder above all. */
    nginx_put(compile, location, "root", path.len != 0 ? path : S("/."), directive->span);
    if (!str_equal(directive->name, S("alias")) || owner == NULL || !check_alias(owner, directive))
        return;
    if (owner->regex)
        nginx_put_flag(compile, location, "rootIsFile", true, directive->span);
    else
        nginx_put(compile, location, "rootFor", owner->path, directive->span);
}

static const struct nginx_part part = {.name = "root", .order = -20, .place = put_root};
REGISTER(nginx_part, part);
