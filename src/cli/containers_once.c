#include "cli/containers_once.h"

#include "net/worker.h"
#include "provider/docker/live.h"

#define PATIENCE (5 * TIME_S)
#define ENGINES_MAX 8

static void on_change(void *owner, bool urgent)
{
}

static void on_leaving(void *owner, const struct strs *urls, bool gone)
{
}

static void report_engines(struct diag *diag)
{
    struct docker_live_status engines[ENGINES_MAX];
    size_t count = docker_live_statuses(engines, ENGINES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!engines[i].connected)
            diag_warning(diag, SPAN_NONE, "the engine at %.*s is not read, so nothing is known of its containers: %.*s",
                         STR_ARGS(engines[i].endpoint), STR_ARGS(engines[i].why));
}

void containers_read_once(struct model *model, struct diag *diag)
{
    struct worker control;
    if (model->config.providers.docker == NULL && model->config.providers.swarm == NULL)
        return;
    docker_live_prepare(&model->config);
    if (!worker_init(&control, 0)) {
        diag_warning(diag, SPAN_NONE, "containers cannot be read: %m");
        return;
    }
    docker_live_start(&control.loop, &(struct docker_live_owner){.on_change = on_change, .on_leaving = on_leaving});
    docker_live_use(&model->config);
    docker_live_wait(&control.loop, PATIENCE);
    docker_live_fill(model, diag);
    report_engines(diag);
    docker_live_stop();
    worker_release(&control);
}
