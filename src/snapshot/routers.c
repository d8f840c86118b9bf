#include "snapshot/build.h"

#include "proto/h1/parse.h"

/* What an entry's table is made from, while routers are collected. */
struct entry_rules {
    VEC(struct table_entry) rules;
    VEC(struct table_entry) secure;      /* those of HTTPS */
    unsigned written;                    /* plain ones that a user wrote */
};

static struct str server_line(struct str name, struct arena *arena)
{
    return name.len != 0 ? arena_printf(arena, "Server: %.*s\r\n", STR_ARGS(name)) : STR_NONE;
}

static struct entry *new_entry(struct build *build, struct str name, const struct entrypoint *config)
{
    struct arena *arena = &build->graph->arena;
    struct entry *entry = arena_new(arena, struct entry);
    bool udp = false;
    entry->name = name;
    entry->config = config;
    entry->address_text = config->address;
    addr_parse_listen(config->address, &entry->address, &udp);
    entry->trust_all_forwarders = config->forwarded_headers.insecure;
    entry->trusted_forwarders = networks_from(&config->forwarded_headers.trusted_ips, arena);
    entry->reads_proxy_header = config->proxy_protocol != NULL;
    if (config->proxy_protocol != NULL) {
        entry->trust_all_proxies = config->proxy_protocol->insecure;
        entry->trusted_proxies = networks_from(&config->proxy_protocol->trusted_ips, arena);
    }
    entry->limits = (struct h1_limits){.line_bytes = (uint32_t)config->http.max_line_bytes,
                                       .head_bytes = (uint32_t)config->http.max_header_bytes,
                                       .field_count = (uint32_t)config->http.max_header_fields,
                                       .bare_feeds = config->http.bare_line_feeds,
                                       .repair_targets = config->http.repair_targets,
                                       .drop_odd_names = config->http.unusual_headers_strategy == UNDERSCORE_DELETE};
    normalizer_init(&entry->normalizer, &config->http);
    entry->port_text = arena_printf(arena, "%u", addr_port(&entry->address));
    entry->passes_forwarding = config->forwarded_headers.pass;
    entry->adds_via = config->http.via;
    entry->server_line = server_line(config->http.server_header, arena);
    entry->error_pages = config->http.error_pages != ERROR_PAGES_INHERIT ? config->http.error_pages
                                                                          : build->model->config.error_pages;
    build_entry_meters(build, entry);
    return entry;
}

static void check_addresses(struct build *build)
{
    const struct graph *graph = build->graph;
    for (unsigned i = 0; i < graph->entry_count; i++)
        for (unsigned j = 0; j < i; j++) {
            const struct entry *one = graph->entries[i], *other = graph->entries[j];
            if (one->address.len != 0 && one->address.len == other->address.len &&
                memcmp(&one->address.any, &other->address.any, one->address.len) == 0)
                diag_error(build->compile.diag, node_span(node_get(one->config->origin, S("address"))),
                           "entrypoint '%.*s' has the address of '%.*s'", STR_ARGS(one->name), STR_ARGS(other->name));
        }
}

void build_entries(struct build *build)
{
    const struct objects *objects = &build->model->config.entry_points;
    struct graph *graph = build->graph;
    graph->entries = arena_array(&graph->arena, struct entry *, objects->count + 1);
    for (size_t i = 0; i < objects->count; i++) {
        const struct entrypoint *config = objects->items[i].value;
        if (str_ends(config->address, S("/udp"))) {
            diag_error(build->compile.diag, node_span(node_get(config->origin, S("address"))),
                       "UDP entrypoints carry no HTTP/1.1 or HTTP/2");
            continue;
        }
        graph->entries[graph->entry_count++] = new_entry(build, objects->items[i].name, config);
    }
    check_addresses(build);
}

static struct router_about *new_about(struct build *build, struct str rule, int64_t priority, const struct node *origin)
{
    struct router_about *about = arena_new(&build->graph->arena, struct router_about);
    about->rule = rule;
    about->priority = priority;
    about->origin = origin;
    return about;
}

static struct router_about *about_config(struct build *build, const struct router_config *config, int64_t priority)
{
    struct router_about *about = new_about(build, config->rule, priority, config->origin);
    about->config = config;
    return about;
}

static struct router *new_router(struct build *build, struct str name, struct router_about *about)
{
    struct router *router = arena_new(&build->graph->arena, struct router);
    router->name = name;
    router->about = about;
    router->extras = &router_no_extras;
    router->access_log = router->traced = true;
    router->error_pages = ERROR_PAGES_INHERIT;
    return router;
}

struct router *build_add_router(struct build *build, struct str name, struct str rule, int64_t priority,
                                const struct node *origin)
{
    struct router *router = new_router(build, name, new_about(build, rule, priority, origin));
    VEC_PUSH(&build->routers, router);
    return router;
}

struct router_extras *build_extras(struct build *build, struct router *router)
{
    if (router->extras != &router_no_extras)
        return (struct router_extras *)(uintptr_t)router->extras;
    struct router_extras *extras = arena_new(&build->graph->arena, struct router_extras);
    router->extras = extras;
    return extras;
}

static bool is_default_entry(const struct build *build, const struct entry *entry)
{
    for (unsigned i = 0; i < build->graph->entry_count; i++)
        if (build->graph->entries[i]->config->as_default)
            return entry->config->as_default;
    return !str_equal(entry->name, S("traefik"));
}

bool build_router_wants(const struct build *build, const struct router_config *config, const struct entry *entry)
{
    for (size_t i = 0; i < config->entry_points.count; i++)
        if (str_equal(config->entry_points.items[i], entry->name))
            return true;
    return config->entry_points.count == 0 && is_default_entry(build, entry);
}

static void report_entry_name(struct build *build, const struct named *named, struct str name, struct span span, bool others)
{
    const struct graph *graph = build->graph;
    struct diag *diag = build->compile.diag;
    struct str candidates[64];
    size_t count = 0;
    for (; count < graph->entry_count && count < 64; count++)
        candidates[count] = graph->entries[count]->name;
    struct diag_item *item = named->lenient && others ? diag_warning(diag, span, "unknown entrypoint '%.*s'", STR_ARGS(name))
                                                      : diag_error(diag, span, "unknown entrypoint '%.*s'", STR_ARGS(name));
    diag_suggest(diag, item, name, candidates, count);
}

/* Labels may name entrypoints of another proxy: as in Traefik such a router is served on those that there are. */
static void check_entry_names(struct build *build, const struct named *named)
{
    const struct router_config *config = named->value;
    const struct node *list = node_get(config->origin, S("entryPoints"));
    size_t known = 0;
    unsigned index;
    for (size_t i = 0; i < config->entry_points.count; i++)
        known += build_entry_named(build, config->entry_points.items[i], &index) != NULL;
    for (size_t i = 0; i < config->entry_points.count && known < config->entry_points.count; i++) {
        struct str name = config->entry_points.items[i];
        if (build_entry_named(build, name, &index) == NULL)
            report_entry_name(build, named, name, node_span(node_at(list, i)), known != 0);
    }
}

enum rule_syntax build_rule_syntax(const struct build *build, const struct router_config *config)
{
    return config->rule_syntax != RULE_DEFAULT ? (enum rule_syntax)config->rule_syntax
                                               : (enum rule_syntax)build->model->config.core.default_rule_syntax;
}

static void copy_answers(struct build *build, struct router *router, const struct router_config *config)
{
    if (config->server_header.len != 0)
        build_extras(build, router)->server_line = server_line(config->server_header, &build->graph->arena);
    router->error_pages = (int8_t)config->error_pages;
    router->limits = config->limits;
}

static void copy_observability(struct build *build, struct router *router, const struct router_config *config)
{
    if (config->observability == NULL)
        return;
    router->access_log = config->observability->access_logs;
    router->logs_subrequests = config->observability->subrequest_logs;
    router->traced = config->observability->tracing;
    router->trace_verbosity = (uint8_t)config->observability->trace_verbosity;
    router->logs = build_router_logs(build, config, router->name);
}

static void copy_maintenance(struct build *build, struct router *router, const struct router_config *config)
{
    const struct router_maintenance *maintenance = config->maintenance;
    struct arena *arena = &build->graph->arena;
    if (maintenance == NULL)
        return;
    if (router->internal) {
        diag_error(build->compile.diag, node_span(node_get(config->origin, S("maintenance"))),
                   "the service is one of Portico's own: it stays in use");
        return;
    }
    struct router_extras *extras = build_extras(build, router);
    extras->maintainers = networks_from(&maintenance->source_range, arena);
    extras->retry_after = arena_printf(arena, "%lld", (long long)maintenance->retry_after);
    atomic_store(&router->maintenance, MAINTENANCE_CONFIGURED);
}

struct router *build_site_router(struct build *build, struct str name, const struct router_config *config)
{
    struct router_about *about = about_config(build, config, 0);
    about->rule = STR_NONE;
    struct router *router = new_router(build, name, about);
    copy_answers(build, router, config);
    copy_observability(build, router, config);
    copy_maintenance(build, router, config);
    return router;
}

void build_add_site_router(struct build *build, struct router *router, const struct entry *entry)
{
    VEC_PUSH(&build->routers, router);
    build_router_meter(build, router, entry);
    build_watch_api(build, router, entry, build_router_tls(router->about->config, entry));
}

static void add_rule(struct entry_rules *rules, bool secure, const struct rule *rule, struct router *router)
{
    struct table_entry entry = {.rule = rule, .priority = router->about->priority, .router = router};
    entry.order = (uint32_t)(secure ? rules->secure.count : rules->rules.count);
    if (secure)
        VEC_PUSH(&rules->secure, entry);
    else
        VEC_PUSH(&rules->rules, entry);
}

/* A router as it would be on one entrypoint, before it is known whether it may be served at all. */
struct appearance {
    struct router *router;
    const struct router_tls *tls;
    unsigned entry;
};

/* All of one router while it is built. */
struct router_draft {
    const struct named *named;
    const struct rule *rule;
    struct router_about *about;          /* all appearances have the same */
    struct service *service;
    struct appearance *appearances;      /* room for one on each entrypoint */
    unsigned count;
    bool good;
};

static void draft_rule(struct build *build, struct router_draft *draft)
{
    const struct router_config *config = draft->named->value;
    struct arena *arena = &build->graph->arena;
    struct rule_faults faults = {.count = 0};
    draft->rule = rule_parse(config->rule, build_rule_syntax(build, config), &build->built->regexes, arena, &faults);
    rule_report(&faults, node_span(node_get(config->origin, S("rule"))), build->compile.diag);
    draft->good &= draft->rule != NULL;
}

/* Its chain may differ from entrypoint to entrypoint. */
static void draft_on(struct build *build, struct router_draft *draft, unsigned index)
{
    const struct named *named = draft->named;
    const struct router_config *config = named->value;
    const struct entry *entry = build->graph->entries[index];
    struct router *router = new_router(build, named->name, draft->about);
    router->service = draft->service;
    router->internal = draft->service != NULL && draft->service->internal;
    copy_answers(build, router, config);
    copy_observability(build, router, config);
    copy_maintenance(build, router, config);
    const struct router_tls *tls = build_router_tls(config, entry);
    draft->good &= build_chain(build, router, entry, config, named->provider);
    draft->good &= tls == NULL || build_check_tls(build, tls, named);
    draft->appearances[draft->count++] = (struct appearance){.router = router, .tls = tls, .entry = index};
}

static struct str entry_name(const struct build *build, const struct router_draft *draft, unsigned index)
{
    return build->graph->entries[draft->appearances[index].entry]->name;
}

static bool is_where_the_last_was(const struct build *build, const struct router_draft *draft)
{
    const struct strs *last = &build->entry_points;
    if (last->count != draft->count)
        return false;
    for (unsigned i = 0; i < draft->count; i++)
        if (last->items[i].data != entry_name(build, draft, i).data)
            return false;
    return true;
}

/* All entries that it is on. Thousands have the same list. */
static void note_entry_points(struct build *build, const struct router_draft *draft)
{
    struct strs *names = &build->entry_points;
    if (!is_where_the_last_was(build, draft)) {
        *names = (struct strs){.items = arena_array(&build->graph->arena, struct str, draft->count + 1)};
        for (unsigned i = 0; i < draft->count; i++)
            names->items[names->count++] = entry_name(build, draft, i);
    }
    draft->about->entry_points = *names;
}

/* Nothing was wrong: it becomes the graph's, with all that others see of it. */
static void add_drafted(struct build *build, const struct router_draft *draft, struct entry_rules *rules)
{
    struct strs hosts = {0};
    bool wanted = false;
    for (unsigned i = 0; i < draft->count; i++) {
        const struct appearance *it = &draft->appearances[i];
        struct entry *entry = build->graph->entries[it->entry];
        VEC_PUSH(&build->routers, it->router);
        build_router_meter(build, it->router, entry);
        if (it->tls != NULL && hosts.count == 0)
            hosts = rule_hosts(draft->rule, &build->graph->arena);
        if (it->tls != NULL)
            build_entry_tls(build, entry, it->tls, draft->named, &hosts);
        if (it->tls != NULL && !wanted)
            build_wants(build, it->tls, draft->named->name, &hosts);
        build_watch_api(build, it->router, entry, it->tls);
        wanted = wanted || it->tls != NULL;
        rules[it->entry].written += it->tls == NULL;
        add_rule(&rules[it->entry], it->tls != NULL, draft->rule, it->router);
    }
    note_entry_points(build, draft);
}

/* Adds one router to the rules of every entry that it is on, or to none. */
static void build_router(struct build *build, struct named *named, struct entry_rules *rules, struct appearance *appearances)
{
    const struct router_config *config = named->value;
    struct router_draft draft = {.named = named, .appearances = appearances, .good = true};
    struct object object;
    build_object_begin(build, &object, named);
    draft.about = about_config(build, config, config->priority != 0 ? config->priority : (int64_t)config->rule.len);
    draft.about->provider = named->provider;
    check_entry_names(build, named);
    draft_rule(build, &draft);
    draft.service = build_service(build, config->service, named->provider, node_span(node_get(config->origin, S("service"))));
    draft.good &= draft.service != NULL;
    for (unsigned i = 0; i < build->graph->entry_count; i++)
        if (build_router_wants(build, config, build->graph->entries[i]))
            draft_on(build, &draft, i);
    if (build_object_end(build, &object, draft.good))
        add_drafted(build, &draft, rules);
}

void build_internal_rule(struct build *build, struct entry_rules *rules, unsigned entry, struct router *router, bool secure)
{
    struct rule_faults faults = {.count = 0};
    const struct rule *rule =
        rule_parse(router->about->rule, RULE_V3, &build->built->regexes, &build->graph->arena, &faults);
    add_rule(&rules[entry], secure, rule, router);
    struct strs *names = &router->about->entry_points;
    struct str name = build->graph->entries[entry]->name;
    if (names->items == NULL)
        names->items = arena_array(&build->graph->arena, struct str, build->graph->entry_count);
    if (names->count == 0 || !str_equal(names->items[names->count - 1], name))
        names->items[names->count++] = name;
    build_router_meter(build, router, build->graph->entries[entry]);
}

void build_keep_place(struct build *build, struct entry_rules *rules, unsigned entry, struct left_out *left_out,
                      const struct router_config *config)
{
    if (left_out->secure && build->graph->entries[entry]->tls == NULL)
        return;      /* it asks for no TLS, so nobody comes with it */
    struct router *router = new_router(build, left_out->name, about_config(build, config, left_out->rule.priority));
    build_extras(build, router)->left_out = left_out;
    router->service = build_service(build, S("left-out@internal"), S("internal"), SPAN_NONE);
    left_out->rule.router = router;
    build_router_meter(build, router, build->graph->entries[entry]);
    add_rule(&rules[entry], left_out->secure, left_out->rule.rule, router);
}

/* The binder has said what is wrong. More is looked for where its author reads it all at once. */
static bool is_hopeless(const struct named *named)
{
    const struct router_config *config = named->value;
    bool by_location = config->location != NULL;      /* sites.c */
    return by_location || (named->failed && (named->lenient || str_empty(config->rule) || str_empty(config->service)));
}

static void build_written_routers(struct build *build, struct entry_rules *rules)
{
    struct diag *diag = build->compile.diag;
    struct appearance *appearances = memory_alloc((build->graph->entry_count + 1) * sizeof(*appearances));
    const struct map *map = &build->names.maps[NAME_ROUTER];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (is_hopeless(named))
            continue;
        ptrdiff_t at = str_find_last_char(named->name, '@');
        diag_enter(diag, named->node != NULL ? named->node->key_span : SPAN_NONE, "in router '%.*s'", (int)at,
                   named->name.data);
        build_router(build, named, rules, appearances);
        diag_leave(diag);
    }
    free(appearances);
}

void build_routers(struct build *build)
{
    struct graph *graph = build->graph;
    struct entry_rules *rules = arena_array(&graph->arena, struct entry_rules, graph->entry_count + 1);
    build_written_routers(build, rules);
    build_sites(build);
    build_internal_routers(build, rules);
    build_left_out(build, rules);
    for (unsigned i = 0; i < graph->entry_count; i++) {
        struct entry *entry = graph->entries[i];
        entry->table = table_new(rules[i].rules.items, rules[i].rules.count);
        if (entry->tls != NULL)
            entry->tls->table = table_new(rules[i].secure.items, rules[i].secure.count);
        entry->only_tls = entry->tls != NULL && rules[i].written == 0 && entry->sites == NULL;
        VEC_RELEASE(&rules[i].rules);
        VEC_RELEASE(&rules[i].secure);
    }
}
