/* What containers defined together becomes a part of the model: what is left of each object is bound by the same tables as a
 * file's, each by itself, so that a mistake leaves out its own object. Left out is what is wrong, what nobody is to be believed
 * about, and what a container that does not run would take from one that does. Of all but the last there is a remark. */
#include "config/bind.h"
#include "provider/docker/finding.h"
#include "provider/docker/quarrel.h"
#include "provider/docker/tree.h"

static const struct {
    const char *noun;
    struct str section, list;
    enum remark_kind remark;
} kinds[] = {
    [OBJECT_ROUTER] = {"router", STR("http"), STR("routers"), REMARK_ROUTER},
    [OBJECT_MIDDLEWARE] = {"middleware", STR("http"), STR("middlewares"), REMARK_MIDDLEWARE},
    [OBJECT_SERVICE] = {"service", STR("http"), STR("services"), REMARK_SERVICE},
    [OBJECT_TRANSPORT] = {"serversTransport", STR("http"), STR("serversTransports"), REMARK_TRANSPORT},
    [OBJECT_TLS_OPTIONS] = {"TLS options", STR("tls"), STR("options"), REMARK_TLS_OPTIONS},
    [OBJECT_TLS_STORE] = {"TLS store", STR("tls"), STR("stores"), REMARK_TLS_OPTIONS},
};

static struct objects *objects_of(struct dynamic_config *dynamic, enum object_kind kind)
{
    switch (kind) {
    case OBJECT_ROUTER:
        return &dynamic->http.routers;
    case OBJECT_MIDDLEWARE:
        return &dynamic->http.middlewares;
    case OBJECT_SERVICE:
        return &dynamic->http.services;
    case OBJECT_TRANSPORT:
        return &dynamic->http.servers_transports;
    case OBJECT_TLS_OPTIONS:
        return &dynamic->tls.options;
    case OBJECT_TLS_STORE:
    case OBJECT_KINDS:
        break;
    }
    return &dynamic->tls.stores;
}

static struct node *add_map(struct arena *arena, struct node *parent, struct str key)
{
    struct node *map = node_new(arena, NODE_MAP, SPAN_NONE);
    map->key = key;
    node_append(parent, map);
    return map;
}

/* One object alone, at its place in a dynamic configuration. */
static struct object_item bind_one(struct finding *finding, const struct object *object, const struct definition *definition,
                                   struct diag *diag)
{
    struct arena *arena = finding->arena;
    struct node *root = node_new(arena, NODE_MAP, SPAN_NONE);
    struct node *section = add_map(arena, root, kinds[object->kind].section);
    node_append(add_map(arena, section, kinds[object->kind].list), tree_alias(arena, definition->node));
    struct dynamic_config *dynamic = bind_new(&dynamic_table, root, NULL, arena, diag);
    struct object_item item = objects_of(dynamic, object->kind)->items[0];
    item.name = object->name;
    return item;
}

static struct str full_name(const struct finding *finding, const struct object *object)
{
    return arena_printf(finding->arena, "%.*s@%.*s", STR_ARGS(object->name), STR_ARGS(finding->discovery->provider));
}

/* ---- what is left out ---- */

static void remark(struct finding *finding, const struct object *object, struct str reason, struct span span, bool left_out,
                   const void *config)
{
    if (object->kind == OBJECT_TLS_STORE)
        return;      /* nothing refers to one: the diag is enough */
    model_add_remark(finding->model, &(struct remark){.kind = kinds[object->kind].remark,
                                                      .provider = finding->discovery->provider,
                                                      .name = full_name(finding, object),
                                                      .reason = reason,
                                                      .place = tree_place(span, finding->arena),
                                                      .left_out = left_out,
                                                      .config = config});
}

static void tell_definers(struct finding *finding, const struct object *object, const struct definition *definition, struct str reason)
{
    struct str whole = arena_printf(finding->arena, "%s '%.*s': %.*s", kinds[object->kind].noun, STR_ARGS(object->name), STR_ARGS(reason));
    for (const struct definer *it = definition->definers; it != NULL; it = it->next) {
        candidate_tell(it->candidate, true, whole, STR_NONE);
        it->candidate->services_out += object->kind == OBJECT_SERVICE;
    }
}

/* For the API: as far as it can be read; what is wrong with it is told elsewhere. */
static const void *config_of(struct finding *finding, const struct object *object, const struct definition *definition)
{
    struct diag ignored;
    diag_init(&ignored, finding->arena);
    const void *config = bind_one(finding, object, definition, &ignored).value;
    diag_release(&ignored);
    return config;
}

static void leave_out_quarrel(struct finding *finding, const struct object *object)
{
    const struct definition *one = object->first_rival, *other = object->rival;
    struct span span = SPAN_NONE;
    struct str reason = quarrel_text(one, other, finding->arena, &span);
    diag_error(finding->diag, span, "%s '%.*s' is left out: %.*s", kinds[object->kind].noun, STR_ARGS(object->name), STR_ARGS(reason));
    remark(finding, object, reason, span, true, config_of(finding, object, one));
    for (const struct definition *it = object->first; it != NULL; it = it->next)
        tell_definers(finding, object, it, reason);
}

static void leave_out_broken(struct finding *finding, const struct object *object)
{
    const struct broken_object *broken = object->winner->broken;
    remark(finding, object, broken->reason, broken->span, true, config_of(finding, object, object->winner));
}

/* ---- what stays ---- */

static void add_item(struct finding *finding, struct objects *objects, const struct object_item *item)
{
    size_t count = objects->count;
    if ((count & (count - 1)) == 0) {      /* room for twice as many at each power of two */
        struct object_item *items = arena_array(finding->arena, struct object_item, count != 0 ? 2 * count : 1);
        if (count != 0)
            memcpy(items, objects->items, count * sizeof(*items));
        objects->items = items;
    }
    objects->items[objects->count++] = *item;
}

/* Each container that takes requests, one with the same URL once. */
static struct objects servers_of(struct finding *finding, const struct object *object)
{
    struct objects servers = {.items = NULL};
    struct map urls;
    map_init(&urls, false);
    for (const struct merged_server *it = object->servers; it != NULL; it = it->next) {
        if (!merge_counts(object, it->definition, it->candidate))
            continue;
        struct server_config *same = map_put(&urls, it->config->url, it->config);
        if (same != NULL) {
            same->leaving = same->leaving && it->config->leaving;
            map_put(&urls, it->config->url, same);
            continue;
        }
        add_item(finding, &servers, &(struct object_item){.value = it->config, .node = it->node});
    }
    map_release(&urls);
    return servers;
}

static void complete_service(struct finding *finding, const struct object *object, struct service_config *service)
{
    if (service->type.type == NULL || service->type.type->table != &load_balancer_table)
        return;
    struct load_balancer_config *balancer = service->type.value;
    const struct docker_config *config = finding->discovery->config;
    balancer->servers = servers_of(finding, object);
    if (node_get(service->type.node, S("holdTimeout")) == NULL)
        balancer->hold_timeout = config->hold_timeout;
    if (node_get(service->type.node, S("slowStart")) == NULL)
        balancer->slow_start = config->slow_start;
}

/* Who takes part in it, and who does not because it is defined otherwise by containers that are further on. */
static void note_definers(struct finding *finding, const struct object *object)
{
    struct str name = object->kind == OBJECT_ROUTER ? full_name(finding, object) : STR_NONE;
    for (const struct definition *it = object->first; it != NULL; it = it->next) {
        if (it->broken != NULL || it->standing == STANDING_AWAY)
            continue;
        struct span ignored = SPAN_NONE;
        struct str why = it != object->winner ? quarrel_text(object->winner, it, finding->arena, &ignored) : STR_NONE;
        for (const struct definer *definer = it->definers; definer != NULL; definer = definer->next)
            quarrel_tell(object, kinds[object->kind].noun, it, definer->candidate, why, finding->arena);
    }
    if (object->kind != OBJECT_ROUTER)
        return;
    for (const struct definition *it = object->first; it != NULL; it = it->next)
        for (const struct definer *definer = it->definers; definer != NULL; definer = definer->next)
            if (merge_counts(object, it, definer->candidate))
                candidate_add(&definer->candidate->found->routers, name, finding->arena);
}

static void keep(struct finding *finding, const struct object *object, struct dynamic_config *dynamic)
{
    struct diag own;
    struct span span = SPAN_NONE;
    diag_init(&own, finding->arena);
    struct object_item item = bind_one(finding, object, object->winner, &own);
    struct str mistake = candidate_carry(&own, finding->diag, &span);
    if (!str_empty(mistake)) {
        remark(finding, object, mistake, span, true, item.value);
        for (const struct definition *it = object->first; it != NULL; it = it->next)
            tell_definers(finding, object, it, mistake);
        return;
    }
    if (object->kind == OBJECT_SERVICE)
        complete_service(finding, object, item.value);
    add_item(finding, objects_of(dynamic, object->kind), &item);
    note_definers(finding, object);
}

/* ---- containers that do not run ---- */

static struct str text_of(const struct object *router, struct str key)
{
    const struct node *node = node_get(router->winner->node, key);
    return node != NULL && node->kind == NODE_SCALAR ? node->text : STR_NONE;
}

static struct str rule_key(const struct finding *finding, const struct object *router)
{
    return arena_printf(finding->arena, "%.*s\n%.*s", STR_ARGS(text_of(router, S("entryPoints"))), STR_ARGS(text_of(router, S("rule"))));
}

static bool is_away(const struct object *object)
{
    return object->winner != NULL && object->winner->standing == STANDING_AWAY;
}

/* A stopped container keeps its routers, but a forgotten one must not share the requests of one that runs under another name: of
 * equal rules that would be chance. */
static void drop_forgotten(struct finding *finding)
{
    const struct map *routers = &finding->merge.objects[OBJECT_ROUTER];
    struct map rules;
    map_init(&rules, false);
    for (uint32_t i = 0; i < routers->count; i++) {
        struct object *router = routers->items[i].value;
        if (router->winner != NULL && !is_away(router))
            map_put(&rules, rule_key(finding, router), router);
    }
    for (uint32_t i = 0; i < routers->count; i++) {
        struct object *router = routers->items[i].value;
        const struct object *other = is_away(router) ? map_get(&rules, rule_key(finding, router)) : NULL;
        if (other == NULL)
            continue;
        for (const struct definer *it = router->winner->definers; it != NULL; it = it->next)
            candidate_tell(it->candidate, false,
                           arena_printf(finding->arena, "it does not run, and router '%.*s' of one that runs has the same rule",
                                        STR_ARGS(other->name)),
                           STR_NONE);
        router->winner = NULL;
    }
    map_release(&rules);
}

void part_make(struct finding *finding)
{
    struct dynamic_config *dynamic = bind_new(&dynamic_table, NULL, NULL, finding->arena, finding->diag);
    merge_settle(&finding->merge);
    drop_forgotten(finding);
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        const struct map *objects = &finding->merge.objects[kind];
        for (uint32_t i = 0; i < objects->count; i++) {
            const struct object *object = objects->items[i].value;
            if (object->rival != NULL)
                leave_out_quarrel(finding, object);
            else if (object->winner != NULL && object->winner->broken != NULL)
                leave_out_broken(finding, object);
            else if (object->winner != NULL)
                keep(finding, object, dynamic);
        }
    }
    model_add_lenient_part(finding->model, finding->discovery->provider, &dynamic->http, &dynamic->tls);
}
