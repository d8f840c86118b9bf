#include "admin/running.h"

#include "test.h"

#include "base/memory.h"
#include "config/bind.h"
#include "config/yaml.h"
#include "snapshot/compile.h"

void running_use(struct running *running, const char *yaml, void (*prepare)(struct model *model))
{
    struct model *model = model_new();
    struct diag diag;
    diag_init(&diag, &model->arena);
    const struct node *root = yaml_read(&model->arena, diag_source(&model->arena, S("c.yaml"), str_from(yaml)), &diag);
    bind_object(&config_table, root, &model->config, NULL, &model->arena, &diag);
    model_add_part(model, S("file"), &model->config.http, &model->config.tls);
    if (prepare != NULL)
        prepare(model);
    struct graph *graph = snapshot_compile(model, 1, &diag);
    if (graph == NULL) {
        struct text text;
        text_init(&text, 1 << 20);
        diag_render(&diag, false, &text);
        fail_msg("%s", text_c(&text));
    }
    admin_use(graph, &diag);
    graph_unref(graph);
    diag_release(&diag);
}

void running_start(struct running *running, const char *yaml, void (*prepare)(struct model *model))
{
    *running = (struct running){.control = memory_zalloc(sizeof(*running->control))};
    assert_true(worker_init(running->control, 0));
    admin_start(running->control, NULL, 0, &(struct admin_actions){.owner = NULL});
    running_use(running, yaml, prepare);
}

static void end_call(struct running *running)
{
    if (running->called)
        admin_call_release(&running->call);
    running->called = false;
}

void running_stop(struct running *running)
{
    end_call(running);
    admin_stopping();
    admin_stop();
    worker_release(running->control);
    free(running->control);
}

const char *running_get(struct running *running, const char *path, const char *query)
{
    end_call(running);
    admin_call_init(&running->call, METHOD_GET, str_from(path), str_from(query));
    running->called = true;
    assert_true(admin_answer(&running->call));
    return text_c(&running->call.out);
}

json_t *running_json(struct running *running, const char *path, const char *query, int status)
{
    json_error_t error;
    const char *text = running_get(running, path, query);
    json_t *json = json_loads(text, 0, &error);
    if (json == NULL)
        fail_msg("%s: %s in %s", path, error.text, text);
    assert_int_equal(running->call.status, status);
    return json;
}
