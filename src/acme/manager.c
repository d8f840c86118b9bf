/* Owns the resolvers at work, the timer that looks at them, and what the vault gets of them. */
#include "acme/manager.h"

#include <stdlib.h>

#include "acme/challenge_dns.h"
#include "acme/managed.h"
#include "acme/staples.h"
#include "acme/wanted.h"
#include "base/data_directory.h"
#include "base/log.h"
#include "config/bind.h"
#include "tls/vault.h"

#define CLOCK_TOLERANCE (60 * TIME_S)
#define LOOK_AGAIN (3600 * TIME_S)      /* at the latest: clocks are set, machines sleep */
#define FORGET_AFTER (3600 * TIME_S)    /* failures of names that came up on demand */

struct manager manager;

int64_t manage_now(void)
{
    return manager.loop->wall / TIME_S;
}

void manage_wake(void)
{
    timer_after(manager.loop, &manager.timer, 0);
}

struct resolver *manage_resolver(struct str name)
{
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        if (str_equal(resolver->name, name))
            return resolver;
    }
    return NULL;
}

/* ---- the vault ---- */

static void hand_over(bool local, enum vault_source source)
{
    VEC(struct certificate *) certificates = {0};
    LIST_FOREACH(&manager.resolvers, it) {
        const struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at) {
            struct certificate *certificate = container_of(at, struct managed, link)->certificate;
            if (certificate != NULL && (resolver->config == NULL) == local)
                VEC_PUSH(&certificates, certificate);
        }
    }
    vault_set(source, certificates.items, certificates.count);
    VEC_RELEASE(&certificates);
}

void manage_publish(void)
{
    if (!manager.changed)
        return;
    manager.changed = false;
    hand_over(false, VAULT_ACME);
    hand_over(true, VAULT_LOCAL);
    vault_publish();
}

/* ---- what is due ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Wall ns of a Unix second that may be never. */
static int64_t wall_of(int64_t second)
{
    return second < INT64_MAX / TIME_S ? second * TIME_S : INT64_MAX;
}

static int64_t run_local(struct resolver *resolver)
{
    int64_t next = INT64_MAX, wall = manager.loop->wall;
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        if (managed_due(managed) <= manage_now() && backoff_is_over(&managed->backoff, wall))
            local_issue(managed);
        int64_t due = wall_of(managed_due(managed));
        next = earlier(next, due > managed->backoff.until ? due : managed->backoff.until);
    }
    return next;
}

/* An order may begin, unless something says when it may. */
static int64_t run_managed(struct managed *managed)
{
    struct resolver *resolver = managed->resolver;
    int64_t ready_at, wall = manager.loop->wall, due = wall_of(managed_due(managed));
    if (order_is_under_way(managed) || due == INT64_MAX)
        return INT64_MAX;
    authority_choose(managed, &ready_at);
    int64_t at = due > managed->backoff.until ? due : managed->backoff.until;
    at = at > ready_at ? at : ready_at;
    if (!managed->holds_lock)
        at = at > resolver->lock_at ? at : resolver->lock_at;
    if (at > wall)
        return at;
    if (!managed->holds_lock && resolver->running >= ORDERS_RUNNING_MAX)
        return INT64_MAX;               /* woken when one of them ends */
    if (on_demand_permits(managed))
        order_begin(managed);
    return resolver->lock_at > wall ? resolver->lock_at : INT64_MAX;
}

/* Nobody wanted it for a long time, and it has expired: it goes. */
static bool is_past(const struct managed *managed)
{
    int64_t now = manage_now();
    return managed->certificate != NULL && managed->unwanted_since != 0 && now - managed->unwanted_since > UNWANTED_GRACE &&
           managed->certificate->not_after < now;
}

static void remove_stored(struct managed *managed)
{
    struct storage *storage = managed->resolver->storage;
    if (!storage_lock(storage))
        return;
    if (storage_is_current(storage) || resolver_load(managed->resolver)) {
        struct state_certificate *stored = state_certificate_of(storage_state(storage), &managed->names);
        if (stored != NULL)
            storage_drop(storage, stored);
        resolver_save(managed->resolver);
        managed_free(managed);
    }
    storage_unlock(storage);
}

/* A name that came up on demand, failed, and was not asked for since. */
static bool is_forgotten(const struct managed *managed)
{
    return managed->certificate == NULL && !managed->wanted && list_empty(&managed->questions) && !managed->holds_lock &&
           !order_is_under_way(managed) && managed->backoff.until + FORGET_AFTER < manager.loop->wall;
}

static int64_t run_orders(struct resolver *resolver)
{
    int64_t next = INT64_MAX;
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        if (is_past(managed))
            remove_stored(managed);
        else if (is_forgotten(managed))
            managed_free(managed);
        else if (!manager.stopping)
            next = earlier(next, run_managed(managed));
    }
    return next;
}

static int64_t run_acme(struct resolver *resolver)
{
    int64_t wall = manager.loop->wall, next = INT64_MAX;
    if (resolver->broken && resolver->lock_at <= wall && !resolver_load(resolver))
        resolver->lock_at = wall + BROKEN_PAUSE;
    if (resolver->broken)
        return resolver->lock_at;
    if (resolver->save_at != 0 && resolver->save_at <= wall)
        resolver_save(resolver);
    if (resolver->save_at != 0)
        next = resolver->save_at;
    next = earlier(next, run_orders(resolver));
    return manager.stopping ? next : earlier(next, wall_of(renewal_ask_where_due(resolver, manage_now())));
}

/* A moment that was reckoned by a clock that ran ahead may lie years away. */
static void notice_clock(void)
{
    if (manager.loop->wall < manager.looked_at - CLOCK_TOLERANCE) {
        log_warn("acme: the clock was set back, waits begin anew");
        acme_retry();
    }
    manager.looked_at = manager.loop->wall;
}

static void on_timer(struct timer *timer)
{
    int64_t next = INT64_MAX;
    notice_clock();
    timer_set(manager.loop, &manager.timer, TIME_NEVER);
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        next = earlier(next, resolver->config != NULL ? run_acme(resolver) : run_local(resolver));
    }
    manage_publish();
    vault_publish();                    /* challenges that are over */
    int64_t wait = next == INT64_MAX ? LOOK_AGAIN : next - manager.loop->wall;
    int64_t at = manager.loop->now + (wait < 0 ? 0 : earlier(wait, LOOK_AGAIN));
    if (manager.timer.deadline > at)    /* unless something asked for an earlier look meanwhile */
        timer_set(manager.loop, &manager.timer, at);
}

/* ---- a new configuration ---- */

/* A resolver that nobody wrote, with the defaults of those that are written. */
static const struct resolver_config *bind_resolver(const char *kind, struct arena *arena)
{
    struct diag diag;
    struct node *node = node_new(arena, NODE_MAP, SPAN_NONE);
    node_become(node_make_path(arena, node, str_from(kind), SPAN_NONE), NODE_MAP);
    diag_init(&diag, arena);
    const struct resolver_config *config = bind_new(&resolver_table, node, NULL, arena, &diag);
    diag_release(&diag);
    return config;
}

const struct acme_config *manage_automatic_config(const struct model *model, struct arena *arena)
{
    const struct automatic_https *automatic = model->config.automatic_https;
    struct acme_config *config = bind_resolver("acme", arena)->acme;
    config->storage = arena_concat(arena, data_path("acme", arena), S("/"));
    if (automatic != NULL)
        config->email = automatic->email;
    return config;
}

/* The runtime goes on where the configuration says the same; otherwise it begins anew, from storage and with what is served. */
static void keep_resolver(struct str name, const struct acme_config *acme, const struct local_ca_config *local)
{
    struct resolver *resolver = manage_resolver(name);
    bool same = resolver != NULL && (resolver->config != NULL) == (acme != NULL) &&
                (acme != NULL ? resolver_config_same(resolver->config, acme)
                              : str_equal(resolver->local->directory, local->directory));
    if (resolver != NULL && !same) {
        resolver_leave(resolver);
        resolver = NULL;
    }
    if (resolver == NULL)
        resolver = resolver_new(name, acme, local);
    resolver->config = acme;
    resolver->local = local;
    resolver->kept = true;
}

static void take_resolvers(const struct model *model, struct arena *arena)
{
    const struct objects *configured = &model->config.certificates_resolvers;
    for (size_t i = 0; i < configured->count; i++) {
        const struct resolver_config *config = configured->items[i].value;
        keep_resolver(configured->items[i].name, config->acme, config->local_ca);
    }
    if (model->config.automatic_https != NULL) {
        keep_resolver((struct str)RESOLVER_AUTOMATIC, manage_automatic_config(model, arena), NULL);
        keep_resolver((struct str)RESOLVER_LOCAL, NULL, bind_resolver("localCA", arena)->local_ca);
    }
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        if (!resolver->kept)
            resolver_leave(resolver);
        else
            resolver->kept = false;
    }
}

/* Wants that can be fulfilled; the others are told of. */
static size_t filter_wants(const struct graph *graph, struct certificate_want *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < graph->want_count; i++) {
        const struct certificate_want *want = &graph->wants[i];
        const struct resolver *resolver = manage_resolver(want->resolver);
        bool wildcard = false;
        for (size_t j = 0; j < want->names.count; j++)
            wildcard |= str_starts(want->names.items[j], S("*."));
        if (resolver == NULL)
            log_error("acme: router '%.*s' wants a certificate of '%.*s', which is no resolver", STR_ARGS(want->router),
                      STR_ARGS(want->resolver));
        else if (wildcard && resolver->config != NULL && resolver->config->dns_challenge == NULL)
            log_error("acme: router '%.*s' wants a wildcard certificate (%.*s): resolver '%.*s' needs a dnsChallenge for it",
                      STR_ARGS(want->router), STR_ARGS(want->names.items[0]), STR_ARGS(want->resolver));
        else
            out[count++] = *want;
    }
    return count;
}

static void mark_unwanted(void)
{
    LIST_FOREACH(&manager.resolvers, it) {
        struct resolver *resolver = container_of(it, struct resolver, link);
        LIST_FOREACH(&resolver->managed, at)
            container_of(at, struct managed, link)->wanted = false;
    }
}

/* When a certificate began to be unwanted is told to storage: the grace goes on through restarts. */
static void note_wanted(struct managed *managed)
{
    bool unwanted = !managed->wanted && !managed->on_demand;
    int64_t since = !unwanted ? 0 : managed->unwanted_since != 0 ? managed->unwanted_since : manage_now();
    managed->unwanted_since = since;
    if (managed->resolver->storage == NULL)
        return;
    struct state_certificate *stored = state_certificate_of(storage_state(managed->resolver->storage), &managed->names);
    if (stored != NULL && stored->unwanted_since != since) {
        stored->unwanted_since = since;
        stored->unsaved = true;
    }
}

/* A problem of names that the configuration has no more: people would still be shown it. */
static struct state_problem *stale_problem(struct resolver *resolver)
{
    const struct state *state = storage_state(resolver->storage);
    for (size_t i = 0; i < state->problems.count; i++)
        if (resolver_find(resolver, &state->problems.items[i]->names) == NULL)
            return state->problems.items[i];
    return NULL;
}

/* Removed from what storage holds now, so that the next reading does not bring it back. */
static void drop_stale_problems(struct resolver *resolver)
{
    struct state_problem *problem = stale_problem(resolver);
    if (problem == NULL || !storage_lock(resolver->storage))
        return;
    if (storage_is_current(resolver->storage) || resolver_load(resolver)) {
        while ((problem = stale_problem(resolver)) != NULL)
            state_problem_drop(storage_state(resolver->storage), problem);
        resolver_save(resolver);
    }
    storage_unlock(resolver->storage);
}

static void drop_unwanted(struct resolver *resolver)
{
    LIST_FOREACH(&resolver->managed, it) {
        struct managed *managed = container_of(it, struct managed, link);
        note_wanted(managed);
        if (managed->wanted || managed->on_demand)
            continue;
        order_cancel(managed);
        if (managed->certificate == NULL || resolver->config == NULL)
            managed_free(managed);
    }
    if (resolver->storage == NULL || resolver->broken)
        return;
    drop_stale_problems(resolver);
    if (storage_is_unsaved(resolver->storage))
        resolver_save(resolver);
}

static void take_wants(const struct graph *graph)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct certificate_want *wants = arena_array(&arena, struct certificate_want, graph->want_count);
    size_t count = filter_wants(graph, wants);
    struct wanted wanted =
        wanted_choose(wants, count, graph->certificates, graph->certificate_count, manage_now(), &arena);
    mark_unwanted();
    for (size_t i = 0; i < wanted.count; i++) {
        struct resolver *resolver = manage_resolver(wanted.items[i].resolver);
        struct managed *managed = resolver_find(resolver, &wanted.items[i].names);
        if (managed == NULL)
            managed = resolver_add(resolver, &wanted.items[i].names);
        managed->wanted = true;
    }
    handover_finish();
    LIST_FOREACH(&manager.resolvers, it)
        drop_unwanted(container_of(it, struct resolver, link));
    arena_release(&arena);
}

void acme_update(struct graph *graph)
{
    struct graph *former = manager.graph;
    struct arena former_arena = manager.arena;
    arena_init(&manager.arena, ARENA_UNLIMITED);
    manager.graph = graph_ref(graph);
    take_resolvers(graph->model, &manager.arena);
    take_wants(graph);
    manage_publish();
    manage_wake();
    arena_release(&former_arena);
    if (former != NULL)
        graph_unref(former);
}

void acme_retry(void)
{
    LIST_FOREACH(&manager.resolvers, it)
        resolver_shorten_waits(container_of(it, struct resolver, link));
    manage_wake();
}

/* ---- start and stop ---- */

void acme_start(struct worker *control)
{
    manager = (struct manager){.loop = &control->loop};
    arena_init(&manager.arena, ARENA_UNLIMITED);
    list_init(&manager.resolvers);
    list_init(&manager.leaving);
    timer_init(&manager.timer, on_timer);
    on_demand_start();
    staples_start(manager.loop);
}

void acme_stopping(void)
{
    manager.stopping = true;
}

void acme_stop(void)
{
    if (manager.loop == NULL)
        return;
    manager.stopping = true;
    on_demand_stop();
    staples_stop();
    LIST_FOREACH(&manager.resolvers, it)
        resolver_free(container_of(it, struct resolver, link));
    challenge_dns_abandon_all();
    timer_cancel(&manager.timer);
    arena_release(&manager.arena);
    if (manager.graph != NULL)
        graph_unref(manager.graph);
    manager = (struct manager){0};
}
