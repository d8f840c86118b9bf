#include "cli/convert_order.h"

/* A path of keys, '*' for any, and what comes first there. */
static const struct {
    const char *path;
    const char *keys[12];
} orders[] = {
    {"", {"global", "log", "accessLog", "workers", "user", "entryPoints", "providers", "variables", "http", "tls"}},
    {"entryPoints.*", {"address", "asDefault", "proxyProtocol", "forwardedHeaders", "http"}},
    {"http", {"variables", "sites", "routers", "middlewares", "services", "serversTransports"}},
    {"http.sites.*", {"entryPoints", "defaultOn", "names", "tls", "plainOn", "mergeSlashes", "middlewares"}},
    {"http.routers.*", {"rule", "location", "priority", "entryPoints", "tls", "middlewares", "service"}},
    {"http.routers.*.location", {"site", "match", "path", "within"}},
    {"http.services.*.loadBalancer", {"servers"}},
};
#define ORDER_COUNT (sizeof(orders) / sizeof(orders[0]))

static void order_map(struct node *map, const char *const *keys)
{
    struct node ordered = {.kind = NODE_MAP};
    for (; *keys != NULL; keys++) {
        struct node *member = node_take(map, str_from(*keys));
        if (member != NULL)
            node_append(&ordered, member);
    }
    for (struct node *it = map->first, *next; it != NULL; it = next) {
        next = it->next;
        node_append(&ordered, it);
    }
    map->first = ordered.first;
    map->last = ordered.last;
    map->count = ordered.count;
    NODE_FOREACH(map, it)
        it->parent = map;
}

static void order_path(struct node *node, struct str path, const char *const *keys)
{
    struct str part;
    if (node == NULL || node->kind != NODE_MAP)
        return;
    if (str_empty(path)) {
        order_map(node, keys);
        return;
    }
    str_split(&path, '.', &part);
    if (!str_equal(part, S("*"))) {
        order_path(node_get(node, part), path, keys);
        return;
    }
    NODE_FOREACH(node, it)
        order_path(it, path, keys);
}

void convert_order(struct node *root)
{
    for (size_t i = 0; i < ORDER_COUNT; i++)
        order_path(root, str_from(orders[i].path), orders[i].keys);
}
