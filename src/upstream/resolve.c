/* Names to addresses, again and again. It owns a struct resolution for each named server; the server's memory is handed to
 * it when the last reference goes, because an answer may be on its way to it. */
#include "upstream/resolve.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/rand.h"
#include "base/time.h"
#include "net/dns.h"
#include "upstream/name_watch.h"

#define FAILURE_PAUSE_FIRST TIME_S
#define FAILURE_PAUSE_LONGEST (INT64_C(30) * TIME_S)
#define ANSWER_PAUSE_SHORTEST TIME_S
/* Some answers live for weeks; a look-up an hour costs nothing. */
#define ANSWER_PAUSE_LONGEST (INT64_C(3600) * TIME_S)

struct resolution {
    struct list link;
    struct message ended;        /* the server's last reference went */
    struct timer timer;
    struct server *server;       /* NULL: ended while a look-up was under way */
    unsigned failures;           /* in a row */
    bool asking;
};

static struct {
    struct loop *loop;           /* NULL: not running */
    struct dns *dns;
    struct list resolutions;
} resolver = {.resolutions = LIST_INIT(resolver.resolutions)};

int64_t resolve_pause(unsigned failures, int64_t ttl)
{
    if (failures == 0) {
        int64_t pause = ttl < ANSWER_PAUSE_SHORTEST ? ANSWER_PAUSE_SHORTEST : ttl;
        return pause > ANSWER_PAUSE_LONGEST ? ANSWER_PAUSE_LONGEST : pause;
    }
    int64_t pause = FAILURE_PAUSE_FIRST << (failures < 6 ? failures - 1 : 5);
    return pause > FAILURE_PAUSE_LONGEST ? FAILURE_PAUSE_LONGEST : pause;
}

static void resolution_free(struct resolution *resolution)
{
    timer_cancel(&resolution->timer);
    list_remove(&resolution->link);
    free(resolution);
}

static void note_failure(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    server->resolve_failed = true;
    pthread_mutex_unlock(&server->lock);
}

static void on_answer(void *owner, const struct dns_answer *answer)
{
    struct resolution *resolution = owner;
    resolution->asking = false;
    if (resolution->server == NULL) {
        resolution_free(resolution);
        return;
    }
    if (answer->count != 0) {
        resolution->failures = 0;
        server_set_addresses(resolution->server, answer->addresses, answer->count);
    } else {
        resolution->failures++;
        note_failure(resolution->server);
    }
    if (resolver.loop == NULL)
        return;
    /* A tenth of chance keeps many names from being asked for at the same moment for ever. */
    int64_t pause = resolve_pause(resolution->failures, answer->ttl);
    timer_after(resolver.loop, &resolution->timer, pause + (int64_t)rand_below((uint32_t)(pause / TIME_MS / 10)) * TIME_MS);
}

static void ask(struct resolution *resolution)
{
    resolution->asking = true;
    dns_resolve(resolver.dns, resolution->server->host, on_answer, resolution);
}

static void on_timer(struct timer *timer)
{
    ask(container_of(timer, struct resolution, timer));
}

static void on_ended(struct message *message)
{
    struct resolution *resolution = container_of(message, struct resolution, ended);
    server_free(resolution->server);
    resolution->server = NULL;
    if (!resolution->asking)
        resolution_free(resolution);
    else
        timer_cancel(&resolution->timer);
}

void resolve_begin(struct server *server)
{
    if (resolver.loop == NULL || server->resolution != NULL)
        return;
    struct resolution *resolution = memory_zalloc(sizeof(*resolution));
    resolution->server = server;
    resolution->ended.deliver = on_ended;
    timer_init(&resolution->timer, on_timer);
    list_append(&resolver.resolutions, &resolution->link);
    server->resolution = resolution;
    ask(resolution);
}

bool resolve_end(struct server *server)
{
    if (server->resolution == NULL)
        return false;
    loop_post(resolver.loop, &server->resolution->ended);
    return true;
}

struct named_servers {
    struct server **items;
    size_t count, capacity;
};

static void collect_named(struct server *server, void *owner)
{
    struct named_servers *named = owner;
    if (server->named && named->count < named->capacity)
        named->items[named->count++] = server_ref(server);
}

bool resolve_start(struct loop *loop)
{
    resolver.dns = dns_new(loop);
    if (resolver.dns == NULL)
        return false;
    resolver.loop = loop;
    name_watches_start(loop);
    size_t capacity = server_slot_count();
    struct named_servers named = {.items = memory_alloc((capacity + 1) * sizeof(struct server *)), .capacity = capacity};
    server_for_each(collect_named, &named);
    for (size_t i = 0; i < named.count; i++) {
        resolve_begin(named.items[i]);
        server_unref(named.items[i]);
    }
    free(named.items);
    return true;
}

void resolve_stop(void)
{
    if (resolver.loop == NULL)
        return;
    resolver.loop = NULL;
    name_watches_stop();
    dns_free(resolver.dns);      /* reports a failure to all that wait */
    resolver.dns = NULL;
    LIST_FOREACH(&resolver.resolutions, link) {
        struct resolution *resolution = container_of(link, struct resolution, link);
        timer_cancel(&resolution->timer);
        if (atomic_load(&resolution->server->refs) == 0)
            continue;        /* the message that it is gone is on its way, and frees both */
        resolution->server->resolution = NULL;
        resolution_free(resolution);
    }
}
