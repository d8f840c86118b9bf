#include "exchange/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/attempt.h"
#include "exchange/await_server.h"
#include "exchange/exchange.h"
#include "exchange/greeting.h"
#include "exchange/handshake.h"
#include "exchange/subrequest.h"
#include "observe/recent.h"
#include "proto/h1/server.h"
#include "proto/h2/server.h"

void graph_pin_take(struct graph_pin *pin)
{
    pin->users++;
}

void graph_pin_drop(struct graph_pin *pin)
{
    if (--pin->users != 0)
        return;
    graph_unref(pin->graph);
    free(pin);
}

static void use_pin(struct graph_pin **place, struct graph_pin *pin)
{
    graph_pin_take(pin);
    if (*place != NULL)
        graph_pin_drop(*place);
    *place = pin;
}

void port_took_connection(struct port *port)
{
    if (port->closing)
        connections_drain(&port->connections);
}

static _Atomic uint64_t connection_number;

static void on_accept(struct listener *listener, int fd, const struct addr *peer)
{
    struct port *port = container_of(listener, struct port, listener);
    struct client client = {.peer = addr_ip(peer), .peer_port = addr_port(peer), .descriptor = fd, .unix_socket = listener->unix_socket,
                            .number = 1 + atomic_fetch_add_explicit(&connection_number, 1, memory_order_relaxed),
                            .opened_at = port->worker->loop.now};
    const struct entry *entry = port->entry;
    port->accepted++;
    traffic_count(&port->worker->traffic.accepted, 1);
    if (entry->reads_proxy_header && (entry->trust_all_proxies || networks_have(&entry->trusted_proxies, &client.peer)))
        greeting_start(port, fd, &client);
    else if (entry->tls != NULL)
        handshake_accept(port, fd, &client);
    else
        h1_server_new(port->worker, fd, &client, &port->settings, &port->connections);
}

/* A connection that does not begin with HTTP/1: TLS where the entrypoint has any, HTTP/2 by prior knowledge where it is
 * allowed. What is spoken inside TLS was settled by ALPN. */
static bool on_foreign(void *context, enum foreign_kind kind, const struct foreign *foreign)
{
    struct port *port = context;
    if (foreign->sock->layer != NULL)
        return false;
    if (kind == FOREIGN_TLS)
        return port->entry->tls != NULL && handshake_start(port, foreign);
    if (!port->entry->config->http2.h2c)
        return false;
    h2_server_adopt(port->worker, foreign->sock, foreign->input, foreign->input_at, foreign->client, &port->settings,
                    &port->connections);
    port_took_connection(port);
    return true;
}

#define TELL_EVERY (10 * TIME_S)      /* an attack must not fill the log */

static void on_sent_away(void *context, const struct client *client, enum status why)
{
    const struct port *port = context;
    struct worker_graph *own = port->worker->graph;
    int64_t now = port->worker->loop.now;
    uint64_t count = ++own->sent_away[why];
    if (own->told_at[why] != 0 && now - own->told_at[why] < TELL_EVERY)
        return;
    own->told_at[why] = now;
    char address[IP_TEXT_SIZE] = "a Unix socket";
    if (!client->unix_socket)
        address[ip_format(&client->peer, address)] = '\0';
    char total[24];
    snprintf(total, sizeof(total), "%llu", (unsigned long long)count);
    log_with(LOG_WARN, FIELDS("client", address, "reason", status_reason(why), "count", total),
             "a connection was broken off: %s", status_text(why));
}

static struct h2_settings h2_settings_of(const struct entrypoint_http2 *config)
{
    return (struct h2_settings){.max_streams = (uint32_t)config->max_concurrent_streams,
                                .max_running = (uint32_t)config->max_running_requests,
                                .reset_burst = (uint32_t)config->reset_burst,
                                .reset_rate = (uint32_t)config->reset_rate,
                                .control_burst = (uint32_t)config->control_burst,
                                .control_rate = (uint32_t)config->control_rate,
                                .stream_window = (uint32_t)config->stream_window,
                                .connection_window = (uint32_t)config->connection_window,
                                .any_opening = config->any_opening,
                                .go_away_at_once = config->go_away_at_once};
}

/* What connections read of their entrypoint, renewed with each graph. */
static void apply_entry(struct port *port, struct entry *entry, struct graph_pin *pin)
{
    const struct entrypoint_transport *transport = &entry->config->transport;
    use_pin(&port->pin, pin);
    port->entry = entry;
    port->settings = (struct server_settings){.limits = entry->limits,
                                              .head_timeout = transport->responding_timeouts.read_timeout,
                                              .idle_timeout = transport->responding_timeouts.idle_timeout,
                                              .write_timeout = transport->responding_timeouts.write_timeout,
                                              .announce_keep_alive = entry->config->http.keep_alive_field,
                                              .half_close_is_gone = entry->config->http.half_close_is_gone,
                                              .max_requests = (uint64_t)transport->keep_alive_max_requests,
                                              .max_age = transport->keep_alive_max_time,
                                              .h2 = h2_settings_of(&entry->config->http2),
                                              .handler = &exchange_handler,
                                              .context = port,
                                              .open = &port->open,
                                              .traffic = &port->worker->traffic,
                                              .on_foreign = on_foreign,
                                              .on_sent_away = on_sent_away};
}

static struct port *find_port(struct worker_graph *graph, const struct addr *address)
{
    LIST_FOREACH(&graph->ports, it) {
        struct port *port = container_of(it, struct port, link);
        if (!port->closing && port->address.len == address->len &&
            memcmp(&port->address.any, &address->any, address->len) == 0)
            return port;
    }
    return NULL;
}

static void open_port(struct worker *worker, struct entry *entry, struct graph_pin *pin, int fd)
{
    struct port *port = memory_zalloc(sizeof(*port));
    port->worker = worker;
    port->address = entry->address;
    list_init(&port->connections);
    list_init(&port->greetings);
    apply_entry(port, entry, pin);
    port->listener.on_accept = on_accept;
    port->listener.unix_socket = entry->address.any.sa_family == AF_UNIX;
    list_append(&worker->graph->ports, &port->link);
    listener_start(&port->listener, &worker->loop, fd);
}

static void free_port_if_done(struct port *port)
{
    if (!port->closing || !list_empty(&port->connections) || !list_empty(&port->greetings))
        return;
    list_remove(&port->link);
    graph_pin_drop(port->pin);
    free(port);
}

static void close_port(struct port *port)
{
    listener_stop(&port->listener);
    port->closing = true;
    connections_drain(&port->connections);
}

/* Ports whose last connection has gone are freed at the top of a turn: nobody on the stack uses them then. */
static void sweep(struct loop *loop)
{
    struct worker *worker = loop->owner;
    LIST_FOREACH(&worker->graph->ports, it)
        free_port_if_done(container_of(it, struct port, link));
}

void worker_graph_init(struct worker *worker)
{
    worker->graph = memory_zalloc(sizeof(*worker->graph));
    list_init(&worker->graph->ports);
    list_init(&worker->graph->exchanges);
    recent_init(worker);
    worker->loop.owner = worker;
}

void worker_graph_update(struct worker *worker, struct graph *graph, const int *sockets)
{
    struct worker_graph *own = worker->graph;
    struct graph_pin *pin = memory_zalloc(sizeof(*pin));
    pin->graph = graph;
    use_pin(&own->pin, pin);
    LIST_FOREACH(&own->ports, it) {
        struct port *port = container_of(it, struct port, link);
        bool kept = false;
        for (unsigned i = 0; i < graph->entry_count && !port->closing; i++)
            if (find_port(own, &graph->entries[i]->address) == port) {
                apply_entry(port, graph->entries[i], pin);
                kept = true;
            }
        if (!kept && !port->closing)
            close_port(port);
    }
    for (unsigned i = 0; i < graph->entry_count; i++)
        if (sockets[i] >= 0)
            open_port(worker, graph->entries[i], pin, sockets[i]);
    chunk_pool_limit(&worker->chunks, (uint64_t)graph->model->config.memory_limit);
    upstream_sweep(worker, graph->generation);
    LIST_FOREACH(&own->exchanges, it)
        attempt_hasten(container_of(it, struct exchange, link));
    await_graph_changed(worker);
    worker->loop.before_wait = sweep;
}

void worker_graph_stop_accepting(struct worker *worker)
{
    worker->graph->stopping = true;
    LIST_FOREACH(&worker->graph->ports, it) {
        struct port *port = container_of(it, struct port, link);
        if (!port->closing)
            close_port(port);
    }
    await_give_up(worker);
}

void worker_graph_drain(struct worker *worker)
{
    LIST_FOREACH(&worker->graph->ports, it)
        connections_drain(&container_of(it, struct port, link)->connections);
}

void worker_graph_abort(struct worker *worker)
{
    LIST_FOREACH(&worker->graph->ports, it) {
        struct port *port = container_of(it, struct port, link);
        greeting_close_all(port);
        connections_close(&port->connections, STATUS_STOPPING);
    }
    subrequests_close(worker);
}

void worker_graph_release(struct worker *worker)
{
    worker_graph_stop_accepting(worker);
    worker_graph_abort(worker);
    LIST_FOREACH(&worker->graph->ports, it)
        free_port_if_done(container_of(it, struct port, link));
    if (worker->graph->pin != NULL)
        graph_pin_drop(worker->graph->pin);
    worker->loop.before_wait = NULL;      /* the loop turns on to free what is left */
    recent_release(worker);
    await_release(worker);
    free(worker->graph);
    worker->graph = NULL;
}

unsigned worker_graph_busy(const struct worker *worker)
{
    unsigned busy = (unsigned)traffic_value(&worker->traffic.running);
    LIST_FOREACH(&worker->graph->ports, it) {
        const struct port *port = container_of(it, struct port, link);
        busy += !list_empty(&port->connections) || !list_empty(&port->greetings);
    }
    return busy;
}
