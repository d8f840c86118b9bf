/* A container's routers: the one that it gets by itself, the default rule, the link to its service. */
#include "provider/docker/finding.h"
#include "provider/docker/tree.h"

#define NAMES_TOLD 5

static bool is_own(const struct candidate *candidate, struct str reference)
{
    ptrdiff_t at = str_find_char(reference, '@', 0);
    return str_equal(at < 0 ? reference : str_first(reference, (size_t)at), candidate->name);
}

bool routers_want_own_service(const struct candidate *candidate)
{
    const struct node *routers = node_get(candidate->http, S("routers"));
    if (routers == NULL || routers->count == 0)
        return true;
    NODE_FOREACH(routers, router) {
        const struct node *service = node_get(router, S("service"));
        if (service == NULL || service->kind != NODE_SCALAR || is_own(candidate, service->text))
            return true;
    }
    return false;
}

static void leave_out(struct finding *finding, struct candidate *candidate, const struct node *router, struct str reason,
                      struct str hint)
{
    struct str whole = str_empty(hint) ? reason : arena_printf(finding->arena, "%.*s: %.*s", STR_ARGS(reason), STR_ARGS(hint));
    struct diag_item *item = diag_error(finding->diag, router->key_span, "router '%.*s' is left out: %.*s", STR_ARGS(router->key),
                                          STR_ARGS(reason));
    if (!str_empty(hint))
        diag_hint(finding->diag, item, "%.*s", STR_ARGS(hint));
    candidate_break(candidate, router, whole, router->key_span, finding->arena);
    candidate_tell(candidate, true, arena_printf(finding->arena, "router '%.*s': %.*s", STR_ARGS(router->key), STR_ARGS(reason)), hint);
}

static void set_default_rule(struct finding *finding, struct candidate *candidate, struct node *router)
{
    struct arena *arena = finding->arena;
    const struct default_rule_input input = {.name = candidate->name,
                                             .container_name = candidate->container->name,
                                             .labels = candidate->container->labels,
                                             .label_count = candidate->container->label_count};
    struct str why = S("the default rule has mistakes"), rule = STR_NONE;
    if (finding->default_rule != NULL)
        rule = default_rule_make(finding->default_rule, &input, arena, &why);
    if (rule.data == NULL) {
        leave_out(finding, candidate, router, arena_printf(arena, "it has no rule, and the default rule makes none: %.*s", STR_ARGS(why)),
                  STR_NONE);
        return;
    }
    tree_add_text(arena, router, S("rule"), rule, candidate_own_span(candidate, S("the default rule"), rule, arena));
}

/* The first few: this is said once for each router of the container. */
static struct str names_of(const struct node *section, struct arena *arena)
{
    struct str list = STR_NONE;
    size_t named = 0;
    NODE_FOREACH(section, it) {
        if (named++ == NAMES_TOLD)
            return arena_printf(arena, "%.*s and %u more", STR_ARGS(list), section->count - NAMES_TOLD);
        list = arena_printf(arena, "%.*s%s%.*s", STR_ARGS(list), it != section->first ? ", " : "", STR_ARGS(it->key));
    }
    return list;
}

static void link_service(struct finding *finding, struct candidate *candidate, struct node *router, const struct node *services)
{
    if (services->count == 1) {
        tree_add_text(finding->arena, router, S("service"), services->first->key, router->key_span);
        return;
    }
    leave_out(finding, candidate, router,
              arena_printf(finding->arena, "it names no service, and the container has several (%.*s)",
                           STR_ARGS(names_of(services, finding->arena))),
              arena_printf(finding->arena, "the label traefik.http.routers.%.*s.service says which it is", STR_ARGS(router->key)));
}

/* What leads to a service that is left out here goes with it, for the same reason. */
static void follow_service(struct finding *finding, struct candidate *candidate, const struct node *router, const struct node *services)
{
    const struct node *named = node_get(router, S("service"));
    const struct node *service = named != NULL && named->kind == NODE_SCALAR ? node_get(services, named->text) : NULL;
    const struct broken_object *broken = service != NULL ? candidate_broken(candidate, service) : NULL;
    if (broken != NULL && candidate_broken(candidate, router) == NULL)
        candidate_break(candidate, router,
                        arena_printf(finding->arena, "its service '%.*s' is left out: %.*s", STR_ARGS(service->key),
                                     STR_ARGS(broken->reason)),
                        broken->span, finding->arena);
}

/* Not given, or empty; an empty one is taken away. */
static bool lacks(struct node *router, struct str key)
{
    const struct node *node = node_get(router, key);
    if (node != NULL && node->kind == NODE_NULL)
        node_take(router, key);
    return node == NULL || node->kind == NODE_NULL;
}

static void complete(struct finding *finding, struct candidate *candidate, struct node *router, const struct node *services)
{
    if (router->kind == NODE_NULL || (router->kind == NODE_SCALAR && str_equal_nocase(router->text, S("true"))))
        node_become(router, NODE_MAP);
    if (router->kind != NODE_MAP)
        return;      /* the binder says what it thinks of that */
    /* One with a location of a site is found by that. */
    if (lacks(router, S("rule")) && node_get(router, S("location")) == NULL)
        set_default_rule(finding, candidate, router);
    if (lacks(router, S("service")))
        link_service(finding, candidate, router, services);
    follow_service(finding, candidate, router, services);
}

static void make_own(struct finding *finding, struct candidate *candidate, struct node *section)
{
    struct node *router = node_new(finding->arena, NODE_MAP, SPAN_NONE);
    router->key = candidate->name;
    router->key_span = candidate_own_span(candidate, STR_NONE, candidate->name, finding->arena);
    node_append(section, router);
}

void routers_complete(struct finding *finding, struct candidate *candidate)
{
    struct node *section = candidate_section(candidate, S("routers"), finding->arena);
    const struct node *services = candidate_section(candidate, S("services"), finding->arena);
    if (section->count == 0 && services->count > 1) {
        candidate_tell(candidate, false, S("it has several services and no router: none is made by itself"), STR_NONE);
        return;
    }
    if (section->count == 0)
        make_own(finding, candidate, section);
    NODE_FOREACH(section, router)
        complete(finding, candidate, router, services);
}
