#include "snapshot/build.h"

#define CHAIN_MAX 64

/* The middlewares of one chain while it is collected. */
struct collector {
    struct build *build;
    struct router *router;
    struct middleware *items[CHAIN_MAX];
    unsigned count;
    bool good;
};

static struct middleware *new_middleware(struct collector *collector, const struct middleware_type *type, struct str name,
                                         const void *options, struct str provider, const struct node *origin)
{
    struct build *build = collector->build;
    struct compile *compile = &build->compile;
    struct middleware *m = arena_new(&build->graph->arena, struct middleware);
    m->type = type;
    m->name = name;
    m->provider = provider;
    m->origin = origin;
    m->options = options;
    m->state = arena_zalloc(&build->graph->arena, type->state_size + 1);
    m->own_offset = collector->router->chain_memory;
    struct str former_provider = compile->provider, former_path = compile->path;
    compile->provider = provider;
    compile->path = arena_printf(&build->graph->arena, "%.*s/%.*s/%s", STR_ARGS(collector->router->name), STR_ARGS(name),
                                 type->choice.name);
    bool good = type->compile == NULL || type->compile(m, compile);
    compile->provider = former_provider;
    compile->path = former_path;
    if (!good)
        return NULL;
    collector->router->chain_memory += (type->exchange_size + 15) & ~(size_t)15;
    VEC_PUSH(&build->built->middlewares, m);
    return m;
}

static void add(struct collector *collector, struct middleware *m)
{
    if (m == NULL)
        collector->good = false;
    else
        collector->items[collector->count++] = m;
}

static void collect(struct collector *collector, const struct strs *references, const struct node *list,
                    struct str provider, unsigned depth);

static void collect_one(struct collector *collector, struct named *named, struct str reference, struct span span,
                        unsigned depth)
{
    struct diag *diag = collector->build->compile.diag;
    const struct middleware_config *config = named->value;
    named->used = true;
    if (named->failed || config->type.type == NULL) {
        collector->good = false;      /* the binder has said so */
        return;
    }
    if (depth > 8 || collector->count == CHAIN_MAX) {
        diag_error(diag, span, depth > 8 ? "the chain '%.*s' leads back to itself" : "the chain at '%.*s' is too long",
                   STR_ARGS(reference));
        collector->good = false;
        return;
    }
    const struct middleware_type *type = container_of(config->type.type, struct middleware_type, choice);
    const struct strs *members = type->members != NULL ? type->members(config->type.value) : NULL;
    diag_enter(diag, named->node != NULL ? named->node->key_span : SPAN_NONE, "in middleware '%.*s'", STR_ARGS(reference));
    if (members != NULL)
        collect(collector, members, node_get(config->type.node, S("middlewares")), named->provider, depth + 1);
    else
        add(collector, new_middleware(collector, type, named->name, config->type.value, named->provider, named->node));
    diag_leave(diag);
}

static void collect(struct collector *collector, const struct strs *references, const struct node *list,
                    struct str provider, unsigned depth)
{
    struct build *build = collector->build;
    for (size_t i = 0; i < references->count; i++) {
        const struct node *item = node_at(list, i);
        struct span span = item != NULL ? item->span : SPAN_NONE;
        struct named *named =
            names_find(&build->names, NAME_MIDDLEWARE, references->items[i], provider, span, build->compile.diag);
        if (named == NULL)
            collector->good = false;
        else
            collect_one(collector, named, references->items[i], span, depth);
    }
}

static bool finish_chain(struct collector *collector)
{
    struct router *router = collector->router;
    router->chain_count = collector->count;
    router->chain = arena_array(&collector->build->graph->arena, struct middleware *, collector->count + 1);
    for (unsigned i = 0; i < collector->count; i++)
        router->chain[i] = collector->items[i];
    return collector->good;
}

static void collect_service_chain(struct collector *collector, struct str reference, struct str provider)
{
    if (str_ends(reference, S("@internal")))
        return;
    bool qualified = str_find_char(reference, '@', 0) >= 0;
    struct str full = qualified ? reference
                                : arena_printf(&collector->build->graph->arena, "%.*s@%.*s", STR_ARGS(reference),
                                               STR_ARGS(provider));
    const struct named *named = map_get(&collector->build->names.maps[NAME_SERVICE], full);
    const struct service_config *config = named != NULL ? named->value : NULL;
    if (config != NULL && config->middlewares.count != 0)
        collect(collector, &config->middlewares, node_get(config->origin, S("middlewares")), named->provider, 0);
}

bool build_chain(struct build *build, struct router *router, const struct entry *entry,
                 const struct router_config *config, struct str provider)
{
    struct collector collector = {.build = build, .router = router, .good = true};
    const struct entrypoint_http *http = &entry->config->http;
    collect(&collector, &http->middlewares, node_get(http->origin, S("middlewares")), S("file"), 0);
    collect(&collector, &config->middlewares, node_get(config->origin, S("middlewares")), provider, 0);
    collect_service_chain(&collector, config->service, provider);
    return finish_chain(&collector);
}

bool build_internal_chain(struct build *build, struct router *router, const struct middleware_type *type,
                          const void *options)
{
    struct collector collector = {.build = build, .router = router, .good = true};
    add(&collector, new_middleware(&collector, type, router->name, options, S("internal"), NULL));
    return finish_chain(&collector);
}

void build_unused_middlewares(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_MIDDLEWARE];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (named == NULL || named->used)
            continue;
        struct router nobody = {.name = named->name};
        struct collector collector = {.build = build, .router = &nobody, .good = true};
        ptrdiff_t at = str_find_last_char(named->name, '@');
        collect_one(&collector, named, str_first(named->name, (size_t)at),
                    named->node != NULL ? named->node->key_span : SPAN_NONE, 0);
    }
}
