#include "cli/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acme/manager.h"
#include "admin/admin.h"
#include "admin/metrics_push.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/stop.h"
#include "cli/supervisor.h"
#include "cli/watchdog.h"
#include "exchange/port.h"
#include "middleware/password_pool.h"
#include "net/signals.h"
#include "observe/access_log.h"
#include "observe/otlp.h"
#include "observe/tracer.h"
#include "provider/watch.h"
#include "snapshot/compile.h"
#include "snapshot/publish.h"
#include "tls/conn.h"
#include "tls/tickets.h"
#include "tls/vault.h"
#include "upstream/health.h"
#include "upstream/resolve.h"

struct process {
    const struct settings *settings;
    struct worker control;
    struct worker *workers;
    unsigned worker_count;
    struct graph *graph;              /* one reference */
    struct signals signals;
    struct file_watch watch;
    struct settings_files files;      /* as they were read last */
    int64_t changed_at;               /* monotonic ns of the last change of files that was taken up; 0: none yet */
    struct timer throttle;
    struct stop stop;
    bool started;                     /* workers and control are there, although perhaps no graph */
};

/* ---- loading ---- */

static bool configure_logs(const struct model *model, struct diag *diag)
{
    const struct log_config *log = &model->config.log;
    struct log_settings settings = {
        .level = (enum log_level)log->level, .format = (enum log_format)log->format, .path = log->file_path, .no_color = log->no_color};
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

static unsigned count_workers(const struct model *model)
{
    return model->config.workers != 0 ? (unsigned)model->config.workers : worker_default_count();
}

/* What the graph's files hold is served from now on: before the graph itself, whose first handshake may need it. */
static void serve_certificates(const struct graph *graph)
{
    vault_set(VAULT_FILES, graph != NULL ? graph->certificates : NULL, graph != NULL ? graph->certificate_count : 0);
    vault_set_default(graph != NULL ? graph->default_certificate : NULL);
    vault_publish();
}

static bool publish(struct process *process, struct graph *graph, struct diag *diag)
{
    serve_certificates(graph);
    if (snapshot_publish(graph, process->graph, process->workers, process->worker_count, diag))
        return true;
    serve_certificates(process->graph);
    return false;
}

/* A new graph, published, or NULL with the mistakes in `diag`; the model is still the caller's then, who shows them from it. */
static struct graph *load(struct process *process, struct model *model, struct diag *diag)
{
    /* Compiled even when there are mistakes already: what refers to nothing is told in the same run. */
    bool good = diag->errors == 0;
    struct graph *graph = snapshot_compile(model, process->worker_count, diag);
    if (graph == NULL)
        return NULL;
    good = acme_check(model, diag) && good;
    good = metrics_push_check(model, diag) && good;
    if (good && configure_logs(model, diag) && choose_access_log(graph, process->graph, diag) &&
        choose_tracing(graph, process->graph, diag) && publish(process, graph, diag))
        return graph;
    graph->model = NULL;
    graph_unref(graph);
    return NULL;
}

static void adopt(struct process *process, struct graph *graph, const struct diag *diag)
{
    if (process->graph != NULL)
        graph_unref(process->graph);
    process->graph = graph;
    acme_update(graph);
    admin_use(graph, diag);
}

/* A line for each, so that whatever collects the log can show them. */
static void log_diag(struct diag *diag)
{
    static const enum log_level levels[] = {[DIAG_ERROR] = LOG_ERROR, [DIAG_WARNING] = LOG_WARN, [DIAG_NOTE] = LOG_INFO};
    struct text text;
    text_init(&text, (size_t)1 << 20);
    diag_sort(diag);
    for (size_t i = 0; i < diag->count; i++) {
        text_clear(&text);
        diag_render_line(&diag->items[i], &text);
        log_at(levels[diag->items[i].severity], "%s", text_c(&text));
    }
    text_release(&text);
}

static void tell_supervisor(const struct graph *graph, bool refused)
{
    char status[256];
    snprintf(status, sizeof(status), "configuration %llu is running: %u routers, %u services%s",
             (unsigned long long)graph->generation, graph->router_count, graph->service_count,
             refused ? "; the last one was refused, see the log" : "");
    supervisor_ready(status);
}

/* Whoever stops takes nothing new: entrypoints would open again, and workers that are done would hear of it too late. */
static void reload(struct process *process, bool asked)
{
    if (stop_has_begun(&process->stop)) {
        log_info("stopping: the configuration stays as it is");
        return;
    }
    /* Logs are often written beside it: to parse all of it each time would cost more than the traffic. */
    if (!asked && settings_files_unchanged(&process->files))
        return;
    struct diag diag;
    struct settings settings = *process->settings;
    settings.reloading = true;
    settings_files_release(&process->files);
    process->files = (struct settings_files){.paths = {0}};
    struct model *model = settings_load(&settings, &diag, &process->files);
    file_watch_set(&process->watch, &process->files);
    process->changed_at = process->control.loop.now;
    supervisor_reloading();
    if (count_workers(model) != process->worker_count)
        log_warn("'workers' takes effect when the process is started again");
    struct graph *graph = load(process, model, &diag);
    log_diag(&diag);
    if (graph != NULL) {
        adopt(process, graph, &diag);
        if (asked)
            acme_retry();
        log_info("configuration %llu is running: %u routers, %u services", (unsigned long long)graph->generation,
                 graph->router_count, graph->service_count);
    } else {
        admin_refused(&diag);
        log_error("the configuration has %zu mistake%s; what runs stays as it was", diag.errors, diag.errors == 1 ? "" : "s");
    }
    tell_supervisor(process->graph, graph == NULL);
    diag_release(&diag);
    if (graph == NULL)
        model_free(model);
}

static void on_reload_wish(void *owner)
{
    reload(owner, true);
}

/* ---- the control thread's events ---- */

/* A change that follows the last one too soon waits (providersThrottleDuration): many at once make few snapshots. */
static void on_files_changed(struct file_watch *watch)
{
    struct process *process = watch->owner;
    struct loop *loop = &process->control.loop;
    int64_t ready_at = process->changed_at + process->graph->model->config.providers.throttle_duration;
    if (process->changed_at == 0 || loop->now >= ready_at)
        reload(process, false);
    else
        timer_set(loop, &process->throttle, ready_at);
}

static void on_throttle_end(struct timer *timer)
{
    on_files_changed(&container_of(timer, struct process, throttle)->watch);
}

static void reopen_logs(struct process *process)
{
    bool good = log_reopen();
    if (process->graph->access_log != NULL)
        good = access_log_reopen(process->graph->access_log) && good;
    if (!good)
        log_error("a log file cannot be opened again: %m");
}

static void stop(struct process *process)
{
    if (!stop_has_begun(&process->stop))
        supervisor_stopping();
    stop_begin(&process->stop, process->graph);
}

static void on_signal(struct signals *signals, int number)
{
    struct process *process = signals->owner;
    if (number == SIGHUP)
        reload(process, true);
    else if (number == SIGUSR1)
        reopen_logs(process);
    else if (number != SIGUSR2)
        stop(process);
}

/* ---- the life of the process ---- */

static void on_health_change(struct server *server, bool healthy, const char *why)
{
    struct text url;
    text_init(&url, 4096);
    text_add(&url, server->url);
    log_with(healthy ? LOG_INFO : LOG_WARN, FIELDS("server", text_c(&url)), "the server is %s%s%s", healthy ? "healthy" : "down",
             why != NULL ? ": " : "", why != NULL ? why : "");
    text_release(&url);
}

static bool start_workers(struct process *process)
{
    process->workers = memory_zalloc(process->worker_count * sizeof(struct worker));
    for (unsigned i = 0; i < process->worker_count; i++) {
        if (!worker_init(&process->workers[i], i))
            return false;
        worker_graph_init(&process->workers[i]);
    }
    return true;
}

static bool run_workers(struct process *process)
{
    for (unsigned i = 0; i < process->worker_count; i++)
        if (!worker_start(&process->workers[i], "portico-worker"))
            return false;
    return true;
}

static bool start_control(struct process *process)
{
    signals_block();
    if (!worker_init(&process->control, process->worker_count))
        return false;
    worker_self = &process->control;
    process->control.loop.owner = &process->control;
    timer_init(&process->throttle, on_throttle_end);
    process->stop = (struct stop){.control = &process->control, .workers = process->workers, .worker_count = process->worker_count};
    if (!resolve_start(&process->control.loop))
        log_warn("names of servers cannot be resolved: %m");
    if (!tickets_init())
        return false;
    tickets_start(&process->control.loop);
    vault_start(process->workers, process->worker_count);
    acme_start(&process->control);
    admin_start(&process->control, process->workers, process->worker_count,
                &(struct admin_actions){.owner = process, .reload = on_reload_wish});
    health_start(&process->control, on_health_change);
    return signals_start(&process->signals, &process->control.loop, on_signal, process);
}

/* The first configuration: mistakes are shown as they are, and nothing is started. */
static int start(struct process *process)
{
    struct diag diag;
    struct model *model = settings_load(process->settings, &diag, &process->files);
    process->worker_count = count_workers(model);
    struct graph *graph = NULL;
    process->started = diag.errors == 0 && start_workers(process) && start_control(process);
    if (process->started || diag.errors != 0)
        graph = load(process, model, &diag);
    if (diag.errors + diag.warnings != 0)
        command_show(&diag);
    int failure = command_failure(&diag);
    if (graph != NULL)
        adopt(process, graph, &diag);
    diag_release(&diag);
    if (graph != NULL) {
        if (!file_watch_start(&process->watch, &process->control.loop, on_files_changed, process))
            log_warn("file changes cannot be noticed (%m); send SIGHUP");
        file_watch_set(&process->watch, &process->files);
    } else {
        model_free(model);
    }
    return graph != NULL ? EXIT_GOOD : failure;
}

/* Where it is by `api.insecure`; whoever made a router of his own knows where. */
static void announce_dashboard(const struct graph *graph, const struct entry *entry)
{
    const struct api_config *api = graph->model->config.api;
    if (api == NULL || !api->insecure || !api->dashboard || !str_equal(entry->name, S("traefik")))
        return;
    struct str base = str_equal(api->base_path, S("/")) ? STR_NONE : api->base_path;
    log_info("the dashboard is at %s://%s%.*s%.*s/dashboard/", entry->tls != NULL ? "https" : "http",
             str_starts(entry->address_text, S(":")) ? "localhost" : "", STR_ARGS(entry->address_text), STR_ARGS(base));
}

static void announce(const struct graph *graph)
{
    for (unsigned i = 0; i < graph->entry_count; i++) {
        log_info("entrypoint '%.*s' listens on %.*s", STR_ARGS(graph->entries[i]->name), STR_ARGS(graph->entries[i]->address_text));
        announce_dashboard(graph, graph->entries[i]);
    }
    log_info("portico " PORTICO_VERSION " is ready: %u routers, %u services", graph->router_count, graph->service_count);
}

static void end(struct process *process)
{
    signals_stop(&process->signals);      /* one more would be passed on to workers that are gone */
    password_pool_stop();      /* while there are loops that its threads may post to */
    admin_stop();
    acme_stop();
    tickets_stop();
    for (unsigned i = 0; i < process->worker_count; i++) {
        worker_graph_release(&process->workers[i]);
        upstream_forget_all(&process->workers[i]);
        loop_turn(&process->workers[i].loop, 0);
        tls_worker_release(&process->workers[i]);
        access_log_worker_release(&process->workers[i]);
        tracer_worker_release(&process->workers[i]);
        worker_release(&process->workers[i]);
    }
    if (process->graph != NULL) {
        file_watch_stop(&process->watch);
        timer_cancel(&process->throttle);
        graph_unref(process->graph);
    }
    otlp_stop();
    health_stop();
    resolve_stop();
    upstream_forget_all(&process->control);
    loop_turn(&process->control.loop, 0);
    tls_worker_release(&process->control);
    vault_stop();
    worker_release(&process->control);
    free(process->workers);
}

int process_run(const struct settings *settings)
{
    struct process process = {.settings = settings};
    supervisor_open();
    int code = start(&process);
    if (code != EXIT_GOOD) {
        if (process.started)
            end(&process);
        settings_files_release(&process.files);
        return code;
    }
    if (!run_workers(&process)) {
        log_error("threads cannot be started: %m");
        return EXIT_FAILED;
    }
    announce(process.graph);
    tell_supervisor(process.graph, false);
    watchdog_start(&process.control.loop);
    loop_run(&process.control.loop);
    for (unsigned i = 0; i < process.worker_count; i++)
        worker_join(&process.workers[i]);
    watchdog_stop();
    end(&process);
    settings_files_release(&process.files);
    supervisor_close();
    return EXIT_GOOD;
}
