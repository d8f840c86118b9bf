#include "cli/presume.h"

#include "config/bind.h"

static bool has_entry(const struct model *model, struct str name)
{
    for (size_t i = 0; i < model->config.entry_points.count; i++)
        if (str_equal(model->config.entry_points.items[i].name, name))
            return true;
    return false;
}

void presume_entry(struct model *model, struct str name, struct diag *diag)
{
    if (has_entry(model, name))
        return;
    struct arena *arena = &model->arena;
    struct objects *entries = &model->config.entry_points;
    struct object_item *items = arena_array(arena, struct object_item, entries->count + 1);
    struct node *node = node_new(arena, NODE_MAP, SPAN_NONE);
    /* Any address will do, as long as they differ: nothing listens. */
    struct node *address = node_scalar(arena, arena_printf(arena, "127.0.0.1:%zu", entries->count + 1), SPAN_NONE);
    address->key = S("address");
    node_append(node, address);
    if (entries->count != 0)
        memcpy(items, entries->items, entries->count * sizeof(*items));
    items[entries->count] = (struct object_item){
        .name = name, .value = bind_new(&entrypoint_table, node, NULL, arena, diag), .node = node};
    *entries = (struct objects){.items = items, .count = entries->count + 1};
}

/* The services api@internal, dashboard@internal and prometheus@internal. */
void presume_internals(struct model *model, struct diag *diag)
{
    struct arena *arena = &model->arena;
    struct node *metrics = node_new(arena, NODE_MAP, SPAN_NONE);
    node_set_text(node_make_path(arena, metrics, S("prometheus.manualRouting"), SPAN_NONE), S("true"), SPAN_NONE);
    model->config.api = bind_new(&api_table, NULL, NULL, arena, diag);
    model->config.metrics = bind_new(&metrics_table, metrics, NULL, arena, diag);
}

void presume_entries(struct model *model, const struct objects *routers, struct diag *diag)
{
    for (size_t i = 0; i < routers->count; i++) {
        const struct router_config *router = routers->items[i].value;
        for (size_t j = 0; j < router->entry_points.count; j++)
            presume_entry(model, router->entry_points.items[j], diag);
    }
}

static bool has_resolver(const struct model *model, struct str name)
{
    const struct objects *resolvers = &model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++)
        if (str_equal(resolvers->items[i].name, name))
            return true;
    return false;
}

void presume_resolvers(struct model *model, const struct objects *routers, struct diag *diag)
{
    struct objects *resolvers = &model->config.certificates_resolvers;
    for (size_t i = 0; i < routers->count; i++) {
        const struct router_config *router = routers->items[i].value;
        if (router->tls == NULL || str_empty(router->tls->cert_resolver) || has_resolver(model, router->tls->cert_resolver))
            continue;
        struct object_item *items = arena_array(&model->arena, struct object_item, resolvers->count + 1);
        if (resolvers->count != 0)
            memcpy(items, resolvers->items, resolvers->count * sizeof(*items));
        items[resolvers->count] = (struct object_item){
            .name = router->tls->cert_resolver, .value = arena_new(&model->arena, struct resolver_config)};
        *resolvers = (struct objects){.items = items, .count = resolvers->count + 1};
    }
}

static bool is_in_file(struct str reference)
{
    return str_ends(reference, S("@file"));
}

static size_t drop_middlewares(struct router_config *router)
{
    size_t kept = 0, count = router->middlewares.count;
    for (size_t i = 0; i < count; i++)
        if (!is_in_file(router->middlewares.items[i]))
            router->middlewares.items[kept++] = router->middlewares.items[i];
    router->middlewares.count = kept;
    return count - kept;
}

size_t presume_file_objects(const struct objects *routers)
{
    size_t count = 0;
    for (size_t i = 0; i < routers->count; i++) {
        struct router_config *router = routers->items[i].value;
        count += drop_middlewares(router);
        if (is_in_file(router->service)) {
            router->service = S("noop@internal");
            count++;
        }
        if (router->tls != NULL && is_in_file(router->tls->options)) {
            router->tls->options = STR_NONE;
            count++;
        }
    }
    return count;
}
