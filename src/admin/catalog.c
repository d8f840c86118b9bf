#include "admin/catalog.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "base/memory.h"

static struct catalog *kept;

static void list_release(struct catalog_list *list)
{
    map_release(&list->by_name);
    free(list->items);
}

void catalog_forget(void)
{
    if (kept == NULL)
        return;
    list_release(&kept->routers);
    list_release(&kept->services);
    list_release(&kept->middlewares);
    arena_release(&kept->arena);
    free(kept);
    kept = NULL;
}

struct catalog_item *catalog_find(const struct catalog_list *list, struct str name)
{
    return map_get(&list->by_name, name);
}

struct str catalog_status_text(enum catalog_status status)
{
    static const char *const texts[] = {
        [CATALOG_ENABLED] = "enabled", [CATALOG_WARNING] = "warning", [CATALOG_DISABLED] = "disabled"};
    return str_from(texts[status]);
}

/* ---- items ---- */

/* The item of this name, made when it is new. `name` lives as long as the catalog. */
static struct catalog_item *add_item(struct catalog *catalog, struct catalog_list *list, struct str name, struct str provider)
{
    struct catalog_item *item = catalog_find(list, name);
    if (item != NULL)
        return item;
    item = arena_new(&catalog->arena, struct catalog_item);
    item->name = name;
    item->provider = provider;
    map_put(&list->by_name, item->name, item);
    list->count++;
    return item;
}

/* "api@file"; there are tens of thousands, so they are not printed. */
static struct str full_name(struct catalog *catalog, struct str name, struct str provider)
{
    char *text = arena_alloc(&catalog->arena, name.len + 1 + provider.len);
    if (name.len != 0)
        memcpy(text, name.data, name.len);
    text[name.len] = '@';
    if (provider.len != 0)
        memcpy(text + name.len + 1, provider.data, provider.len);
    return str_of(text, name.len + 1 + provider.len);
}

static void add_objects(struct catalog *catalog, struct catalog_list *list, const struct objects *objects, struct str provider)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct object_item *object = &objects->items[i];
        struct catalog_item *item = add_item(catalog, list, full_name(catalog, object->name, provider), provider);
        item->config = object->value;
        item->origin = object->node;
    }
}

static struct str type_name(const struct choice *choice)
{
    return choice->type != NULL ? str_from(choice->type->name) : STR_NONE;
}

static int by_name(const void *a, const void *b)
{
    const struct catalog_item *one = *(struct catalog_item *const *)a, *other = *(struct catalog_item *const *)b;
    return str_compare(one->name, other->name);
}

static void sort_list(struct catalog_list *list)
{
    size_t count = 0;
    list->items = memory_alloc((list->count + 1) * sizeof(list->items[0]));
    for (uint32_t i = 0; i < list->by_name.count; i++)
        list->items[count++] = list->by_name.items[i].value;
    if (count != 0)
        qsort(list->items, count, sizeof(list->items[0]), by_name);
}

/* ---- lists of names that grow ---- */

static bool has_name(const struct strs *strs, struct str name)
{
    for (size_t i = 0; i < strs->count; i++)
        if (str_equal(strs->items[i], name))
            return true;
    return false;
}

/* Capacity is the next power of two of what is there. */
static void push_name(struct catalog *catalog, struct strs *strs, struct str name)
{
    if ((strs->count & (strs->count - 1)) == 0) {
        struct str *items = arena_array(&catalog->arena, struct str, strs->count != 0 ? 2 * strs->count : 1);
        if (strs->count != 0)
            memcpy(items, strs->items, strs->count * sizeof(*items));
        strs->items = items;
    }
    strs->items[strs->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* ---- what runs ---- */

/* The graph's routers of one name hang together: `next` leads from one to the former one, as indexes counted from 1. */
static void take_routers(struct catalog *catalog, const struct graph *graph, unsigned *next)
{
    for (unsigned i = 0; i < graph->router_count; i++) {
        const struct router *router = graph->routers[i];
        struct catalog_item *item = add_item(catalog, &catalog->routers, router->name, router->about->provider);
        next[i] = item->last_router;
        item->last_router = i + 1;
        if (item->router == NULL)
            item->router = router;
        for (size_t j = 0; j < router->about->entry_points.count; j++)
            if (!has_name(&item->used, router->about->entry_points.items[j]))
                push_name(catalog, &item->used, router->about->entry_points.items[j]);
    }
}

static void take_services(struct catalog *catalog, const struct graph *graph)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        struct service *service = graph->services[i];
        struct catalog_item *item = add_item(catalog, &catalog->services, service->name, service->provider);
        item->service = service;
        if (service->type->choice.table != NULL)
            item->type = str_from(service->type->choice.name);
    }
}

static void take_middlewares(struct catalog *catalog, const struct graph *graph)
{
    for (unsigned i = 0; i < graph->router_count; i++)
        for (unsigned j = 0; j < graph->routers[i]->chain_count; j++) {
            const struct middleware *m = graph->routers[i]->chain[j];
            struct catalog_item *item = add_item(catalog, &catalog->middlewares, m->name, m->provider);
            if (item->middleware == NULL)
                item->middleware = m;
            item->type = str_from(m->type->choice.name);
        }
}

/* ---- who uses what ---- */

/* Routers come one after the other, so one that is there already is the last. */
static void note_use(struct catalog *catalog, const struct catalog_list *list, struct str name, const struct catalog_item *router)
{
    struct catalog_item *item = catalog_find(list, name);
    if (item != NULL && (item->used.count == 0 || !str_equal(item->used.items[item->used.count - 1], router->name)))
        push_name(catalog, &item->used, router->name);
}

static void note_middlewares(struct catalog *catalog, struct catalog_item *router)
{
    const struct router_config *config = router->config;
    for (size_t i = 0; config != NULL && i < config->middlewares.count; i++) {
        struct str name = config->middlewares.items[i];
        if (str_find_char(name, '@', 0) < 0)
            name = full_name(catalog, name, router->provider);
        push_name(catalog, &router->middlewares, name);
        note_use(catalog, &catalog->middlewares, name, router);
    }
}

/* Those of entrypoints, services and chains too, which a router does not name itself. */
static void note_chains(struct catalog *catalog, const struct graph *graph, const unsigned *next, const struct catalog_item *router)
{
    for (unsigned at = router->last_router; at != 0; at = next[at - 1])
        for (unsigned i = 0; i < graph->routers[at - 1]->chain_count; i++)
            note_use(catalog, &catalog->middlewares, graph->routers[at - 1]->chain[i]->name, router);
}

/* Routers are gone through by name, so what is noted is sorted. */
static void note_uses(struct catalog *catalog, const struct graph *graph, const unsigned *next)
{
    for (size_t i = 0; i < catalog->routers.count; i++) {
        struct catalog_item *router = catalog->routers.items[i];
        if (router->used.count > 1)
            qsort(router->used.items, router->used.count, sizeof(struct str), compare_names);
        note_middlewares(catalog, router);
        note_chains(catalog, graph, next, router);
        if (router->router != NULL && router->router->service != NULL)
            note_use(catalog, &catalog->services, router->router->service->name, router);
    }
}

/* ---- what is amiss ---- */

static void take_remarks(struct catalog *catalog, const struct model *model)
{
    struct catalog_list *const lists[] = {[REMARK_ROUTER] = &catalog->routers,
                                          [REMARK_MIDDLEWARE] = &catalog->middlewares,
                                          [REMARK_SERVICE] = &catalog->services};
    for (size_t i = 0; i < model->remark_count; i++) {
        const struct remark *remark = &model->remarks[i];
        if (remark->kind >= sizeof(lists) / sizeof(lists[0]))
            continue;      /* of a kind that has no list: it is a problem all the same */
        struct catalog_item *item = add_item(catalog, lists[remark->kind], remark->name, remark->provider);
        if (item->config == NULL)
            item->config = remark->config;
        if (remark->left_out)
            item->status = CATALOG_DISABLED;
        else if (item->status == CATALOG_ENABLED)
            item->status = CATALOG_WARNING;
        push_name(catalog, &item->errors, remark->reason);
    }
}

static void name_types(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->services.count; i++) {
        struct catalog_item *item = catalog->services.items[i];
        if (item->config != NULL)
            item->type = type_name(&((const struct service_config *)item->config)->type);
    }
    for (size_t i = 0; i < catalog->middlewares.count; i++) {
        struct catalog_item *item = catalog->middlewares.items[i];
        if (item->config != NULL)
            item->type = type_name(&((const struct middleware_config *)item->config)->type);
    }
}

static void finish_list(struct catalog_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        list->warnings += list->items[i]->status == CATALOG_WARNING;
        list->disabled += list->items[i]->status == CATALOG_DISABLED;
    }
}

static struct catalog *make(const struct graph *graph)
{
    struct catalog *catalog = memory_zalloc(sizeof(*catalog));
    struct catalog_list *const lists[] = {&catalog->routers, &catalog->services, &catalog->middlewares};
    const struct model *model = graph->model;
    catalog->generation = graph->generation;
    arena_init(&catalog->arena, ARENA_UNLIMITED);
    for (size_t i = 0; i < 3; i++)
        map_init(&lists[i]->by_name, false);
    for (size_t i = 0; i < model->part_count; i++) {
        const struct model_part *part = &model->parts[i];
        add_objects(catalog, &catalog->routers, &part->http->routers, part->provider);
        add_objects(catalog, &catalog->services, &part->http->services, part->provider);
        add_objects(catalog, &catalog->middlewares, &part->http->middlewares, part->provider);
    }
    unsigned *next = memory_alloc((graph->router_count + 1) * sizeof(*next));
    take_routers(catalog, graph, next);
    take_services(catalog, graph);
    take_middlewares(catalog, graph);
    take_remarks(catalog, model);
    for (size_t i = 0; i < 3; i++)
        sort_list(lists[i]);
    name_types(catalog);
    note_uses(catalog, graph, next);
    free(next);
    for (size_t i = 0; i < 3; i++)
        finish_list(lists[i]);
    return catalog;
}

const struct catalog *catalog_of(const struct graph *graph)
{
    if (kept == NULL || kept->generation != graph->generation) {
        catalog_forget();
        kept = make(graph);
    }
    return kept;
}

static struct timer soon;

static void make_ready(struct timer *timer)
{
    if (admin_self != NULL && admin_self->graph != NULL)
        catalog_of(admin_self->graph);
}

static void start(void)
{
    timer_init(&soon, make_ready);
}

/* The former graph's texts are in it. Where somebody may ask, the next is made in a turn of its own, when the new configuration
 * runs already: so neither the reload waits for it, nor who asks first. */
static void use(struct graph *graph)
{
    struct loop *loop = &admin_self->control->loop;
    catalog_forget();
    if (graph->model->config.api != NULL)
        timer_set(loop, &soon, loop->now);
}

static void stop(void)
{
    timer_cancel(&soon);
    catalog_forget();
}

static const struct admin_part catalog_part = {.start = start, .use = use, .stop = stop};
REGISTER(admin_part, catalog_part);
