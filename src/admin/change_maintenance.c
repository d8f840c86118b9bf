/* POST /api/portico/routers/{name} and .../services/{name}: maintenance. */
#include "admin/admin.h"
#include "admin/body.h"
#include "admin/change.h"
#include "snapshot/maintenance.h"

static const struct body_member members[] = {{.name = "maintenance", .type = BODY_BOOL, .required = true}};

static const char *const nouns[] = {[MAINTAINED_ROUTER] = "router", [MAINTAINED_SERVICE] = "service"};

static bool set(struct admin_call *call, enum maintained kind, bool on)
{
    struct str name = call->parameters[0], detail = on ? S("maintenance") : S("back in use");
    switch (admin_self->graph != NULL ? maintenance_set(admin_self->graph, kind, name, on) : MAINTENANCE_UNKNOWN) {
    case MAINTENANCE_DONE:
        return change_done(call, nouns[kind], name, detail, "the %s '%.*s' is %s", nouns[kind], STR_ARGS(name),
                           on ? "under maintenance: it answers 503" : "back in use");
    case MAINTENANCE_IS_CONFIGURED:
        admin_refuse(call, 422, "the %s '%.*s' is under maintenance by its configuration: take the option 'maintenance' out there",
                     nouns[kind], STR_ARGS(name));
        break;
    case MAINTENANCE_REFUSED:
        admin_refuse(call, 422, "the %s '%.*s' is one of Portico's own: it stays in use", nouns[kind], STR_ARGS(name));
        break;
    case MAINTENANCE_UNKNOWN:
        admin_refuse(call, 404, "there is no %s '%.*s'", nouns[kind], STR_ARGS(name));
        break;
    }
    return change_failed(call, nouns[kind], name, detail);
}

static bool answer(struct admin_call *call, enum maintained kind)
{
    json_t *body = body_read(call, members, 1);
    if (body == NULL)
        return change_failed(call, nouns[kind], call->parameters[0], STR_NONE);
    set(call, kind, json_is_true(json_object_get(body, "maintenance")));
    json_decref(body);
    return true;
}

static bool answer_router(struct admin_call *call)
{
    return answer(call, MAINTAINED_ROUTER);
}

static bool answer_service(struct admin_call *call)
{
    return answer(call, MAINTAINED_SERVICE);
}

static const struct admin_route router_route = {.method = "POST",
                                                .path = "/api/portico/routers/{name}",
                                                .summary = "Puts a router under maintenance, or back in use.",
                                                .answer = answer_router};
REGISTER(admin_route, router_route);

static const struct admin_route service_route = {.method = "POST",
                                                 .path = "/api/portico/services/{name}",
                                                 .summary = "Puts a service under maintenance, or back in use.",
                                                 .answer = answer_service};
REGISTER(admin_route, service_route);
