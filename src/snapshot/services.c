#include "snapshot/build.h"

#include "exchange/lazy_certificates.h"
#include "upstream/tls_identity.h"

/* A transport with where it came from, for its TLS. */
struct built_transport {
    struct transport transport;
    const struct transport_config *config;
    struct named *named;              /* NULL: the default one */
    bool secured, failed;
};

static bool has_tls_options(const struct tls_client_options *options)
{
    return options->server_name.len != 0 || options->insecure_skip_verify || options->root_cas.count != 0 ||
           options->certificates.count != 0 || options->cipher_list.len != 0 || options->crl_files.count != 0 || options->commands.count != 0 || options->cipher_suites.count != 0 || options->peer_cert_sans.count != 0;
}

/* Pairs with variables in their names are not the SSL_CTX's: the first is read for each request. False after an error. */
static bool set_pairs_aside(struct build *build, struct built_transport *built, struct objects *pairs)
{
    const struct objects *all = &built->config->tls.certificates;
    bool good = true;
    *pairs = (struct objects){.items = arena_array(&build->graph->arena, struct object_item, all->count)};
    for (size_t i = 0; i < all->count; i++) {
        const struct object_item *item = &all->items[i];
        bool later = !item->broken && lazy_certificate_is_pair(item->value);
        if (!later)
            pairs->items[pairs->count++] = *item;
        else if (built->transport.shown == NULL)
            good = (built->transport.shown = build_lazy_pair(build, item->value, built->config->certificate_cache, built->transport.name)) != NULL;
    }
    return good;
}

static bool secure(struct build *build, struct built_transport *built)
{
    if (built->secured)
        return !built->failed;
    struct arena *arena = &build->graph->arena;
    struct tls_client_options options = built->config->tls;
    options.origin = built->config->origin;
    built->secured = true;
    built->failed = !set_pairs_aside(build, built, &options.certificates);
    struct tls_client *client = tls_client_new(&options, arena, build->compile.diag);
    if (client != NULL)
        VEC_PUSH(&build->built->tls_clients, client);
    built->failed |= client == NULL;
    if (built->failed)
        return false;
    built->transport.tls = client;
    built->transport.tls_identity = tls_identity(&options, built->transport.h2, arena);
    return true;
}

/* Its mistakes are those of the transport, whoever is the first to need it. */
static bool secure_alone(struct build *build, struct built_transport *built)
{
    struct object object;
    build_object_begin(build, &object, built->named);
    return build_object_end(build, &object, secure(build, built));
}

static void compile_from(struct transport *transport, const struct transport_config *config, struct arena *arena)
{
    transport->transparent = config->transparent;
    transport->bare_feeds = config->bare_line_feeds;
    if (str_empty(config->local_address) && str_empty(config->congestion_control) && !config->tcp_keep_alive)
        return;
    struct sock_from *from = arena_new(arena, struct sock_from);
    from->transparent = config->transparent;
    from->keep_alive = config->tcp_keep_alive;
    congestion_name(config->congestion_control, from->congestion);
    if (addr_parse_local(config->local_address, &from->addr))
        transport->from_identity = server_stable_hash(config->local_address);
    transport->from = from;
}

static struct transport *compile_transport_config(struct build *build, struct str name, struct named *named,
                                                  const struct transport_config *config)
{
    struct built_transport *built = arena_new(&build->graph->arena, struct built_transport);
    struct transport *transport = &built->transport;
    built->config = config;
    built->named = named;
    const struct forwarding_timeouts *timeouts = &config->forwarding_timeouts;
    *transport = (struct transport){.name = name,
                                    .dial_timeout = timeouts->dial_timeout,
                                    .response_header_timeout = timeouts->response_header_timeout,
                                    .idle_timeout = timeouts->idle_conn_timeout,
                                    .read_timeout = timeouts->read_timeout,
                                    .read_idle_timeout = timeouts->read_idle_timeout,
                                    .ping_timeout = timeouts->ping_timeout,
                                    .send_timeout = timeouts->send_timeout != 0 ? timeouts->send_timeout : timeouts->read_timeout,
                                    .tunnel_timeout = timeouts->tunnel_timeout,
                                    .max_age = timeouts->max_conn_age,
                                    .max_requests = (uint64_t)config->max_requests_per_conn,
                                    .h2 = !config->disable_http2,
                                    .max_head_bytes = (uint32_t)config->max_response_header_bytes};
    compile_from(transport, config, &build->graph->arena);
    transport->max_idle = config->max_idle_conns_per_host < 0 ? 0 : (unsigned)config->max_idle_conns_per_host;
    /* What was asked for is looked at, even if no server needs it. */
    if (has_tls_options(&config->tls))
        secure_alone(build, built);
    return transport;
}

bool build_secure(struct build *build, const struct transport *transport)
{
    struct built_transport *built = container_of(transport, struct built_transport, transport);
    return secure_alone(build, built) || (built->named != NULL && build_usable(build, built->named, SPAN_NONE));
}

const struct transport *build_transport(struct build *build, struct str reference, struct str provider, struct span span)
{
    if (str_empty(reference)) {
        if (build->default_transport == NULL)
            build->default_transport =
                compile_transport_config(build, S("default"), NULL, &build->model->config.servers_transport);
        return build->default_transport;
    }
    struct named *named = names_find(&build->names, NAME_TRANSPORT, reference, provider, span, build->compile.diag);
    if (named == NULL)
        return NULL;
    if (named->built == NULL && !named->failed)
        named->built = compile_transport_config(build, named->name, named, named->value);
    return build_usable(build, named, span) ? named->built : NULL;
}

static struct service *new_service(struct build *build, struct str name, struct str provider,
                                   const struct service_type *type, const void *options)
{
    struct service *service = arena_new(&build->graph->arena, struct service);
    service->type = type;
    service->name = name;
    service->provider = provider;
    service->options = options;
    service->pass_host_header = true;
    service->state = arena_zalloc(&build->graph->arena, type->state_size + 1);
    return service;
}

/* Compiles with the compile context set to the object's own provider and path, and back. */
static bool compile_service_state(struct build *build, struct service *service, struct str provider)
{
    struct compile *compile = &build->compile;
    struct str former_provider = compile->provider, former_path = compile->path;
    compile->provider = provider;
    compile->path = service->name;
    bool good = service->type->compile == NULL || service->type->compile(service, compile);
    compile->provider = former_provider;
    compile->path = former_path;
    return good;
}

/* It becomes the graph's, or what was made of it goes at once. */
static bool keep_service(struct build *build, struct service *service, bool good)
{
    if (good) {
        build_service_meter(build, service);
        VEC_PUSH(&build->services, service);
    } else if (service->type->destroy != NULL) {
        service->type->destroy(service);
    }
    return good;
}

/* ping@internal and its kin: a service type of that name that needs no options. */
static struct service *build_internal_service(struct build *build, struct str reference, struct span span)
{
    struct service *service = map_get(&build->service_types, reference);
    if (service != NULL)
        return service;
    if (!build_internal_is_there(build, reference, span))
        return NULL;
    const struct service_type *type = service_find(reference);
    service = new_service(build, arena_str(&build->graph->arena, reference), S("internal"), type, NULL);
    service->internal = true;
    if (!keep_service(build, service, compile_service_state(build, service, S("internal"))))
        return NULL;
    map_put(&build->service_types, service->name, service);
    return service;
}

static void make_service(struct build *build, struct named *named, struct str reference)
{
    struct diag *diag = build->compile.diag;
    const struct service_config *config = named->value;
    struct object object;
    if (named->failed || named->built != NULL)
        return;
    if (config->type.type == NULL) {
        named->failed = true;      /* the binder has said so */
        return;
    }
    const struct service_type *type = container_of(config->type.type, struct service_type, choice);
    named->building = true;
    diag_enter(diag, named->node != NULL ? named->node->key_span : SPAN_NONE, "in service '%.*s'", STR_ARGS(reference));
    build_object_begin(build, &object, named);
    struct service *service = new_service(build, named->name, named->provider, type, config->type.value);
    service->origin = named->node;
    atomic_store(&service->maintenance, config->maintenance ? MAINTENANCE_CONFIGURED : 0);
    bool good = build_object_end(build, &object, compile_service_state(build, service, named->provider));
    diag_leave(diag);
    named->building = false;
    named->built = keep_service(build, service, good) ? service : NULL;
}

struct service *build_service(struct build *build, struct str reference, struct str provider, struct span span)
{
    if (str_ends(reference, S("@internal")))
        return build_internal_service(build, reference, span);
    struct named *named = names_find(&build->names, NAME_SERVICE, reference, provider, span, build->compile.diag);
    if (named == NULL)
        return NULL;
    if (named->building) {
        diag_error(build->compile.diag, span, "the service '%.*s' leads back to itself", STR_ARGS(reference));
        return NULL;
    }
    make_service(build, named, reference);
    return build_usable(build, named, span) ? named->built : NULL;
}

void build_all_services(struct build *build)
{
    const struct map *map = &build->names.maps[NAME_SERVICE];
    for (uint32_t i = 0; i < map->count; i++) {
        struct named *named = map->items[i].value;
        make_service(build, named, named->name);
    }
}
