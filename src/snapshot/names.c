#include "snapshot/names.h"

#include "base/vec.h"
#include "exchange/service.h"

static const char *const kind_texts[NAME_KINDS] = {"router", "middleware", "service", "serversTransport", "set of TLS options",
                                                    "site", "variable"};

const char *names_kind_text(enum name_kind kind)
{
    return kind_texts[kind];
}

/* What the binder complained of. In a lenient part it is left out; who filled the model has said why, or the binder has. */
static void note_broken(const struct names *names, struct named *named)
{
    const struct remark *remark = map_get(&names->left_out[named->kind], named->name);
    named->failed = true;
    if (named->lenient)
        named->left_out = remark != NULL ? remark->reason : S("it has mistakes");
}

static void collect_objects(struct names *names, enum name_kind kind, const struct objects *objects,
                            const struct model_part *part, struct arena *arena, struct diag *diag)
{
    struct str provider = part->provider;
    for (size_t i = 0; i < objects->count; i++) {
        const struct object_item *item = &objects->items[i];
        struct named *named = arena_new(&names->arena, struct named);
        named->name = arena_printf(arena, "%.*s@%.*s", STR_ARGS(item->name), STR_ARGS(provider));
        named->kind = kind;
        named->provider = provider;
        named->lenient = part->lenient;
        named->value = item->value;
        named->node = item->node;
        if (item->broken)
            note_broken(names, named);
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

/* Those of objects that are in no part any more. */
static void collect_left_out(struct names *names, const struct model *model)
{
    for (size_t i = 0; i < model->remark_count; i++) {
        const struct remark *remark = &model->remarks[i];
        if (remark->left_out && !map_has(&names->left_out[remark->kind], remark->name))
            map_put(&names->left_out[remark->kind], remark->name, memcpy(arena_new(&names->arena, struct remark), remark, sizeof(*remark)));
    }
}

void names_collect(struct names *names, const struct model *model, struct arena *arena, struct diag *diag)
{
    arena_init(&names->arena, ARENA_UNLIMITED);
    names->model = model;
    for (int kind = 0; kind < NAME_KINDS; kind++) {
        map_init(&names->maps[kind], false);
        map_init(&names->left_out[kind], false);
    }
    collect_left_out(names, model);
    for (size_t i = 0; i < model->part_count; i++) {
        const struct model_part *part = &model->parts[i];
        collect_objects(names, NAME_ROUTER, &part->http->routers, part, arena, diag);
        collect_objects(names, NAME_MIDDLEWARE, &part->http->middlewares, part, arena, diag);
        collect_objects(names, NAME_SERVICE, &part->http->services, part, arena, diag);
        collect_objects(names, NAME_TRANSPORT, &part->http->servers_transports, part, arena, diag);
        collect_objects(names, NAME_TLS_OPTIONS, &part->tls->options, part, arena, diag);
        collect_objects(names, NAME_SITE, &part->http->sites, part, arena, diag);
        collect_objects(names, NAME_VARIABLE, &part->http->variables, part, arena, diag);
    }
}

void names_release(struct names *names)
{
    for (int kind = 0; kind < NAME_KINDS; kind++) {
        map_release(&names->maps[kind]);
        map_release(&names->left_out[kind]);
    }
    arena_release(&names->arena);
}

bool names_is_lenient(const struct names *names, struct str provider)
{
    const struct providers_config *providers = &names->model->config.providers;
    if (str_equal(provider, S("docker")) && providers->docker != NULL)
        return true;
    if (str_equal(provider, S("swarm")) && providers->swarm != NULL)
        return true;
    for (size_t i = 0; i < names->model->part_count; i++)
        if (names->model->parts[i].lenient && str_equal(names->model->parts[i].provider, provider))
            return true;
    return false;
}

static bool is_internal(struct names *names, struct str reference)
{
    const struct service_type *type = service_find(arena_printf(&names->arena, "%.*s@internal", STR_ARGS(reference)));
    return type != NULL && type->choice.table == NULL;
}

/* Names of the same provider are offered without their "@provider", as they may be written. */
static void suggest(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                    struct diag *diag, struct diag_item *error)
{
    VEC(struct str) candidates = {0};
    struct str suffix = arena_printf(&names->arena, "@%.*s", STR_ARGS(provider));
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

/* It is not there at present, or somebody left it out while the model was filled. */
static void report_absent(struct names *names, enum name_kind kind, struct str reference, struct str full, struct str provider,
                          struct span span, struct diag *diag)
{
    const struct remark *remark = map_get(&names->left_out[kind], full);
    if (remark != NULL) {
        diag_contained(diag, span, "%s '%.*s' was left out: %.*s", kind_texts[kind], STR_ARGS(full), STR_ARGS(remark->reason));
        return;
    }
    struct diag_item *item = diag_contained(diag, span, "there is no %s '%.*s'", kind_texts[kind], STR_ARGS(full));
    if (item != &diag->beyond)      /* it would not be kept, and looking costs */
        suggest(names, kind, reference, provider, diag, item);
}

struct named *names_find(struct names *names, enum name_kind kind, struct str reference, struct str provider,
                         struct span span, struct diag *diag)
{
    ptrdiff_t at = str_find_last_char(reference, '@');
    struct str full = at >= 0 ? reference : arena_printf(&names->arena, "%.*s@%.*s", STR_ARGS(reference), STR_ARGS(provider));
    struct named *named = map_get(&names->maps[kind], full);
    if (named != NULL)
        return named;
    if (names_is_lenient(names, at >= 0 ? str_from_index(reference, (size_t)at + 1) : provider)) {
        report_absent(names, kind, reference, full, provider, span, diag);
        return NULL;
    }
    struct diag_item *error =
        diag_error(diag, span, "unknown %s '%.*s'", kind_texts[kind], STR_ARGS(reference));
    suggest(names, kind, reference, provider, diag, error);
    return NULL;
}
