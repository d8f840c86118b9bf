/* GET /api/portico/overview: what this is, how long it has run, and how much there is of everything. */
#include <unistd.h>

#include "acme/manager.h"
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/live.h"
#include "admin/problems.h"
#include "admin/words.h"
#include "base/version.h"
#include "service/stopping.h"

static void show_features(const struct config *config, struct json *json)
{
    const struct metrics_config *metrics = config->metrics;
    const char *exporter = metrics == NULL ? "" : metrics->prometheus != NULL ? "Prometheus" : metrics->otlp != NULL ? "OpenTelemetry" : "";
    json_member_object(json, "features");
    json_member_bool(json, "accessLog", config->access_log != NULL);
    json_member_text(json, "metrics", exporter);
    json_member_text(json, "tracing", config->tracing != NULL ? "OpenTelemetry" : "");
    json_end(json);
}

static void show_server_counts(struct json *json)
{
    const struct live_things *servers = live_all(LIVE_SERVER);
    uint64_t counts[SERVER_WORD_COUNT] = {0};
    for (size_t i = 0; i < servers->count; i++)
        counts[servers->items[i].standing->word]++;
    json_member_object(json, "servers");
    json_member_uint(json, "up", counts[SERVER_IS_READY]);
    json_member_uint(json, "down", servers->count - counts[SERVER_IS_READY] - counts[SERVER_IS_DRAINING] - counts[SERVER_IS_LEAVING]);
    json_member_uint(json, "draining", counts[SERVER_IS_DRAINING] + counts[SERVER_IS_LEAVING]);
    json_member_uint(json, "total", servers->count);
    json_end(json);
}

/* Those that people wrote, each once, whatever number of chains it is in. */
static uint64_t count_middlewares(const struct model *model)
{
    uint64_t count = 0;
    for (size_t i = 0; i < model->part_count; i++)
        if (model->parts[i].http != NULL)
            count += model->parts[i].http->middlewares.count;
    return count;
}

static void show_counts(const struct graph *graph, const struct survey *survey, struct admin_call *call)
{
    struct json *json = &call->json;
    uint64_t exchanges = 0, connections = 0;
    for (unsigned i = 0; i < survey->count; i++) {
        exchanges += survey->reports[i].exchanges;
        connections += survey->reports[i].connections;
    }
    json_member_object(json, "counts");
    json_member_uint(json, "entryPoints", graph->entry_count);
    json_member_uint(json, "routers", live_all(LIVE_ROUTER)->count);
    json_member_uint(json, "services", graph->service_count);
    json_member_uint(json, "middlewares", count_middlewares(graph->model));
    show_server_counts(json);
    json_member_uint(json, "certificates", graph->certificate_count + acme_list(&call->arena).count);
    json_member_uint(json, "openExchanges", exchanges);
    json_member_uint(json, "openConnections", connections);
    json_end(json);
}

/* Since the process began, of the entrypoints that it has now. */
static void show_totals(const struct graph *graph, struct json *json)
{
    struct meter_sum sum = {.count = 0};
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (graph->entries[i]->meter != NULL)
            meter_sum(graph->entries[i]->meter, &sum);
    json_member_object(json, "totals");
    json_member_uint(json, "requests", sum.count);
    json_member_uint(json, "errors", sum.errors);
    json_member_uint(json, "refused", sum.refused);
    json_member_uint(json, "bytesIn", sum.bytes_in);
    json_member_uint(json, "bytesOut", sum.bytes_out);
    json_end(json);
}

static void show(struct admin_call *call, const struct survey *survey)
{
    const struct admin *admin = admin_self;
    const struct graph *graph = admin->graph;
    struct json *json = &call->json;
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    json_open_object(json);
    json_member_text(json, "version", PORTICO_VERSION);
    json_member_uint(json, "generation", graph->generation);
    json_member_text(json, "host", host);
    words_member_time(json, "startedAt", admin->started_wall);
    json_member_int(json, "uptimeSeconds", (admin->control->loop.wall - admin->started_wall) / TIME_S);
    words_member_time(json, "configuredAt", admin->configured_wall);
    json_member_uint(json, "workers", admin->worker_count);
    json_member_bool(json, "stopping", stopping_now() != 0);
    json_member_bool(json, "canWrite", call->may_write);
    words_member_str(json, "user", call->user);
    show_features(&graph->model->config, json);
    show_counts(graph, survey, call);
    show_totals(graph, json);
    json_member_uint(json, "reloads", admin->reloads);
    json_member_uint(json, "reloadsFailed", admin->reloads_failed);
    json_member_uint(json, "problems", problems_count());
    json_end(json);
}

/* Numbers of the workers are asked for first. */
static void on_survey(struct survey *survey)
{
    struct admin_call *call = survey->owner;
    if (admin_self == NULL || admin_self->graph == NULL)
        admin_refuse(call, 503, "the process is stopping");
    else
        show(call, survey);
    admin_finish(call);
}

static bool answer(struct admin_call *call)
{
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    if (survey_start(0, 0, call, on_survey))
        return false;
    show(call, &(struct survey){.count = 0});
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/overview",
                                         .summary = "What this is, how long it has run, and how much there is of everything.",
                                         .answer = answer};
REGISTER(admin_route, route);
