#include "config/bind_unknown.h"

#include "config/place.h"

/* The path without its last step. */
static struct str above(struct str path)
{
    ptrdiff_t dot = str_find_last_char(path, '.');
    return dot < 0 ? STR_NONE : str_first(path, (size_t)dot);
}

/* The key of `table` that is near, or an empty one. */
static struct str hint_near(const struct option_table *table, struct str key, struct diag *diag,
                            struct diag_item *item)
{
    size_t count;
    struct place place = place_root(table);
    const struct str *keys = place_keys(&place, diag->arena, &count);
    struct str found = nearest(key, keys, count);
    if (!str_empty(found))
        diag_hint(diag, item, "did you mean '%.*s'?", STR_ARGS(found));
    return found;
}

static bool hint_elsewhere_in(const struct option_table *root, struct str key, struct diag *diag,
                              struct diag_item *item)
{
    struct str path = place_search(root, key, diag->arena);
    if (str_empty(path))
        return false;
    struct str parent = above(path);
    if (str_empty(parent))
        diag_hint(diag, item, "it belongs at the top level");
    else
        diag_hint(diag, item, "it belongs in '%.*s'", STR_ARGS(parent));
    return true;
}

static void hint_known(const struct option_table *table, struct diag *diag, struct diag_item *item)
{
    size_t count;
    struct place place = place_root(table);
    const struct str *keys = place_keys(&place, diag->arena, &count);
    struct str list = STR_NONE;
    if (count == 0 || count > 8)
        return;
    for (size_t i = 0; i < count; i++)
        list = arena_printf(diag->arena, "%.*s%s%.*s", STR_ARGS(list), i > 0 ? ", " : "",
                            STR_ARGS(keys[i]));
    diag_hint(diag, item, "known here: %.*s", STR_ARGS(list));
}

const struct option *bind_report_unknown(const struct option_table *root,
                                         const struct option_table *table, const struct node *node,
                                         const struct bind_options *options, struct diag *diag)
{
    struct diag_item *item =
        diag_error(diag, node->key_span, "unknown option '%.*s'", STR_ARGS(node->key));
    /* Hints cost a walk through the tables: only for what will be shown. */
    if (item == &diag->beyond)
        return NULL;
    struct str near = hint_near(table, node->key, diag, item);
    if (!str_empty(near) || hint_elsewhere_in(root, node->key, diag, item))
        return option_find(table, near);
    if (options != NULL && options->elsewhere != NULL &&
        !str_empty(place_search(options->elsewhere, node->key, diag->arena)))
        diag_hint(diag, item, "it belongs in %s", options->elsewhere_name);
    else
        hint_known(table, diag, item);
    return NULL;
}
