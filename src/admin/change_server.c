/* POST /api/portico/servers/{service}/{url}: a server's state and weight, in spite of the configuration. */
#include "admin/admin.h"
#include "admin/body.h"
#include "admin/change.h"
#include "base/diag.h"
#include "base/time.h"
#include "service/load_balancer.h"

#define ACTION "server"
#define CANDIDATES_MAX 64

static const char *const state_words[] = {
    [SERVER_READY] = "ready", [SERVER_DRAINING] = "draining", [SERVER_DOWN] = "down", [SERVER_AS_CONFIGURED] = NULL};

static const struct body_member members[] = {
    {.name = "state", .type = BODY_TEXT, .nullable = true, .words = state_words},
    {.name = "weight", .type = BODY_INT, .nullable = true, .max = BALANCER_WEIGHT_MAX},
};

static struct str suggest(struct admin_call *call, struct str word, const struct str *candidates, size_t count)
{
    struct str near = nearest(word, candidates, count);
    return near.len != 0 ? arena_printf(&call->arena, ": did you mean '%.*s'?", STR_ARGS(near)) : STR_NONE;
}

static const struct service *find_service(struct admin_call *call, struct str name)
{
    const struct graph *graph = admin_self->graph;
    struct str candidates[CANDIDATES_MAX];
    size_t count = 0;
    for (unsigned i = 0; graph != NULL && i < graph->service_count; i++) {
        if (str_equal(graph->services[i]->name, name))
            return graph->services[i];
        if (count < CANDIDATES_MAX)
            candidates[count++] = graph->services[i]->name;
    }
    struct str advice = suggest(call, name, candidates, count);
    admin_refuse(call, 404, "there is no service '%.*s'%.*s", STR_ARGS(name), STR_ARGS(advice));
    return NULL;
}

static const struct target *find_target(struct admin_call *call, const struct service *service, struct str url)
{
    const struct target_set *targets = load_balancer_targets(service);
    struct str candidates[CANDIDATES_MAX];
    size_t count = 0;
    while (str_ends(url, S("/")))
        url.len--;
    for (unsigned i = 0; targets != NULL && i < targets->count; i++) {
        if (str_equal(targets->items[i].server->url, url))
            return &targets->items[i];
        if (count < CANDIDATES_MAX)
            candidates[count++] = targets->items[i].server->url;
    }
    struct str advice = suggest(call, url, candidates, count);
    admin_refuse(call, 404, "service '%.*s' has no server '%.*s'%.*s", STR_ARGS(service->name), STR_ARGS(url), STR_ARGS(advice));
    return NULL;
}

static enum server_state state_of(const json_t *value)
{
    enum server_state state = SERVER_READY;
    if (json_is_null(value))
        return SERVER_AS_CONFIGURED;
    while (strcmp(state_words[state], json_string_value(value)) != 0)
        state++;
    return state;
}

/* "draining, weight 5": what is asked for. */
static struct str describe_wish(struct admin_call *call, const json_t *state, const json_t *weight)
{
    struct text text;
    text_init(&text, 256);
    if (state != NULL)
        text_addf(&text, "%s", json_is_null(state) ? "state as configured" : json_string_value(state));
    if (weight != NULL && json_is_null(weight))
        text_addf(&text, "%sweight as configured", text.len != 0 ? ", " : "");
    else if (weight != NULL)
        text_addf(&text, "%sweight %lld", text.len != 0 ? ", " : "", (long long)json_integer_value(weight));
    struct str wish = arena_str(&call->arena, text_str(&text));
    text_release(&text);
    return wish;
}

static bool order(struct admin_call *call, const struct service *service, const struct target *target, const json_t *body)
{
    static const char *const states[] = {[SERVER_READY] = "takes requests",
                                         [SERVER_DRAINING] = "takes no new requests but of clients that stick to it",
                                         [SERVER_DOWN] = "takes no requests"};
    struct server *server = target->server;
    const json_t *state = json_object_get(body, "state"), *weight = json_object_get(body, "weight");
    if (state != NULL)
        server_order(server, state_of(state));
    if (weight != NULL)
        server_order_weight(server, json_is_null(weight) ? -1 : (int)json_integer_value(weight));
    return change_done(call, ACTION, arena_printf(&call->arena, "%.*s %.*s", STR_ARGS(service->name), STR_ARGS(server->url)),
                       describe_wish(call, state, weight), "the server %s, with weight %u%s", states[target_state(target)],
                       target_base_weight(target),
                       service_is_ready(service, time_monotonic()) ? "" : "; the service has no ready server now");
}

static bool answer(struct admin_call *call)
{
    struct str subject = arena_printf(&call->arena, "%.*s %.*s", STR_ARGS(call->parameters[0]), STR_ARGS(call->parameters[1]));
    const struct service *service = find_service(call, call->parameters[0]);
    const struct target *target = service != NULL ? find_target(call, service, call->parameters[1]) : NULL;
    json_t *body = target != NULL ? body_read(call, members, sizeof(members) / sizeof(members[0])) : NULL;
    if (body == NULL)
        return change_failed(call, ACTION, subject, STR_NONE);
    if (json_object_size(body) != 0)
        order(call, service, target, body);
    else if (admin_refuse(call, 422, "there is nothing to do: give 'state' or 'weight'"))
        change_failed(call, ACTION, subject, STR_NONE);
    json_decref(body);
    return true;
}

static const struct admin_route route = {.method = "POST",
                                         .path = "/api/portico/servers/{service}/{url}",
                                         .summary = "Orders a server's state or weight in spite of the configuration.",
                                         .answer = answer};
REGISTER(admin_route, route);
