#include "admin/metrics_push.h"

#include "admin/admin.h"
#include "admin/metrics.h"
#include "base/log.h"
#include "observe/otlp.h"

#define BODY_MAX ((size_t)64 << 20)
/* Two of the largest: what waits longer than an interval is the older part of the same story. */
#define QUEUE_LIMIT ((int64_t)128 << 20)

static struct otlp_target *target;    /* NULL: nothing is pushed */
static struct timer timer;
static bool collecting;

static const struct otlp_metrics *config_of(const struct model *model)
{
    return model->config.metrics != NULL ? model->config.metrics->otlp : NULL;
}

static struct otlp_target *get_target(const struct otlp_metrics *config, struct diag *diag)
{
    struct otlp_settings settings = {.signal = OTLP_METRICS, .http = config->http, .grpc = config->grpc, .queue_limit = QUEUE_LIMIT};
    return otlp_target_get(&settings, diag);
}

bool metrics_push_check(const struct model *model, struct diag *diag)
{
    const struct otlp_metrics *config = config_of(model);
    if (config == NULL)
        return true;
    struct otlp_target *checked = get_target(config, diag);
    otlp_target_unref(checked);
    return checked != NULL;
}

static void on_metrics(struct metrics *metrics, void *owner)
{
    const struct otlp_metrics *config = config_of(admin_self->graph->model);
    struct text body;
    collecting = false;
    if (config == NULL || target == NULL)
        return;      /* a configuration came between */
    text_init(&body, BODY_MAX);
    size_t points = otlp_target_encoding(target) == OTLP_JSON ? metrics_write_otlp_json(metrics, config, &body)
                                                              : metrics_write_otlp(metrics, config, &body);
    if (body.overflow)
        log_warn("metrics are not pushed: they are larger than %zu bytes", BODY_MAX);
    else
        otlp_send(target, &body, (unsigned)points);
    text_release(&body);
}

static void push(const struct otlp_metrics *config)
{
    struct metric_scope scope;
    metric_scope_otlp(config, &scope);
    if (collecting)
        return;
    collecting = true;                /* on_metrics may be called at once */
    if (!metrics_collect(&scope, NULL, on_metrics))
        collecting = false;
}

static void on_interval(struct timer *expired)
{
    const struct otlp_metrics *config = config_of(admin_self->graph->model);
    push(config);
    timer_after(&admin_self->control->loop, &timer, config->push_interval);
}

static void start(void)
{
    timer_init(&timer, on_interval);
}

/* Targets with the same options are one, so a reload goes on with the same queue. */
static void use(struct graph *graph)
{
    const struct otlp_metrics *config = config_of(graph->model);
    struct otlp_target *former = target;
    struct arena arena;
    struct diag diag;                 /* metrics_push_check has told what is wrong, if anything is */
    arena_init(&arena, ARENA_UNLIMITED);
    diag_init(&diag, &arena);
    target = config != NULL ? get_target(config, &diag) : NULL;
    diag_release(&diag);
    arena_release(&arena);
    otlp_target_unref(former);
    timer_cancel(&timer);
    if (target != NULL)
        timer_after(&admin_self->control->loop, &timer, config->push_interval);
}

static void stopping(void)
{
    timer_cancel(&timer);
}

/* The last word: what came since the last interval, with all requests ended. */
static void stop(void)
{
    struct metric_scope scope;
    timer_cancel(&timer);
    if (target != NULL && admin_self->graph != NULL) {
        metric_scope_otlp(config_of(admin_self->graph->model), &scope);
        metrics_collect_last(&scope, NULL, on_metrics);
    }
    otlp_target_unref(target);
    target = NULL;
    collecting = false;
}

static const struct admin_part metrics_push = {.start = start, .use = use, .stopping = stopping, .stop = stop};
REGISTER(admin_part, metrics_push);
