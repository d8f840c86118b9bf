#include "bench.h"

#include "test.h"

#include "blank_entry.h"

#include "base/time.h"
#include "config/bind.h"
#include "exchange/graph.h"

static struct router test_router;

static struct service *find_service(struct compile *compile, struct str reference, struct span span)
{
    struct bench *bench = (struct bench *)(void *)compile;
    for (unsigned i = 0; i < bench->count; i++)
        if (str_starts(bench->services[i]->name, reference))
            return bench->services[i];
    diag_error(compile->diag, span, "unknown service '%.*s'", STR_ARGS(reference));
    return NULL;
}

static const struct transport *find_transport(struct compile *compile, struct str reference, struct span span)
{
    static const struct transport transport = {.name = STR("default"), .max_idle = 1};
    if (str_empty(reference))
        return &transport;
    diag_error(compile->diag, span, "unknown serversTransport '%.*s'", STR_ARGS(reference));
    return NULL;
}

static bool secure(struct compile *compile, const struct transport *transport)
{
    return true;
}

static const struct compile_ops ops = {.service = find_service, .transport = find_transport, .secure = secure};

void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    fixture_init(&bench->fixture);
    bench->compile = (struct compile){.ops = &ops, .arena = &bench->fixture.arena, .diag = &bench->fixture.diag,
                                      .provider = S("test"), .workers = 1};
    bench->worker.loop.now = 1000 * TIME_S;
    arena_init(&bench->x.arena, ARENA_UNLIMITED);
}

static void let_go(struct bench *bench)
{
    if (bench->x.server == NULL)
        return;
    server_end(bench->x.server, bench->worker.index, bench->x.weighed);
    bench->x.server = NULL;
}

void bench_release(struct bench *bench)
{
    let_go(bench);
    for (unsigned i = 0; i < bench->count; i++)
        if (bench->services[i]->type->destroy != NULL)
            bench->services[i]->type->destroy(bench->services[i]);
    arena_release(&bench->x.arena);
    fixture_release(&bench->fixture);
}

struct service *bench_service(struct bench *bench, const char *name, const char *type, const char *yaml)
{
    struct fixture *fixture = &bench->fixture;
    struct service *service = arena_new(&fixture->arena, struct service);
    service->type = service_find(str_from(type));
    assert_non_null(service->type);
    struct node *node = fixture_yaml(fixture, yaml);
    service->options = bind_new(service->type->choice.table, node, NULL, &fixture->arena, &fixture->diag);
    service->name = arena_printf(&fixture->arena, "%s@test", name);
    service->state = arena_zalloc(&fixture->arena, service->type->state_size + 1);
    service->pass_host_header = true;
    if (fixture->diag.errors != 0)
        return NULL;
    if (service->type->compile != NULL && !service->type->compile(service, &bench->compile))
        return NULL;
    bench->services[bench->count++] = service;
    return service;
}

void bench_request(struct bench *bench, struct service *service, const char *cookie)
{
    struct exchange *x = &bench->x;
    let_go(bench);
    arena_release(&x->arena);
    memset(x, 0, sizeof(*x));
    arena_init(&x->arena, ARENA_UNLIMITED);
    x->worker = &bench->worker;
    x->entry = blank_entry();
    x->admitted = x->replayable = true;
    x->stream.arena = &x->arena;
    fields_init(&x->stream.request.fields, &x->arena, 4);
    fields_init(&x->response.fields, &x->arena, 4);
    if (cookie != NULL)
        fields_add_id(&x->stream.request.fields, FIELD_COOKIE, str_from(cookie));
    test_router = (struct router){.service = service, .extras = &router_no_extras};
    x->router = &test_router;
    x->admitted = true;
    x->service = service;
}

enum pick_result bench_pick(struct bench *bench)
{
    struct exchange *x = &bench->x;
    enum pick_result result;
    let_go(bench);
    while ((result = x->service->type->pick(x, x->service)) == PICK_SERVICE)
        ;
    if (result == PICK_SERVER) {
        x->times.picked = bench->worker.loop.now;
        x->attempts++;
    }
    return result;
}

void bench_attempt(struct bench *bench, enum status outcome, int response_status)
{
    struct exchange *x = &bench->x;
    x->response.status = x->upstream_status = response_status;
    x->failure = outcome;
    x->service->type->on_attempt(x, x->service, outcome);
    let_go(bench);
}
