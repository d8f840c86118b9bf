#include "snapshot/names.h"

#include "base/vec.h"
#include "exchange/service.h"

static const char *const kind_texts[NAME_KINDS] = {"router", "middleware", "service", "serversTransport", "set of TLS options"};

static void collect_objects(struct names *names, enum name_kind kind, const struct objects *objects, struct str provider,
                            struct diag *diag)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct object_item *item = &objects->items[i];
        struct named *named = arena_new(names->arena, struct named);
        named->name = arena_printf(names->arena, "%.*s@%.*s", STR_ARGS(item->name), STR_ARGS(provider));
        named->provider = provider;
        named->value = item->value;
        named->node = item->node;
        named->failed = item->broken;
        const struct named *before = map_put(&names->maps[kind], named->name, named);
        if (before == NULL)
            continue;
        struct span span = item->node != NULL ? item->node->key_span : SPAN_NONE;
        struct diag_item *error =
            diag_error(diag, span, "the %s '%.*s' is defined twice", kind_texts[kind], STR_ARGS(item->name));
        struct span first = before->node != NULL ? before->node->key_span : SPAN_NONE;
        if (first.source != NULL)
            diag_hint(diag, error, "first in %.*s:%u", STR_ARGS(first.source->name), first.line);
    }
}

void names_collect(struct names *names, const struct model *model, struct arena *arena, struct diag *diag)
{
    names->arena = arena;
    for (int kind = 0; kind < NAME_KINDS; kind++)
        map_init(&names->maps[kind], false);
    for (size_t i = 0; i < model->part_count; i++) {
        const struct model_part *part = &model->parts[i];
        collect_objects(names, NAME_ROUTER, &part->http->routers, part->provider, diag);
        collect_objects(names, NAME_MIDDLEWARE, &part->http->middlewares, part->provider, diag);
        collect_objects(names, NAME_SERVICE, &part->http->services, part->provider, diag);
        collect_objects(names, NAME_TRANSPORT, &part->http->servers_transports, part->provider, diag);
        collect_objects(names, NAME_TLS_OPTIONS, &part->tls->options, part->provider, diag);
    }
}

void names_release(struct names *names)
{
    for (int kind = 0; kind < NAME_KINDS; kind++)
        map_release(&names->maps[kind]);
}

static bool is_internal(struct names *names, struct str reference)
{
    const struct service_type *type = service_find(arena_printf(names->arena, "%.*s@internal", STR_ARGS(reference)));
    return type != NULL && type->choice.table == NULL;
}

/* Names of the same provider are offered without their "@provider", as they may be written. */
static void suggest(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                    struct diag *diag, struct diag_item *error)
{
    VEC(struct str) candidates = {0};
    struct str suffix = arena_printf(names->arena, "@%.*s", STR_ARGS(provider));
    const struct map *map = &names->maps[kind];
    for (uint32_t i = 0; i < map->count && candidates.count < 2000; i++) {
        struct str name = map->items[i].key;
        if (name.data == NULL)
            continue;
        VEC_PUSH(&candidates, str_ends(name, suffix) ? str_first(name, name.len - suffix.len) : name);
    }
    if (kind == NAME_SERVICE && is_internal(names, reference))
        diag_hint(diag, error, "did you mean '%.*s@internal'?", STR_ARGS(reference));
    else
        diag_suggest(diag, error, reference, candidates.items, candidates.count);
    if (error->hint.len == 0 && candidates.count == 0)
        diag_hint(diag, error, "no %s is defined", kind_texts[kind]);
    VEC_RELEASE(&candidates);
}

struct named *names_find(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                         struct span span, struct diag *diag)
{
    bool qualified = str_find_char(reference, '@', 0) >= 0;
    struct str full = qualified ? reference
                                : arena_printf(names->arena, "%.*s@%.*s", STR_ARGS(reference), STR_ARGS(provider));
    struct named *named = map_get(&names->maps[kind], full);
    if (named != NULL)
        return named;
    struct diag_item *error =
        diag_error(diag, span, "unknown %s '%.*s'", kind_texts[kind], STR_ARGS(reference));
    suggest(names, kind, reference, provider, diag, error);
    return NULL;
}
