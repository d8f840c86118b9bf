/* Problems: an engine that cannot be read, and containers that are not served although their owner wants it. */
#include "admin/admin.h"
#include "admin/problems.h"
#include "base/time.h"
#include "provider/docker/live.h"

#define ENGINES_MAX 8

static void gather_engines(struct problems *problems)
{
    struct docker_live_status engines[ENGINES_MAX];
    size_t count = docker_live_statuses(engines, ENGINES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct docker_live_status *engine = &engines[i];
        if (engine->connected)
            continue;
        struct problem *problem = problem_add(problems, PROBLEM_ERROR, "provider", "provider", engine->provider);
        problem->text = arena_printf(problems->arena, "the engine at %.*s is not read: what was known of its containers is served on",
                                     STR_ARGS(engine->endpoint));
        problem->hint = arena_str(problems->arena, engine->why);
        problem->since = engine->since / TIME_S;
    }
}

static void gather_containers(struct problems *problems, const struct model *model)
{
    for (size_t i = 0; i < model->discovered_count; i++) {
        const struct discovered *found = &model->discovered[i];
        if (!found->mistake)
            continue;
        struct problem *problem = problem_add(problems, PROBLEM_WARNING, "container", "container", found->name);
        problem->text = arena_printf(problems->arena, "container %.*s %s: %.*s", STR_ARGS(found->name),
                                     found->state == DISCOVERY_LEFT_OUT ? "is left out" : "is not as it should be", STR_ARGS(found->reason));
        problem->hint = arena_str(problems->arena, found->hint);
        problem->since = admin_self->configured_wall / TIME_S;
    }
}

static void gather(struct problems *problems)
{
    gather_engines(problems);
    if (admin_self->graph != NULL)
        gather_containers(problems, admin_self->graph->model);
}

static const struct problem_source containers_source = {.gather = gather};
REGISTER(problem_source, containers_source);
