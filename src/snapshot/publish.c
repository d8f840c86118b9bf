#include "snapshot/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "exchange/port.h"
#include "service/load_balancer.h"

struct update {
    struct message message;
    struct worker *worker;
    struct graph *graph;        /* one reference */
    int sockets[];              /* per entry, -1: none */
};

static void deliver(struct message *message)
{
    struct update *update = container_of(message, struct update, message);
    worker_graph_update(update->worker, update->graph, update->sockets);
    free(update);
}

static bool same_address(const struct entry *one, const struct entry *other)
{
    return one->address.len == other->address.len && memcmp(&one->address.any, &other->address.any, one->address.len) == 0;
}

static bool is_bound(const struct graph *running, const struct entry *entry)
{
    for (unsigned i = 0; running != NULL && i < running->entry_count; i++)
        if (same_address(running->entries[i], entry))
            return true;
    return false;
}

static struct listen_options options_of(const struct entry *entry)
{
    const struct entrypoint_socket *socket = &entry->config->socket;
    struct listen_options options = {.backlog = (int)entry->config->backlog,
                                     .ipv6_only = socket->ipv6_only,
                                     .no_keep_alive = !socket->keep_alive,
                                     .deferred = socket->deferred,
                                     .keep_idle = (int)socket->keep_alive_idle,
                                     .keep_interval = (int)socket->keep_alive_interval,
                                     .keep_count = (int)socket->keep_alive_count,
                                     .mode = (int)socket->mode};
    congestion_name(socket->congestion_control, options.congestion);
    return options;
}

/* `exclusive`: in nginx's words, for who looks for these. */
static void report_unbound(const struct entry *entry, int error, bool exclusive, struct diag *diag)
{
    struct span span = node_span(node_get(entry->config->origin, S("address")));
    struct str address = addr_format(&entry->address, diag->arena);
    if (exclusive)
        diag_error(diag, span, "bind() to %.*s failed (%d: %s)", STR_ARGS(address), error, strerror(error));
    else
        diag_error(diag, span, "entrypoint '%.*s' cannot listen on %.*s: %s", STR_ARGS(entry->name), STR_ARGS(entry->address_text),
                   strerror(error));
}

/* One socket a worker; a Unix socket is one file and shared by duplicates. */
static bool bind_entry(struct entry *entry, int *sockets, unsigned count, unsigned stride, bool exclusive, struct diag *diag)
{
    bool unix_socket = entry->address.any.sa_family == AF_UNIX;
    struct listen_options options = options_of(entry);
    for (unsigned worker = 0; worker < count; worker++) {
        int error = 0;
        int fd = unix_socket && worker != 0 ? dup(sockets[0])
                                            : listener_bind_with(&entry->address, &options, &error);
        sockets[(size_t)worker * stride] = fd;
        if (fd >= 0)
            continue;
        report_unbound(entry, error, exclusive, diag);
        return false;
    }
    return true;
}

static void close_all(const int *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sockets[i] >= 0)
            close(sockets[i]);
}

/* Two processes on a port are let in by the system and share what comes: wanted while one replaces the other, a riddle where
 * somebody forgot that one runs. Asked at the start alone: later, sockets of ours may be about to close. */
static bool may_share(const struct entry *entry, bool exclusive, struct diag *diag)
{
    if (!listener_is_taken(&entry->address))
        return true;
    if (exclusive) {
        report_unbound(entry, EADDRINUSE, true, diag);
        return false;
    }
    struct diag_item *item = diag_warning(diag, node_span(node_get(entry->config->origin, S("address"))),
                                          "another process listens on %.*s too: each gets a part of the connections",
                                          STR_ARGS(entry->address_text));
    diag_hint(diag, item, "does a Portico run already?");
    return true;
}

/* Not earlier: a configuration that is refused changes nothing. */
static void tell_who_leaves(const struct graph *graph)
{
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct target_set *targets = load_balancer_targets(graph->services[i]);
        for (unsigned j = 0; targets != NULL && j < targets->count; j++)
            server_note_leaving(targets->items[j].server, targets->items[j].leaving);
    }
}

bool snapshot_publish(struct graph *graph, const struct graph *running, struct worker *workers, unsigned count,
                      struct diag *diag)
{
    unsigned entries = graph->entry_count;
    int *sockets = memory_alloc(((size_t)entries * count + 1) * sizeof(int));
    for (size_t i = 0; i < (size_t)entries * count; i++)
        sockets[i] = -1;
    bool good = true, exclusive = graph->model->config.process.exclusive_ports;
    for (unsigned i = 0; running == NULL && i < entries; i++)
        good = may_share(graph->entries[i], exclusive, diag) && good;
    for (unsigned i = 0; i < entries; i++)
        if (!is_bound(running, graph->entries[i]))
            good = bind_entry(graph->entries[i], sockets + i, count, entries, exclusive, diag) && good;
    if (!good)
        close_all(sockets, (size_t)entries * count);
    if (good)
        tell_who_leaves(graph);
    for (unsigned worker = 0; good && worker < count; worker++) {
        struct update *update = memory_alloc(sizeof(*update) + entries * sizeof(int));
        *update = (struct update){.message = {.deliver = deliver}, .worker = &workers[worker], .graph = graph_ref(graph)};
        memcpy(update->sockets, sockets + (size_t)worker * entries, entries * sizeof(int));
        loop_post(&workers[worker].loop, &update->message);
    }
    free(sockets);
    return good;
}
