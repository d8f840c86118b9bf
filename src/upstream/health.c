/* The monitor: a struct server_health for each server that anybody claims a check for, with a timer and at most one probe. */
#include "upstream/health.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/rand.h"
#include "base/time.h"
#include "tls/client.h"
#include "upstream/probe.h"

/* How often we look whether the name of a server that is to be checked for the first time has an address. */
#define NAME_PAUSE (INT64_C(20) * TIME_MS)

struct health_claim {
    struct list link;                   /* of its server_health, the youngest last */
    _Atomic unsigned claims;            /* snapshots that hold it */
    bool has_check;
    struct arena arena;
    struct health_check check;
    struct transport transport;
    struct tls_client tls;              /* of its own, for the transport's belongs to a snapshot */
};

struct server_health {
    struct list link;                   /* of the monitor */
    struct server *server;              /* one reference */
    struct list claims;
    struct health_claim *ruling;        /* NULL at first */
    struct server *asked;               /* where the check goes: the server, or its like with another port */
    struct timer timer;
    struct probe probe;
    int64_t name_deadline;
};

static struct {
    struct worker *worker;              /* NULL: not running */
    void (*on_change)(struct server *server, bool healthy, const char *why);
    struct list servers;
    struct message settle;
    _Atomic bool settle_posted;
} monitor = {.servers = LIST_INIT(monitor.servers)};

int64_t health_pause(const struct health_check *check, bool healthy)
{
    int64_t pause = healthy || check->unhealthy_interval == 0 ? check->interval : check->unhealthy_interval;
    int64_t tenth = pause / 10;
    return pause - tenth + (int64_t)(rand_u64() % (uint64_t)(2 * tenth + 1));
}

static void set_health(struct server *server, const char *why, int status)
{
    bool healthy = why == NULL;
    atomic_store(&server->why_down, why);
    atomic_store(&server->check_status, status);
    bool was_healthy = atomic_exchange(&server->healthy, healthy);
    if (healthy == was_healthy)
        return;
    if (healthy)
        atomic_store(&server->ready_since, monitor.worker->loop.now);
    if (monitor.on_change != NULL)
        monitor.on_change(server, healthy, why);
}

static void on_probe_done(struct probe *probe, const char *why, int status)
{
    struct server_health *health = container_of(probe, struct server_health, probe);
    set_health(health->server, why, status);
    timer_after(&monitor.worker->loop, &health->timer, health_pause(&health->ruling->check, why == NULL));
}

/* A name that DNS has not answered for yet is no fault of the server's. */
static bool is_still_resolving(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    bool resolving = server->address_count == 0 && !server->resolve_failed;
    pthread_mutex_unlock(&server->lock);
    return resolving;
}

static void on_timer(struct timer *timer)
{
    struct server_health *health = container_of(timer, struct server_health, timer);
    struct loop *loop = &monitor.worker->loop;
    if (is_still_resolving(health->asked) && loop->now < health->name_deadline) {
        timer_after(loop, timer, NAME_PAUSE);
        return;
    }
    health->probe.worker = monitor.worker;
    health->probe.check = &health->ruling->check;
    health->probe.transport = &health->ruling->transport;
    health->probe.server = health->asked;
    health->probe.on_done = on_probe_done;
    /* Without buffers we know nothing: the next time tells. */
    if (!probe_start(&health->probe))
        timer_after(loop, timer, health_pause(&health->ruling->check, true));
}

/* What is spoken to it: gRPC needs HTTP/2. */
static struct str scheme_to_ask(const struct server *server, const struct health_check *check)
{
    static const struct str schemes[] = {
        [HEALTH_SCHEME_HTTP] = STR("http"), [HEALTH_SCHEME_HTTPS] = STR("https"), [HEALTH_SCHEME_H2C] = STR("h2c")};
    struct str scheme = check->scheme != HEALTH_SCHEME_SERVER ? schemes[check->scheme] : server->scheme;
    return check->mode == HEALTH_GRPC && str_equal(scheme, S("http")) ? S("h2c") : scheme;
}

/* The server itself, or with another port or scheme one that is known by its service and the purpose. */
static struct server *server_to_ask(struct server *server, const struct health_check *check)
{
    struct str scheme = scheme_to_ask(server, check);
    int port = check->port != 0 ? (int)check->port : server->port;
    if (server->unix_socket || (port == server->port && str_equal(scheme, server->scheme)))
        return server_ref(server);
    bool is_v6 = str_find_char(server->host, ':', 0) >= 0;
    struct text url, service;
    text_init(&url, 1024);
    text_init(&service, server->service.len + 64);
    text_addf(&url, is_v6 ? "%.*s://[%.*s]:%d" : "%.*s://%.*s:%d", STR_ARGS(scheme), STR_ARGS(server->host), port);
    text_addf(&service, "%.*s health check", STR_ARGS(server->service));
    struct server *asked = server_get(text_str(&service), text_str(&url));
    text_release(&service);
    text_release(&url);
    return asked != NULL ? asked : server_ref(server);
}

static void stop_checking(struct server_health *health)
{
    timer_cancel(&health->timer);
    probe_cancel(&health->probe);
    server_unref(health->asked);
    health->asked = NULL;
}

/* From now on this claim decides: its first check comes at once. */
static void let_rule(struct server_health *health, struct health_claim *claim)
{
    stop_checking(health);
    health->ruling = claim;
    if (claim == NULL) {        /* nobody names the server any more, so nobody is told */
        atomic_store(&health->server->healthy, true);
        return;
    }
    if (!claim->has_check) {
        set_health(health->server, NULL, 0);
        return;
    }
    health->asked = server_to_ask(health->server, &claim->check);
    health->name_deadline = monitor.worker->loop.now + claim->check.timeout;
    timer_after(&monitor.worker->loop, &health->timer, 0);
}

static void claim_free(struct health_claim *claim)
{
    list_remove(&claim->link);
    tls_client_free(&claim->tls);
    arena_release(&claim->arena);
    free(claim);
}

static void server_health_free(struct server_health *health)
{
    stop_checking(health);
    list_remove(&health->link);
    health->server->health = NULL;
    server_unref(health->server);
    free(health);
}

static void settle_one(struct server_health *health)
{
    struct health_claim *youngest = NULL;
    LIST_FOREACH(&health->claims, link) {
        struct health_claim *claim = container_of(link, struct health_claim, link);
        if (atomic_load(&claim->claims) != 0)
            youngest = claim;
    }
    if (youngest != health->ruling)
        let_rule(health, youngest);
    LIST_FOREACH(&health->claims, link) {
        struct health_claim *claim = container_of(link, struct health_claim, link);
        /* One whose last snapshot went just now still rules: the next message, already sent, removes it. */
        if (atomic_load(&claim->claims) == 0 && claim != youngest)
            claim_free(claim);
    }
    if (youngest == NULL && list_empty(&health->claims))
        server_health_free(health);
}

static void settle(struct message *message)
{
    atomic_store(&monitor.settle_posted, false);
    if (monitor.worker == NULL)
        return;
    LIST_FOREACH(&monitor.servers, link)
        settle_one(container_of(link, struct server_health, link));
}

static void settle_soon(void)
{
    if (!atomic_exchange(&monitor.settle_posted, true))
        loop_post(&monitor.worker->loop, &monitor.settle);
}

void health_start(struct worker *control, void (*on_change)(struct server *server, bool healthy, const char *why))
{
    monitor.worker = control;
    monitor.on_change = on_change;
    monitor.settle.deliver = settle;
    atomic_store(&monitor.settle_posted, false);
}

void health_stop(void)
{
    LIST_FOREACH(&monitor.servers, link) {
        struct server_health *health = container_of(link, struct server_health, link);
        LIST_FOREACH(&health->claims, claim_link) {
            struct health_claim *claim = container_of(claim_link, struct health_claim, link);
            list_remove(&claim->link);
            if (atomic_load(&claim->claims) == 0)
                claim_free(claim);
        }
        server_health_free(health);
    }
    monitor.worker = NULL;
}

static struct server_health *health_of(struct server *server)
{
    if (server->health != NULL)
        return server->health;
    struct server_health *health = memory_zalloc(sizeof(*health));
    health->server = server_ref(server);
    list_init(&health->claims);
    timer_init(&health->timer, on_timer);
    list_append(&monitor.servers, &health->link);
    server->health = health;
    return health;
}

static bool is_same(const struct health_claim *claim, const struct health_check *check, const struct transport *transport)
{
    return claim->has_check == (check != NULL) &&
           (check == NULL || (health_check_equal(&claim->check, check) &&
                              claim->transport.tls_identity == transport->tls_identity));
}

static void copy_tls(struct health_claim *claim, const struct tls_client *from)
{
    const struct strs *sans = &from->peer_cert_sans;
    struct arena *arena = &claim->arena;
    if (SSL_CTX_up_ref(from->context) != 1)
        return;
    claim->tls = (struct tls_client){.context = from->context, .verify = from->verify};
    claim->tls.server_name = arena_str(arena, from->server_name);
    claim->tls.peer_cert_sans.items = arena_array(arena, struct str, sans->count);
    claim->tls.peer_cert_sans.count = sans->count;
    for (size_t i = 0; i < sans->count; i++)
        claim->tls.peer_cert_sans.items[i] = arena_str(arena, sans->items[i]);
}

static struct health_claim *claim_new(const struct health_check *check, const struct transport *transport)
{
    struct health_claim *claim = memory_zalloc(sizeof(*claim));
    arena_init(&claim->arena, ARENA_UNLIMITED);
    list_init(&claim->link);
    claim->has_check = check != NULL;
    if (check != NULL)
        claim->check = health_check_copy(check, &claim->arena);
    if (check != NULL && transport->tls != NULL)
        copy_tls(claim, transport->tls);
    return claim;
}

struct health_claim *health_claim(struct server *server, const struct health_check *check,
                                  const struct transport *transport)
{
    /* "No check" needs saying only where there is one that it replaces. */
    if (monitor.worker == NULL || (check == NULL && server->health == NULL))
        return NULL;
    struct server_health *health = health_of(server);
    struct health_claim *claim = NULL;
    LIST_FOREACH(&health->claims, link)
        if (is_same(container_of(link, struct health_claim, link), check, transport))
            claim = container_of(link, struct health_claim, link);
    if (claim == NULL)
        claim = claim_new(check, transport);
    if (check != NULL) {
        claim->transport = *transport;
        claim->transport.name = STR_NONE;      /* it belongs to the snapshot */
        claim->transport.tls = claim->tls.context != NULL ? &claim->tls : NULL;
    }
    list_remove(&claim->link);
    list_append(&health->claims, &claim->link);
    atomic_fetch_add(&claim->claims, 1);
    settle_soon();
    return claim;
}

void health_release(struct health_claim *claim)
{
    if (claim == NULL || atomic_fetch_sub(&claim->claims, 1) != 1)
        return;
    if (monitor.worker != NULL)
        settle_soon();
    else
        claim_free(claim);
}
