/* What the process is told to do at once: POST /api/portico/certificates/renew and /api/portico/reload. */
#include "acme/manager.h"
#include "admin/admin.h"
#include "admin/body.h"
#include "admin/change.h"

static const struct body_member renew_members[] = {{.name = "name", .type = BODY_TEXT, .required = true}};

static bool renew(struct admin_call *call)
{
    struct str text;
    json_t *body = body_read(call, renew_members, 1);
    if (body == NULL)
        return change_failed(call, "certificate", STR_NONE, S("renew"));
    struct str name = arena_str(&call->arena, str_from(json_string_value(json_object_get(body, "name"))));
    json_decref(body);
    if (acme_renew(name, &call->arena, &text))
        return change_done(call, "certificate", name, S("renew"), "%.*s", STR_ARGS(text));
    admin_refuse(call, 404, "%.*s", STR_ARGS(text));
    return change_failed(call, "certificate", name, S("renew"));
}

static size_t count_errors(const struct admin_load *load)
{
    size_t count = 0;
    for (size_t i = 0; i < load->note_count; i++)
        count += load->notes[i].severity == DIAG_ERROR;
    return count;
}

/* The first mistake in words; all of them are /api/portico/providers'. */
static bool refuse_configuration(struct admin_call *call)
{
    const struct admin_load *load = &admin_self->last_load;
    size_t errors = count_errors(load);
    for (size_t i = 0; i < load->note_count; i++) {
        const struct admin_note *note = &load->notes[i];
        if (note->severity == DIAG_ERROR)
            return admin_refuse(call, 422, "the configuration was refused, what runs stays as it was: %.*s%s%.*s%s",
                                STR_ARGS(note->place), note->place.len != 0 ? ": " : "", STR_ARGS(note->message),
                                errors > 1 ? " (there are more mistakes)" : "");
    }
    return admin_refuse(call, 422, "the configuration was refused, what runs stays as it was");
}

static bool reload(struct admin_call *call)
{
    json_t *body = body_read(call, NULL, 0);
    if (body == NULL)
        return change_failed(call, "reload", STR_NONE, STR_NONE);
    json_decref(body);
    uint64_t before = admin_self->reloads, failed = admin_self->reloads_failed;
    if (admin_self->actions.reload != NULL)
        admin_self->actions.reload(admin_self->actions.owner);
    if (admin_self->reloads == before) {
        admin_refuse(call, 503, "the process is stopping: the configuration stays as it is");
        return change_failed(call, "reload", STR_NONE, STR_NONE);
    }
    if (admin_self->reloads_failed != failed) {
        refuse_configuration(call);
        return change_failed(call, "reload", STR_NONE, STR_NONE);
    }
    return change_done(call, "reload", STR_NONE, STR_NONE, "configuration %llu is running",
                       (unsigned long long)admin_self->graph->generation);
}

static const struct admin_route renew_route = {.method = "POST",
                                               .path = "/api/portico/certificates/renew",
                                               .summary = "Renews a certificate now, whatever the schedule.",
                                               .answer = renew};
REGISTER(admin_route, renew_route);

static const struct admin_route reload_route = {.method = "POST",
                                                .path = "/api/portico/reload",
                                                .summary = "Reads the configuration again, as SIGHUP does.",
                                                .answer = reload};
REGISTER(admin_route, reload_route);
