/* The service that Prometheus asks: prometheus@internal. */
#include "admin/admin.h"
#include "admin/ask.h"
#include "admin/metrics.h"

static void on_metrics(struct metrics *metrics, void *owner)
{
    struct admin_call *call = owner;
    enum exposition exposition = exposition_choose(call->accept);
    call->answer_type = exposition_type(exposition);
    exposition_write(exposition, metrics, &call->out);
    admin_finish(call);
}

static bool answer_metrics(struct admin_call *call)
{
    const struct metrics_config *config = admin_self->graph->model->config.metrics;
    struct metric_scope scope;
    if (call->method != METHOD_GET && call->method != METHOD_HEAD) {
        call->allow = S("GET, HEAD");
        return admin_refuse(call, 405, "metrics are for GET");
    }
    if (config == NULL || config->prometheus == NULL)
        return admin_refuse(call, 404, "metrics.prometheus is not configured");
    metric_scope_prometheus(config->prometheus, &scope);
    if (!metrics_collect(&scope, call, on_metrics))
        return admin_refuse(call, 503, "the process is stopping");
    return false;
}

static enum pick_result pick(struct exchange *x, struct service *service)
{
    return ask_control(x, STR_NONE, answer_metrics);
}

static const struct service_type prometheus = {
    .choice = {.name = "prometheus@internal", .summary = "Metrics for Prometheus."},
    .pick = pick,
};
REGISTER(service_type, prometheus);
