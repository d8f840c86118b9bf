/* GET /api/portico/containers: the engines that are read, and every container (or Swarm task) that was found there, with what became
 * of it: served, not ready, about to stop, left out, each with its reason. */
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/words.h"
#include "provider/docker/live.h"

#define ENGINES_MAX 8

static const char *const states[] = {[DISCOVERY_SERVED] = "served",
                                     [DISCOVERY_NOT_READY] = "notReady",
                                     [DISCOVERY_LEAVING] = "leaving",
                                     [DISCOVERY_LEFT_OUT] = "leftOut"};

static void show_engine(const struct docker_live_status *engine, struct json *json)
{
    json_open_object(json);
    json_member_str(json, "provider", engine->provider);
    json_member_str(json, "endpoint", engine->endpoint);
    json_member_bool(json, "connected", engine->connected);
    words_member_str(json, "version", engine->version);
    words_member_str(json, "why", engine->why);
    words_member_time(json, "since", engine->since);
    json_member_uint(json, "events", engine->events);
    json_member_uint(json, "readings", engine->readings);
    json_end(json);
}

static void show_list(const char *key, const struct strs *list, struct json *json)
{
    json_member_array(json, key);
    for (size_t i = 0; i < list->count; i++)
        json_str(json, list->items[i]);
    json_end(json);
}

static void show_container(const struct discovered *found, struct json *json)
{
    json_open_object(json);
    json_member_str(json, "provider", found->provider);
    json_member_str(json, "id", found->id);
    json_member_str(json, "name", found->name);
    words_member_str(json, "image", found->image);
    json_member_text(json, "state", states[found->state]);
    json_member_bool(json, "mistake", found->mistake);
    words_member_str(json, "reason", found->reason);
    words_member_str(json, "hint", found->hint);
    show_list("routers", &found->routers, json);
    show_list("servers", &found->servers, json);
    json_end(json);
}

static bool answer(struct admin_call *call)
{
    struct docker_live_status engines[ENGINES_MAX];
    struct json *json = &call->json;
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    const struct model *model = admin_self->graph->model;
    size_t count = docker_live_statuses(engines, ENGINES_MAX);
    json_open_object(json);
    json_member_array(json, "engines");
    for (size_t i = 0; i < count; i++)
        show_engine(&engines[i], json);
    json_end(json);
    json_member_array(json, "containers");
    for (size_t i = 0; i < model->discovered_count; i++)
        show_container(&model->discovered[i], json);
    json_end(json);
    json_end(json);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/containers",
                                         .summary = "Engines that are read, and what became of each container there.",
                                         .answer = answer};
REGISTER(admin_route, route);
