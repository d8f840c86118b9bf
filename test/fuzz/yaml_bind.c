/* Any text as a configuration file: templates, YAML, binding to a table with every type of option, and the report of
 * what is wrong. The same text, line by line, as labels. */
#include "../unit/config/sample.c"

#include <assert.h>

#include "config/bind.h"
#include "config/labels.h"
#include "config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LABELS_MAX 32

static void bind_and_render(const struct node *root, struct arena *arena, struct diag *diag)
{
    struct sample *sample = bind_new(&sample_table, root, NULL, arena, diag);
    assert(sample->origin == root);
    for (size_t i = 0; i < diag->count; i++) {
        struct span span = diag->items[i].span;
        assert(span.source == NULL || span.line == 0 || span.column >= 1);
    }
    diag_sort(diag);
    struct text out;
    text_init(&out, 1 << 20);
    diag_render(diag, true, &out);
    diag_render_json(diag, &out);
    text_release(&out);
}

static struct node *read_labels(struct str text, struct arena *arena, struct diag *diag)
{
    struct label labels[LABELS_MAX];
    struct str rest = text, line;
    size_t count = 0;
    while (count < LABELS_MAX && str_split(&rest, '\n', &line)) {
        ptrdiff_t equals = str_find_char(line, '=', 0);
        if (equals > 0)
            labels[count++] = (struct label){.key = str_first(line, (size_t)equals), .value =
                                             str_from_index(line, (size_t)equals + 1)};
    }
    return labels_read(labels, count, STR_NONE, arena, diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    for (int as_labels = 0; as_labels < 2; as_labels++) {
        struct arena arena;
        struct diag diag;
        arena_init(&arena, ARENA_UNLIMITED);
        diag_init(&diag, &arena);
        struct node *root = as_labels ? read_labels(text, &arena, &diag)
                                      : load_text(S("f.yaml"), text, LOAD_DYNAMIC, &arena, &diag);
        assert(root != NULL || diag.errors > 0);
        bind_and_render(root, &arena, &diag);
        diag_release(&diag);
        arena_release(&arena);
    }
    return 0;
}
