#include "provider/docker/event.h"

#include "provider/docker/inspect.h"
#include "provider/docker/member.h"
#include "provider/docker/question.h"

static const struct {
    struct str action;
    enum event_kind kind;
} actions[] = {
    {STR("create"), EVENT_CHANGED},  {STR("start"), EVENT_STARTED},   {STR("restart"), EVENT_CHANGED}, {STR("pause"), EVENT_CHANGED},
    {STR("unpause"), EVENT_CHANGED}, {STR("rename"), EVENT_CHANGED},  {STR("update"), EVENT_CHANGED},  {STR("stop"), EVENT_CHANGED},
    {STR("oom"), EVENT_CHANGED},     {STR("cleanup"), EVENT_CHANGED}, {STR("kill"), EVENT_KILLED},     {STR("die"), EVENT_DIED},
    {STR("died"), EVENT_DIED},       {STR("destroy"), EVENT_REMOVED}, {STR("remove"), EVENT_REMOVED},
};

/* "health_status: unhealthy", "exec_start: /bin/sh -c ...": the word in front of the colon. */
static enum event_kind kind_of(struct str action)
{
    struct str rest = action, word;
    str_split(&rest, ':', &word);
    if (str_equal_nocase(word, S("health_status")))
        return EVENT_CHANGED;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (str_equal_nocase(word, actions[i].action))
            return actions[i].kind;
    return EVENT_NONE;
}

static bool take_id(struct engine_event *event, struct str id)
{
    if (!question_id_is_good(id))
        return false;
    memcpy(event->id, id.data, id.len);
    event->id[id.len] = '\0';
    return true;
}

static void read_container(const json_t *actor, struct str action, struct engine_event *event)
{
    event->kind = kind_of(action);
    event->signal = inspect_signal(member_text(member_at(actor, "Attributes", "signal", NULL)));
    int64_t code = 0;
    if (str_to_i64(member_text(member_at(actor, "Attributes", "exitCode", NULL)), &code) && code >= INT32_MIN && code <= INT32_MAX)
        event->exit_code = (int)code;
    event->of_task = member_at(actor, "Attributes", "com.docker.swarm.task.id", NULL) != NULL;
    if (!take_id(event, member_text(json_object_get(actor, "ID"))))
        event->kind = EVENT_NONE;
}

static void read_network(const json_t *actor, struct str action, struct engine_event *event)
{
    struct str id = member_text(member_at(actor, "Attributes", "container", NULL));
    if (!str_equal_nocase(action, S("connect")) && !str_equal_nocase(action, S("disconnect")))
        return;
    if (take_id(event, str_empty(id) ? member_text(json_object_get(actor, "ID")) : id))
        event->kind = EVENT_CHANGED;
}

struct engine_event event_read(struct str line)
{
    struct engine_event event = {.kind = EVENT_NONE};
    json_t *json = member_parse(line);
    const json_t *actor = json_object_get(json, "Actor");
    struct str type = member_text(json_object_get(json, "Type")), action = member_text(json_object_get(json, "Action"));
    if (str_empty(action))
        action = member_text(json_object_get(json, "status"));
    if (str_equal(type, S("network")))
        read_network(actor, action, &event);
    else if (str_equal(type, S("service")))
        event.kind = EVENT_SERVICE;
    else if (str_equal(type, S("container")))
        read_container(actor, action, &event);
    json_decref(json);
    return event;
}
