/* Any text as nginx.conf: read, translated, bound to the model, and converted to YAML, which must be read as the same tree. */
#include <assert.h>

#include "base/utf8.h"
#include "config/bind.h"
#include "config/nginx/compile.h"
#include "config/yaml.h"
#include "config/yaml_write.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define YAML_MAX ((size_t)64 << 20)

static void check_spans(const struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++) {
        struct span span = diag->items[i].span;
        assert(span.source == NULL || span.line == 0 || span.column >= 1);
    }
}

static void check_tree(const struct nginx_directive *block)
{
    const struct nginx_directive *last = NULL;
    NGINX_FOREACH(block, it) {
        assert(it->parent == block && (it->block || it->first == NULL));
        assert(it->same == NULL || str_equal(it->same->name, it->name));
        check_tree(it);
        last = it;
    }
    assert(block->last == last);
}

static void assert_same(const struct node *a, const struct node *b)
{
    assert(a->kind == b->kind && a->count == b->count);
    assert(a->kind != NODE_SCALAR || str_equal(a->text, b->text) || !utf8_valid(a->text));
    assert(str_equal(a->key, b->key) || !utf8_valid(a->key));
    for (const struct node *x = node_first(a), *y = node_first(b); x != NULL; x = x->next, y = y->next)
        assert_same(x, y);
}

static bool has_only_utf8(const struct node *node)
{
    if (!utf8_valid(node->key))
        return false;
    NODE_FOREACH(node, it) {
        if (!has_only_utf8(it))
            return false;
    }
    return true;
}

static void convert(const struct node *root, struct arena *arena)
{
    struct diag diag;
    struct text out;
    if (!has_only_utf8(root))
        return;
    diag_init(&diag, arena);
    text_init(&out, YAML_MAX);
    yaml_write(root, NULL, NULL, &out);
    const struct node *again = yaml_read(arena, diag_source(arena, S("again.yaml"), text_str(&out)), &diag);
    assert(again != NULL && diag.errors == 0);
    assert_same(root, again);
    text_release(&out);
    diag_release(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct arena arena;
    struct diag diag;
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    nginx_looks_like(text);
    const struct nginx_directive *tree = nginx_read_text(S("nginx.conf"), text, NULL, &arena, &diag);
    check_tree(tree);
    struct node *root = node_new(&arena, NODE_MAP, SPAN_NONE);
    if (diag.errors == 0 && nginx_compile(tree, NULL, root, &arena, &diag)) {
        bind_new(&config_table, root, NULL, &arena, &diag);
        convert(root, &arena);
    }
    check_spans(&diag);
    diag_sort(&diag);
    struct text out;
    text_init(&out, 1 << 20);
    diag_render(&diag, true, &out);
    diag_render_json(&diag, &out);
    text_release(&out);
    diag_release(&diag);
    arena_release(&arena);
    return 0;
}
