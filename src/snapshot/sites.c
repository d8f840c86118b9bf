/* Sites and their locations: each site is built once for each of its entrypoints, with routers of its own there. */
#include "exchange/variable.h"
#include "snapshot/build.h"

#define NO_PARENT SIZE_MAX

/* One site on one entrypoint, while it is built. */
struct site_draft {
    struct build *build;
    struct named *named;
    struct site *site;
    struct entry *entry;
    struct named **routers;           /* those with a location of it, in the order of the file */
    struct router **built;            /* as them: where references lead (compile_router); NULL: left out */
    struct location **locations;
    size_t count;
    struct router *fallback;
};

static struct named *site_of(struct build *build, const struct named *router)
{
    const struct router_config *config = router->value;
    struct span span = node_span(node_get(config->location->origin, S("site")));
    return names_find(&build->names, NAME_SITE, config->location->site, router->provider, span, build->compile.diag);
}

/* ---- expressions ---- */

static void note_captures(struct build *build, const struct perl_regex *regex, struct span span, struct capture_variables *captures)
{
    struct str name;
    unsigned group;
    unsigned count = 0;
    while (perl_regex_name(regex, count, &name, &group))
        count++;
    captures->items = arena_array(&build->graph->arena, struct capture_variable, count + 1);
    for (unsigned i = 0; i < count && perl_regex_name(regex, i, &name, &group); i++) {
        const struct variable *variable = variable_declare(arena_str(&build->graph->arena, name), &build->compile, span);
        if (variable != NULL)
            captures->items[captures->count++] = (struct capture_variable){.group = group, .variable = variable};
    }
}

/* ---- names ---- */

static struct site_names **names_at(struct site_draft *draft)
{
    return draft->site->secure ? &draft->entry->tls->sites : &draft->entry->sites;
}

static bool is_in(const struct strs *list, struct str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], text))
            return true;
    return false;
}

static void add_expression(struct site_draft *draft, struct str name, struct span span)
{
    struct build *build = draft->build;
    struct site *site = draft->site;
    const struct perl_regex *regex = compile_perl_regex(&build->compile, str_from_index(name, 1), true, span);
    if (regex == NULL)
        return;
    struct site_regex *it = &site->regexes[site->regex_count++];
    it->regex = regex;
    note_captures(build, regex, span, &it->captures);
    site_names_add(*names_at(draft), name, regex, site, &build->graph->arena);
}

/* Whoever wrote nginx.conf knows nginx's words. */
static void report_name(struct site_draft *draft, struct str name, struct span span)
{
    if (span.source != NULL && span.source->nginx)
        diag_warning(draft->build->compile.diag, span, "conflicting server name \"%.*s\" on %.*s, ignored", STR_ARGS(name),
                     STR_ARGS(draft->entry->address_text));
    else
        diag_warning(draft->build->compile.diag, span, "another site on '%.*s' has the name '%.*s' already, and keeps it",
                     STR_ARGS(draft->entry->name), STR_ARGS(name));
}

static void add_names(struct site_draft *draft)
{
    struct build *build = draft->build;
    const struct site_config *config = draft->named->value;
    const struct node *list = node_get(config->origin, S("names"));
    struct site_names **names = names_at(draft);
    if (*names == NULL) {
        *names = arena_new(&build->graph->arena, struct site_names);
        site_names_init(*names);
    }
    draft->site->regexes = arena_array(&build->graph->arena, struct site_regex, config->names.count + 1);
    for (size_t i = 0; i < config->names.count; i++) {
        struct str name = config->names.items[i];
        const struct node *item = node_at(list, i);
        struct span span = item != NULL ? item->span : SPAN_NONE;
        if (str_starts(name, S("~")))
            add_expression(draft, name, span);
        else if (!site_names_add(*names, name, NULL, draft->site, &build->graph->arena))
            report_name(draft, name, span);
    }
    if ((*names)->fallback == NULL || is_in(&config->default_on, draft->entry->name))
        (*names)->fallback = draft->site;
}

/* ---- locations ---- */

static struct span path_span(const struct location_config *config)
{
    const struct node *path = node_get(config->origin, S("path"));
    return node_span(path != NULL ? path : config->origin);
}

static size_t index_of(const struct site_draft *draft, const struct router_config *config, struct str provider)
{
    struct build *build = draft->build;
    struct span span = node_span(node_get(config->location->origin, S("within")));
    const struct named *parent = names_find(&build->names, NAME_ROUTER, config->location->within, provider, span, build->compile.diag);
    for (size_t i = 0; i < draft->count; i++)
        if (draft->routers[i] == parent)
            return i;
    if (parent != NULL)
        diag_error(build->compile.diag, span, "the router '%.*s' has no location of this site", STR_ARGS(config->location->within));
    return NO_PARENT;
}

/* As people know it: "location ^~ /images/". */
static struct str location_text(struct build *build, const struct location_config *config)
{
    static const char *const signs[] = {[LOCATION_PREFIX] = "",   [LOCATION_PREFIX_FINAL] = "^~ ",      [LOCATION_EXACT] = "= ",
                                        [LOCATION_REGEX] = "~ ",  [LOCATION_REGEX_IGNORE_CASE] = "~* ", [LOCATION_NAMED] = "@",
                                        [LOCATION_INNER] = "if",  [LOCATION_FALLBACK] = "(any other)"};
    return arena_printf(&build->graph->arena, "location %s%.*s", signs[config->match], STR_ARGS(config->path));
}

static bool fill_location(struct site_draft *draft, size_t index)
{
    struct build *build = draft->build;
    const struct named *named = draft->routers[index];
    const struct router_config *config = named->value;
    const struct location_config *from = config->location;
    struct location *location = draft->locations[index];
    size_t errors = build->compile.diag->mistakes;
    location->match = (enum location_match)from->match;
    location->path = from->path;
    location->adds_slash = from->adds_slash && from->path.len > 1 && str_ends(from->path, S("/"));
    bool regex = from->match == LOCATION_REGEX || from->match == LOCATION_REGEX_IGNORE_CASE;
    if (regex)
        location->regex = compile_perl_regex(&build->compile, from->path, from->match == LOCATION_REGEX_IGNORE_CASE, path_span(from));
    else if (from->path.len == 0 && from->match != LOCATION_INNER && from->match != LOCATION_FALLBACK)
        diag_error(build->compile.diag, path_span(from), "a location needs a path");
    if (from->within.len != 0) {
        size_t parent = index_of(draft, config, named->provider);
        location->within = parent != NO_PARENT ? draft->locations[parent] : NULL;
    }
    return build->compile.diag->mistakes == errors;
}

static void put_location(struct site_draft *draft, size_t index, struct router *router)
{
    struct site *site = draft->site;
    const struct location *location = draft->locations[index];
    router->location = location;
    router->site = site;
    draft->locations[index]->router = router;
    if (location->regex != NULL)
        note_captures(draft->build, location->regex, SPAN_NONE, &router->captures);
    if (location->match == LOCATION_NAMED)
        map_put(&site->named, location->path, router);
    else if (location->match == LOCATION_FALLBACK)
        site->fallback = router;
}

/* One that was left out keeps its place: what it would have taken goes to no broader location. */
static struct router *left_out_router(struct site_draft *draft, const struct named *named)
{
    struct build *build = draft->build;
    struct left_out *left_out = arena_new(&build->graph->arena, struct left_out);
    *left_out = (struct left_out){.name = named->name, .reason = named->left_out};
    struct router *router = build_site_router(build, named->name, named->value);
    router->left_out = left_out;
    router->provider = named->provider;
    router->service = build_service(build, S("left-out@internal"), S("internal"), SPAN_NONE);
    return router;
}

static void build_location(struct site_draft *draft, size_t index)
{
    struct build *build = draft->build;
    struct named *named = draft->routers[index];
    const struct router_config *config = named->value;
    struct object object;
    ptrdiff_t at = str_find_last_char(named->name, '@');
    diag_enter(build->compile.diag, named->node != NULL ? named->node->key_span : SPAN_NONE, "in router '%.*s'", (int)at,
               named->name.data);
    build_object_begin(build, &object, named);
    struct router *router = build_site_router(build, named->name, config);
    if (router->limits == NULL)
        router->limits = ((const struct site_config *)draft->named->value)->limits;
    bool good = fill_location(draft, index);
    router->provider = named->provider;
    router->rule = location_text(build, config->location);
    router->service = build_service(build, config->service, named->provider, node_span(node_get(config->origin, S("service"))));
    router->internal = router->service != NULL && router->service->internal;
    good &= router->service != NULL;
    good &= build_document(build, router, config->location, named->provider);
    draft->built[index] = router;      /* scripts in its chain may refer to it */
    good &= build_chain(build, router, draft->entry, config, named->provider);
    if (!build_object_end(build, &object, good) || named->failed)
        router = named->lenient ? left_out_router(draft, named) : NULL;
    diag_leave(build->compile.diag);
    draft->built[index] = router;
    if (router == NULL)
        return;
    router->entry_points = (struct strs){.items = &draft->entry->name, .count = 1};
    build_add_site_router(build, router, draft->entry);
    put_location(draft, index, router);
}

static struct router *build_entrance(struct site_draft *draft)
{
    struct build *build = draft->build;
    const struct site_config *config = draft->named->value;
    if (config->middlewares.count == 0)
        return NULL;
    struct router_config *like = arena_new(&build->graph->arena, struct router_config);
    *like = (struct router_config){.origin = config->origin, .middlewares = config->middlewares, .limits = config->limits};
    if (draft->fallback != NULL && draft->fallback->config != NULL) {
        like->redirects = draft->fallback->config->redirects;
        like->server_header = draft->fallback->config->server_header;
        like->error_pages = draft->fallback->config->error_pages;
    }
    struct router *router = build_site_router(build, draft->named->name, like);
    router->provider = draft->named->provider;
    router->site = draft->site;
    router->entry_points = (struct strs){.items = &draft->entry->name, .count = 1};
    router->service = build_service(build, S("locations@internal"), S("internal"), SPAN_NONE);
    router->root = draft->fallback != NULL ? draft->fallback->root : NULL;
    router->media_types = draft->fallback != NULL ? draft->fallback->media_types : NULL;
    bool good = build_site_chain(build, router, &config->middlewares, config->origin, draft->named->provider);
    if (good)
        build_add_site_router(build, router, draft->entry);
    return good ? router : NULL;
}

static void find_fallback(struct site_draft *draft)
{
    for (size_t i = 0; i < draft->count; i++)
        if (draft->built[i] != NULL && draft->locations[i]->match == LOCATION_FALLBACK)
            draft->fallback = draft->built[i];
}

struct router *const *build_site_reference(struct build *build, struct str reference, struct span span)
{
    struct site_draft *draft = build->site;
    struct diag *diag = build->compile.diag;
    if (draft == NULL) {
        diag_error(diag, span, "only a location of a site can lead to the router '%.*s'", STR_ARGS(reference));
        return NULL;
    }
    const struct named *named = names_find(&build->names, NAME_ROUTER, reference, build->compile.provider, span, diag);
    for (size_t i = 0; i < draft->count; i++)
        if (draft->routers[i] == named)
            return &draft->built[i];
    if (named != NULL)
        diag_error(diag, span, "the router '%.*s' has no location of this site", STR_ARGS(reference));
    return NULL;
}

/* ---- a site ---- */

static const struct router_tls *tls_on(const struct site_config *config, const struct entry *entry)
{
    if (is_in(&config->plain_on, entry->name))
        return NULL;
    return config->tls != NULL ? &config->tls->router : entry->config->http.tls;
}

/* The names that TLS options and certificates can be kept by. */
static struct strs hosts_of(struct build *build, const struct site_config *config)
{
    struct strs hosts = {.items = arena_array(&build->graph->arena, struct str, 2 * config->names.count + 1)};
    for (size_t i = 0; i < config->names.count; i++) {
        struct str name = config->names.items[i];
        if (str_starts(name, S("~")) || str_ends(name, S(".*")) || str_find_char(name, '.', 0) < 0)
            continue;
        bool both = str_starts(name, S("."));
        struct str lower = arena_lower(&build->graph->arena, both ? str_from_index(name, 1) : name);
        hosts.items[hosts.count++] = lower;
        if (both)
            hosts.items[hosts.count++] = arena_concat(&build->graph->arena, S("*."), lower);
    }
    return hosts;
}

static void build_site_tls(struct site_draft *draft, const struct router_tls *tls)
{
    struct build *build = draft->build;
    const struct site_config *config = draft->named->value;
    struct router_config like = {.origin = config->origin, .tls = config->tls != NULL ? &config->tls->router : NULL};
    struct named as_router = *draft->named;
    as_router.value = &like;
    if (!build_check_tls(build, tls, &as_router))
        return;
    struct strs hosts = hosts_of(build, config);
    struct strs none = {0};
    build_entry_tls(build, draft->entry, tls, &as_router, &none);
    build_wants(build, tls, draft->named->name, &hosts);
    draft->site->policy = build_policy(build, tls, &as_router);
    if (config->tls == NULL)
        return;
    draft->site->rejects_handshake = config->tls->reject_handshake;
    draft->site->certificates = build_site_certificates(build, &config->tls->certificates, &draft->site->certificate_count);
    draft->site->lazy_certificates = build_lazy_certificates(build, config->tls, draft->site->name);
}

static void build_site_on(struct site_draft *draft)
{
    struct build *build = draft->build;
    struct arena *arena = &build->graph->arena;
    const struct site_config *config = draft->named->value;
    const struct router_tls *tls = tls_on(config, draft->entry);
    struct site *site = draft->site = arena_new(arena, struct site);
    site->name = draft->named->name;
    site->config = config;
    map_init(&site->named, false);
    if (tls != NULL)
        build_site_tls(draft, tls);
    site->secure = tls != NULL && draft->entry->tls != NULL;
    draft->built = arena_array(arena, struct router *, draft->count + 1);
    draft->locations = arena_array(arena, struct location *, draft->count + 1);
    for (size_t i = 0; i < draft->count; i++)
        draft->locations[i] = arena_new(arena, struct location);
    build->site = draft;
    add_names(draft);
    for (size_t i = 0; i < draft->count; i++)
        build_location(draft, i);
    find_fallback(draft);
    site->entrance = build_entrance(draft);
    build->site = NULL;
    site->locations = locations_new(draft->locations, draft->count, arena);
    VEC_PUSH(&build->built->sites, site);
}

/* Those of each site, in the order of the file. */
static size_t collect_routers(struct build *build, const struct named *site, struct named **routers)
{
    size_t count = 0;
    const struct map *map = &build->names.maps[NAME_ROUTER];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        const struct router_config *config = named != NULL ? named->value : NULL;
        if (config != NULL && config->location != NULL && named->built == site)
            routers[count++] = named;
    }
    return count;
}

/* Whose location is each router? Noted in `built`, which routers have no other use for. */
static void find_sites(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_ROUTER];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        const struct router_config *config = named != NULL ? named->value : NULL;
        if (config != NULL && config->location != NULL)
            named->built = site_of(build, named);
    }
}

static bool is_on(struct build *build, const struct site_config *config, const struct entry *entry)
{
    struct router_config like = {.entry_points = config->entry_points};
    return build_router_wants(build, &like, entry);
}

static void check_entry_names(struct build *build, const struct named *named, const struct strs *names, const char *key)
{
    const struct site_config *config = named->value;
    unsigned index;
    for (size_t i = 0; i < names->count; i++)
        if (build_entry_named(build, names->items[i], &index) == NULL)
            diag_error(build->compile.diag, node_span(node_at(node_get(config->origin, str_from(key)), i)), "unknown entrypoint '%.*s'",
                       STR_ARGS(names->items[i]));
}

static void build_one(struct build *build, struct named *named)
{
    const struct site_config *config = named->value;
    struct site_draft draft = {.build = build, .named = named};
    struct object object;
    draft.routers = arena_array(&build->graph->arena, struct named *, build->names.maps[NAME_ROUTER].count + 1);
    draft.count = collect_routers(build, named, draft.routers);
    build_object_begin(build, &object, named);
    check_entry_names(build, named, &config->entry_points, "entryPoints");
    check_entry_names(build, named, &config->default_on, "defaultOn");
    for (unsigned i = 0; i < build->graph->entry_count && !named->failed; i++) {
        draft.entry = build->graph->entries[i];
        draft.fallback = NULL;
        if (is_on(build, config, draft.entry))
            build_site_on(&draft);
    }
    build_object_end(build, &object, true);
}

/* Where one site has an entrypoint to itself, hosts need not be told apart. */
static void finish_names(struct site_names *names)
{
    if (names != NULL)
        names->only = names->exact.live == 0 && names->leading.live == 0 && names->trailing.live == 0 && names->expressions.count == 0;
}

void build_sites(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_SITE];
    find_sites(build);
    for (uint32_t i = 0; i < map->count; i++)
        build_one(build, map->items[i].value);
    for (unsigned i = 0; i < build->graph->entry_count; i++) {
        struct entry *entry = build->graph->entries[i];
        finish_names(entry->sites);
        if (entry->tls != NULL)
            finish_names(entry->tls->sites);
    }
}

static void release_names(struct site_names *names)
{
    if (names != NULL)
        site_names_release(names);
}

void build_sites_release(struct built_graph *built)
{
    struct graph *graph = &built->graph;
    for (size_t i = 0; i < built->sites.count; i++)
        map_release(&built->sites.items[i]->named);
    VEC_RELEASE(&built->sites);
    for (unsigned i = 0; i < graph->entry_count; i++) {
        release_names(graph->entries[i]->sites);
        if (graph->entries[i]->tls != NULL)
            release_names(graph->entries[i]->tls->sites);
    }
}
