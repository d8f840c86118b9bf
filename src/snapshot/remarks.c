/* What is shown at an object while it runs: the warnings that were reported in it. */
#include "snapshot/build.h"

#define PLACE_MAX 4096

static bool is_at(const struct span *one, const struct span *other)
{
    return one->source == other->source && one->line == other->line && one->column == other->column;
}

/* Warnings are few, and most configurations have none: no index is worth while. */
static const struct named *find_object(const struct build *build, const struct span *place, enum remark_kind *ret_kind)
{
    static const enum remark_kind kinds[] = {
        [NAME_ROUTER] = REMARK_ROUTER, [NAME_MIDDLEWARE] = REMARK_MIDDLEWARE, [NAME_SERVICE] = REMARK_SERVICE};
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        const struct map *map = &build->names.maps[kind];
        for (uint32_t i = 0; i < map->count; i++) {
            const struct named *named = map->items[i].value;
            if (named == NULL || named->node == NULL || !is_at(&named->node->key_span, place))
                continue;
            *ret_kind = kinds[kind];
            return named;
        }
    }
    return NULL;
}

static void add_remark(struct build *build, const struct diag_item *item)
{
    enum remark_kind kind;
    const struct named *named = find_object(build, &item->context_span, &kind);
    if (named == NULL)
        return;
    struct text place;
    text_init(&place, PLACE_MAX);
    diag_render_place(item->span, &place);
    model_add_remark(build->model, &(struct remark){.kind = kind,
                                                    .provider = named->provider,
                                                    .name = named->name,
                                                    .reason = item->message,
                                                    .place = text_str(&place)});
    text_release(&place);
}

void build_remarks(struct build *build)
{
    const struct diag *diag = build->compile.diag;
    for (size_t i = 0; i < diag->count; i++)
        if (diag->items[i].severity == DIAG_WARNING && !diag->items[i].contained && diag->items[i].context_span.source != NULL)
            add_remark(build, &diag->items[i]);
}
