#include "cli/take_up.h"

#include <errno.h>
#include <string.h>

#include "acme/manager.h"
#include "admin/metrics_push.h"
#include "base/log.h"
#include "cli/log_outputs.h"
#include "observe/access_log.h"
#include "observe/line_log.h"
#include "observe/tracer.h"
#include "snapshot/compile.h"
#include "snapshot/publish.h"
#include "tls/vault.h"

static bool configure_logs(const struct graph *graph, struct diag *diag)
{
    const struct log_config *log = &graph->model->config.log;
    struct log_settings settings = {
        .level = (enum log_level)log->level, .heard_below = log_outputs_hear(graph), .format = (enum log_format)log->format, .path = log->file_path, .no_color = log->no_color};
    if (log_configure(&settings))
        return true;
    diag_error(diag, node_span(node_get(log->origin, S("filePath"))), "the log cannot be written: %m");
    return false;
}

/* The running log goes on when it writes the same lines to the same place. */
static bool choose_access_log(struct graph *graph, const struct graph *running, struct diag *diag)
{
    const struct access_log_config *config = graph->model->config.access_log;
    if (config == NULL)
        return true;
    if (running != NULL && running->access_log != NULL && access_log_matches(running->access_log, config))
        graph->access_log = access_log_ref(running->access_log);
    else
        graph->access_log = access_log_new(config);
    if (graph->access_log == NULL)
        diag_error(diag, node_span(node_get(config->origin, S("filePath"))), "the access log cannot be written: %m");
    return graph->access_log != NULL;
}

/* Those that were open stay so. */
bool take_up_open_logs(const struct graph *graph, struct diag *diag)
{
    bool good = true;
    for (unsigned i = 0; i < graph->log_count; i++)
        if (!line_log_open(graph->logs[i])) {
            diag_error(diag, SPAN_NONE, "open() \"%.*s\" failed (%d: %s)", STR_ARGS(line_log_path(graph->logs[i])), errno, strerror(errno));
            good = false;
        }
    return good;
}

/* The same for traces: what is under way to a collector stays so. */
static bool choose_tracing(struct graph *graph, const struct graph *running, struct diag *diag)
{
    const struct tracing_config *config = graph->model->config.tracing;
    if (config == NULL)
        return true;
    if (running != NULL && running->tracing != NULL && tracer_matches(running->tracing, config))
        graph->tracing = tracer_ref(running->tracing);
    else
        graph->tracing = tracer_new(config, diag);
    return graph->tracing != NULL;
}

/* What the graph's files hold is served from now on: before the graph itself, whose first handshake may need it. */
static void serve_certificates(const struct graph *graph)
{
    vault_set(VAULT_FILES, graph != NULL ? graph->certificates : NULL, graph != NULL ? graph->certificate_count : 0);
    vault_set(VAULT_SITES, graph != NULL ? graph->site_certificates : NULL, graph != NULL ? graph->site_certificate_count : 0);
    vault_set_default(graph != NULL ? graph->default_certificate : NULL);
    vault_publish();
}

static bool publish(const struct take_up *place, struct graph *graph, struct diag *diag)
{
    serve_certificates(graph);
    if (snapshot_publish(graph, place->running, place->workers, place->worker_count, diag)) {
        log_outputs_set(graph);
        return true;
    }
    serve_certificates(place->running);
    return false;
}

struct graph *take_up(const struct take_up *place, struct model *model, struct diag *diag)
{
    /* Compiled even when there are mistakes already: what refers to nothing is told in the same run. */
    bool good = diag->errors == 0;
    struct graph *graph = snapshot_compile(model, place->worker_count, diag);
    if (graph == NULL)
        return NULL;
    good = acme_check(model, diag) && good;
    good = metrics_push_check(model, diag) && good;
    if (good && configure_logs(graph, diag) && choose_access_log(graph, place->running, diag) && take_up_open_logs(graph, diag) &&
        choose_tracing(graph, place->running, diag) && publish(place, graph, diag))
        return graph;
    graph->model = NULL;
    graph_unref(graph);
    return NULL;
}
