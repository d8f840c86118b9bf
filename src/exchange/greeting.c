#include "exchange/greeting.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "exchange/port.h"
#include "proto/h1/server.h"
#include "proto/proxyproto/proxyproto.h"

#define GREETING_BYTES 4096

struct greeting {
    struct watch watch;
    struct timer timer;
    struct list link;
    struct deferred freeing;
    struct port *port;
    struct client client;
};

static void free_greeting(struct deferred *deferred)
{
    struct greeting *greeting = container_of(deferred, struct greeting, freeing);
    client_release(&greeting->client);
    free(greeting);
}

static void end(struct greeting *greeting)
{
    timer_cancel(&greeting->timer);
    list_remove(&greeting->link);
    greeting->port->open--;
    traffic_count(&greeting->port->worker->traffic.open, -1);
    greeting->freeing.run = free_greeting;
    loop_defer_free(&greeting->port->worker->loop, &greeting->freeing);
}

static void refuse(struct greeting *greeting)
{
    int fd = greeting->watch.fd;
    loop_unwatch(&greeting->port->worker->loop, &greeting->watch);
    close(fd);
    end(greeting);
}

/* The header is told apart from the connection: whoever believes it says so (realIp). */
static void note_addresses(struct client_greeting *said, const struct addr *source, const struct addr *destination)
{
    said->has_addresses = true;
    said->peer = addr_ip(source);
    said->peer_port = addr_port(source);
    said->local = addr_ip(destination);
    said->local_port = addr_port(destination);
}

static void take_header(struct client *client, const struct proxyproto *header, bool keep_peer)
{
    struct client_greeting *said = keep_peer || header->tlvs.len != 0 ? client_greet(client, header->tlvs) : NULL;
    struct addr source = {.len = sizeof(source.v6)}, destination = {.len = sizeof(destination.v6)};
    memcpy(&source, &header->source, sizeof(source.v6));
    memcpy(&destination, &header->destination, sizeof(destination.v6));
    if (header->local || (source.any.sa_family != AF_INET && source.any.sa_family != AF_INET6))
        return;
    if (keep_peer) {
        note_addresses(said, &source, &destination);
        return;
    }
    client->peer = addr_ip(&source);
    client->peer_port = addr_port(&source);
    client->local = addr_ip(&destination);
    client->local_port = addr_port(&destination);
    client->unix_socket = false;
}

/* Peeks, so that exactly the header is taken and whoever reads next finds its first byte. */
static void on_ready(struct watch *watch, unsigned events)
{
    struct greeting *greeting = container_of(watch, struct greeting, watch);
    char bytes[GREETING_BYTES];
    ssize_t got = recv(watch->fd, bytes, sizeof(bytes), MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    struct proxyproto header = {.local = true};
    size_t length = 0;
    enum status status = STATUS_BAD_PROXY_HEADER;
    const struct proxy_protocol *options = greeting->port->entry->config->proxy_protocol;
    if (got > 0 && (options == NULL || !options->required) && !proxyproto_may_begin(str_of(bytes, (size_t)got)))
        status = STATUS_OK;     /* left out, as health checks of a load balancer do */
    else if (got > 0)
        status = proxyproto_parse(str_of(bytes, (size_t)got), &header, &length);
    if (status == STATUS_AGAIN && (events & WATCH_HANGUP) == 0)
        return;
    if (status != STATUS_OK || (length != 0 && recv(watch->fd, bytes, length, 0) != (ssize_t)length)) {
        refuse(greeting);
        return;
    }
    /* Its bytes are still there: what was taken is what was seen. */
    take_header(&greeting->client, &header, options != NULL && options->keep_peer);
    int fd = watch->fd;
    struct port *port = greeting->port;
    loop_unwatch(&port->worker->loop, watch);
    end(greeting);
    h1_server_new(port->worker, fd, &greeting->client, &port->settings, &port->connections);
    port_took_connection(port);
}

static void on_timeout(struct timer *timer)
{
    refuse(container_of(timer, struct greeting, timer));
}

void greeting_start(struct port *port, int fd, const struct client *client)
{
    struct greeting *greeting = memory_zalloc(sizeof(*greeting));
    greeting->port = port;
    greeting->client = *client;
    greeting->watch.on_ready = on_ready;
    timer_init(&greeting->timer, on_timeout);
    list_append(&port->greetings, &greeting->link);
    port->open++;
    traffic_count(&port->worker->traffic.open, 1);
    if (!loop_watch(&port->worker->loop, &greeting->watch, fd)) {
        close(fd);
        end(greeting);
        return;
    }
    if (port->settings.head_timeout != 0)
        timer_after(&port->worker->loop, &greeting->timer, port->settings.head_timeout);
}

void greeting_close_all(struct port *port)
{
    while (!list_empty(&port->greetings))
        refuse(container_of(port->greetings.next, struct greeting, link));
}
