/* TLS of a snapshot: options become policies, files become certificates, routers say which names they want certificates for. */
#include <time.h>

#include "base/time.h"
#include "config/bind.h"
#include "exchange/lazy_certificates.h"
#include "snapshot/build.h"
#include "tls/client.h"
#include "tls/pem.h"

/* ---- options ---- */

static struct tls_policy *new_policy(struct build *build, const struct tls_options *options, struct str name)
{
    struct tls_policy *policy = policy_new(options, name, build->compile.diag);
    if (policy != NULL)
        VEC_PUSH(&build->built->policies, policy);
    return policy;
}

/* Made once. NULL: it cannot be used, which was reported. */
static struct tls_policy *named_policy(struct build *build, struct named *named, struct str name)
{
    struct object object;
    if (named->built == NULL && !named->failed) {
        build_object_begin(build, &object, named);
        struct tls_policy *policy = new_policy(build, named->value, name);
        named->built = build_object_end(build, &object, policy != NULL) ? policy : NULL;
    }
    return named->built;
}

/* "default" is one for all providers: the first that says what it is. It holds for everybody's handshakes, so it is the owner's
 * to choose: labels do not (leave_out_defaults). */
static struct named *find_default(const struct build *build)
{
    const struct map *map = &build->names.maps[NAME_TLS_OPTIONS];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (str_starts(map->items[i].key, S("default@")) && !named->lenient)
            return named;
    }
    return NULL;
}

static struct tls_policy *default_policy(struct build *build)
{
    if (build->default_policy != NULL)
        return build->default_policy;
    struct named *named = find_default(build);
    if (named != NULL)
        build->default_policy = named_policy(build, named, S("default"));
    else
        build->default_policy = new_policy(
            build, bind_new(&tls_options_table, NULL, NULL, &build->graph->arena, build->compile.diag), S("default"));
    return build->default_policy;
}

static struct span options_span(const struct router_tls *tls)
{
    const struct node *options = node_get(tls->origin, S("options"));
    return node_span(options != NULL ? options : tls->origin);
}

static struct tls_policy *find_policy(struct build *build, const struct router_tls *tls, struct str provider)
{
    struct str reference = tls->options;
    if (reference.len == 0 || str_equal(reference, S("default")))
        return default_policy(build);
    struct span span = options_span(tls);
    struct named *named = names_find(&build->names, NAME_TLS_OPTIONS, reference, provider, span, build->compile.diag);
    if (named == NULL)
        return NULL;
    named_policy(build, named, named->name);
    return build_usable(build, named, span) ? named->built : NULL;
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

static void leave_out_default(struct build *build, struct named *named)
{
    struct object object;
    build_object_begin(build, &object, named);
    diag_contained(build->compile.diag, named->node != NULL ? named->node->key_span : SPAN_NONE,
                   "the default TLS options are the whole proxy's: its own configuration says what they are, not '%.*s'",
                   STR_ARGS(named->provider));
    build_object_end(build, &object, false);
}

void build_tls_options(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_TLS_OPTIONS];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        if (!str_starts(named->name, S("default@")))
            named_policy(build, named, named->name);
        else if (named->lenient && named->built == NULL && !named->failed)
            leave_out_default(build, named);
    }
}

/* ---- resolvers ---- */

static bool resolver_exists(const struct build *build, struct str name)
{
    const struct objects *resolvers = &build->model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++)
        if (str_equal(resolvers->items[i].name, name))
            return true;
    return str_starts(name, S("@"));
}

/* Labels are often written for a proxy that has the resolver, and tried where there is none: Traefik serves such a router all the
 * same, and so do we. */
static void check_resolver(struct build *build, const struct router_tls *tls)
{
    const struct objects *resolvers = &build->model->config.certificates_resolvers;
    struct diag *diag = build->compile.diag;
    struct str candidates[64];
    size_t count = 0;
    if (str_empty(tls->cert_resolver) || resolver_exists(build, tls->cert_resolver))
        return;
    const struct node *place = node_get(tls->origin, S("certResolver"));
    struct span span = node_span(place != NULL ? place : node_get(tls->origin, S("resolver")));
    struct diag_item *error =
        build->compile.lenient
            ? diag_warning(diag, span, "unknown certificatesResolver '%.*s': clients get the default certificate",
                           STR_ARGS(tls->cert_resolver))
            : diag_error(diag, span, "unknown certificatesResolver '%.*s'", STR_ARGS(tls->cert_resolver));
    for (size_t i = 0; i < resolvers->count && count < 64; i++)
        candidates[count++] = resolvers->items[i].name;
    diag_suggest(diag, error, tls->cert_resolver, candidates, count);
    if (count == 0)
        diag_hint(diag, error, "no certificatesResolver is defined");
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

/* The key's text, decrypted by the pass phrases of its file; false after an error. */
static bool read_key(struct build *build, const struct tls_certificate_config *config, struct arena *arena, struct str *ret_key)
{
    struct diag *diag = build->compile.diag;
    struct str passwords;
    if (!tls_read_pem(config->key_file, arena, ret_key)) {
        diag_error(diag, node_span(node_get(config->origin, S("keyFile"))), "cannot load certificate key \"%.*s\": %m",
                   STR_ARGS(config->key_file));
        return false;
    }
    if (config->password_file.len == 0)
        return true;
    if (!tls_read_pem(config->password_file, arena, &passwords)) {
        diag_error(diag, node_span(node_get(config->origin, S("passwordFile"))), "cannot read the pass phrases in \"%.*s\": %m",
                   STR_ARGS(config->password_file));
        return false;
    }
    *ret_key = pem_decrypt_key(*ret_key, passwords, arena);
    return true;
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
        diag_error(diag, node_span(node_get(config->origin, S("certFile"))), "cannot load certificate \"%.*s\": %m",
                   STR_ARGS(config->cert_file));
    } else if (read_key(build, config, &arena, &key)) {
        bool inline_text = tls_is_pem_text(config->cert_file);
        struct str source = inline_text ? S("configuration") : arena_printf(&arena, "file %.*s", STR_ARGS(config->cert_file));
        certificate = certificate_parse(chain, key, source, &why);
        if (certificate == NULL)
            diag_error(diag, node_span(node_get(config->origin, S("certFile"))), "cannot load certificate \"%.*s\": it %s",
                       inline_text ? 3 : (int)config->cert_file.len, inline_text ? "PEM" : config->cert_file.data, why);
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
    check_resolver(build, tls);
    build_wants(build, tls, S("the default certificate"), NULL);
}

static void read_certificates(struct build *build, const struct objects *certificates)
{
    for (size_t i = 0; i < certificates->count; i++) {
        struct certificate *certificate = NULL;
        if (!certificates->items[i].broken)
            certificate = read_certificate(build, certificates->items[i].value);
        if (certificate != NULL)
            VEC_PUSH(&build->certificates, certificate);
    }
}

static struct certificate *site_certificate(struct build *build, const struct tls_certificate_config *config)
{
    struct str key = arena_printf(&build->graph->arena, "%.*s\n%.*s\n%.*s", STR_ARGS(config->cert_file), STR_ARGS(config->key_file),
                                  STR_ARGS(config->password_file));
    struct certificate *certificate = map_get(&build->site_certificates, key);
    if (certificate != NULL || map_has(&build->site_certificates, key))
        return certificate;
    certificate = read_certificate(build, config);
    map_put(&build->site_certificates, key, certificate);
    return certificate;
}

struct certificate **build_site_certificates(struct build *build, const struct objects *configs, unsigned *ret_count)
{
    struct certificate **certificates = arena_array(&build->graph->arena, struct certificate *, configs->count + 1);
    for (size_t i = 0; i < configs->count; i++) {
        bool later = configs->items[i].broken || lazy_certificate_is(configs->items[i].value);
        struct certificate *certificate = later ? NULL : site_certificate(build, configs->items[i].value);
        if (certificate != NULL)
            certificates[(*ret_count)++] = certificate;
    }
    return certificates;
}

static struct lazy_certificates *keep_lazy(struct build *build, struct lazy_certificates *lazy)
{
    if (lazy != NULL)
        VEC_PUSH(&build->lazy_certificates, lazy);
    return lazy;
}

struct lazy_certificates *build_lazy_certificates(struct build *build, const struct site_tls *config, struct str site)
{
    return keep_lazy(build, lazy_certificates_new(config, site, &build->compile));
}

struct lazy_certificates *build_lazy_pair(struct build *build, const struct tls_pair *pair, const struct tls_certificate_cache *cache,
                                          struct str transport)
{
    return keep_lazy(build, lazy_certificates_new_pair(pair, cache, transport, &build->compile));
}

/* The default certificate is the whole proxy's: labels may only say what the configuration itself leaves open. */
static void read_stores(struct build *build, const struct objects *stores, const struct model_part *part)
{
    struct diag *diag = build->compile.diag;
    for (size_t i = 0; i < stores->count; i++) {
        const struct object_item *store = &stores->items[i];
        struct span span = store->node != NULL ? store->node->key_span : SPAN_NONE;
        if (store->broken)
            continue;
        if (!str_equal(store->name, S("default")))
            diag_warning(diag, span, "only the store 'default' is used, as in Traefik");
        else if (part->lenient && (build->graph->default_certificate != NULL || !str_empty(build->graph->default_name)))
            diag_contained(diag, span, "the configuration says which the default certificate is: '%.*s' does not change it",
                           STR_ARGS(part->provider));
        else
            build_store(build, store->value);
    }
}

void build_certificates(struct build *build)
{
    for (size_t i = 0; i < build->model->part_count; i++) {
        const struct model_part *part = &build->model->parts[i];
        struct diag_guard guard;
        diag_guard_begin(build->compile.diag, &guard, part->lenient);
        read_certificates(build, &part->tls->certificates);
        read_stores(build, &part->tls->stores, part);
        diag_guard_end(build->compile.diag, &guard);
    }
}

/* ---- entries and routers ---- */

const struct router_tls *build_router_tls(const struct router_config *config, const struct entry *entry)
{
    return config->tls != NULL ? config->tls : entry->config->http.tls;
}

/* What an entrypoint says of TLS is its owner's: so are the options that it names. */
static struct str provider_of(const struct router_tls *tls, const struct named *router)
{
    const struct router_config *config = router->value;
    return tls == config->tls ? router->provider : S("file");
}

bool build_check_tls(struct build *build, const struct router_tls *tls, const struct named *router)
{
    const struct router_config *config = router->value;
    struct object object;
    if (tls != config->tls)
        build_object_begin(build, &object, NULL);
    check_resolver(build, tls);
    bool good = find_policy(build, tls, provider_of(tls, router)) != NULL;
    return tls != config->tls ? build_object_end(build, &object, good) : good;
}

const struct tls_policy *build_policy(struct build *build, const struct router_tls *tls, const struct named *router)
{
    return find_policy(build, tls, provider_of(tls, router));
}

/* Options that the owner's own configuration gave to a host: no label takes them away again. */
static bool is_firm(const struct build *build, struct str host, const struct tls_policy *policy, const struct named *router)
{
    return router->lenient && map_get(&build->firm_policies, host) == policy;
}

/* Two sets of options for one host: neither can hold for its handshake, so the default ones do, as in Traefik. */
static void note_host(struct build *build, struct entry *entry, struct str host, const struct tls_policy *policy,
                      const struct router_tls *tls, const struct named *router)
{
    struct entry_tls *own = entry->tls;
    const struct tls_policy *before = map_get(&own->policies, host);
    if (before == policy)
        return;
    host = before == NULL ? arena_str(&build->graph->arena, host) : host;
    if (before == NULL && !router->lenient && policy != own->policy)
        map_put(&build->firm_policies, host, (struct tls_policy *)(uintptr_t)policy);
    if (before != NULL) {
        bool firm = is_firm(build, host, before, router);
        struct diag_item *item = diag_warning(build->compile.diag, options_span(tls),
                                              "'%.*s' has other TLS options in another router: %s hold for it",
                                              STR_ARGS(host), firm ? "those" : "the default ones");
        diag_hint(build->compile.diag, item, "give every router of a host the same options");
        policy = firm ? before : own->policy;
    }
    map_put(&own->policies, host, (struct tls_policy *)(uintptr_t)policy);
}

void build_entry_tls(struct build *build, struct entry *entry, const struct router_tls *tls, const struct named *router,
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
    const struct tls_policy *policy = find_policy(build, tls, provider_of(tls, router));
    for (size_t i = 0; policy != NULL && hosts != NULL && i < hosts->count; i++)
        note_host(build, entry, hosts->items[i], policy, tls, router);
    /* Nobody can tell the handshake of a router without a host from others: its options would never hold. Sites have them by name. */
    bool is_site = router->kind == NAME_SITE;
    if (!is_site && policy != NULL && policy != entry->tls->policy && (hosts == NULL || hosts->count == 0))
        diag_warning(build->compile.diag, options_span(tls),
                     "the rule names no host, so these TLS options never hold: the default ones do");
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
    if (str_empty(tls->cert_resolver) || !resolver_exists(build, tls->cert_resolver))
        return;      /* check_resolver has said so */
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

/* What automatic HTTPS noted for routers that were left out since. */
static void drop_needless_wants(struct build *build)
{
    struct certificate_wants *wants = &build->wants;
    size_t kept = 0;
    for (size_t i = 0; i < wants->list.count; i++) {
        const struct named *router = map_get(&build->names.maps[NAME_ROUTER], wants->list.items[i].router);
        if (router == NULL || !router->failed)
            wants->list.items[kept++] = wants->list.items[i];
    }
    wants->list.count = kept;
}

static void take_site_certificates(struct build *build)
{
    struct graph *graph = build->graph;
    const struct map *map = &build->site_certificates;
    graph->site_certificates = arena_array(&graph->arena, struct certificate *, map->count + 1);
    for (uint32_t i = 0; i < map->count; i++)
        if (map->items[i].value != NULL)
            graph->site_certificates[graph->site_certificate_count++] = map->items[i].value;
    map_release(&build->site_certificates);
    graph->lazy_count = (unsigned)build->lazy_certificates.count;
    graph->lazy_certificates = arena_array(&graph->arena, struct lazy_certificates *, build->lazy_certificates.count + 1);
    for (size_t i = 0; i < build->lazy_certificates.count; i++)
        graph->lazy_certificates[i] = build->lazy_certificates.items[i];
    VEC_RELEASE(&build->lazy_certificates);
}

void build_tls_end(struct build *build)
{
    struct graph *graph = build->graph;
    if (build->any_left_out)
        drop_needless_wants(build);
    map_release(&build->firm_policies);
    take_site_certificates(build);
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
    for (unsigned i = 0; i < graph->site_certificate_count; i++)
        certificate_unref(graph->site_certificates[i]);
    for (unsigned i = 0; i < graph->lazy_count; i++)
        lazy_certificates_release(graph->lazy_certificates[i]);
    if (graph->default_certificate != NULL)
        certificate_unref(graph->default_certificate);
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (graph->entries[i]->tls != NULL) {
            table_free(graph->entries[i]->tls->table);
            map_release(&graph->entries[i]->tls->policies);
        }
}
