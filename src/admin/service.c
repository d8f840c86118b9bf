/* The services that routers send people to: api@internal has the API and the dashboard, dashboard@internal the dashboard alone. */
#include "admin/ask.h"
#include "admin/assets.h"
#include "admin/feed.h"
#include "exchange/graph.h"

/* "/" and "/base/" both mean: with a slash in front of what follows. */
static struct str base_path(const struct exchange *x)
{
    const struct api_config *api = x->graph->model->config.api;
    struct str base = api != NULL ? api->base_path : STR_NONE;
    while (str_ends(base, S("/")))
        base = str_first(base, base.len - 1);
    return str_starts(x->stream.request.path, base) ? base : STR_NONE;      /* a middleware may have taken it off */
}

/* The dashboard's links are relative to /dashboard/. What stood in front of the path and was taken off is the client's. */
static enum pick_result redirect_to_dashboard(struct exchange *x, struct str base)
{
    struct str prefix = fields_value(&exchange_request(x)->fields, FIELD_X_FORWARDED_PREFIX);
    struct str front = str_starts(prefix, S("/")) && !str_starts(prefix, S("//")) ? prefix : STR_NONE;
    exchange_answer_redirect(x, 302, arena_printf(&x->arena, "%.*s%.*s/dashboard/", STR_ARGS(front), STR_ARGS(base)));
    return PICK_ANSWER;
}

static enum pick_result answer_dashboard(struct exchange *x, struct service *service)
{
    struct str base = base_path(x), path = str_from_index(exchange_request(x)->path, base.len);
    const struct api_config *api = x->graph->model->config.api;
    if (api != NULL && !api->dashboard) {
        exchange_answer_status(x, 404, STATUS_OK);
        return PICK_ANSWER;
    }
    if (str_equal(path, S("")) || str_equal(path, S("/")) || str_equal(path, S("/dashboard")))
        return redirect_to_dashboard(x, base);
    if (str_starts(path, S("/dashboard/")))
        path = str_from_index(path, S("/dashboard/").len);
    else
        path = S("-");      /* no file has this name */
    asset_answer(x, path);
    return PICK_ANSWER;
}

static const struct admin_stream *find_stream(const struct request *request, struct str path)
{
    if (request->method == METHOD_GET)
        REGISTRY_FOREACH(admin_stream, const struct admin_stream, it)
            if (str_equal(str_from((*it)->path), path))
                return *it;
    return NULL;
}

static enum pick_result answer_api(struct exchange *x, struct service *service)
{
    struct str base = base_path(x), path = str_from_index(exchange_request(x)->path, base.len);
    if (!str_starts(path, S("/api")) && !str_starts(path, S("/debug/")))
        return answer_dashboard(x, service);
    const struct admin_stream *stream = find_stream(exchange_request(x), path);
    return stream != NULL ? stream->listen(x) : ask_control(x, base, admin_answer);
}

static const struct service_type api = {
    .choice = {.name = "api@internal", .summary = "The API and the dashboard."},
    .pick = answer_api,
};
REGISTER(service_type, api);

static const struct service_type dashboard = {
    .choice = {.name = "dashboard@internal", .summary = "The dashboard."},
    .pick = answer_dashboard,
};
REGISTER(service_type, dashboard);
