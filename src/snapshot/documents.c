/* Where the files of a location lie, and what they are. */
#include "snapshot/build.h"

#include "exchange/document.h"
#include "exchange/media_types.h"
#include "exchange/text_template.h"

static const struct media_types *made_of(const struct build *build, const struct media_types_config *config)
{
    for (size_t i = 0; i < build->built->media_types.count; i++)
        if (build->built->media_types.items[i].config == config)
            return build->built->media_types.items[i].types;
    return NULL;
}

static const struct object_item *find_item(const struct build *build, struct str name, struct str provider)
{
    for (size_t i = 0; i < build->model->part_count; i++) {
        const struct model_part *part = &build->model->parts[i];
        const struct objects *objects = &part->http->media_types;
        for (size_t j = 0; str_equal(part->provider, provider) && j < objects->count; j++)
            if (str_equal(objects->items[j].name, name))
                return &objects->items[j];
    }
    return NULL;
}

const struct media_types *build_media_types(struct build *build, struct str reference, struct str provider, struct span span)
{
    ptrdiff_t at = str_find_last_char(reference, '@');
    struct str name = at > 0 ? str_first(reference, (size_t)at) : reference;
    const struct object_item *item = find_item(build, name, at > 0 ? str_from_index(reference, (size_t)at + 1) : provider);
    if (item == NULL || item->broken) {
        diag_error(build->compile.diag, span, "unknown media types '%.*s'", STR_ARGS(reference));
        return NULL;
    }
    const struct media_types *made = made_of(build, item->value);
    if (made != NULL)
        return made;
    struct built_types built = {.config = item->value, .types = media_types_new(item->value, &build->graph->arena)};
    VEC_PUSH(&build->built->media_types, built);
    return built.types;
}

static const struct document_root *new_root(struct build *build, const struct location_config *location)
{
    struct document_root *root = arena_new(&build->graph->arena, struct document_root);
    struct span span = node_span(node_get(location->origin, S("root")));
    root->path = text_template_new(location->root, &build->compile, span);
    root->stands_for = location->root_for;
    root->is_file = location->root_is_file;
    if (root->path != NULL && text_template_is_constant(root->path))
        root->constant = location->root;
    return root->path != NULL ? root : NULL;
}

bool build_document(struct build *build, struct router *router, const struct location_config *location, struct str provider)
{
    struct span span = node_span(node_get(location->origin, S("mediaTypes")));
    struct router_extras *extras = build_extras(build, router);
    if (location->media_types.len != 0)
        extras->media_types = build_media_types(build, location->media_types, provider, span);
    if (location->root.len != 0)
        extras->root = new_root(build, location);
    return (extras->media_types != NULL || location->media_types.len == 0) && (extras->root != NULL || location->root.len == 0);
}

void build_media_types_release(struct built_graph *built)
{
    for (size_t i = 0; i < built->media_types.count; i++)
        media_types_release(built->media_types.items[i].types);
    VEC_RELEASE(&built->media_types);
}
