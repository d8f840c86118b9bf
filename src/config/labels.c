#include "config/labels.h"

#include <stdlib.h>

#include "base/memory.h"

#define PREFIX_LENGTH 8   /* of both */

static bool is_ours(struct str key)
{
    return str_starts_nocase(key, S("portico."));
}

static int by_key(const void *a, const void *b)
{
    const struct label *left = *(const struct label *const *)a,
                       *right = *(const struct label *const *)b;
    if (is_ours(left->key) != is_ours(right->key))
        return is_ours(left->key) ? 1 : -1;
    return str_compare_nocase(left->key, right->key);
}

static struct span span_at(const struct source *source, size_t offset, size_t length)
{
    return span_make(source, 1, offset + 1, length);
}

/* Joined byte by byte: places are counted in it, and a key may hold anything, NUL too. */
static const struct source *source_of(struct arena *arena, struct str owner, const struct label *label)
{
    struct str key = arena_concat(arena, label->key, S("="));
    struct str name = str_empty(owner) ? label->key : arena_concat(arena, arena_concat(arena, owner, S(": ")), label->key);
    return diag_source_word(arena, name, arena_concat(arena, key, label->value));
}

/* "traefick.http..." would otherwise be ignored without a word. */
static void warn_near_prefix(const struct label *label, struct str owner, struct arena *arena, struct diag *diag)
{
    ptrdiff_t dot = str_find_char(label->key, '.', 0);
    if (dot < 5)
        return;
    const struct str prefixes[] = {STR("traefik"), STR("portico")};
    struct str first = str_first(label->key, (size_t)dot);
    struct str found = nearest(first, prefixes, 2);
    if (str_empty(found) || str_equal(first, found))
        return;
    struct span span = label->key_span.source != NULL ? span_inside(label->key_span, 0, first.len)
                                                      : span_at(source_of(arena, owner, label), 0, first.len);
    struct diag_item *item = diag_warning(diag, span, "label '%.*s' is not read", STR_ARGS(label->key));
    diag_hint(diag, item, "did you mean '%.*s'?", STR_ARGS(found));
}

static void read_label(const struct label *label, struct str owner, struct node *root, struct arena *arena, struct diag *diag)
{
    struct str path = str_from_index(label->key, PREFIX_LENGTH);
    struct span path_span = label->key_span, value_span = label->value_span;
    if (path_span.source != NULL) {
        path_span = span_inside(path_span, PREFIX_LENGTH, path.len);
    } else {
        const struct source *source = source_of(arena, owner, label);
        path_span = span_at(source, PREFIX_LENGTH, path.len);
        value_span = span_at(source, label->key.len + 1, label->value.len);
    }
    struct node *node = node_make_path(arena, root, arena_str(arena, path), path_span);
    if (node == NULL)
        diag_error(diag, path_span, "this is no path, or it cannot go with the other labels");
    else if (!node_set_text(node, arena_str(arena, label->value), value_span))
        diag_error(diag, path_span, "other labels set more below '%.*s'", STR_ARGS(label->key));
}

struct node *labels_read(const struct label *labels, size_t count, struct str owner, struct arena *arena,
                         struct diag *diag)
{
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    const struct label **sorted = memory_alloc((count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &labels[i];
    qsort(sorted, count, sizeof(*sorted), by_key);
    for (size_t i = 0; i < count; i++) {
        if (is_ours(sorted[i]->key) || str_starts_nocase(sorted[i]->key, S("traefik.")))
            read_label(sorted[i], owner, root, arena, diag);
        else
            warn_near_prefix(sorted[i], owner, arena, diag);
    }
    free(sorted);
    return root;
}
