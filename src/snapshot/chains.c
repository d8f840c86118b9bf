#include "snapshot/build.h"

#define CHAIN_MAX 64
#define DEPTH_MAX 8          /* of chains in chains */

/* The middlewares of one chain while it is collected. */
struct collector {
    struct build *build;
    struct router *router;
    struct middleware *items[CHAIN_MAX];
    unsigned count;
    bool good;
    /* Where it got too long, which is no fault of the middlewares: they are good in other chains. data NULL: it did not. */
    struct str too_long;
    struct span too_long_span;
};

static struct middleware *new_middleware(struct collector *collector, const struct middleware_type *type, struct str name,
                                         const void *options, struct str provider, const struct node *origin, bool *ret_good)
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
    *ret_good = good;
    return m;
}

/* It becomes the graph's and the chain's, or what was made of it goes at once. */
static void add(struct collector *collector, struct middleware *m, bool good)
{
    if (good) {
        collector->router->chain_memory += (uint32_t)((m->type->exchange_size + 15) & ~(size_t)15);
        VEC_PUSH(&collector->build->built->middlewares, m);
        collector->items[collector->count++] = m;
    } else if (m->type->destroy != NULL) {
        m->type->destroy(m);
    }
}

static void collect(struct collector *collector, const struct strs *references, const struct node *list,
                    struct str provider, unsigned depth);

/* The members of one that stands for others; they are in the chain by themselves. */
static bool collect_members(struct collector *collector, const struct named *named, const struct strs *members, unsigned depth)
{
    const struct middleware_config *config = named->value;
    bool former = collector->good;
    collector->good = true;
    collect(collector, members, node_get(config->type.node, S("middlewares")), named->provider, depth + 1);
    bool good = collector->good;
    collector->good = former;
    return good;
}

/* One that failed before is not tried again. */
static void collect_one(struct collector *collector, struct named *named, struct str reference, unsigned depth)
{
    struct build *build = collector->build;
    const struct middleware_config *config = named->value;
    struct object object;
    named->used = true;
    if (config->type.type == NULL)
        named->failed = true;      /* the binder has said so */
    if (named->failed)
        return;
    const struct middleware_type *type = container_of(config->type.type, struct middleware_type, choice);
    const struct strs *members = type->members != NULL ? type->members(config->type.value) : NULL;
    struct middleware *m = NULL;
    bool good;
    named->building = true;
    diag_enter(build->compile.diag, named->node != NULL ? named->node->key_span : SPAN_NONE, "in middleware '%.*s'",
               STR_ARGS(reference));
    build_object_begin(build, &object, named);
    if (members != NULL)
        good = collect_members(collector, named, members, depth);
    else
        m = new_middleware(collector, type, named->name, config->type.value, named->provider, named->node, &good);
    good = build_object_end(build, &object, good);
    diag_leave(build->compile.diag);
    named->building = false;
    if (m != NULL)
        add(collector, m, good);
}

static void collect_reference(struct collector *collector, struct str reference, struct str provider, struct span span,
                              unsigned depth)
{
    struct build *build = collector->build;
    struct diag *diag = build->compile.diag;
    struct named *named = names_find(&build->names, NAME_MIDDLEWARE, reference, provider, span, diag);
    if (named == NULL) {
        collector->good = false;
    } else if (named->building) {
        diag_error(diag, span, "the chain '%.*s' leads back to itself", STR_ARGS(reference));
        collector->good = false;
    } else if (depth > DEPTH_MAX || collector->count == CHAIN_MAX) {
        collector->too_long = reference;
        collector->too_long_span = span;
    } else {
        collect_one(collector, named, reference, depth);
        collector->good &= build_usable(build, named, span);
    }
}

static void collect(struct collector *collector, const struct strs *references, const struct node *list,
                    struct str provider, unsigned depth)
{
    for (size_t i = 0; i < references->count && collector->too_long.data == NULL; i++) {
        const struct node *item = node_at(list, i);
        collect_reference(collector, references->items[i], provider, item != NULL ? item->span : SPAN_NONE, depth);
    }
}

/* Those of an entrypoint, which is nobody's but the owner's: what is wrong with its list refuses the configuration. Where it names
 * one that comes and goes with containers, no router is served without it: all of that entrypoint wait. */
static void collect_entry_chain(struct collector *collector, const struct entry *entry)
{
    const struct entrypoint_http *http = &entry->config->http;
    struct object object;
    if (http->middlewares.count == 0)
        return;
    build_object_begin(collector->build, &object, NULL);
    collect(collector, &http->middlewares, node_get(http->origin, S("middlewares")), S("file"), 0);
    collector->good = build_object_end(collector->build, &object, collector->good);
}

static void report_too_long(struct collector *collector)
{
    if (collector->too_long.data == NULL)
        return;
    diag_error(collector->build->compile.diag, collector->too_long_span, "the chain at '%.*s' is too long",
               STR_ARGS(collector->too_long));
    collector->good = false;
}

static bool finish_chain(struct collector *collector)
{
    struct router *router = collector->router;
    report_too_long(collector);
    router->chain_count = (uint16_t)collector->count;
    if (collector->count != 0)
        router->chain = arena_array(&collector->build->graph->arena, struct middleware *, collector->count);
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
                                : arena_printf(&collector->build->names.arena, "%.*s@%.*s", STR_ARGS(reference),
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
    collect_entry_chain(&collector, entry);
    collect(&collector, &config->middlewares, node_get(config->origin, S("middlewares")), provider, 0);
    collect_service_chain(&collector, config->service, provider);
    return finish_chain(&collector);
}

bool build_site_chain(struct build *build, struct router *router, const struct strs *middlewares, const struct node *origin,
                      struct str provider)
{
    struct collector collector = {.build = build, .router = router, .good = true};
    collect(&collector, middlewares, node_get(origin, S("middlewares")), provider, 0);
    return finish_chain(&collector);
}

struct middleware **build_inner_chain(struct build *build, const struct strs *references, const struct node *list,
                                      unsigned *ret_count, size_t *ret_memory)
{
    struct router *owner = arena_new(&build->graph->arena, struct router);
    owner->name = build->compile.path;
    struct collector collector = {.build = build, .router = owner, .good = true};
    collect(&collector, references, list, build->compile.provider, 1);
    if (!finish_chain(&collector))
        return NULL;
    *ret_count = owner->chain_count;
    *ret_memory = owner->chain_memory;
    return owner->chain;
}

bool build_internal_chain(struct build *build, struct router *router, const struct middleware_type *type,
                          const void *options)
{
    struct collector collector = {.build = build, .router = router, .good = true};
    bool good;
    struct middleware *m = new_middleware(&collector, type, router->name, options, S("internal"), NULL, &good);
    add(&collector, m, good);
    collector.good = good;
    return finish_chain(&collector);
}

static void build_unused(struct build *build, struct named *named)
{
    struct router nobody = {.name = named->name};
    struct collector collector = {.build = build, .router = &nobody, .good = true};
    struct object object;
    collect_one(&collector, named, str_first(named->name, (size_t)str_find_last_char(named->name, '@')), 0);
    if (collector.too_long.data == NULL)
        return;
    build_object_begin(build, &object, named);
    report_too_long(&collector);
    build_object_end(build, &object, false);
}

void build_unused_middlewares(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_MIDDLEWARE];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (named != NULL && !named->used)
            build_unused(build, named);
    }
}
