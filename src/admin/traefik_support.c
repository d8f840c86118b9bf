/* GET /api/support-dump: what somebody who helps has to see, as an archive. Secrets are hidden as they are everywhere in the API. */
#include "admin/admin.h"
#include "admin/gzip.h"
#include "admin/traefik.h"
#include "base/tar.h"
#include "base/time.h"
#include "config/view.h"

static void write_static(const struct graph *graph, struct json *json)
{
    view_object(&config_table, &graph->model->config, VIEW_SAID, json);
}

static void write_version(const struct graph *graph, struct json *json)
{
    traefik_version(json);
}

static bool add_file(struct text *archive, const char *name, void (*write)(const struct graph *graph, struct json *json))
{
    struct text text;
    text_init(&text, ADMIN_ANSWER_MAX);
    struct json json = {.out = &text};
    write(admin_self->graph, &json);
    bool whole = !text.overflow;
    if (whole)
        tar_add(archive, str_from(name), text_str(&text), time_wall() / TIME_S);
    text_release(&text);
    return whole && !archive->overflow;
}

static bool answer(struct admin_call *call)
{
    struct text archive;
    text_init(&archive, ADMIN_ANSWER_MAX);
    bool good = add_file(&archive, "version.json", write_version) && add_file(&archive, "static-config.json", write_static) &&
                add_file(&archive, "runtime-config.json", traefik_rawdata);
    tar_end(&archive);
    good = good && !archive.overflow && gzip_add(&call->out, text_str(&archive));
    text_release(&archive);
    if (!good)
        return admin_refuse(call, 500, "the archive cannot be made");
    call->answer_type = S("application/gzip");
    call->file_name = S("support-dump.tar.gz");
    return true;
}

static const struct admin_route support_dump = {
    .method = "GET",
    .path = "/api/support-dump",
    .summary = "An archive (tar.gz) with version, configuration and what runs; secrets are hidden.",
    .answer = answer};
REGISTER(admin_route, support_dump);
