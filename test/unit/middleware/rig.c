#include "middleware/rig.h"

#include <stdlib.h>

#include "test.h"

#include "blank_entry.h"

#include "base/memory.h"
#include "base/text.h"
#include "config/bind.h"
#include "config/yaml.h"
#include "http/uri.h"

static void *get_more_shared(struct rig *rig, struct str key, size_t size, void (*init)(void *memory),
                             void (*destroy)(void *memory))
{
    struct rig_shared *it = rig->more_shared;
    for (; it < rig->more_shared + rig->more_shared_count; it++)
        if (str_equal(it->key, key))
            return it->memory;
    assert_true(rig->more_shared_count++ < sizeof(rig->more_shared) / sizeof(rig->more_shared[0]));
    *it = (struct rig_shared){.key = key, .memory = memory_zalloc(size), .destroy = destroy};
    if (init != NULL)
        init(it->memory);
    return it->memory;
}

static void *get_shared(struct compile *compile, struct str key, size_t size,
                        void (*init)(void *memory), void (*destroy)(void *memory))
{
    struct rig *rig = container_of(compile, struct rig, compile);
    if (rig->shared != NULL && !str_equal(rig->shared_key, key))
        return get_more_shared(rig, key, size, init, destroy);
    if (rig->shared != NULL) {
        assert_int_equal(rig->shared_size, size);
        return rig->shared;
    }
    rig->shared_key = key;
    rig->shared = memory_zalloc(size);
    rig->shared_size = size;
    rig->shared_destroy = destroy;
    if (init != NULL)
        init(rig->shared);
    return rig->shared;
}

static const struct perl_regex *get_perl_regex(struct compile *compile, struct str pattern, bool ignore_case, struct span span)
{
    struct rig *rig = container_of(compile, struct rig, compile);
    struct str error;
    size_t offset;
    const struct perl_regex *regex = perl_set_get(&rig->perl_regexes, pattern, ignore_case, &rig->arena, &error, &offset);
    if (regex == NULL)
        diag_error(&rig->diag, span, "%.*s", STR_ARGS(error));
    return regex;
}

static const struct compile_ops ops = {.shared = get_shared, .perl_regex = get_perl_regex};

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    arena_init(&rig->arena, ARENA_UNLIMITED);
    diag_init(&rig->diag, &rig->arena);
    rig->worker = memory_zalloc(sizeof(*rig->worker));
    assert_true(worker_init(rig->worker, 0));
    assert_true(ip_parse(S("192.0.2.1"), &rig->client.peer));
    rig->compile = (struct compile){.ops = &ops,
                                    .arena = &rig->arena,
                                    .diag = &rig->diag,
                                    .path = S("router@file/m@file/type"),
                                    .variables = variable_table_new(&rig->arena, false),
                                    .workers = 2};
    perl_set_init(&rig->perl_regexes);
}

static void destroy_middleware(struct rig *rig)
{
    if (rig->m.type != NULL && rig->m.type->destroy != NULL)
        rig->m.type->destroy(&rig->m);
    rig->m = (struct middleware){0};
}

void rig_release(struct rig *rig)
{
    arena_release(&rig->x.arena);
    destroy_middleware(rig);
    if (rig->shared != NULL && rig->shared_destroy != NULL)
        rig->shared_destroy(rig->shared);
    free(rig->shared);
    for (struct rig_shared *it = rig->more_shared; it < rig->more_shared + rig->more_shared_count; it++) {
        if (it->destroy != NULL)
            it->destroy(it->memory);
        free(it->memory);
    }
    variable_table_release(rig->compile.variables);
    perl_set_release(&rig->perl_regexes);
    worker_release(rig->worker);
    free(rig->worker);
    diag_release(&rig->diag);
    arena_release(&rig->arena);
}

bool rig_configure(struct rig *rig, const char *type, const char *yaml)
{
    destroy_middleware(rig);
    const struct source *source = diag_source(&rig->arena, S("c.yaml"), str_from(yaml));
    const struct node *node = yaml_read(&rig->arena, source, &rig->diag);
    rig->m.type = middleware_find(str_from(type));
    assert_non_null(rig->m.type);
    size_t errors = rig->diag.errors;
    rig->m.options = bind_new(rig->m.type->choice.table, node, NULL, &rig->arena, &rig->diag);
    rig->m.state = arena_zalloc(&rig->arena, rig->m.type->state_size);
    if (rig->diag.errors != errors)
        return false;
    bool good = rig->m.type->compile == NULL || rig->m.type->compile(&rig->m, &rig->compile);
    assert_int_equal(good, rig->diag.errors == errors);
    return good;
}

const char *rig_reported(struct rig *rig)
{
    struct text text;
    text_init(&text, 1 << 20);
    for (size_t i = 0; i < rig->diag.count; i++) {
        diag_render_line(&rig->diag.items[i], &text);
        text_add_char(&text, '\n');
    }
    struct str copy = arena_str(&rig->arena, text_str(&text));
    text_release(&text);
    return copy.data;
}

void rig_begin(struct rig *rig, const char *method, const char *url)
{
    struct exchange *x = &rig->x;
    arena_release(&x->arena);
    memset(x, 0, sizeof(*x));
    arena_init(&x->arena, ARENA_UNLIMITED);
    x->worker = rig->worker;
    x->entry = blank_entry();
    x->stream.client = &rig->client;
    x->running = true;
    x->client_ip = rig->client.peer;

    struct uri uri;
    uint16_t port;
    struct request *request = exchange_request(x);
    assert_true(uri_split(str_from(url), &uri));
    *request = (struct request){.version = HTTP_1_1,
                                .method_name = str_from(method),
                                .scheme = uri.scheme,
                                .authority = uri.authority,
                                .path = uri.path,
                                .query = uri.query};
    x->original_path = uri.path;
    x->original_query = uri.query;
    x->original_method_name = request->method_name;
    request->method = method_identify(request->method_name);
    assert_true(uri_split_authority(&rig->arena, uri.authority, &request->host, &port));
    fields_init(&request->fields, &x->arena, 8);
    size_t size = rig->m.type != NULL ? rig->m.type->exchange_size : 0;
    rig->own = size != 0 ? arena_zalloc(&x->arena, size) : NULL;
}

void rig_field(struct rig *rig, const char *name, const char *value)
{
    struct fields *fields = &exchange_request(&rig->x)->fields;
    enum field_id id = field_identify(name, strlen(name));
    if (id != FIELD_OTHER)
        assert_true(fields_add_id(fields, id, str_from(value)));
    else
        assert_true(fields_add(fields, str_from(name), str_from(value)));
}

void rig_respond(struct rig *rig, int status)
{
    rig->x.response =
        (struct response){.status = status, .version = HTTP_1_1, .body_length = BODY_UNKNOWN};
    fields_init(&rig->x.response.fields, &rig->x.arena, 8);
}

enum verdict rig_request(struct rig *rig)
{
    return rig->m.type->on_request(&rig->x, &rig->m, rig->own);
}

enum verdict rig_response(struct rig *rig)
{
    return rig->m.type->on_response(&rig->x, &rig->m, rig->own);
}

void rig_finish(struct rig *rig)
{
    if (rig->m.type->on_finish != NULL)
        rig->m.type->on_finish(&rig->x, &rig->m, rig->own);
}

void rig_wait(struct rig *rig)
{
    rig->x.waiting = true;
    int64_t limit = time_monotonic() + 5 * TIME_S;
    while (rig->x.waiting && time_monotonic() < limit)
        loop_turn(&rig->worker->loop, 100 * TIME_MS);
    assert_false(rig->x.waiting);
}

struct str rig_request_field(struct rig *rig, const char *name)
{
    return fields_value_name(&exchange_request(&rig->x)->fields, str_from(name));
}

struct str rig_response_field(struct rig *rig, const char *name)
{
    return fields_value_name(&rig->x.response.fields, str_from(name));
}
