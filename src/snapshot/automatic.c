#include "snapshot/automatic.h"

#include "base/map.h"
#include "config/bind.h"
#include "exchange/middleware.h"
#include "net/addr.h"
#include "route/host_kind.h"
#include "route/rule.h"

#define REDIRECTION "https-redirect"

struct automatic {
    struct model *model;
    const struct automatic_https *config;
    struct certificate_wants *wants;
    struct diag *diag;
    struct arena scratch;
    struct regex_set regexes;
    struct map taken;                   /* full names of routers: a twin must have one of its own */
    const struct entrypoint *https;     /* NULL: to be made when it is needed */
    struct str https_name;
    struct strs https_only, redirected, plain;      /* names of entrypoints */
};

/* ---- who certifies a name ---- */

static const struct resolver_config *find_resolver(const struct model *model, struct str name)
{
    const struct objects *objects = &model->config.certificates_resolvers;
    for (size_t i = 0; i < objects->count; i++)
        if (str_equal(objects->items[i].name, name))
            return objects->items[i].value;
    return NULL;
}

static struct str public_resolver(const struct model *model)
{
    const struct objects *objects = &model->config.certificates_resolvers;
    struct str only = STR_NONE;
    size_t count = 0;
    if (!str_empty(model->config.automatic_https->resolver))
        return model->config.automatic_https->resolver;
    for (size_t i = 0; i < objects->count; i++) {
        const struct resolver_config *resolver = objects->items[i].value;
        if (resolver->acme == NULL)
            continue;
        only = objects->items[i].name;
        count++;
    }
    return count == 1 ? only : (struct str)RESOLVER_AUTOMATIC;
}

/* Public authorities certify addresses under a profile of short life alone. */
static bool certifies_addresses(const struct model *model, struct str name)
{
    const struct resolver_config *resolver = find_resolver(model, name);
    return resolver != NULL && resolver->acme != NULL && !str_empty(resolver->acme->profile);
}

struct str automatic_resolver(const struct model *model, struct str name)
{
    if (model->config.automatic_https == NULL)
        return STR_NONE;
    struct str local = model->config.automatic_https->local ? (struct str)RESOLVER_LOCAL : STR_NONE;
    switch (host_kind(name)) {
    case HOST_PUBLIC:
        return public_resolver(model);
    case HOST_PUBLIC_ADDRESS:
        return certifies_addresses(model, public_resolver(model)) ? public_resolver(model) : local;
    case HOST_LOCAL:
    case HOST_LOCAL_ADDRESS:
        return local;
    case HOST_NONE:
        break;
    }
    return STR_NONE;
}

/* Why `resolver` is not asked for a wildcard; NULL: it is. They are proved by DNS alone (RFC 8555 8.4, and what every
 * authority does), and clients take none for a whole top-level domain. */
static const char *why_not(const struct automatic *automatic, struct str resolver_name, struct str name)
{
    const struct resolver_config *resolver = find_resolver(automatic->model, resolver_name);
    if (!str_starts(name, S("*.")))
        return NULL;
    if (str_find_char(name, '.', 2) < 0)
        return "would be believed by no client: name the hosts one by one";
    if (str_equal(resolver_name, (struct str)RESOLVER_LOCAL) || (resolver != NULL && resolver->acme == NULL))
        return NULL;
    return resolver != NULL && resolver->acme->dns_challenge != NULL ? NULL
                                                                     : "needs a certificatesResolver with dnsChallenge";
}

/* ---- entrypoints ---- */

static bool is_udp(const struct entrypoint *entry)
{
    return str_ends(entry->address, S("/udp"));
}

static uint16_t port_of(const struct entrypoint *entry)
{
    struct addr addr;
    bool udp = false;
    return addr_parse_listen(entry->address, &addr, &udp) ? addr_port(&addr) : 0;
}

static bool any_as_default(const struct objects *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        if (((const struct entrypoint *)entries->items[i].value)->as_default)
            return true;
    return false;
}

static const struct object_item *entry_named(const struct objects *entries, struct str name)
{
    for (size_t i = 0; i < entries->count; i++)
        if (str_equal(entries->items[i].name, name))
            return &entries->items[i];
    return NULL;
}

static const struct object_item *find_https(const struct objects *entries)
{
    const struct object_item *found = entry_named(entries, S("websecure"));
    if (found == NULL)
        found = entry_named(entries, S("https"));
    for (size_t i = 0; found == NULL && i < entries->count; i++)
        if (port_of(entries->items[i].value) == 443 && !is_udp(entries->items[i].value))
            found = &entries->items[i];
    return found;
}

static void complain_of_entry(const struct automatic *automatic)
{
    const struct objects *entries = &automatic->model->config.entry_points;
    struct str candidates[64];
    size_t count = 0;
    for (; count < entries->count && count < 64; count++)
        candidates[count] = entries->items[count].name;
    struct str name = automatic->config->entry_point;
    struct diag_item *error = diag_error(automatic->diag, node_span(node_get(automatic->config->origin, S("entryPoint"))),
                                         "automaticHTTPS: unknown entrypoint '%.*s'", STR_ARGS(name));
    diag_suggest(automatic->diag, error, name, candidates, count);
}

static void complain_of_resolver(const struct automatic *automatic)
{
    const struct objects *resolvers = &automatic->model->config.certificates_resolvers;
    struct str candidates[64];
    size_t count = 0;
    for (; count < resolvers->count && count < 64; count++)
        candidates[count] = resolvers->items[count].name;
    struct str name = automatic->config->resolver;
    struct diag_item *error = diag_error(automatic->diag, node_span(node_get(automatic->config->origin, S("resolver"))),
                                         "automaticHTTPS: unknown certificatesResolver '%.*s'", STR_ARGS(name));
    diag_suggest(automatic->diag, error, name, candidates, count);
}

static struct node *add_text(struct arena *arena, struct node *map, struct str key, struct str text)
{
    struct node *node = node_scalar(arena, text, SPAN_NONE);
    node->key = key;
    node_append(map, node);
    return node;
}

/* The new "websecure". Where others are marked as default ones it is one too: routers with `tls` expect it. */
static void add_https(struct automatic *automatic)
{
    struct arena *arena = &automatic->model->arena;
    struct objects *entries = &automatic->model->config.entry_points;
    struct node *node = node_new(arena, NODE_MAP, SPAN_NONE);
    add_text(arena, node, S("address"), S(":443"));
    add_text(arena, node, S("asDefault"), any_as_default(entries) ? S("true") : S("false"));
    struct object_item *items = arena_array(arena, struct object_item, entries->count + 1);
    if (entries->count != 0)
        memcpy(items, entries->items, entries->count * sizeof(*items));
    items[entries->count] = (struct object_item){
        .name = S("websecure"), .value = bind_new(&entrypoint_table, node, NULL, arena, automatic->diag), .node = node};
    *entries = (struct objects){.items = items, .count = entries->count + 1};
    automatic->https = items[entries->count - 1].value;
}

/* Sorts the default entrypoints by what they do for a router that is taken up. */
static void sort_entries(struct automatic *automatic)
{
    const struct objects *entries = &automatic->model->config.entry_points;
    struct arena *arena = &automatic->model->arena;
    bool marked = any_as_default(entries);
    struct strs *lists[] = {&automatic->https_only, &automatic->redirected, &automatic->plain};
    for (size_t i = 0; i < 3; i++)
        lists[i]->items = arena_array(arena, struct str, entries->count + 1);
    automatic->https_only.items[automatic->https_only.count++] = automatic->https_name;
    for (size_t i = 0; i < entries->count; i++) {
        const struct object_item *item = &entries->items[i];
        const struct entrypoint *entry = item->value;
        bool is_default = marked ? entry->as_default : !str_equal(item->name, S("traefik"));
        if (str_equal(item->name, automatic->https_name) || !is_default || is_udp(entry))
            continue;
        struct strs *list = entry->http.tls != NULL ? &automatic->https_only : &automatic->plain;
        list->items[list->count++] = item->name;
    }
    struct strs *redirected = &automatic->redirected;
    if (automatic->plain.count != 0)
        memcpy(redirected->items, automatic->plain.items, automatic->plain.count * sizeof(struct str));
    redirected->count = automatic->plain.count;
    redirected->items[redirected->count++] = automatic->https_name;
}

static bool choose_https(struct automatic *automatic)
{
    const struct objects *entries = &automatic->model->config.entry_points;
    const struct object_item *item = !str_empty(automatic->config->entry_point)
                                         ? entry_named(entries, automatic->config->entry_point)
                                         : find_https(entries);
    if (item == NULL && !str_empty(automatic->config->entry_point)) {
        complain_of_entry(automatic);
        return false;
    }
    automatic->https = item != NULL ? item->value : NULL;
    automatic->https_name = item != NULL ? item->name : S("websecure");
    sort_entries(automatic);
    return true;
}

/* ---- routers ---- */

static struct strs hosts_of(struct automatic *automatic, const struct router_config *router)
{
    struct rule_faults faults = {.count = 0};
    enum rule_syntax syntax = router->rule_syntax != RULE_DEFAULT
                                  ? (enum rule_syntax)router->rule_syntax
                                  : (enum rule_syntax)automatic->model->config.core.default_rule_syntax;
    const struct rule *rule = rule_parse(router->rule, syntax, &automatic->regexes, &automatic->scratch, &faults);
    return rule != NULL ? rule_hosts(rule, &automatic->scratch) : (struct strs){.count = 0};
}

static bool has(const struct strs *strs, struct str s)
{
    for (size_t i = 0; i < strs->count; i++)
        if (str_equal(strs->items[i], s))
            return true;
    return false;
}

/* Those of `hosts` that `resolver` is asked for, each once. */
static struct strs names_for(struct automatic *automatic, const struct strs *hosts, struct str resolver, struct span span)
{
    struct arena *arena = &automatic->model->arena;
    struct strs names = {.items = arena_array(arena, struct str, hosts->count)};
    for (size_t i = 0; i < hosts->count; i++) {
        struct str host = hosts->items[i];
        if (!str_equal(automatic_resolver(automatic->model, host), resolver) || has(&names, host))
            continue;
        const char *why = why_not(automatic, resolver, host);
        if (why == NULL)
            names.items[names.count++] = arena_str(arena, host);
        else
            diag_warning(automatic->diag, span, "automaticHTTPS: a certificate for '%.*s' %s", STR_ARGS(host), why);
    }
    return names;
}

static void want(struct automatic *automatic, const struct object_item *item, const struct strs *hosts, struct str resolver,
                 struct str full_name)
{
    const struct router_config *router = item->value;
    struct strs names = names_for(automatic, hosts, resolver, node_span(node_get(router->origin, S("rule"))));
    if (names.count != 0)
        VEC_PUSH(&automatic->wants->list,
                 (struct certificate_want){
                     .resolver = resolver, .names = names, .router = full_name, .origin = router->origin});
}

static bool is_certified(const struct automatic *automatic, const struct strs *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (!str_empty(automatic_resolver(automatic->model, hosts->items[i])))
            return true;
    return false;
}

/* What an HTTPS entrypoint says of TLS holds for its routers as ever. */
static struct router_tls *tls_of_router(struct automatic *automatic, const struct router_config *router)
{
    if (automatic->https != NULL && automatic->https->http.tls != NULL)
        return automatic->https->http.tls;
    struct router_tls *tls = arena_new(&automatic->model->arena, struct router_tls);
    tls->origin = router->origin;
    return tls;
}

/* "api-redirect", or with a number behind it where somebody has that name. */
static struct object_item twin(struct automatic *automatic, const struct object_item *item, struct router_config *router,
                               const char *suffix, struct str provider)
{
    struct arena *arena = &automatic->model->arena;
    struct str name = arena_printf(arena, "%.*s-%s", STR_ARGS(item->name), suffix);
    struct str full = arena_printf(arena, "%.*s@%.*s", STR_ARGS(name), STR_ARGS(provider));
    for (unsigned number = 2; map_has(&automatic->taken, full); number++) {
        name = arena_printf(arena, "%.*s-%s-%u", STR_ARGS(item->name), suffix, number);
        full = arena_printf(arena, "%.*s@%.*s", STR_ARGS(name), STR_ARGS(provider));
    }
    map_put(&automatic->taken, full, router);
    return (struct object_item){.name = name, .value = router, .node = item->node};
}

static struct router_config *copy_router(struct automatic *automatic, const struct router_config *router)
{
    struct router_config *copy = arena_new(&automatic->model->arena, struct router_config);
    *copy = *router;
    return copy;
}

static struct router_config *redirecting(struct automatic *automatic, const struct router_config *router)
{
    struct router_config *copy = copy_router(automatic, router);
    struct str *middleware = arena_new(&automatic->model->arena, struct str);
    *middleware = S(REDIRECTION "@internal");
    copy->middlewares = (struct strs){.items = middleware, .count = 1};
    copy->service = S("noop@internal");
    copy->entry_points = automatic->redirected;
    return copy;
}

/* Gives how many routers were written to `out`: the router itself, and its twin. */
static size_t take_up_host(struct automatic *automatic, const struct object_item *item, const struct strs *hosts,
                           struct str provider, struct object_item *out)
{
    const struct router_config *router = item->value;
    struct router_config *secure = copy_router(automatic, router);
    if (automatic->https == NULL)
        add_https(automatic);
    secure->entry_points = automatic->https_only;
    secure->tls = tls_of_router(automatic, router);
    out[0] = *item;
    out[0].value = secure;
    struct str full = arena_printf(&automatic->model->arena, "%.*s@%.*s", STR_ARGS(item->name), STR_ARGS(provider));
    if (str_empty(secure->tls->cert_resolver)) {
        want(automatic, item, hosts, public_resolver(automatic->model), full);
        if (automatic->config->local)
            want(automatic, item, hosts, (struct str)RESOLVER_LOCAL, full);
    }
    if (automatic->config->redirect) {
        out[1] = twin(automatic, item, redirecting(automatic, router), "redirect", provider);
        return 2;
    }
    if (automatic->plain.count == 0)
        return 1;
    struct router_config *plain = copy_router(automatic, router);
    plain->entry_points = automatic->plain;
    out[1] = twin(automatic, item, plain, "http", provider);
    return 2;
}

static size_t take_up_hostless(struct automatic *automatic, const struct object_item *item, struct str provider,
                               struct object_item *out)
{
    const struct router_config *router = item->value;
    out[0] = *item;
    if (automatic->plain.count != 0) {
        struct router_config *plain = copy_router(automatic, router);
        plain->entry_points = automatic->plain;
        out[0].value = plain;
    }
    if (automatic->config->on_demand == NULL)
        return 1;
    if (automatic->https == NULL)
        add_https(automatic);
    struct router_config *secure = copy_router(automatic, router);
    secure->entry_points = automatic->https_only;
    secure->tls = tls_of_router(automatic, router);
    out[1] = twin(automatic, item, secure, "https", provider);
    return 2;
}

static size_t take_up(struct automatic *automatic, const struct object_item *item, struct str provider,
                      struct object_item *out)
{
    const struct router_config *router = item->value;
    out[0] = *item;
    if (item->broken || router->entry_points.count != 0 || router->tls != NULL)
        return 1;
    struct strs hosts = hosts_of(automatic, router);
    return is_certified(automatic, &hosts) ? take_up_host(automatic, item, &hosts, provider, out)
                                           : take_up_hostless(automatic, item, provider, out);
}

static void rewrite_part(struct automatic *automatic, struct model_part *part)
{
    struct arena *arena = &automatic->model->arena;
    const struct objects *routers = &part->http->routers;
    struct http_config *http = arena_new(arena, struct http_config);
    *http = *part->http;
    http->routers = (struct objects){.items = arena_array(arena, struct object_item, 2 * routers->count + 1)};
    for (size_t i = 0; i < routers->count; i++)
        http->routers.count +=
            take_up(automatic, &routers->items[i], part->provider, http->routers.items + http->routers.count);
    part->http = http;
}

/* ---- the redirection ---- */

/* The middleware is redirectScheme itself, so what it does is told once. */
static void add_redirection(struct automatic *automatic)
{
    struct arena *arena = &automatic->model->arena;
    const struct middleware_type *type = middleware_find(S("redirectScheme"));
    struct node *options = node_new(arena, NODE_MAP, SPAN_NONE);
    uint16_t port = port_of(automatic->https);
    add_text(arena, options, S("scheme"), S("https"));
    add_text(arena, options, S("port"), port != 443 && port != 0 ? arena_printf(arena, "%u", port) : STR_NONE);
    add_text(arena, options, S("permanent"), S("true"));
    struct middleware_config *middleware = arena_new(arena, struct middleware_config);
    middleware->type = (struct choice){.type = &type->choice,
                                       .value = bind_new(type->choice.table, options, NULL, arena, automatic->diag),
                                       .node = options};
    struct object_item *item = arena_new(arena, struct object_item);
    *item = (struct object_item){.name = S(REDIRECTION), .value = middleware};
    struct http_config *http = arena_new(arena, struct http_config);
    http->middlewares = (struct objects){.items = item, .count = 1};
    model_add_part(automatic->model, S("internal"), http, arena_new(arena, struct tls_config));
}

static void note_names(struct automatic *automatic)
{
    const struct model *model = automatic->model;
    for (size_t i = 0; i < model->part_count; i++) {
        const struct objects *routers = &model->parts[i].http->routers;
        for (size_t j = 0; j < routers->count; j++)
            map_put(&automatic->taken,
                    arena_printf(&automatic->scratch, "%.*s@%.*s", STR_ARGS(routers->items[j].name),
                                 STR_ARGS(model->parts[i].provider)),
                    routers->items[j].value);
    }
}

void automatic_prepare(struct model *model, struct certificate_wants *wants, struct diag *diag)
{
    const struct automatic_https *config = model->config.automatic_https;
    if (config == NULL)
        return;
    struct automatic automatic = {.model = model, .config = config, .wants = wants, .diag = diag};
    arena_init(&automatic.scratch, ARENA_UNLIMITED);
    regex_set_init(&automatic.regexes);
    map_init(&automatic.taken, false);
    if (!str_empty(config->resolver) && find_resolver(model, config->resolver) == NULL)
        complain_of_resolver(&automatic);
    else if (choose_https(&automatic)) {
        note_names(&automatic);
        for (size_t i = 0; i < model->part_count; i++)
            rewrite_part(&automatic, &model->parts[i]);
        if (config->redirect && automatic.https != NULL)
            add_redirection(&automatic);
    }
    map_release(&automatic.taken);
    regex_set_release(&automatic.regexes);
    arena_release(&automatic.scratch);
}
