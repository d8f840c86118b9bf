#include "provider/docker/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "provider/docker/probe.h"
#include "provider/docker/self.h"
#include "provider/docker/swarm.h"

#define SETTLE_FIRST (5 * TIME_MS)       /* for events that come together */
#define SETTLE_MOST (50 * TIME_MS)       /* while changes follow each other */
#define CALM TIME_S
#define HOLD (50 * TIME_MS)              /* of a start, for its port to answer */
#define UNTOLD_MOST (150 * TIME_MS)      /* then nothing is held back any more, whatever goes on */

enum { READER_DOCKER, READER_SWARM, READERS };

struct hashes {
    VEC(uint64_t) list;
};

/* One provider that is configured. */
struct reader {
    struct str provider;
    struct engine *engine;
    const struct docker_config *config;  /* of the configuration that runs; NULL: only prepared */
    bool reads_swarm, watch;
    int64_t refresh;
    struct containers *containers;       /* one of them, once it has begun */
    struct swarm *swarm;
    struct probes *probes;
    struct arena arena;                  /* of `servers` */
    struct discovered_servers servers;   /* of the last discovery */
    struct hashes served;                /* hashes of those containers, with their servers, that took requests in it */
    bool urgent;                         /* one joined them or fell out, and nobody was told */
    struct timer settle;                 /* of a change, or the end of a hold */
    bool changed, holding;
    int64_t gap, told_at;
    int64_t untold_since;                /* of `changed` or `holding` */
};

static struct {
    struct loop *loop;
    struct docker_live_owner owner;
    struct self_hints self;
    struct reader *readers[READERS];
    bool filled;                         /* a configuration was made: changes are told from then on */
} live;

/* ---- what is known ---- */

static const struct follower *follower_of(const struct reader *reader)
{
    return reader->swarm != NULL ? swarm_follower(reader->swarm) : containers_follower(reader->containers);
}

static bool has_begun(const struct reader *reader)
{
    return reader->swarm != NULL || reader->containers != NULL;
}

static enum port_answer port_of(const void *owner, struct str container_id, struct str address)
{
    return probes_answer(((const struct reader *)owner)->probes, container_id, address);
}

static void take_inventory(const struct reader *reader, struct arena *arena, struct inventory *ret_inventory)
{
    *ret_inventory = (struct inventory){.count = 0};
    if (reader == NULL || !has_begun(reader))
        return;
    if (reader->swarm != NULL) {
        swarm_fill(reader->swarm, arena, ret_inventory);
        return;
    }
    containers_fill(reader->containers, arena, ret_inventory);
    self_apply(&live.self, ret_inventory);
}

/* Of one provider; `reader` NULL: nothing is known yet. */
static void discover_one(const struct reader *reader, struct str provider, const struct docker_config *config, struct model *model,
                         struct diag *diag, struct discovered_servers *ret_servers)
{
    struct inventory *inventory = arena_new(&model->arena, struct inventory);
    struct discovery discovery = {.config = config, .provider = provider, .inventory = inventory, .owner = reader};
    take_inventory(reader, &model->arena, inventory);
    if (config->port_check && reader != NULL)
        discovery.port_of = port_of;
    *ret_servers = (struct discovered_servers){.count = 0};
    discover(model, &discovery, diag, ret_servers);
}

static void keep_servers(struct reader *reader, const struct discovered_servers *servers)
{
    arena_release(&reader->arena);
    arena_init(&reader->arena, ARENA_UNLIMITED);
    reader->servers.items = arena_array(&reader->arena, struct discovered_server, servers->count);
    reader->servers.count = servers->count;
    for (size_t i = 0; i < servers->count; i++)
        reader->servers.items[i] = (struct discovered_server){.container_id = arena_str(&reader->arena, servers->items[i].container_id),
                                                              .address = arena_str(&reader->arena, servers->items[i].address),
                                                              .url = arena_str(&reader->arena, servers->items[i].url),
                                                              .running = servers->items[i].running};
    if (reader->config != NULL && reader->config->port_check)
        probes_set(reader->probes, &reader->servers);
}

/* ---- changes ---- */

static void note_change(struct reader *reader)
{
    int64_t now = live.loop->now, longer = reader->gap * 2;
    if (reader->changed)
        return;
    if (!reader->holding)
        reader->untold_since = now;
    /* What is held back does not say it all any more: once more from the start. */
    reader->holding = false;
    reader->changed = true;
    reader->gap = now - reader->told_at > CALM ? SETTLE_FIRST : longer < SETTLE_MOST ? longer : SETTLE_MOST;
    timer_after(live.loop, &reader->settle, reader->gap);
}

/* The owner may take up another configuration in it, and let this reader go. */
static void tell(struct reader *reader)
{
    bool urgent = reader->urgent;
    reader->changed = reader->holding = reader->urgent = false;
    reader->told_at = live.loop->now;
    timer_set(live.loop, &reader->settle, TIME_NEVER);
    if (live.filled)
        live.owner.on_change(live.owner.owner, urgent);
}

static bool has_hash(const struct hashes *hashes, uint64_t hash)
{
    for (size_t i = 0; i < hashes->list.count; i++)
        if (hashes->list.items[i] == hash)
            return true;
    return false;
}

static uint64_t hash_of(const struct discovered *found)
{
    uint64_t hash = str_hash(found->id);
    for (size_t i = 0; i < found->servers.count; i++)
        hash = hash * 31 + str_hash(found->servers.items[i]);
    return hash;
}

/* People wait for a server that is new; and one that cannot be asked any more, without having been told to stop, makes them wait. */
static void note_served(struct reader *reader, const struct model *model)
{
    struct hashes served = {.list = {0}}, here = {.list = {0}};
    for (size_t i = 0; i < model->discovered_count; i++) {
        const struct discovered *found = &model->discovered[i];
        if (found->state != DISCOVERY_SERVED && found->state != DISCOVERY_LEAVING)
            continue;
        uint64_t hash = hash_of(found);
        VEC_PUSH(&here.list, hash);
        if (found->state == DISCOVERY_LEAVING)
            continue;
        reader->urgent = reader->urgent || !has_hash(&reader->served, hash);
        VEC_PUSH(&served.list, hash);
    }
    for (size_t i = 0; i < reader->served.list.count && !reader->urgent; i++)
        reader->urgent = !has_hash(&here, reader->served.list.items[i]);
    VEC_RELEASE(&here.list);
    VEC_RELEASE(&reader->served.list);
    reader->served = served;
}

/* Where servers would be now, beside the configuration that runs: their ports are asked before anybody is told. */
static void look_ahead(struct reader *reader)
{
    struct model *model = model_new();
    struct diag diag;
    struct discovered_servers servers;
    diag_init(&diag, &model->arena);
    discover_one(reader, reader->provider, reader->config, model, &diag, &servers);
    keep_servers(reader, &servers);
    note_served(reader, model);
    diag_release(&diag);
    model_free(model);
}

static void on_settle(struct timer *timer)
{
    struct reader *reader = container_of(timer, struct reader, settle);
    look_ahead(reader);
    if (reader->holding) {
        tell(reader);
        return;
    }
    reader->changed = false;
    reader->holding = reader->config->port_check && probes_pending(reader->probes) != 0 &&
                      live.loop->now - reader->untold_since < UNTOLD_MOST;
    if (reader->holding)
        timer_after(live.loop, &reader->settle, HOLD);
    else
        tell(reader);
}

static void on_answer(void *owner)
{
    struct reader *reader = owner;
    if (!reader->holding)
        note_change(reader);
    else if (probes_pending(reader->probes) == 0)
        timer_after(live.loop, &reader->settle, 0);
}

static void on_inventory_change(void *owner)
{
    note_change(owner);
}

static void tell_leaving(const struct reader *reader, struct str id, bool gone)
{
    struct strs urls = {.items = memory_zalloc((reader->servers.count + 1) * sizeof(struct str))};
    for (size_t i = 0; i < reader->servers.count; i++)
        if (str_equal(reader->servers.items[i].container_id, id))
            urls.items[urls.count++] = reader->servers.items[i].url;
    if (urls.count != 0)
        live.owner.on_leaving(live.owner.owner, &urls, gone);
    free(urls.items);
}

static void on_stopping(void *owner, struct str id)
{
    tell_leaving(owner, id, false);
}

static void on_gone(void *owner, struct str id)
{
    tell_leaving(owner, id, true);
}

static void on_started(void *owner, struct str id)
{
    probes_forget(((struct reader *)owner)->probes, id);
}

/* ---- readers ---- */

static bool reads_swarm(unsigned kind, const struct docker_config *config)
{
    return kind == READER_SWARM || config->swarm_mode;
}

static struct reader *reader_new(unsigned kind, const struct docker_config *config)
{
    static const struct str providers[READERS] = {[READER_DOCKER] = STR("docker"), [READER_SWARM] = STR("swarm")};
    struct reader *reader = memory_zalloc(sizeof(*reader));
    *reader = (struct reader){.provider = providers[kind],
                              .reads_swarm = reads_swarm(kind, config),
                              .watch = config->watch,
                              .refresh = config->refresh_seconds,
                              .gap = SETTLE_FIRST};
    reader->engine = engine_new(config);
    arena_init(&reader->arena, ARENA_UNLIMITED);
    timer_init(&reader->settle, on_settle);
    return reader;
}

static void reader_free(struct reader *reader)
{
    if (reader->swarm != NULL)
        swarm_free(reader->swarm);
    if (reader->containers != NULL)
        containers_free(reader->containers);
    if (reader->probes != NULL)
        probes_free(reader->probes);
    engine_free(reader->engine);
    timer_cancel(&reader->settle);
    arena_release(&reader->arena);
    VEC_RELEASE(&reader->served.list);
    free(reader);
}

static bool reader_matches(const struct reader *reader, unsigned kind, const struct docker_config *config)
{
    return engine_matches(reader->engine, config) && reader->reads_swarm == reads_swarm(kind, config) && reader->watch == config->watch &&
           reader->refresh == config->refresh_seconds;
}

static void reader_begin(struct reader *reader)
{
    struct containers_owner owner = {.owner = reader, .on_change = on_inventory_change, .on_stopping = on_stopping, .on_gone = on_gone, .on_started = on_started};
    reader->probes = probes_new(live.loop, on_answer, reader);
    engine_attach(reader->engine, live.loop);
    if (reader->reads_swarm)
        reader->swarm = swarm_new(reader->engine, live.loop, reader->provider, reader->watch, reader->refresh, &live.self, &owner);
    else
        reader->containers = containers_new(reader->engine, live.loop, reader->provider, reader->watch, &owner);
}

static const struct docker_config *wanted_by(const struct config *config, unsigned kind)
{
    return kind == READER_DOCKER ? config->providers.docker : config->providers.swarm;
}

/* ---- for the process ---- */

void docker_live_prepare(const struct config *config)
{
    for (unsigned kind = 0; kind < READERS; kind++)
        if (wanted_by(config, kind) != NULL && live.readers[kind] == NULL)
            live.readers[kind] = reader_new(kind, wanted_by(config, kind));
}

void docker_live_start(struct loop *loop, const struct docker_live_owner *owner)
{
    live.loop = loop;
    live.owner = *owner;
    live.filled = false;
    self_look(&live.self);
}

void docker_live_use(const struct config *config)
{
    for (unsigned kind = 0; kind < READERS; kind++) {
        const struct docker_config *wanted = wanted_by(config, kind);
        struct reader **reader = &live.readers[kind];
        if (*reader != NULL && (wanted == NULL || !reader_matches(*reader, kind, wanted))) {
            reader_free(*reader);
            *reader = NULL;
        }
        if (wanted == NULL)
            continue;
        if (*reader == NULL)
            *reader = reader_new(kind, wanted);
        (*reader)->config = wanted;
        if (!has_begun(*reader))
            reader_begin(*reader);
    }
}

bool docker_live_settled(void)
{
    for (unsigned kind = 0; kind < READERS; kind++) {
        const struct reader *reader = live.readers[kind];
        if (reader != NULL && has_begun(reader) && (!follower_of(reader)->settled || reader->changed || reader->holding))
            return false;
    }
    return true;
}

void docker_live_wait(struct loop *loop, int64_t patience)
{
    int64_t end = time_monotonic() + patience, left;
    while (!docker_live_settled() && (left = end - time_monotonic()) > 0)
        loop_turn(loop, left < 10 * TIME_MS ? left : 10 * TIME_MS);
}

void docker_live_fill(struct model *model, struct diag *diag)
{
    for (unsigned kind = 0; kind < READERS; kind++) {
        const struct docker_config *config = wanted_by(&model->config, kind);
        struct reader *reader = live.readers[kind];
        struct discovered_servers servers;
        if (config == NULL)
            continue;
        if (reader != NULL && (!has_begun(reader) || !reader_matches(reader, kind, config)))
            reader = NULL;
        discover_one(reader, kind == READER_DOCKER ? S("docker") : S("swarm"), config, model, diag, &servers);
        if (reader != NULL)
            keep_servers(reader, &servers);
    }
    live.filled = true;
}

void docker_live_stop(void)
{
    for (unsigned kind = 0; kind < READERS; kind++) {
        if (live.readers[kind] != NULL)
            reader_free(live.readers[kind]);
        live.readers[kind] = NULL;
    }
}

size_t docker_live_statuses(struct docker_live_status *out, size_t max)
{
    size_t count = 0;
    for (unsigned kind = 0; kind < READERS && count < max; kind++) {
        const struct reader *reader = live.readers[kind];
        if (reader == NULL || !has_begun(reader))
            continue;
        const struct follower *follower = follower_of(reader);
        out[count++] = (struct docker_live_status){.provider = reader->provider,
                                                   .endpoint = engine_endpoint(reader->engine),
                                                   .connected = follower->connected,
                                                   .version = text_str(&follower->version),
                                                   .why = text_str(&follower->why),
                                                   .since = follower->since,
                                                   .events = follower->events,
                                                   .readings = follower->readings};
    }
    return count;
}
