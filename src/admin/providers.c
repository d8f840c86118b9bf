/* GET /api/portico/providers: where the configuration comes from, and what its last reading had to say. */
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/words.h"
#include "base/map.h"

static const char *const severities[] = {[DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};

static void show_note(const struct admin_note *note, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "severity", severities[note->severity]);
    words_member_str(json, "place", note->place);
    json_member_str(json, "message", note->message);
    words_member_str(json, "hint", note->hint);
    words_member_str(json, "line", note->line);
    json_member_uint(json, "column", note->column);
    json_member_uint(json, "length", note->length);
    json_end(json);
}

static void show_left_out(const struct model *model, struct str provider, struct json *json)
{
    json_member_array(json, "leftOut");
    for (size_t i = 0; i < model->remark_count; i++) {
        const struct remark *remark = &model->remarks[i];
        if (!remark->left_out || !str_equal(remark->provider, provider))
            continue;
        json_open_object(json);
        json_member_text(json, "kind", remark_kind_text(remark->kind));
        json_member_str(json, "name", remark->name);
        json_member_str(json, "reason", remark->reason);
        words_member_str(json, "place", remark->place);
        json_end(json);
    }
    json_end(json);
}

/* All providers are read together, so they share what the reading had to say. */
static void show(struct str provider, struct json *json)
{
    const struct admin_load *load = &admin_self->last_load;
    json_open_object(json);
    json_member_str(json, "name", provider);
    words_member_time(json, "loadedAt", load->at);
    json_member_bool(json, "good", load->good);
    json_member_array(json, "notes");
    for (size_t i = 0; i < load->note_count; i++)
        show_note(&load->notes[i], json);
    json_end(json);
    show_left_out(admin_self->graph->model, provider, json);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    struct map shown;
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    const struct model *model = admin_self->graph->model;
    map_init(&shown, false);
    json_open_array(&call->json);
    for (size_t i = 0; i < model->part_count; i++)
        if (map_put(&shown, model->parts[i].provider, &shown) == NULL)
            show(model->parts[i].provider, &call->json);
    json_end(&call->json);
    map_release(&shown);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/providers",
                                         .summary = "Where the configuration comes from, and what its last reading had to say.",
                                         .answer = answer};
REGISTER(admin_route, route);
