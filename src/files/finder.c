#include "files/finder.h"

#include "exchange/graph.h"
#include "exchange/text_template.h"
#include "exchange/visit.h"

static bool init_own(struct finder *finder, const struct finder_options *options, struct compile *compile)
{
    struct span span = node_span(node_get(options->origin, S("root")));
    if (text_template_is_in(options->root)) {
        finder->own.path = text_template_new(options->root, compile, span);
        return finder->own.path != NULL;
    }
    finder->own.constant = options->root;
    finder->planted = finder->links == LINKS_INSIDE || (finder->links == LINKS_NONE && options->links_from.len == 0);
    tree_init(&finder->tree, compile->arena, options->root, finder->planted ? compile->workers : 0);
    finder->tree.hidden = options->hidden;
    finder->tree.follow = finder->links != LINKS_NONE;
    return true;
}

bool finder_init(struct finder *finder, const struct finder_options *options, struct compile *compile)
{
    finder->links = (enum links)options->links;
    finder->hidden = options->hidden;
    if (options->links_from.len != 0) {
        struct span span = node_span(node_get(options->origin, S("symlinksFrom")));
        finder->links_from = text_template_new(options->links_from, compile, span);
        if (finder->links_from == NULL)
            return false;
    }
    finder->tree.hidden = options->hidden;
    return options->root.len == 0 || init_own(finder, options, compile);
}

void finder_release(struct finder *finder)
{
    tree_release(&finder->tree);
}

bool finder_shows(const struct finder *finder, struct str part)
{
    if (!finder->hidden)
        return tree_shows(&finder->tree, part);
    return part.len != 0 && !str_equal(part, S(".")) && !str_equal(part, S(".."));
}

/* A uri has no dots left, but a rewrite or an alias may have put some there; what is hidden is not there. */
static bool is_fit(const struct finder *finder, struct str below)
{
    struct str rest = below, part;
    if (memchr(below.data, '.', below.len) == NULL && memchr(below.data, '\0', below.len) == NULL)
        return true;
    bool first = true;
    while (str_split(&rest, '/', &part)) {
        bool known = first && str_equal(part, S(".well-known"));
        if (part.len != 0 && !known && !finder_shows(finder, part))
            return false;
        first = first && part.len == 0;
    }
    return str_find_char(below, '\0', 0) < 0;
}

static bool is_at_border(struct str folder, struct str below)
{
    return below.len == 0 || str_ends(folder, S("/")) || str_starts(below, S("/"));
}

/* How far into the path the folder reaches: with an alias that ends within a name, to the folder that the name is in. */
static size_t base_of(const struct spot *spot)
{
    if (spot->glue.len != 0 || (!spot->root->is_file && is_at_border(spot->folder, spot->below)))
        return spot->folder.len;
    return (size_t)(str_find_last_char(spot->folder, '/') + 1);
}

/* What of the path is not looked at for links, as nginx counts it; all of it: nothing is. */
static size_t unguarded(struct str path, struct str from)
{
    if (from.len == 0 || !str_starts(path, from))
        return 0;
    if (path.len == from.len || path.data[from.len] == '/')
        return from.len;
    return from.data[from.len - 1] == '/' ? from.len - 1 : 0;
}

static struct links_rule rule_of(const struct finder *finder, struct exchange *x, const struct spot *spot, struct str path)
{
    struct links_rule rule = {.links = finder->links};
    if (finder->links == LINKS_ANYWHERE)
        return rule;
    rule.base = finder->links_from != NULL ? unguarded(path, text_template_text(finder->links_from, x)) : base_of(spot);
    if (finder->links_from != NULL && rule.base == path.len && path.len > 1)
        rule.links = LINKS_ANYWHERE;
    return rule;
}

static enum status fill(const struct finder *finder, struct exchange *x, struct spot *spot, struct str below)
{
    bool slash = spot->root->stands_for.len == 0 && !spot->root->is_file;
    spot->glue = slash ? S("/") : STR_NONE;
    if (slash && str_starts(below, S("/")))
        below = str_from_index(below, 1);
    spot->below = document_join(x, STR_NONE, below);
    if (spot->below.data == NULL)
        return STATUS_OUT_OF_MEMORY;
    if (!is_fit(finder, spot->below))
        return STATUS_FILE_NOT_FOUND;
    return STATUS_OK;
}

/* A request that came by a rule: its raw path, in a root of the options. */
static enum status find_by_rule(const struct finder *finder, struct exchange *x, struct spot *spot)
{
    struct str name;
    enum status status = tree_name(&finder->tree, &x->arena, exchange_request(x)->path, &name);
    if (status != STATUS_OK)
        return status;
    spot->below = str_equal(name, S(".")) ? S("") : name;
    spot->glue = S("/");
    return STATUS_OK;
}

static const struct document_root *root_of(const struct finder *finder, const struct exchange *x)
{
    bool own = finder->own.constant.data != NULL || finder->own.path != NULL;
    return own ? &finder->own : x->router->extras->root;
}

enum status finder_find(const struct finder *finder, struct exchange *x, struct spot *ret_spot)
{
    const struct document_root *root = root_of(finder, x);
    *ret_spot = (struct spot){.root = root, .visiting = x->visit != NULL && x->visit->site != NULL && !x->detour};
    if (root == NULL)
        return STATUS_FILE_ERROR;
    ret_spot->folder = document_folder(x, root);
    if (!ret_spot->visiting)
        return find_by_rule(finder, x, ret_spot);
    struct str below;
    if (!document_below(x, root, x->visit->uri, &below))
        return STATUS_FILE_ERROR;
    return fill(finder, x, ret_spot, below);
}

struct str finder_path(struct exchange *x, const struct spot *spot, struct str name)
{
    size_t room = spot->folder.len + spot->glue.len + name.len + 1;
    char *text = arena_alloc(&x->arena, room);
    if (text == NULL)
        return STR_NONE;
    char *end = mempcpy(text, spot->folder.data, spot->folder.len);
    end = mempcpy(end, spot->glue.data != NULL ? spot->glue.data : "", spot->glue.len);
    end = mempcpy(end, name.data != NULL ? name.data : "", name.len);
    *end = '\0';
    return str_of(text, (size_t)(end - text));
}

static enum status open_by_path(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name, bool look,
                                struct tree_file *ret_file)
{
    struct str path = finder_path(x, spot, name);
    if (path.data == NULL)
        return STATUS_OUT_OF_MEMORY;
    struct links_rule rule = rule_of(finder, x, spot, path);
    return links_open(path, &rule, look, ret_file);
}

enum status finder_open(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name,
                        struct tree_file *ret_file)
{
    if (finder->planted)
        return tree_open(&finder->tree, x->worker, name.data != NULL && name.len == 0 ? "." : name.data, ret_file);
    return open_by_path(finder, x, spot, name, false, ret_file);
}

enum status finder_look(struct finder *finder, struct exchange *x, const struct spot *spot, struct str name, struct stat *ret_stat)
{
    struct tree_file file;
    if (finder->planted)
        return tree_look(&finder->tree, x->worker, name.data != NULL && name.len == 0 ? "." : name.data, ret_stat);
    enum status status = open_by_path(finder, x, spot, name, true, &file);
    if (status == STATUS_OK)
        *ret_stat = file.stat;
    return status;
}

enum status finder_look_behind(struct finder *finder, struct exchange *x, struct str name, struct stat *ret_stat)
{
    struct spot spot = {.root = root_of(finder, x)};
    if (spot.root == NULL)
        return STATUS_FILE_ERROR;
    spot.folder = document_folder(x, spot.root);
    while (finder->planted && str_starts(name, S("/")))
        name = str_from_index(name, 1);
    spot.below = document_join(x, STR_NONE, name);
    if (spot.below.data == NULL || !is_fit(finder, spot.below))
        return STATUS_FILE_NOT_FOUND;
    return finder_look(finder, x, &spot, spot.below, ret_stat);
}
