#include "cli/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "acme/manager.h"
#include "admin/admin.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/diag_log.h"
#include "cli/discovery_log.h"
#include "cli/log_outputs.h"
#include "cli/nginx_words.h"
#include "cli/place.h"
#include "cli/privileges.h"
#include "cli/stop.h"
#include "cli/supervisor.h"
#include "cli/take_up.h"
#include "cli/throttle.h"
#include "cli/watchdog.h"
#include "exchange/port.h"
#include "middleware/codec_threads.h"
#include "middleware/password_pool.h"
#include "net/listener.h"
#include "net/ring.h"
#include "net/signals.h"
#include "observe/access_log.h"
#include "observe/line_log.h"
#include "observe/log_files.h"
#include "observe/otlp.h"
#include "observe/tracer.h"
#include "provider/docker/live.h"
#include "provider/watch.h"
#include "tls/conn.h"
#include "tls/tickets.h"
#include "tls/vault.h"
#include "upstream/health.h"
#include "upstream/resolve.h"
#include "upstream/server.h"

#define CONTAINERS_PATIENCE (5 * TIME_S)
#define CONTAINER_CHANGES_AT_ONCE 20
#define CONTAINERS_SETTLE (250 * TIME_MS)
#define GIVE_BACK_AFTER TIME_S

struct process {
    const struct settings *settings;
    struct worker control;
    struct worker *workers;
    unsigned worker_count;
    struct graph *graph;              /* one reference */
    struct signals signals;
    struct file_watch watch;
    struct settings_files files;      /* as they were read last */
    struct throttle files_throttle, containers_throttle;
    struct timer containers_settle;
    struct timer give_back;           /* of memory, when workers have let go of the former graph */
    struct diag_log said;
    struct stop stop;
    bool leave;                       /* a signal came before the first configuration ran */
    bool started;                     /* workers and control are there, although perhaps no graph */
};

/* ---- loading ---- */

static unsigned count_workers(const struct model *model)
{
    return model->config.workers != 0 ? (unsigned)model->config.workers : worker_default_count();
}

static void adopt(struct process *process, struct graph *graph, const struct diag *diag)
{
    struct graph *former = process->graph;
    discovery_log(former != NULL ? former->model : NULL, graph->model);
    process->graph = graph;
    docker_live_use(&graph->model->config);
    if (former != NULL)
        graph_unref(former);
    acme_update(graph);
    admin_use(graph, diag);
    memory_give_back();
    if (former != NULL)
        timer_after(&process->control.loop, &process->give_back, GIVE_BACK_AFTER);
}

static void on_give_back(struct timer *timer)
{
    memory_give_back();
}

static struct graph *load(struct process *process, struct model *model, struct diag *diag)
{
    struct take_up place = {.running = process->graph, .workers = process->workers, .worker_count = process->worker_count};
    return take_up(&place, model, diag);
}

static void tell_supervisor(const struct graph *graph, bool refused)
{
    char status[256];
    snprintf(status, sizeof(status), "configuration %llu is running: %u routers, %u services%s",
             (unsigned long long)graph->generation, graph->router_count, graph->service_count,
             refused ? "; the last one was refused, see the log" : "");
    supervisor_ready(status);
}

enum reload_reason { RELOAD_ASKED, RELOAD_FILES, RELOAD_CONTAINERS };

static int64_t throttle_interval(const struct process *process)
{
    return process->graph->model->config.providers.throttle_duration;
}

/* Containers change what they say, not what the files do: those are taken as they were read last, so that one which is just being
 * edited does not stand in the way of a deploy. */
static struct model *read_settings(struct process *process, enum reload_reason reason, struct diag *diag)
{
    struct settings settings = *process->settings;
    settings.reloading = true;
    if (reason == RELOAD_CONTAINERS) {
        settings.former = process->graph->model;
        return settings_load(&settings, diag, NULL);
    }
    settings_files_release(&process->files);
    process->files = (struct settings_files){.paths = {0}};
    struct model *model = settings_load(&settings, diag, &process->files);
    file_watch_set(&process->watch, &process->files);
    throttle_note(&process->files_throttle, throttle_interval(process));
    if (count_workers(model) != process->worker_count)
        log_warn("'workers' takes effect when the process is started again");
    privileges_review(model, &process->files, diag);
    return model;
}

static void say_running(const struct graph *graph, enum reload_reason reason)
{
    log_at(reason == RELOAD_CONTAINERS ? LOG_DEBUG : LOG_INFO, "configuration %llu is running: %u routers, %u services",
           (unsigned long long)graph->generation, graph->router_count, graph->service_count);
}

/* Whoever stops takes nothing new: entrypoints would open again, and workers that are done would hear of it too late. */
static void reload(struct process *process, enum reload_reason reason)
{
    if (process->graph == NULL)
        return;      /* the first one is just being read */
    if (stop_has_begun(&process->stop)) {
        log_at(reason == RELOAD_CONTAINERS ? LOG_DEBUG : LOG_INFO, "stopping: the configuration stays as it is");
        return;
    }
    /* Logs are often written beside it: to parse all of it each time would cost more than the traffic. */
    if (reason == RELOAD_FILES && settings_files_unchanged(&process->files))
        return;
    struct diag diag;
    struct model *model = read_settings(process, reason, &diag);
    throttle_note(&process->containers_throttle, throttle_interval(process));
    timer_set(&process->control.loop, &process->containers_settle, TIME_NEVER);
    docker_live_fill(model, &diag);
    supervisor_reloading();
    struct graph *graph = load(process, model, &diag);
    if (graph != NULL)
        place_review(graph->model, &diag);
    diag_log_write(&process->said, &diag, reason == RELOAD_CONTAINERS);
    if (graph != NULL) {
        adopt(process, graph, &diag);
        if (reason == RELOAD_ASKED)
            acme_retry();
        say_running(graph, reason);
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
    reload(owner, RELOAD_ASKED);
}

static void reload_files(void *owner)
{
    reload(owner, RELOAD_FILES);
}

static void reload_containers(void *owner)
{
    reload(owner, RELOAD_CONTAINERS);
}

/* ---- the control thread's events ---- */

/* Changes that come too soon wait (providersThrottleDuration): many at once make few snapshots. */
static void on_files_changed(struct file_watch *watch)
{
    struct process *process = watch->owner;
    throttle_ask(&process->files_throttle, throttle_interval(process));
}

static void on_containers_settled(struct timer *timer)
{
    struct process *process = container_of(timer, struct process, containers_settle);
    throttle_ask(&process->containers_throttle, throttle_interval(process));
}

/* People wait for what they have just started: a good number of such changes in a row are taken up at once. Others wait a moment,
 * since another follows most of the time: a container that is replaced is told to stop, dies, goes, and the next one is made. */
static void on_containers_changed(void *owner, bool urgent)
{
    struct process *process = owner;
    if (process->graph == NULL)
        return;
    if (urgent)
        throttle_ask(&process->containers_throttle, throttle_interval(process));
    else if (!timer_armed(&process->containers_settle))
        timer_after(&process->control.loop, &process->containers_settle, CONTAINERS_SETTLE);
}

/* Before any configuration says so: it may close its port at any moment. */
static void on_servers_leaving(void *owner, const struct strs *urls, bool gone)
{
    for (size_t i = 0; i < urls->count; i++)
        server_set_leaving(urls->items[i], gone ? SERVER_GONE : SERVER_LEAVING);
}

static void reopen_logs(struct process *process)
{
    bool good = log_reopen();
    if (process->graph->access_log != NULL)
        good = access_log_reopen(process->graph->access_log) && good;
    for (unsigned i = 0; i < process->graph->log_count; i++)
        good = line_log_reopen(process->graph->logs[i]) && good;
    for (unsigned i = 0; i < process->graph->log_files_count; i++)
        log_files_reopen(process->graph->log_files[i]);
    if (!good)
        log_error("a log file cannot be opened again: %m");
}

static void stop(struct process *process)
{
    if (!stop_has_begun(&process->stop))
        supervisor_stopping();
    stop_begin(&process->stop, process->graph);
}

/* With quickStop SIGQUIT is the only one that lets requests end, and says nothing new when it comes again. */
static void stop_by(struct process *process, int number)
{
    bool quick = process->graph->model->config.process.quick_stop;
    if (quick && number == SIGQUIT && stop_has_begun(&process->stop))
        return;
    stop(process);
    if (quick && number != SIGQUIT)
        stop_begin(&process->stop, process->graph);
}

static void on_signal(struct signals *signals, int number)
{
    struct process *process = signals->owner;
    if (process->graph == NULL)
        process->leave = process->leave || number == SIGTERM || number == SIGINT || number == SIGQUIT;
    else if (number == SIGHUP)
        reload(process, RELOAD_ASKED);
    else if (number == SIGUSR1)
        reopen_logs(process);
    else if (number == SIGUSR2)
        log_warn("SIGUSR2: this process is not replaced while it runs: install the new program and start it anew "
                 "(systemctl restart), or send SIGHUP for a new configuration");
    else
        stop_by(process, number);
}

/* ---- the life of the process ---- */

static void on_health_change(struct server *server, bool healthy, const char *why)
{
    char *url = memory_copy_text(server->url.data, server->url.len);
    char *service = memory_copy_text(server->service.data, server->service.len);
    log_with(healthy ? LOG_INFO : LOG_WARN, FIELDS("service", service, "server", url), "the server is %s%s%s",
             healthy ? "healthy" : "down", why != NULL ? ": " : "", why != NULL ? why : "");
    free(service);
    free(url);
}

/* All workers or none, so that they do not differ. A build without rings has nothing to say. */
static void open_rings(struct process *process)
{
    unsigned opened = 0;
    while (opened < process->worker_count && ring_open(&process->workers[opened].loop, &process->workers[opened].chunks))
        opened++;
    if (RING_BUILT && opened < process->worker_count)
        log_info("io_uring is not to be had here (%m); epoll does all the work");
    while (opened < process->worker_count && opened > 0)
        ring_close(&process->workers[--opened].loop);
}

static bool start_workers(struct process *process)
{
    process->workers = memory_zalloc(process->worker_count * sizeof(struct worker));
    for (unsigned i = 0; i < process->worker_count; i++) {
        if (!worker_init(&process->workers[i], i))
            return false;
        worker_graph_init(&process->workers[i]);
    }
    open_rings(process);
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
    graph_retire_on(&process->control.loop);
    timer_init(&process->containers_settle, on_containers_settled);
    timer_init(&process->give_back, on_give_back);
    throttle_init(&process->files_throttle, &process->control.loop, 1, reload_files, process);
    throttle_init(&process->containers_throttle, &process->control.loop, CONTAINER_CHANGES_AT_ONCE, reload_containers, process);
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
    docker_live_start(&process->control.loop, &(struct docker_live_owner){.owner = process,
                                                                          .on_change = on_containers_changed,
                                                                          .on_leaving = on_servers_leaving});
    return signals_start(&process->signals, &process->control.loop, on_signal, process);
}

/* Who reads containers has their first list before the first request comes; an engine that does not answer is not waited for. */
static void await_containers(struct process *process, const struct model *model)
{
    docker_live_use(&model->config);
    docker_live_wait(&process->control.loop, CONTAINERS_PATIENCE);
}

static bool reads_containers(const struct model *model)
{
    return model->config.providers.docker != NULL || model->config.providers.swarm != NULL;
}

/* Sockets are bound, logs are open, and no other thread is there yet. False: the process must not go on. */
static bool settle(struct process *process, const struct model *model, struct diag *diag)
{
    if (place_settle(model, diag) && privileges_give_up(model, &process->files, diag))
        return true;
    place_leave();
    return false;
}

static void show(const struct process *process, struct diag *diag)
{
    if (process->settings->nginx != NULL)
        nginx_words_show(diag, process->settings->nginx_log, false);
    else if (diag->errors + diag->warnings != 0)
        command_show(diag);
}

/* The first configuration: mistakes are shown as they are, and nothing is started. */
static int start(struct process *process)
{
    struct diag diag;
    privileges_prepare();
    struct model *model = settings_load(process->settings, &diag, &process->files);
    process->worker_count = count_workers(model);
    struct graph *graph = NULL;
    if (model->config.process.quick_stop)
        signals_hear_ignored();
    if (diag.errors == 0 && privileges_check(model, &diag) && place_begin(model, &diag))
        docker_live_prepare(&model->config);
    process->started = diag.errors == 0 && start_workers(process) && start_control(process);
    if (process->started && reads_containers(model))
        await_containers(process, model);
    docker_live_fill(model, &diag);
    if (process->leave) {
        docker_live_stop();
        diag_release(&diag);
        model_free(model);
        return EXIT_GOOD;
    }
    if (process->started || diag.errors != 0)
        graph = load(process, model, &diag);
    bool unsettled = graph != NULL && !settle(process, model, &diag);
    show(process, &diag);
    diag_log_remember(&process->said, &diag);
    if (unsettled)
        _exit(EXIT_FAILED);
    int failure = process->settings->nginx != NULL ? EXIT_FAILED : command_failure(&diag);
    if (graph != NULL)
        adopt(process, graph, &diag);
    diag_release(&diag);
    if (graph != NULL) {
        if (!file_watch_start(&process->watch, &process->control.loop, on_files_changed, process))
            log_warn("file changes cannot be noticed (%m); send SIGHUP");
        file_watch_set(&process->watch, &process->files);
    } else {
        docker_live_stop();
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

/* Nobody of ours listens any more; where another process does by now, the file is its own. */
static void remove_unix_sockets(const struct graph *graph)
{
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (graph->entries[i]->address.any.sa_family == AF_UNIX)
            listener_remove_stale(&graph->entries[i]->address);
}

static void end(struct process *process)
{
    signals_stop(&process->signals);      /* one more would be passed on to workers that are gone */
    graph_retire_on(NULL);
    loop_stop(&process->control.loop);
    loop_run(&process->control.loop);      /* no turn, but the last messages: graphs that workers let go of when they ended */
    password_pool_stop();      /* while there are loops that its threads may post to */
    codec_threads_stop();
    admin_stop();
    acme_stop();
    tickets_stop();
    for (unsigned i = 0; i < process->worker_count; i++) {
        worker_graph_release(&process->workers[i]);
        upstream_forget_all(&process->workers[i]);
        loop_turn(&process->workers[i].loop, 0);
        tls_worker_release(&process->workers[i]);
        access_log_worker_release(&process->workers[i]);
        line_log_worker_release(&process->workers[i]);
        tracer_worker_release(&process->workers[i]);
        worker_release(&process->workers[i]);
    }
    if (process->graph != NULL) {
        remove_unix_sockets(process->graph);
        log_outputs_set(NULL);
        file_watch_stop(&process->watch);
        throttle_stop(&process->files_throttle);
        throttle_stop(&process->containers_throttle);
        timer_cancel(&process->containers_settle);
        timer_cancel(&process->give_back);
        graph_unref(process->graph);
    }
    diag_log_release(&process->said);
    docker_live_stop();
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
    if (code != EXIT_GOOD || process.leave) {
        if (process.started)
            end(&process);
        diag_log_release(&process.said);
        settings_files_release(&process.files);
        return code;
    }
    if (!run_workers(&process)) {
        log_error("threads cannot be started: %m");
        place_leave();
        return EXIT_FAILED;
    }
    announce(process.graph);
    place_settled(process.graph->model);
    tell_supervisor(process.graph, false);
    watchdog_start(&process.control.loop);
    loop_run(&process.control.loop);
    for (unsigned i = 0; i < process.worker_count; i++)
        worker_join(&process.workers[i]);
    watchdog_stop();
    end(&process);
    place_leave();
    settings_files_release(&process.files);
    supervisor_close();
    return EXIT_GOOD;
}
