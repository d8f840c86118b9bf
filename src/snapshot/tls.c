/* TLS of a snapshot: options become policies, files become certificates, routers say which names they want certificates for. */
#include <time.h>

#include "base/time.h"
#include "config/bind.h"
#include "snapshot/build.h"
#include "tls/client.h"

/* ---- options ---- */

static struct tls_policy *new_policy(struct build *build, const struct tls_options *options, struct str name)
{
    struct tls_policy *policy = policy_new(options, name, build->compile.diag);
    if (policy != NULL)
        VEC_PUSH(&build->built->policies, policy);
    return policy;
}

/* "default" is one for all providers: the first that says what it is. */
static const struct named *find_default(const struct build *build)
{
    const struct map *map = &build->names.maps[NAME_TLS_OPTIONS];
    for (uint32_t i = 0; i < map->count; i++)
        if (str_starts(map->items[i].key, S("default@")))
            return map->items[i].value;
    return NULL;
}

static struct tls_policy *default_policy(struct build *build)
{
    if (build->default_policy != NULL)
        return build->default_policy;
    const struct named *named = find_default(build);
    const struct tls_options *options = named != NULL ? named->value : NULL;
    if (options == NULL)
        options = bind_new(&tls_options_table, NULL, NULL, &build->graph->arena, build->compile.diag);
    if (named == NULL || !named->failed)
        build->default_policy = new_policy(build, options, S("default"));
    return build->default_policy;
}

static struct tls_policy *find_policy(struct build *build, const struct router_tls *tls, struct str provider)
{
    struct str reference = tls->options;
    if (reference.len == 0 || str_equal(reference, S("default")))
        return default_policy(build);
    struct span span = node_span(node_get(tls->origin, S("options")));
    struct named *named = names_find(&build->names, NAME_TLS_OPTIONS, reference, provider, span, build->compile.diag);
    if (named == NULL || named->failed)
        return NULL;
    if (named->built == NULL)
        named->built = new_policy(build, named->value, named->name);
    named->failed = named->built == NULL;
    return named->built;
}

bool build_tls_asks_who(struct build *build, const struct router_tls *tls, struct str provider)
{
    struct str reference = tls->options;
    const struct named *named;
    if (reference.len == 0 || str_equal(reference, S("default"))) {
        named = find_default(build);
    } else {
        if (str_find_char(reference, '@', 0) < 0)
            reference = arena_printf(&build->graph->arena, "%.*s@%.*s", STR_ARGS(reference), STR_ARGS(provider));
        named = map_get(&build->names.maps[NAME_TLS_OPTIONS], reference);
    }
    return named != NULL && ((const struct tls_options *)named->value)->client_auth.type == CLIENT_AUTH_REQUIRE;
}

/* Options that nobody names are compiled too, so that their mistakes are found. */
static void build_unused_options(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_TLS_OPTIONS];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (named->built != NULL || named->failed || str_starts(named->name, S("default@")))
            continue;
        named->built = new_policy(build, named->value, named->name);
        named->failed = named->built == NULL;
    }
}

/* ---- certificates ---- */

#define SOON (14 * INT64_C(86400))

/* A file is renewed by its owner alone, who wants to know in time. */
static void warn_of_end(struct build *build, const struct certificate *certificate, struct span span)
{
    int64_t left = certificate->not_after - time_wall() / TIME_S;
    char day[16] = "";
    struct tm tm;
    time_t end = (time_t)certificate->not_after;
    if (left >= SOON || gmtime_r(&end, &tm) == NULL || strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
        return;
    if (left <= 0)
        diag_warning(build->compile.diag, span, "the certificate has expired: it ended on %s", day);
    else
        diag_warning(build->compile.diag, span, "the certificate ends on %s", day);
}

static struct certificate *read_certificate(struct build *build, const struct tls_certificate_config *config)
{
    struct diag *diag = build->compile.diag;
    struct arena arena;
    struct str chain, key;
    const char *why = NULL;
    struct certificate *certificate = NULL;
    arena_init(&arena, ARENA_UNLIMITED);
    if (!tls_read_pem(config->cert_file, &arena, &chain)) {
        diag_error(diag, node_span(node_get(config->origin, S("certFile"))), "the certificate cannot be read: %m");
    } else if (!tls_read_pem(config->key_file, &arena, &key)) {
        diag_error(diag, node_span(node_get(config->origin, S("keyFile"))), "the key cannot be read: %m");
    } else {
        bool inline_text = tls_is_pem_text(config->cert_file);
        struct str source = inline_text ? S("configuration") : arena_printf(&arena, "file %.*s", STR_ARGS(config->cert_file));
        certificate = certificate_parse(chain, key, source, &why);
        if (certificate == NULL)
            diag_error(diag, node_span(node_get(config->origin, S("certFile"))), "the certificate %s", why);
        else
            warn_of_end(build, certificate, node_span(node_get(config->origin, S("certFile"))));
    }
    arena_release(&arena);
    return certificate;
}

static void build_store(struct build *build, const struct tls_store_config *store)
{
    struct graph *graph = build->graph;
    if (store->default_certificate != NULL && graph->default_certificate == NULL)
        graph->default_certificate = read_certificate(build, store->default_certificate);
    const struct tls_generated_config *generated = store->default_generated_cert;
    if (generated == NULL)
        return;
    struct router_tls *tls = arena_new(&graph->arena, struct router_tls);
    struct object_item *domain = arena_new(&graph->arena, struct object_item);
    *domain = (struct object_item){.value = memcpy(arena_new(&graph->arena, struct tls_domain), &generated->domain,
                                                   sizeof(generated->domain))};
    *tls = (struct router_tls){.origin = generated->origin, .cert_resolver = generated->resolver, .domains = {domain, 1}};
    graph->default_name = arena_lower(&graph->arena, generated->domain.main);
    build_wants(build, tls, S("the default certificate"), NULL);
}

void build_certificates(struct build *build)
{
    for (size_t i = 0; i < build->model->part_count; i++) {
        const struct tls_config *config = build->model->parts[i].tls;
        for (size_t j = 0; j < config->certificates.count; j++) {
            struct certificate *certificate = NULL;
            if (!config->certificates.items[j].broken)
                certificate = read_certificate(build, config->certificates.items[j].value);
            if (certificate != NULL)
                VEC_PUSH(&build->certificates, certificate);
        }
        for (size_t j = 0; j < config->stores.count; j++) {
            const struct object_item *store = &config->stores.items[j];
            if (str_equal(store->name, S("default")) && !store->broken)
                build_store(build, store->value);
            else if (!store->broken)
                diag_warning(build->compile.diag, store->node != NULL ? store->node->key_span : SPAN_NONE,
                             "only the store 'default' is used, as in Traefik");
        }
    }
}

/* ---- entries and routers ---- */

const struct router_tls *build_router_tls(const struct router_config *config, const struct entry *entry)
{
    return config->tls != NULL ? config->tls : entry->config->http.tls;
}

/* Two sets of options for one host: neither can hold for its handshake, so the default ones do, as in Traefik. */
static void note_host(struct build *build, struct entry *entry, struct str host, const struct tls_policy *policy,
                      const struct router_tls *tls)
{
    struct entry_tls *own = entry->tls;
    const struct tls_policy *before = map_get(&own->policies, host);
    if (before == policy)
        return;
    if (before != NULL) {
        struct diag_item *item = diag_warning(build->compile.diag, node_span(node_get(tls->origin, S("options"))),
                                              "'%.*s' has other TLS options in another router: the default ones hold for it",
                                              STR_ARGS(host));
        diag_hint(build->compile.diag, item, "give every router of a host the same options");
        policy = own->policy;
    }
    map_put(&own->policies, arena_str(&build->graph->arena, host), (struct tls_policy *)(uintptr_t)policy);
}

void build_entry_tls(struct build *build, struct entry *entry, const struct router_tls *tls, struct str provider,
                     const struct strs *hosts)
{
    if (entry->tls == NULL) {
        struct entry_tls *own = arena_new(&build->graph->arena, struct entry_tls);
        own->policy = default_policy(build);
        map_init(&own->policies, false);
        const struct automatic_https *automatic = build->model->config.automatic_https;
        own->on_demand = automatic != NULL && automatic->on_demand != NULL;
        entry->tls = own;
        if (own->policy == NULL)
            return;
    }
    const struct tls_policy *policy = find_policy(build, tls, provider);
    for (size_t i = 0; policy != NULL && hosts != NULL && i < hosts->count; i++)
        note_host(build, entry, hosts->items[i], policy, tls);
    /* Nobody can tell the handshake of a router without a host from others: its options would never hold. */
    if (policy != NULL && policy != entry->tls->policy && (hosts == NULL || hosts->count == 0))
        diag_warning(build->compile.diag, node_span(node_get(tls->origin, S("options"))),
                     "the rule names no host, so these TLS options never hold: the default ones do");
}

static bool resolver_exists(const struct build *build, struct str name)
{
    const struct objects *resolvers = &build->model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++)
        if (str_equal(resolvers->items[i].name, name))
            return true;
    return str_starts(name, S("@"));
}

static bool check_resolver(struct build *build, const struct router_tls *tls)
{
    const struct objects *resolvers = &build->model->config.certificates_resolvers;
    struct diag *diag = build->compile.diag;
    struct str candidates[64];
    size_t count = 0;
    if (resolver_exists(build, tls->cert_resolver))
        return true;
    const struct node *place = node_get(tls->origin, S("certResolver"));
    struct diag_item *error = diag_error(diag, node_span(place != NULL ? place : node_get(tls->origin, S("resolver"))),
                                         "unknown certificatesResolver '%.*s'", STR_ARGS(tls->cert_resolver));
    for (size_t i = 0; i < resolvers->count && count < 64; i++)
        candidates[count++] = resolvers->items[i].name;
    diag_suggest(diag, error, tls->cert_resolver, candidates, count);
    if (count == 0)
        diag_hint(diag, error, "no certificatesResolver is defined");
    return false;
}

static bool names_equal(const struct strs *one, const struct strs *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (!str_equal(one->items[i], other->items[i]))
            return false;
    return true;
}

static void add_want(struct build *build, const struct router_tls *tls, struct str router, const struct strs *names)
{
    for (size_t i = 0; i < build->wants.list.count; i++) {
        const struct certificate_want *want = &build->wants.list.items[i];
        if (str_equal(want->resolver, tls->cert_resolver) && names_equal(&want->names, names))
            return;
    }
    VEC_PUSH(&build->wants.list, (struct certificate_want){.resolver = tls->cert_resolver,
                                                      .names = *names,
                                                      .router = router,
                                                      .origin = tls->origin});
}

static struct strs domain_names(struct build *build, const struct tls_domain *domain)
{
    struct arena *arena = &build->graph->arena;
    struct strs names = {.items = arena_array(arena, struct str, domain->sans.count + 1), .count = 1};
    names.items[0] = arena_lower(arena, domain->main);
    for (size_t i = 0; i < domain->sans.count; i++)
        if (!str_equal_nocase(domain->sans.items[i], domain->main))
            names.items[names.count++] = arena_lower(arena, domain->sans.items[i]);
    return names;
}

void build_wants(struct build *build, const struct router_tls *tls, struct str router, const struct strs *hosts)
{
    if (tls->cert_resolver.len == 0 || !check_resolver(build, tls))
        return;
    for (size_t i = 0; i < tls->domains.count; i++) {
        struct strs names = domain_names(build, tls->domains.items[i].value);
        add_want(build, tls, router, &names);
    }
    if (tls->domains.count != 0)
        return;
    if (hosts != NULL && hosts->count != 0)
        add_want(build, tls, router, hosts);
    else
        diag_warning(build->compile.diag, node_span(node_get(tls->origin, S("certResolver"))),
                     "the rule names no host, so there is nothing to get a certificate for: give tls.domains");
}

/* Where the default options hold for every host, nobody need look. */
static void drop_needless_policies(struct entry_tls *tls)
{
    for (uint32_t i = 0; i < tls->policies.count; i++)
        if (tls->policies.items[i].key.data != NULL && tls->policies.items[i].value != tls->policy)
            return;
    map_release(&tls->policies);
    map_init(&tls->policies, false);
}

void build_tls_end(struct build *build)
{
    struct graph *graph = build->graph;
    build_unused_options(build);
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (graph->entries[i]->tls != NULL)
            drop_needless_policies(graph->entries[i]->tls);
    graph->certificate_count = (unsigned)build->certificates.count;
    graph->certificates = arena_array(&graph->arena, struct certificate *, build->certificates.count + 1);
    if (build->certificates.count != 0)
        memcpy(graph->certificates, build->certificates.items, build->certificates.count * sizeof(struct certificate *));
    graph->want_count = (unsigned)build->wants.list.count;
    graph->wants = arena_array(&graph->arena, struct certificate_want, build->wants.list.count + 1);
    if (build->wants.list.count != 0)
        memcpy(graph->wants, build->wants.list.items, build->wants.list.count * sizeof(struct certificate_want));
    VEC_RELEASE(&build->certificates);
    VEC_RELEASE(&build->wants.list);
}

void build_tls_release(struct graph *graph)
{
    for (unsigned i = 0; i < graph->certificate_count; i++)
        certificate_unref(graph->certificates[i]);
    if (graph->default_certificate != NULL)
        certificate_unref(graph->default_certificate);
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (graph->entries[i]->tls != NULL) {
            table_free(graph->entries[i]->tls->table);
            map_release(&graph->entries[i]->tls->policies);
        }
}
