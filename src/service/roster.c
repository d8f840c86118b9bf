#include "service/roster.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "upstream/name_watch.h"

#define CACHE_LINE ((size_t)64)

void (*roster_on_change)(void);

/* ---- a roster ---- */

/* A server that joins others which already serve starts slowly, as one that comes back does. */
static void start_newcomers_slowly(const struct target_set *targets)
{
    bool any_old = false;
    for (unsigned i = 0; i < targets->count; i++)
        any_old |= atomic_load(&targets->items[i].server->refs) > 1;
    for (unsigned i = 0; any_old && i < targets->count; i++)
        if (atomic_load(&targets->items[i].server->refs) == 1)
            atomic_store(&targets->items[i].server->ready_since, time_monotonic());
}

/* One for each worker and the control thread. */
static void make_states(struct roster *roster, const struct roster_rule *rule, struct arena *arena)
{
    size_t size = balancer_state_size(rule->balancer, &roster->targets);
    unsigned count = rule->workers + 1;
    roster->state_stride = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    char *memory = arena_zalloc(arena, roster->state_stride * count + CACHE_LINE);
    roster->states = memory + (CACHE_LINE - (uintptr_t)memory % CACHE_LINE) % CACHE_LINE;
    for (unsigned i = 0; i < count; i++)
        balancer_init(rule->balancer, roster->states + i * roster->state_stride, &roster->targets, i);
}

/* The targets are there. */
static void complete(struct roster *roster, const struct roster_rule *rule, struct arena *arena)
{
    struct target_set *targets = &roster->targets;
    targets->slow_start = rule->slow_start;
    for (unsigned i = 0; i < targets->count; i++) {
        const struct target *target = &targets->items[i];
        if (rule->balancer->weighs || target->max_active != 0)
            server_weigh(target->server);
        roster->passive |= target->passive != NULL;
        targets->tiers = targets->tiers > target->tier ? targets->tiers : target->tier + 1;
    }
    start_newcomers_slowly(targets);
    roster->claims = arena_array(arena, struct health_claim *, targets->count);
    for (unsigned i = 0; i < targets->count; i++)
        roster->claims[i] = health_claim(targets->items[i].server, rule->health_check, rule->transport);
    make_states(roster, rule, arena);
}

void roster_fill(struct roster *roster, const struct roster_rule *rule, const struct roster_entry *entries, unsigned count,
                 struct arena *arena)
{
    roster->targets.items = arena_array(arena, struct target, count);
    for (unsigned i = 0; i < count; i++)
        roster->targets.items[roster->targets.count++] = entries[i].target;
    complete(roster, rule, arena);
}

void roster_empty(struct roster *roster)
{
    for (unsigned i = 0; i < roster->targets.count; i++) {
        if (roster->claims != NULL)
            health_release(roster->claims[i]);
        server_unref(roster->targets.items[i].server);
    }
    roster->targets.count = 0;
}

static void roster_unref(struct roster *roster)
{
    if (roster == NULL || atomic_fetch_sub_explicit(&roster->refs, 1, memory_order_acq_rel) != 1)
        return;
    roster_empty(roster);
    arena_release(&roster->arena);
    free(roster);
}

/* ---- one that changes ---- */

/* What a thread looks at; a line of its own. */
struct seat {
    struct roster *roster;                   /* one reference */
    uint64_t version;
    char rest[CACHE_LINE - sizeof(struct roster *) - sizeof(uint64_t)];
};

struct watched {
    struct name_watch watch;
    struct roster_source *source;
    const struct roster_name *name;
};

struct roster_source {
    pthread_mutex_t lock;                    /* over what follows, to `version` */
    bool ended;                              /* the graph is gone: nothing of it is looked at any more */
    struct roster *current;
    _Atomic uint64_t version;                /* read without the lock */
    const struct roster_rule *rule;          /* the graph's */
    const struct roster_entry *entries;      /* the graph's */
    unsigned entry_count, watched_count, seat_count;
    struct str service;
    struct seat *seats;
    struct watched *watched;                 /* the control thread's, one for each entry (unused for targets) */
    struct arena arena;                      /* of texts */
    struct message ended_message;
};

static unsigned place_count(const struct roster_source *source)
{
    unsigned count = 0;
    for (unsigned i = 0; i < source->entry_count; i++)
        count += source->entries[i].name == NULL ? 1 : source->watched[i].watch.count;
    return count;
}

static bool has_server(const struct roster *roster, const struct server *server)
{
    for (unsigned i = 0; i < roster->targets.count; i++)
        if (roster->targets.items[i].server == server)
            return true;
    return false;
}

/* The same place twice is two servers, each with its turns. */
static struct server *get_server(const struct roster_source *source, const struct roster *roster, struct str url, struct str authority,
                                 struct arena *arena)
{
    struct str owner = source->service;
    for (unsigned again = 2;; again++) {
        struct server *server = server_get_called(owner, url, authority);
        if (server == NULL || !has_server(roster, server))
            return server;
        server_unref(server);
        owner = arena_printf(arena, "%.*s (%u)", STR_ARGS(source->service), again);
    }
}

/* Of a service the records with the lowest number come first, all others stand by. */
static uint16_t first_priority(const struct name_watch *watch)
{
    uint16_t least = UINT16_MAX;
    for (unsigned i = 0; i < watch->count; i++)
        least = watch->places[i].priority < least ? watch->places[i].priority : least;
    return least;
}

static void add_place(const struct roster_source *source, struct roster *roster, const struct watched *watched,
                      const struct lookup_place *place)
{
    const struct roster_name *name = watched->name;
    struct server_url parts;
    struct addr addr;
    if (server_url_parse(name->url, &parts) != NULL)
        return;
    bool service = name->service.len != 0;
    addr_from_ip(&place->ip, service ? place->port : parts.port, &addr);
    struct str where = addr_format(&addr, &roster->arena);
    struct str url = arena_printf(&roster->arena, "%.*s://%.*s%.*s", STR_ARGS(parts.scheme), STR_ARGS(where), STR_ARGS(parts.path));
    struct server *server = get_server(source, roster, url, parts.authority, &roster->arena);
    if (server == NULL)
        return;
    struct target *target = &roster->targets.items[roster->targets.count++];
    *target = name->model;
    target->server = server;
    if (service && target->weight == 1)
        target->weight = place->weight;
    if (service && target->tier == 0 && place->priority != first_priority(&watched->watch))
        target->tier = 1;
}

static struct roster *make_roster(const struct roster_source *source)
{
    struct roster *roster = memory_zalloc(sizeof(*roster));
    atomic_store(&roster->refs, 1);
    arena_init(&roster->arena, ARENA_UNLIMITED);
    roster->targets.items = arena_array(&roster->arena, struct target, place_count(source));
    for (unsigned i = 0; i < source->entry_count; i++) {
        const struct roster_entry *entry = &source->entries[i];
        const struct watched *watched = &source->watched[i];
        if (entry->name == NULL) {
            roster->targets.items[roster->targets.count] = entry->target;
            server_ref(roster->targets.items[roster->targets.count++].server);
        }
        for (unsigned j = 0; entry->name != NULL && j < watched->watch.count; j++)
            add_place(source, roster, watched, &watched->watch.places[j]);
    }
    complete(roster, source->rule, &roster->arena);
    return roster;
}

/* Those that have gone keep no connections. */
static void forget_missing(const struct roster *former, const struct roster *roster)
{
    for (unsigned i = 0; i < former->targets.count; i++)
        if (!has_server(roster, former->targets.items[i].server))
            server_forget(former->targets.items[i].server);
}

static void on_change(struct name_watch *watch)
{
    struct roster_source *source = container_of(watch, struct watched, watch)->source;
    struct roster *former = NULL;
    pthread_mutex_lock(&source->lock);
    if (!source->ended) {
        former = source->current;
        source->current = make_roster(source);
        forget_missing(former, source->current);
        log_debug("service '%.*s': '%.*s' has %u addresses", STR_ARGS(source->service), STR_ARGS(watch->name), watch->count);
        atomic_fetch_add(&source->version, 1);
    }
    pthread_mutex_unlock(&source->lock);
    if (former == NULL)
        return;
    if (roster_on_change != NULL)
        roster_on_change();
    roster_unref(former);
}

static void on_failure(struct name_watch *watch, const char *why)
{
    const struct roster_source *source = container_of(watch, struct watched, watch)->source;
    log_warn("service '%.*s': %s%.*s%s'%.*s' could not be resolved: %s", STR_ARGS(source->service), watch->service.len != 0 ? "service '" : "",
             STR_ARGS(watch->service), watch->service.len != 0 ? "' of " : "", STR_ARGS(watch->name), why != NULL ? why : "there is none");
}

/* ---- its life ---- */

static struct str host_of(const struct roster_name *name, struct arena *arena)
{
    struct server_url parts;
    return server_url_parse(name->url, &parts) == NULL ? arena_str(arena, parts.host) : STR_NONE;
}

static void begin_watch(struct roster_source *source, unsigned index)
{
    const struct roster_name *name = source->entries[index].name;
    struct watched *watched = &source->watched[index];
    *watched = (struct watched){.source = source, .name = name};
    watched->watch = (struct name_watch){.name = host_of(name, &source->arena),
                                         .service = arena_str(&source->arena, name->service),
                                         .rule = name->rule,
                                         .on_change = on_change,
                                         .on_failure = on_failure};
    watched->watch.rule.servers = arena_str(&source->arena, name->rule.servers);
    name_watch_begin(&watched->watch);
}

struct roster_source *roster_source_new(const struct roster_rule *rule, const struct roster_entry *entries, unsigned count)
{
    struct roster_source *source = memory_zalloc(sizeof(*source));
    source->rule = rule;
    source->entries = entries;
    source->entry_count = count;
    source->seat_count = rule->workers + 1;
    pthread_mutex_init(&source->lock, NULL);
    arena_init(&source->arena, ARENA_UNLIMITED);
    source->service = arena_str(&source->arena, rule->service);
    source->seats = memory_zalloc(source->seat_count * sizeof(struct seat));
    source->watched = memory_zalloc((count + 1) * sizeof(struct watched));
    for (unsigned i = 0; i < count; i++)
        if (entries[i].name != NULL)
            begin_watch(source, i);
    source->current = make_roster(source);
    atomic_store(&source->version, 1);
    return source;
}

static void free_source(struct roster_source *source)
{
    for (unsigned i = 0; i < source->entry_count; i++)
        if (source->watched[i].source != NULL)
            name_watch_end(&source->watched[i].watch);
    pthread_mutex_destroy(&source->lock);
    arena_release(&source->arena);
    free(source->watched);
    free(source->seats);
    free(source);
}

static void on_ended(struct message *message)
{
    free_source(container_of(message, struct roster_source, ended_message));
}

void roster_source_end(struct roster_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->ended = true;
    roster_unref(source->current);
    for (unsigned i = 0; i < source->seat_count; i++)
        roster_unref(source->seats[i].roster);
    for (unsigned i = 0; i < source->entry_count; i++)
        server_unref(source->entries[i].target.server);
    pthread_mutex_unlock(&source->lock);
    struct loop *loop = name_watch_loop();
    source->ended_message.deliver = on_ended;
    if (loop != NULL)
        loop_post(loop, &source->ended_message);
    else
        free_source(source);
}

/* ---- who looks at it ---- */

static __attribute__((noinline)) void take_up(struct roster_source *source, struct seat *seat)
{
    struct roster *former = seat->roster;
    pthread_mutex_lock(&source->lock);
    seat->roster = source->current;
    seat->version = atomic_load(&source->version);
    atomic_fetch_add(&seat->roster->refs, 1);
    pthread_mutex_unlock(&source->lock);
    roster_unref(former);
}

struct roster *roster_now(struct roster_source *source, unsigned worker)
{
    struct seat *seat = &source->seats[worker];
    if (seat->version != atomic_load_explicit(&source->version, memory_order_relaxed))
        take_up(source, seat);
    return seat->roster;
}

struct kept_roster {
    struct keepsake keepsake;
    struct roster *roster;
};

static void let_go(struct keepsake *keepsake)
{
    roster_unref(container_of(keepsake, struct kept_roster, keepsake)->roster);
}

static struct kept_roster *find_kept(const struct exchange *x, const struct roster_source *source)
{
    for (struct keepsake *it = x->kept; it != NULL; it = it->next)
        if (it->owner == source)
            return container_of(it, struct kept_roster, keepsake);
    return NULL;
}

struct roster *roster_of(const struct exchange *x, const struct roster_source *source)
{
    const struct kept_roster *kept = find_kept(x, source);
    return kept != NULL ? kept->roster : NULL;
}

struct roster *roster_to_pick_from(struct exchange *x, struct roster_source *source)
{
    struct kept_roster *kept = find_kept(x, source);
    if (kept != NULL && x->tried != 0)
        return kept->roster;
    struct roster *present = roster_now(source, x->worker->index);
    if (kept == NULL) {
        kept = arena_alloc(&x->arena, sizeof(*kept));
        if (kept == NULL)
            return NULL;
        *kept = (struct kept_roster){.keepsake = {.release = let_go, .owner = source}};
        exchange_keep(x, &kept->keepsake);
    }
    if (kept->roster != present) {
        atomic_fetch_add_explicit(&present->refs, 1, memory_order_relaxed);
        roster_unref(kept->roster);
        kept->roster = present;
    }
    return present;
}
