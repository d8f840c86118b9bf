#include "snapshot/compile.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "exchange/variable_table.h"
#include "observe/access_log.h"
#include "observe/tracer.h"
#include "snapshot/build.h"
#include "snapshot/maintenance.h"
#include "tls/client_pem.h"
#include "upstream/server.h"

static _Atomic uint64_t generations;

static void destroy_graph(struct graph *graph)
{
    struct built_graph *built = container_of(graph, struct built_graph, graph);
    build_sites_release(built);
    build_tls_release(graph);
    build_meters_release(graph);
    for (unsigned i = 0; i < graph->entry_count; i++)
        table_free(graph->entries[i]->table);
    for (size_t i = 0; i < built->policies.count; i++)
        policy_unref(built->policies.items[i]);
    VEC_RELEASE(&built->policies);
    for (size_t i = 0; i < built->middlewares.count; i++)
        if (built->middlewares.items[i]->type->destroy != NULL)
            built->middlewares.items[i]->type->destroy(built->middlewares.items[i]);
    for (unsigned i = 0; i < graph->service_count; i++)
        if (graph->services[i]->type->destroy != NULL)
            graph->services[i]->type->destroy(graph->services[i]);
    build_media_types_release(built);
    for (size_t i = 0; i < built->shared.count; i++)
        shared_unref(built->shared.items[i]);
    for (size_t i = 0; i < built->tls_clients.count; i++)
        tls_client_free(built->tls_clients.items[i]);
    VEC_RELEASE(&built->tls_clients);
    VEC_RELEASE(&built->shared);
    VEC_RELEASE(&built->middlewares);
    if (graph->access_log != NULL)
        access_log_unref(graph->access_log);
    if (graph->tracing != NULL)
        tracer_unref(graph->tracing);
    regex_set_release(&built->regexes);
    perl_set_release(&built->perl_regexes);
    variable_table_release(graph->variables);
    arena_release(&graph->arena);
    model_free(graph->model);
    free(built);
}

static struct service *find_service(struct compile *compile, struct str reference, struct span span)
{
    return build_service(container_of(compile, struct build, compile), reference, compile->provider, span);
}

static const struct transport *find_transport(struct compile *compile, struct str reference, struct span span)
{
    return build_transport(container_of(compile, struct build, compile), reference, compile->provider, span);
}

static bool secure_transport(struct compile *compile, const struct transport *transport)
{
    return build_secure(container_of(compile, struct build, compile), transport);
}

static void *find_shared(struct compile *compile, struct str key, size_t size, void (*init)(void *memory),
                         void (*destroy)(void *memory))
{
    struct build *build = container_of(compile, struct build, compile);
    struct shared *shared = shared_get(key, size, init, destroy);
    VEC_PUSH(&build->built->shared, shared);
    return shared_memory(shared);
}

static const struct media_types *find_media_types(struct compile *compile, struct str reference, struct span span)
{
    return build_media_types(container_of(compile, struct build, compile), reference, compile->provider, span);
}

static const struct perl_regex *find_perl_regex(struct compile *compile, struct str pattern, bool ignore_case, struct span span)
{
    struct build *build = container_of(compile, struct build, compile);
    struct str error = STR_NONE;
    size_t offset = 0;
    const struct perl_regex *regex =
        perl_set_get(&build->built->perl_regexes, pattern, ignore_case, compile->arena, &error, &offset);
    if (regex == NULL)
        diag_error(compile->diag, span, "'%.*s' is no regular expression: %.*s at character %zu", STR_ARGS(pattern),
                   STR_ARGS(error), offset + 1);
    return regex;
}

static struct router *const *find_router(struct compile *compile, struct str reference, struct span span)
{
    return build_site_reference(container_of(compile, struct build, compile), reference, span);
}

static struct middleware **find_middlewares(struct compile *compile, const struct strs *references, const struct node *list,
                                            unsigned *ret_count, size_t *ret_memory)
{
    return build_inner_chain(container_of(compile, struct build, compile), references, list, ret_count, ret_memory);
}

static const struct compile_ops compile_ops = {.service = find_service, .transport = find_transport,
                                               .secure = secure_transport, .shared = find_shared,
                                               .perl_regex = find_perl_regex, .router = find_router,
                                               .middlewares = find_middlewares, .media_types = find_media_types};

static void begin(struct build *build, struct model *model, unsigned workers, struct diag *diag)
{
    build->built = memory_zalloc(sizeof(*build->built));
    build->graph = &build->built->graph;
    build->model = model;
    struct graph *graph = build->graph;
    arena_init(&graph->arena, ARENA_UNLIMITED);
    regex_set_init(&build->built->regexes);
    perl_set_init(&build->built->perl_regexes);
    graph->variables = variable_table_new(&graph->arena, true);
    tls_keep_pipes(true);
    atomic_store(&graph->refs, 1);
    graph->generation = 1 + atomic_fetch_add(&generations, 1);
    graph->destroy = destroy_graph;
    server_new_generation(graph->generation);
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    if (host[0] != '\0')
        graph->forwarded_by = arena_printf(&graph->arena, "X-Forwarded-Server: %s\r\n", host);
    build->compile = (struct compile){.ops = &compile_ops, .arena = &graph->arena, .diag = diag, .workers = workers,
                                      .variables = graph->variables};
    build_meter_bounds(build);
    map_init(&build->service_types, true);
    map_init(&build->firm_policies, false);
    map_init(&build->built_logs, false);
    automatic_prepare(model, &build->wants, diag);
    names_collect(&build->names, model, &graph->arena, diag);
}

static void end(struct build *build)
{
    struct graph *graph = build->graph;
    graph->router_count = (unsigned)build->routers.count;
    graph->routers = arena_array(&graph->arena, struct router *, build->routers.count + 1);
    if (build->routers.count != 0)
        memcpy(graph->routers, build->routers.items, build->routers.count * sizeof(struct router *));
    graph->service_count = (unsigned)build->services.count;
    graph->services = arena_array(&graph->arena, struct service *, build->services.count + 1);
    if (build->services.count != 0)
        memcpy(graph->services, build->services.items, build->services.count * sizeof(struct service *));
    maintenance_apply(graph);
    build_logs_end(build);
    build_tls_end(build);
    tls_keep_pipes(false);
    VEC_RELEASE(&build->routers);
    VEC_RELEASE(&build->services);
    names_release(&build->names);
    map_release(&build->service_types);
}

struct graph *snapshot_compile(struct model *model, unsigned workers, struct diag *diag)
{
    struct build build = {0};
    size_t errors = diag->errors;
    begin(&build, model, workers, diag);
    build_variable_names(&build);
    build_variables(&build);
    build_entries(&build);
    build_certificates(&build);
    build_all_services(&build);
    build_routers(&build);
    build_unused_middlewares(&build);
    build_watch_unused(&build);
    build_remarks(&build);
    build_tls_options(&build);
    variable_table_end(build.graph->variables, diag);
    end(&build);
    if (diag->errors != errors) {
        destroy_graph(build.graph);
        return NULL;
    }
    build.graph->model = model;
    return build.graph;
}
