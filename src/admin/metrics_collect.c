/* A moment of all there is: the workers are asked, and with what they say everything else is read. */
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/metrics_read.h"
#include "base/memory.h"

struct collection {
    struct metric_scope scope;
    void *owner;
    void (*done)(struct metrics *metrics, void *owner);
};

/* `survey`: NULL, or one that was cut short: the workers end, and what they alone know stays as it was last told. */
static void read_all(struct metrics *metrics, const struct survey *survey)
{
    const struct graph *graph = admin_self->graph;
    struct worker *control = admin_self->control;
    metrics->began_wall = admin_self->started_wall;
    metrics->now_wall = control->loop.wall;
    metrics_read_traffic(metrics, graph);
    metrics_read_servers(metrics, graph, control->loop.now);
    if (survey != NULL && survey->whole)
        metrics_read_workers(metrics, survey);
    metrics_read_limits(metrics, graph);
    metrics_read_certificates(metrics, control);
    metrics_read_process(metrics);
    if (metrics->scope.reader == METRIC_FOR_OTLP)
        metrics_read_semantic(metrics, graph);
}

static void on_reports(struct survey *survey)
{
    struct collection *collection = survey->owner;
    struct metrics metrics;
    metrics_init(&metrics, &collection->scope);
    read_all(&metrics, survey);
    collection->done(&metrics, collection->owner);
    metrics_release(&metrics);
    free(collection);
}

bool metrics_collect(const struct metric_scope *scope, void *owner, void (*done)(struct metrics *metrics, void *owner))
{
    struct collection *collection = memory_alloc(sizeof(*collection));
    *collection = (struct collection){.scope = *scope, .owner = owner, .done = done};
    if (admin_self != NULL && admin_self->graph != NULL && survey_start(SURVEY_RESET_LAG, 0, collection, on_reports))
        return true;
    free(collection);
    return false;
}

void metrics_collect_last(const struct metric_scope *scope, void *owner, void (*done)(struct metrics *metrics, void *owner))
{
    struct metrics metrics;
    metrics_init(&metrics, scope);
    read_all(&metrics, NULL);
    done(&metrics, owner);
    metrics_release(&metrics);
}
