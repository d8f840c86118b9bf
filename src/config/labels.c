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
    return (struct span){
        .source = source, .line = 1, .column = (uint32_t)offset + 1, .length = (uint32_t)length};
}

/* Joined byte by byte: places are counted in it, and a key may hold anything, NUL too. */
static const struct source *source_of(struct arena *arena, const struct label *label)
{
    struct str key = arena_concat(arena, label->key, S("="));
    return diag_source_word(arena, label->key, arena_concat(arena, key, label->value));
}

/* "traefick.http..." would otherwise be ignored without a word. */
static void warn_near_prefix(const struct label *label, struct arena *arena, struct diag *diag)
{
    ptrdiff_t dot = str_find_char(label->key, '.', 0);
    if (dot < 5)
        return;
    const struct str prefixes[] = {STR("traefik"), STR("portico")};
    struct str first = str_first(label->key, (size_t)dot);
    struct str found = nearest(first, prefixes, 2);
    if (str_empty(found) || str_equal(first, found))
        return;
    struct diag_item *item = diag_warning(diag, span_at(source_of(arena, label), 0, first.len),
                                          "label '%.*s' is not read", STR_ARGS(label->key));
    diag_hint(diag, item, "did you mean '%.*s'?", STR_ARGS(found));
}

static void read_label(const struct label *label, struct node *root, struct arena *arena,
                       struct diag *diag)
{
    const struct source *source = source_of(arena, label);
    struct str path = str_of(source->content.data + PREFIX_LENGTH, label->key.len - PREFIX_LENGTH);
    struct str value = str_of(path.data + path.len + 1, label->value.len);
    struct span path_span = span_at(source, PREFIX_LENGTH, path.len);
    struct node *node = node_make_path(arena, root, path, path_span);
    if (node == NULL)
        diag_error(diag, path_span, "this is no path, or it cannot go with the other labels");
    else if (!node_set_text(node, value, span_at(source, label->key.len + 1, value.len)))
        diag_error(diag, path_span, "other labels set more below '%.*s'", STR_ARGS(label->key));
}

struct node *labels_read(const struct label *labels, size_t count, struct arena *arena,
                         struct diag *diag)
{
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    const struct label **sorted = memory_alloc((count + 1) * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &labels[i];
    qsort(sorted, count, sizeof(*sorted), by_key);
    for (size_t i = 0; i < count; i++) {
        if (is_ours(sorted[i]->key) || str_starts_nocase(sorted[i]->key, S("traefik.")))
            read_label(sorted[i], root, arena, diag);
        else
            warn_near_prefix(sorted[i], arena, diag);
    }
    free(sorted);
    return root;
}
