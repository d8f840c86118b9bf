#include "upstream/dial.h"

#include <stdlib.h>

#include "base/memory.h"
#include "tls/client.h"
#include "tls/conn.h"

struct dial {
    struct list link;                   /* in the pool's dials while others may join */
    struct sock sock;
    struct tls_conn *tls;               /* once connected */
    struct origin *origin;              /* owned until it is handed on */
    const struct transport *transport;  /* of the waiters, who hold it */
    struct list waiters;
    unsigned count;
    bool offers_h2;
    bool ended;
    struct timer turn;                  /* armed: TLS waits for its turn among handshakes that come at once */
    struct deferred start, freeing;
};

static void free_dial(struct deferred *deferred)
{
    free(container_of(deferred, struct dial, freeing));
}

/* Nobody can join or hear of it from here on. */
static void end(struct dial *dial)
{
    if (dial->ended)
        return;
    dial->ended = true;
    timer_cancel(&dial->turn);
    list_remove(&dial->link);
    if (dial->origin != NULL)
        origin_free(dial->origin);
    dial->origin = NULL;
    sock_close(&dial->sock);
    dial->freeing.run = free_dial;
    loop_defer_free(dial->sock.loop, &dial->freeing);
}

static struct waiter *take_waiter(struct dial *dial)
{
    struct list *link = list_pop(&dial->waiters);
    struct waiter *waiter = link != NULL ? container_of(link, struct waiter, link) : NULL;
    if (waiter != NULL)
        waiter->dial = NULL;
    return waiter;
}

static void fail(struct dial *dial, enum status why, const char *detail)
{
    struct waiter *waiter;
    /* The layer's text goes with the socket, so everyone gets a copy first. */
    LIST_FOREACH(&dial->waiters, link) {
        struct upstream_stream *stream = container_of(link, struct waiter, link)->stream;
        stream->detail = detail != NULL ? arena_str(stream->arena, str_from(detail)).data : NULL;
    }
    end(dial);
    while ((waiter = take_waiter(dial)) != NULL)
        waiter_fail(waiter, why);
}

/* ---- TLS ---- */

static void on_session(void *owner, SSL_SESSION *session)
{
    struct origin *origin = owner;
    struct pool *pool = origin->pool;
    if (pool->session != NULL)
        SSL_SESSION_free(pool->session);
    pool->session = session;
    pool->session_server = origin->server->serial;
    pool->session_identity = origin->identity;
}

/* A session speaks for the identity that it was made with: other options, another check of the certificate. */
static SSL_SESSION *session_to_resume(const struct origin *origin)
{
    const struct pool *pool = origin->pool;
    if (pool->session == NULL || pool->session_server != origin->server->serial ||
        pool->session_identity != origin->identity || SSL_SESSION_up_ref(pool->session) != 1)
        return NULL;
    return pool->session;
}

static bool begin_tls(struct dial *dial)
{
    const struct tls_client *client = dial->transport->tls;
    const struct server *server = dial->origin->server;
    struct str name = str_empty(client->server_name) ? server->host : client->server_name;
    dial->tls = tls_connect(dial->origin->worker, &dial->sock, client, name, session_to_resume(dial->origin),
                            dial->offers_h2);
    if (dial->tls == NULL || (dial->transport->certificate != NULL && !tls_show(dial->tls, dial->transport->certificate)))
        return false;
    tls_on_session(dial->tls, on_session, dial->origin);
    return true;
}

/* ---- what came of it ---- */

static void become_h2(struct dial *dial)
{
    struct origin *origin = dial->origin;
    dial->origin = NULL;
    list_remove(&dial->link);
    LIST_FOREACH(&dial->waiters, link)
        container_of(link, struct waiter, link)->dial = NULL;
    if (shared_adopt(origin, &dial->sock, &dial->waiters))
        end(dial);
    else
        fail(dial, STATUS_OVERLOADED, NULL);
}

/* The first has it for itself; the others look further, now that it is known what the server speaks. */
static void become_h1(struct dial *dial)
{
    struct origin *origin = dial->origin;
    struct waiter *waiter = take_waiter(dial);
    dial->origin = NULL;
    list_remove(&dial->link);
    bool good = origin_adopt_h1(origin, &dial->sock, waiter->stream);
    end(dial);
    if (good)
        waiter->stream->on_facts(waiter->stream, FACT_WRITABLE);
    else
        waiter_fail(waiter, STATUS_OVERLOADED);
    while ((waiter = take_waiter(dial)) != NULL)
        shared_wait_again(waiter);
}

static void finish(struct dial *dial)
{
    struct server *server = dial->origin->server;
    bool h2 = server->h2c || (dial->offers_h2 && tls_chose_h2(dial->tls));
    if (dial->offers_h2 && server->secure)
        atomic_store_explicit(&server->speaks_h2, h2 ? SERVER_H2_YES : SERVER_H2_NO, memory_order_relaxed);
    if (h2)
        become_h2(dial);
    else
        become_h1(dial);
}

static void shake_hands(struct dial *dial)
{
    enum status status = tls_handshake(dial->tls);
    if (status == STATUS_OK)
        finish(dial);
    else if (status != STATUS_AGAIN)
        fail(dial, status, tls_failure(dial->tls));
}

/* Goes on to the next address as long as one fails at once. */
static enum status connect_somewhere(struct dial *dial, enum status status)
{
    while (status != STATUS_OK && status != STATUS_AGAIN && origin_next_address(dial->origin, status)) {
        sock_close(&dial->sock);
        status = sock_connect(&dial->sock, &dial->origin->address, dial->origin->from);
    }
    return status;
}

static void connected(struct dial *dial)
{
    if (dial->origin->server->h2c)
        finish(dial);
    else if (dial->transport->tls == NULL)
        fail(dial, STATUS_UPSTREAM_TLS, "there are no options for TLS");
    else if (begin_tls(dial))
        shake_hands(dial);
    else
        fail(dial, STATUS_OVERLOADED, NULL);
}

static void go_on(struct dial *dial)
{
    if (dial->tls != NULL) {
        shake_hands(dial);
        return;
    }
    enum status status = connect_somewhere(dial, sock_connect_result(&dial->sock));
    if (status == STATUS_OK)
        connected(dial);
    else if (status != STATUS_AGAIN)
        fail(dial, status, NULL);
}

static void on_turn(struct timer *timer)
{
    go_on(container_of(timer, struct dial, turn));
}

static void on_event(struct sock *sock, unsigned events)
{
    struct dial *dial = container_of(sock, struct dial, sock);
    if (dial->ended || timer_armed(&dial->turn))
        return;
    if (dial->transport->tls != NULL && dial->origin->server->secure)
        timer_begin_later(sock->loop, &dial->turn);
    else
        go_on(dial);
}

/* Connected at once, but nobody is told from within its own call. */
static void start(struct deferred *deferred)
{
    struct dial *dial = container_of(deferred, struct dial, start);
    if (!dial->ended && dial->tls == NULL)
        go_on(dial);
}

enum status dial_begin(struct origin *origin, struct waiter *waiter, bool joint)
{
    struct dial *dial = memory_zalloc(sizeof(*dial));
    struct loop *loop = &origin->worker->loop;
    *dial = (struct dial){.origin = origin, .transport = waiter->transport};
    dial->offers_h2 = waiter->transport->h2 && (waiter->wishes & UPSTREAM_UPGRADE) == 0;
    dial->start.run = start;
    timer_init(&dial->turn, on_turn);
    list_init(&dial->link);
    list_init(&dial->waiters);
    sock_init(&dial->sock, loop, on_event);
    enum status status = connect_somewhere(dial, sock_connect(&dial->sock, &origin->address, origin->from));
    if (status != STATUS_OK && status != STATUS_AGAIN) {
        end(dial);
        return status;
    }
    if (status == STATUS_OK)
        loop_defer_flush(loop, &dial->start);
    if (joint)
        list_append(&origin->pool->dials, &dial->link);
    dial_join(dial, waiter);
    return STATUS_AGAIN;
}

struct dial *dial_find(const struct pool *pool, const struct waiter *waiter)
{
    LIST_FOREACH(&pool->dials, link) {
        struct dial *dial = container_of(link, struct dial, link);
        if (dial->origin->server == waiter->server && dial->transport == waiter->transport &&
            dial->count < DIAL_WAITERS_MAX)
            return dial;
    }
    return NULL;
}

void dial_join(struct dial *dial, struct waiter *waiter)
{
    waiter->dial = dial;
    list_append(&dial->waiters, &waiter->link);
    dial->count++;
}

void dial_leave(struct dial *dial, struct waiter *waiter)
{
    list_remove(&waiter->link);
    waiter->dial = NULL;
    dial->count--;
    if (list_empty(&dial->waiters))
        end(dial);
}

void dial_cancel_all(struct pool *pool)
{
    while (!list_empty(&pool->dials))
        fail(container_of(pool->dials.next, struct dial, link), STATUS_STOPPING, NULL);
}
