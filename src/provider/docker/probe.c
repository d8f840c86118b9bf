#include "provider/docker/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/memory.h"
#include "net/addr.h"

#define AT_ONCE_MAX 200
#define PATIENCE TIME_S

struct probe {
    struct list waiting;                 /* for its turn, when many are asked */
    struct probes *probes;
    struct watch watch;                  /* of a connection that is being made; fd -1: none */
    struct timer timer;                  /* of this try's end, or of the next try */
    struct deferred gone;
    struct addr addr;
    char *key;                           /* "ID ADDRESS" */
    struct str container_id;             /* view into it */
    enum port_answer answer;
    unsigned tries;
    bool wanted;                         /* in the set that is just taken */
};

struct probes {
    struct loop *loop;
    void (*on_answer)(void *owner);
    void *owner;
    struct map all;                      /* by key */
    struct list waiting;
    unsigned under_way;
};

static void start_waiting(struct probes *probes);

/* ---- one try ---- */

static int64_t pause_behind(unsigned tries)
{
    static const int pauses[] = {10, 10, 20, 20, 40, 40, 60, 80, 100, 200, 500, 1000, 2000};
    size_t count = sizeof(pauses) / sizeof(pauses[0]);
    return pauses[tries < count ? tries : count - 1] * TIME_MS;
}

static void close_try(struct probe *probe)
{
    if (probe->watch.fd < 0)
        return;
    int fd = probe->watch.fd;
    loop_unwatch(probe->probes->loop, &probe->watch);
    close(fd);
    probe->watch.fd = -1;
    probe->probes->under_way--;
}

static enum port_answer answer_of(int error)
{
    if (error == 0)
        return PORT_OPEN;
    if (error == ETIMEDOUT)
        return PORT_SILENT;
    return error == ECONNREFUSED || error == ECONNRESET ? PORT_REFUSED : PORT_UNREACHABLE;
}

static void end_try(struct probe *probe, enum port_answer answer)
{
    struct probes *probes = probe->probes;
    bool news = probe->answer != answer;
    close_try(probe);
    probe->answer = answer;
    if (answer == PORT_OPEN)
        timer_set(probes->loop, &probe->timer, TIME_NEVER);
    else
        timer_after(probes->loop, &probe->timer, pause_behind(probe->tries++));
    start_waiting(probes);
    if (news)
        probes->on_answer(probes->owner);
}

static void on_connected(struct watch *watch, unsigned events)
{
    struct probe *probe = container_of(watch, struct probe, watch);
    int error = 0;
    socklen_t len = sizeof(error);
    if ((events & (WATCH_WRITE | WATCH_ERROR | WATCH_HANGUP)) == 0)
        return;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    end_try(probe, answer_of(error));
}

static void start_try(struct probe *probe)
{
    struct probes *probes = probe->probes;
    int fd = socket(probe->addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        timer_after(probes->loop, &probe->timer, TIME_S);
        return;
    }
    bool made = connect(fd, &probe->addr.any, probe->addr.len) == 0;
    int error = made ? 0 : errno;
    if (error == EINPROGRESS && loop_watch_for(probes->loop, &probe->watch, fd, WATCH_WRITE)) {
        probes->under_way++;
        timer_after(probes->loop, &probe->timer, PATIENCE);
        return;
    }
    close(fd);
    probe->watch.fd = -1;
    end_try(probe, answer_of(error));
}

static void want_try(struct probe *probe)
{
    if (probe->probes->under_way < AT_ONCE_MAX)
        start_try(probe);
    else if (list_empty(&probe->waiting))
        list_append(&probe->probes->waiting, &probe->waiting);
}

static void start_waiting(struct probes *probes)
{
    while (probes->under_way < AT_ONCE_MAX && !list_empty(&probes->waiting))
        timer_after(probes->loop, &container_of(list_pop(&probes->waiting), struct probe, waiting)->timer, 0);
}

static void on_timer(struct timer *timer)
{
    struct probe *probe = container_of(timer, struct probe, timer);
    if (probe->watch.fd >= 0)
        end_try(probe, PORT_SILENT);
    else
        want_try(probe);
}

/* ---- the set ---- */

static void free_probe(struct deferred *deferred)
{
    struct probe *probe = container_of(deferred, struct probe, gone);
    free(probe->key);
    free(probe);
}

static void drop(struct probe *probe)
{
    struct probes *probes = probe->probes;
    close_try(probe);
    timer_cancel(&probe->timer);
    list_remove(&probe->waiting);
    map_remove(&probes->all, str_from(probe->key));
    loop_defer_free(probes->loop, &probe->gone);
}

static char *join_key(struct str id, struct str address)
{
    char *key = memory_alloc(id.len + address.len + 2);
    memcpy(key, id.data, id.len);
    key[id.len] = ' ';
    memcpy(key + id.len + 1, address.data, address.len);
    key[id.len + 1 + address.len] = '\0';
    return key;
}

/* "10.0.0.2:8000", "[fd00::2]:8000". */
static bool parse_address(struct str text, struct addr *ret_addr)
{
    ptrdiff_t colon = str_find_last_char(text, ':');
    struct ip ip;
    uint64_t port;
    if (colon < 0 || !ip_parse(str_first(text, (size_t)colon), &ip) || !str_to_u64(str_from_index(text, (size_t)colon + 1), &port) ||
        port == 0 || port > UINT16_MAX)
        return false;
    addr_from_ip(&ip, (uint16_t)port, ret_addr);
    return true;
}

/* A name (host.docker.internal) is not asked: servers resolve it, and it counts as open. */
static void add(struct probes *probes, char *key, const struct discovered_server *server)
{
    struct probe *probe = memory_zalloc(sizeof(*probe));
    *probe = (struct probe){.probes = probes, .key = key, .watch = {.on_ready = on_connected, .fd = -1}, .wanted = true};
    probe->gone.run = free_probe;
    probe->container_id = str_of(key, server->container_id.len);
    list_init(&probe->waiting);
    timer_init(&probe->timer, on_timer);
    map_put(&probes->all, str_from(probe->key), probe);
    if (parse_address(server->address, &probe->addr))      /* through the loop: an answer at once would surprise who is just asking */
        timer_after(probes->loop, &probe->timer, 0);
    else
        probe->answer = PORT_OPEN;
}

static void want(struct probes *probes, const struct discovered_server *server)
{
    char *key = join_key(server->container_id, server->address);
    struct probe *probe = map_get(&probes->all, str_from(key));
    if (probe == NULL) {
        add(probes, key, server);
        return;
    }
    probe->wanted = true;
    free(key);
}

static struct probe *probe_at(const struct probes *probes, uint32_t index)
{
    return probes->all.items[index].key.data != NULL ? probes->all.items[index].value : NULL;
}

void probes_set(struct probes *probes, const struct discovered_servers *servers)
{
    for (uint32_t i = 0; i < probes->all.count; i++)
        if (probe_at(probes, i) != NULL)
            probe_at(probes, i)->wanted = false;
    for (size_t i = 0; i < servers->count; i++)
        if (servers->items[i].running)
            want(probes, &servers->items[i]);
    for (uint32_t i = 0; i < probes->all.count; i++)
        if (probe_at(probes, i) != NULL && !probe_at(probes, i)->wanted)
            drop(probe_at(probes, i));
    start_waiting(probes);
}

void probes_forget(struct probes *probes, struct str container_id)
{
    for (uint32_t i = 0; i < probes->all.count; i++)
        if (probe_at(probes, i) != NULL && str_equal(probe_at(probes, i)->container_id, container_id))
            drop(probe_at(probes, i));
}

enum port_answer probes_answer(const struct probes *probes, struct str container_id, struct str address)
{
    char *key = join_key(container_id, address);
    const struct probe *probe = map_get(&probes->all, str_from(key));
    free(key);
    return probe != NULL ? probe->answer : PORT_UNKNOWN;
}

static bool is_pending(const struct probe *probe)
{
    return probe->answer == PORT_UNKNOWN || (probe->answer == PORT_REFUSED && probe->tries < 2);
}

size_t probes_pending(const struct probes *probes)
{
    size_t count = 0;
    for (uint32_t i = 0; i < probes->all.count; i++)
        if (probe_at(probes, i) != NULL && is_pending(probe_at(probes, i)))
            count++;
    return count;
}

/* ---- its life ---- */

struct probes *probes_new(struct loop *loop, void (*on_answer)(void *owner), void *owner)
{
    struct probes *probes = memory_zalloc(sizeof(*probes));
    *probes = (struct probes){.loop = loop, .on_answer = on_answer, .owner = owner};
    map_init(&probes->all, false);
    list_init(&probes->waiting);
    return probes;
}

void probes_free(struct probes *probes)
{
    for (uint32_t i = 0; i < probes->all.count; i++)
        if (probe_at(probes, i) != NULL)
            drop(probe_at(probes, i));
    map_release(&probes->all);
    free(probes);
}
