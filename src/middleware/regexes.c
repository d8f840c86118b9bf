#include "middleware/regexes.h"

struct regex *regexes_compile_one(struct str pattern, struct span span, struct compile *compile)
{
    struct str error, trimmed = str_trim_space(pattern);
    size_t offset = 0;
    struct regex *regex = regex_new(trimmed, compile->arena, &error, &offset);
    if (regex != NULL)
        return regex;
    /* The caret goes where the fault is in what the user wrote, white space in front included. */
    offset += (size_t)(trimmed.data - pattern.data);
    diag_error(compile->diag, span_inside(span, offset, 1), "bad regular expression: %.*s",
               STR_ARGS(error));
    return NULL;
}

bool regexes_compile(struct regexes *regexes, const struct strs *patterns,
                     const struct node *origin, struct str key, struct compile *compile)
{
    const struct node *list = node_get(origin, key);
    bool good = true;
    regexes->items = arena_array(compile->arena, struct regex *, patterns->count);
    for (size_t i = 0; i < patterns->count; i++) {
        struct span span =
            node_span(list != NULL && list->kind == NODE_LIST ? node_at(list, i) : list);
        struct regex *regex = regexes_compile_one(patterns->items[i], span, compile);
        if (regex != NULL)
            regexes->items[regexes->count++] = regex;
        good = good && regex != NULL;
    }
    return good;
}

void regexes_release(struct regexes *regexes)
{
    for (size_t i = 0; i < regexes->count; i++)
        regex_free(regexes->items[i]);
    regexes->count = 0;
}
