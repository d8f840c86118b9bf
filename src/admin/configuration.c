/* GET /api/portico/configuration: each option that was said, as it runs, and where; secrets hidden. */
#include "admin/admin.h"
#include "admin/call.h"
#include "base/map.h"
#include "config/view.h"

/* Each file once; flags and variables are no files. */
static void show_file(const struct node *origin, struct map *shown, struct json *json)
{
    const struct source *source = origin != NULL ? origin->span.source : NULL;
    if (source == NULL || source->word || map_put(shown, source->name, shown) != NULL)
        return;
    json_str(json, source->name);
}

static void show_files(const struct model *model, struct json *json)
{
    struct map shown;
    map_init(&shown, false);
    json_member_array(json, "files");
    show_file(model->config.origin, &shown, json);
    for (size_t i = 0; i < model->part_count; i++) {
        if (model->parts[i].http != NULL)
            show_file(model->parts[i].http->origin, &shown, json);
        if (model->parts[i].tls != NULL)
            show_file(model->parts[i].tls->origin, &shown, json);
    }
    json_end(json);
    map_release(&shown);
}

/* What the main file says of HTTP and TLS is a part as well, and shown with it. */
static void show_options(const struct model *model, struct json *json)
{
    json_member_array(json, "options");
    view_source_items(&config_table, &model->config, STR_NONE, json);
    for (size_t i = 0; i < model->part_count; i++) {
        const struct model_part *part = &model->parts[i];
        if (part->http != NULL && part->http != &model->config.http)
            view_source_items(&http_config_table, part->http, S("http"), json);
        if (part->tls != NULL && part->tls != &model->config.tls)
            view_source_items(&tls_config_table, part->tls, S("tls"), json);
    }
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    json_open_object(&call->json);
    show_options(admin_self->graph->model, &call->json);
    show_files(admin_self->graph->model, &call->json);
    json_end(&call->json);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/configuration",
                                         .summary = "Each option that was said, as it runs, and where; secrets hidden.",
                                         .answer = answer};
REGISTER(admin_route, route);
