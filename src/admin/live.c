/* The tick. Owns what the meters showed last; what comes of a difference is the history's and the listeners'. */
#include "admin/live.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "admin/feed.h"
#include "admin/history.h"
#include "admin/live_event.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/graph.h"
#include "service/load_balancer.h"

#define UNHEARD_TICKS 10                  /* of which one asks the workers while nobody listens */

static struct {
    bool started;
    struct timer timer;
    struct graph *graph;                  /* that the things are of; one reference; NULL: none */
    struct live_things things[LIVE_KINDS];
    struct map names[LIVE_KINDS];         /* -> struct live_thing */
    struct meter_sum total;               /* the last tick's, of all entrypoints */
    bool moved;                           /* the last tick met traffic: what ended meanwhile is counted a moment later */
    int64_t ticked_at;                    /* monotonic ns */
    struct worker_report *workers;        /* as last heard; without arenas */
    int64_t asked_at;                     /* a survey is under way since then; 0: none is */
    unsigned ticks;
    struct live_slot sent_away[STATUS_COUNT][LIVE_MINUTE_SLOTS], lines_lost[LIVE_MINUTE_SLOTS];
} live;

const struct live_things *live_all(enum live_kind kind)
{
    return &live.things[kind];
}

const struct live_thing *live_find(enum live_kind kind, struct str name)
{
    return live.graph != NULL ? map_get(&live.names[kind], name) : NULL;
}

const struct worker_report *live_workers(unsigned *ret_count)
{
    *ret_count = live.workers != NULL ? admin_self->worker_count : 0;
    return live.workers;
}

/* ---- arithmetic ---- */

static uint64_t minus(uint64_t later, uint64_t former)
{
    return later >= former ? later - former : later;
}

void live_difference(const struct meter_sum *later, const struct meter_sum *former, struct meter_sum *ret_difference)
{
    *ret_difference = (struct meter_sum){.count = minus(later->count, former->count),
                                         .errors = minus(later->errors, former->errors),
                                         .refused = minus(later->refused, former->refused),
                                         .bytes_in = minus(later->bytes_in, former->bytes_in),
                                         .bytes_out = minus(later->bytes_out, former->bytes_out),
                                         .retries = minus(later->retries, former->retries),
                                         .duration = minus(later->duration, former->duration)};
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        ret_difference->buckets[i] = minus(later->buckets[i], former->buckets[i]);
}

static void add(struct meter_sum *sum, const struct meter_sum *more)
{
    sum->count += more->count;
    sum->errors += more->errors;
    sum->refused += more->refused;
    sum->bytes_in += more->bytes_in;
    sum->bytes_out += more->bytes_out;
    sum->retries += more->retries;
    sum->duration += more->duration;
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        sum->buckets[i] += more->buckets[i];
}

void live_note_minute(struct live_slot minute[LIVE_MINUTE_SLOTS], int64_t second, uint64_t requests, uint64_t errors)
{
    uint64_t number = (uint64_t)second / 10 + 1;
    struct live_slot *slot = &minute[number % LIVE_MINUTE_SLOTS];
    if (slot->number != number)
        *slot = (struct live_slot){.number = number};
    slot->requests += requests;
    slot->errors += errors;
}

struct live_slot live_sum_minute(const struct live_slot minute[LIVE_MINUTE_SLOTS], int64_t second)
{
    uint64_t number = (uint64_t)second / 10 + 1;
    struct live_slot sum = {.number = number};
    for (unsigned i = 0; i < LIVE_MINUTE_SLOTS; i++) {
        if (minute[i].number > number || minute[i].number + LIVE_MINUTE_SLOTS <= number)
            continue;
        sum.requests += minute[i].requests;
        sum.errors += minute[i].errors;
    }
    return sum;
}

struct live_slot live_minute(const struct live_thing *thing)
{
    static const struct live_slot none[LIVE_MINUTE_SLOTS];
    return live_sum_minute(thing->minute != NULL ? thing->minute : none, admin_self->control->loop.now / TIME_S);
}

/* ---- what there is ---- */

static void adopt(struct live_thing *thing, const struct map *former)
{
    const struct live_thing *old = thing->meter != NULL ? map_get(former, thing->name) : NULL;
    if (old != NULL && old->meter == thing->meter) {
        thing->total = old->total;
        thing->last = old->last;
        thing->delta = old->delta;
        thing->minute = old->minute;
    } else if (thing->meter != NULL && meter_total(thing->meter) != 0) {
        thing->last = memory_zalloc(sizeof(*thing->last));
        thing->total = meter_total(thing->meter);
        meter_sum(thing->meter, thing->last);
    }
}

static struct live_thing *add_thing(enum live_kind kind, struct str name, struct meter *meter, const struct map *former)
{
    struct live_things *things = &live.things[kind];
    struct live_thing *thing = &things->items[things->count++];
    thing->kind = kind;
    thing->name = name;
    thing->meter = meter;
    adopt(thing, former);
    map_put(&live.names[kind], name, thing);
    return thing;
}

/* A server that another configuration named before is the same one, whatever was learnt of it. */
static void add_server(const struct service *service, const struct target *target, const struct map *former)
{
    const struct server *server = target->server;
    const struct live_thing *old = map_get(former, server->key);
    struct live_thing *thing = add_thing(LIVE_SERVER, server->key, server->meter, former);
    struct loop *loop = &admin_self->control->loop;
    thing->target = target;
    thing->service = service;
    if (old == NULL) {
        thing->word = server_word_of(target, loop->now);
        thing->word_since = loop->wall;
        return;
    }
    thing->word = old->word;
    thing->word_since = old->word_since;
    thing->failures = old->failures;
    thing->last_failure = old->last_failure;
    thing->failed_at = old->failed_at;
    thing->good_at = old->good_at;
    thing->failing_since = old->failing_since;
}

static void add_things(const struct graph *graph, const struct map former[LIVE_KINDS])
{
    for (unsigned i = 0; i < graph->entry_count; i++)
        add_thing(LIVE_ENTRYPOINT, graph->entries[i]->name, graph->entries[i]->meter, &former[LIVE_ENTRYPOINT]);
    /* A router on several entrypoints appears once for each of them, with one meter. */
    for (unsigned i = 0; i < graph->router_count; i++)
        if (!map_has(&live.names[LIVE_ROUTER], graph->routers[i]->name))
            add_thing(LIVE_ROUTER, graph->routers[i]->name, graph->routers[i]->meter, &former[LIVE_ROUTER])->router = graph->routers[i];
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct service *service = graph->services[i];
        const struct target_set *targets = load_balancer_targets(service);
        struct live_thing *thing = add_thing(LIVE_SERVICE, service->name, service->meter, &former[LIVE_SERVICE]);
        thing->service = service;
        thing->first_server = live.things[LIVE_SERVER].count;
        thing->names_servers = targets != NULL;
        thing->server_count = targets != NULL ? targets->count : 0;
        for (unsigned j = 0; targets != NULL && j < targets->count; j++)
            add_server(service, &targets->items[j], &former[LIVE_SERVER]);
    }
}

static void make_room(const struct graph *graph)
{
    size_t counts[LIVE_KINDS] = {
        [LIVE_ENTRYPOINT] = graph->entry_count, [LIVE_ROUTER] = graph->router_count, [LIVE_SERVICE] = graph->service_count};
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct target_set *targets = load_balancer_targets(graph->services[i]);
        counts[LIVE_SERVER] += targets != NULL ? targets->count : 0;
    }
    for (int kind = 0; kind < LIVE_KINDS; kind++) {
        map_init(&live.names[kind], false);
        live.things[kind] = (struct live_things){.items = memory_zalloc((counts[kind] + 1) * sizeof(struct live_thing))};
    }
}

/* What none of the present things took over goes with the former ones. */
static void forget(struct live_things things[LIVE_KINDS], struct map names[LIVE_KINDS])
{
    for (int kind = 0; kind < LIVE_KINDS; kind++) {
        for (size_t i = 0; i < things[kind].count; i++) {
            struct live_thing *thing = &things[kind].items[i];
            const struct live_thing *heir = live.graph != NULL ? map_get(&live.names[kind], thing->name) : NULL;
            if (heir == NULL || heir->last != thing->last)
                free(thing->last);
            if (heir == NULL || heir->delta != thing->delta)
                free(thing->delta);
            if (heir == NULL || heir->minute != thing->minute)
                free(thing->minute);
            if (heir == NULL || heir->failures != thing->failures)
                free(thing->failures);
        }
        free(things[kind].items);
        map_release(&names[kind]);
    }
}

static void use_graph(struct graph *graph)
{
    struct graph *former = live.graph;
    struct live_things things[LIVE_KINDS];
    struct map names[LIVE_KINDS];
    memcpy(things, live.things, sizeof(things));
    memcpy(names, live.names, sizeof(names));
    make_room(graph);
    live.graph = graph_ref(graph);
    add_things(graph, names);
    forget(things, names);
    if (former != NULL)
        graph_unref(former);
}

/* DNS has other servers for a name: the same graph is read anew, while what was read before is still there. */
static void on_roster_change(void)
{
    if (live.graph != NULL)
        use_graph(live.graph);
}

/* ---- the tick ---- */

static void look_at_meter(struct live_thing *thing, int64_t second)
{
    thing->changed = false;
    uint64_t total = thing->meter != NULL ? meter_total(thing->meter) : 0;
    if (total == thing->total) {
        free(thing->delta);      /* most of thousands of routers have nothing to do at most times */
        thing->delta = NULL;
        return;
    }
    struct meter_sum sum = {.count = 0};
    meter_sum(thing->meter, &sum);
    if (thing->last == NULL)
        thing->last = memory_zalloc(sizeof(*thing->last));
    if (thing->delta == NULL)
        thing->delta = memory_zalloc(sizeof(*thing->delta));
    live_difference(&sum, thing->last, thing->delta);
    *thing->last = sum;
    thing->total = total;
    thing->changed = thing->delta->count != 0;
    if (thing->minute == NULL)
        thing->minute = memory_zalloc(LIVE_MINUTE_SLOTS * sizeof(thing->minute[0]));
    live_note_minute(thing->minute, second, thing->delta->count, thing->delta->errors);
}

static void look_at_kind(enum live_kind kind, int64_t second)
{
    for (size_t i = 0; i < live.things[kind].count; i++)
        look_at_meter(&live.things[kind].items[i], second);
}

/* How requests failed there since the last tick: the commonest reason. */
static enum status new_failure(struct live_thing *thing)
{
    uint64_t failures[STATUS_COUNT] = {0}, most = 0;
    enum status worst = STATUS_OK;
    meter_failures(thing->meter, failures);
    if (thing->failures == NULL)
        thing->failures = memory_zalloc(sizeof(failures));
    for (int status = 0; status < STATUS_COUNT; status++) {
        uint64_t more = minus(failures[status], thing->failures[status]);
        if (more > most && status_http((enum status)status) >= 500)
            most = more, worst = (enum status)status;
    }
    memcpy(thing->failures, failures, sizeof(failures));
    return worst;
}

static void look_at_failures(struct live_thing *thing, int64_t wall)
{
    if (thing->meter == NULL)
        return;
    enum status failure = new_failure(thing);
    if (thing->changed && thing->delta->count > thing->delta->errors) {
        thing->good_at = wall;
        thing->failing_since = 0;
    }
    if (failure == STATUS_OK)
        return;
    thing->last_failure = failure;
    thing->failed_at = wall;
    if (thing->failing_since == 0 && thing->good_at != wall)
        thing->failing_since = wall;
}

/* Its word can change without a request. */
static void look_at_servers(const struct loop *loop, bool failures)
{
    struct live_things *servers = &live.things[LIVE_SERVER];
    for (size_t i = 0; i < servers->count; i++) {
        struct live_thing *thing = &servers->items[i];
        enum server_word word = server_word_of(thing->target, loop->now);
        thing->word_changed = word != thing->word;
        if (thing->word_changed)
            thing->word_since = loop->wall;
        thing->word = word;
        if (failures)
            look_at_failures(thing, loop->wall);
    }
}

static void look_at_all(const struct loop *loop)
{
    int64_t second = loop->now / TIME_S;
    bool moved = false;
    memset(&live.total, 0, sizeof(live.total));
    look_at_kind(LIVE_ENTRYPOINT, second);
    for (size_t i = 0; i < live.things[LIVE_ENTRYPOINT].count; i++) {
        const struct live_thing *entry = &live.things[LIVE_ENTRYPOINT].items[i];
        moved = moved || entry->changed;
        if (entry->changed)
            add(&live.total, entry->delta);
    }
    bool look = moved || live.moved;
    for (int kind = LIVE_ROUTER; kind < LIVE_KINDS && look; kind++)
        look_at_kind((enum live_kind)kind, second);
    look_at_servers(loop, look);
    live.moved = moved;
}

static void record(const struct live_thing *thing, int64_t seconds, struct text *key)
{
    static const char *const kinds[LIVE_KINDS] = {
        [LIVE_ENTRYPOINT] = "entryPoint:", [LIVE_ROUTER] = "router:", [LIVE_SERVICE] = "service:", [LIVE_SERVER] = "server:"};
    text_clear(key);
    text_add(key, str_from(kinds[thing->kind]));
    text_add(key, thing->name);
    history_record(text_str(key), seconds, thing->delta);
}

static void record_all(const struct loop *loop, int64_t seconds)
{
    struct text key;
    history_advance(loop->now / TIME_S, loop->wall / TIME_MS);
    history_record(S("total"), seconds, &live.total);
    text_init(&key, 65536);
    for (int kind = 0; kind < LIVE_KINDS; kind++)
        for (size_t i = 0; i < live.things[kind].count; i++)
            if (live.things[kind].items[i].changed)
                record(&live.things[kind].items[i], seconds, &key);
    text_release(&key);
}

static void tick(void)
{
    const struct loop *loop = &admin_self->control->loop;
    int64_t passed = loop->now / TIME_S - live.ticked_at / TIME_S;
    double interval = (double)(loop->now - live.ticked_at) / (double)TIME_S;
    live.ticked_at = loop->now;
    look_at_all(loop);
    record_all(loop, passed);
    if (feed_is_heard(FEED_LIVE))
        live_event_publish(&live.total, interval);
}

/* What a worker counts never goes back. */
static void note_report(struct worker_report *former, const struct worker_report *report)
{
    int64_t second = admin_self->control->loop.now / TIME_S;
    for (int status = 0; status < STATUS_COUNT; status++)
        if (report->sent_away[status] != former->sent_away[status])
            live_note_minute(live.sent_away[status], second, minus(report->sent_away[status], former->sent_away[status]), 0);
    live_note_minute(live.lines_lost, second, minus(report->log_lines_lost, former->log_lines_lost), 0);
    *former = *report;
    former->longest_turn = survey_take_lag(report->worker, LAG_LIVE);
    former->arena = (struct arena){0};
    former->ports = NULL;
    former->open = NULL;
    former->requests = former->failures = NULL;
    former->port_count = former->open_count = former->request_count = former->failure_count = 0;
}

static void on_survey(struct survey *survey)
{
    live.asked_at = 0;
    if (admin_self == NULL || !live.started)
        return;
    for (unsigned i = 0; i < survey->count && i < admin_self->worker_count; i++)
        note_report(&live.workers[i], &survey->reports[i]);
    tick();
}

/* A worker that does not answer within the second holds up nothing. */
static void on_timer(struct timer *timer)
{
    struct loop *loop = &admin_self->control->loop;
    timer_set(loop, timer, (loop->now / TIME_S + 1) * TIME_S);
    bool ask = live.asked_at == 0 && (feed_is_heard(FEED_LIVE) || live.ticks % UNHEARD_TICKS == 0);
    live.ticks++;
    if (ask) {
        live.asked_at = loop->now;
        if (survey_start(SURVEY_RESET_LAG, 0, NULL, on_survey))
            return;
        live.asked_at = 0;
    }
    tick();
}

uint64_t live_sent_away(enum status reason)
{
    return live_sum_minute(live.sent_away[reason], admin_self->control->loop.now / TIME_S).requests;
}

uint64_t live_lines_lost(void)
{
    return live_sum_minute(live.lines_lost, admin_self->control->loop.now / TIME_S).requests;
}

int64_t live_waits_for_workers(void)
{
    return live.asked_at != 0 ? admin_self->control->loop.now - live.asked_at : 0;
}

/* ---- its life ---- */

static void start(void)
{
    roster_on_change = on_roster_change;
    struct loop *loop = &admin_self->control->loop;
    live.started = true;
    for (int kind = 0; kind < LIVE_KINDS; kind++)
        map_init(&live.names[kind], false);
    live.workers = memory_zalloc((admin_self->worker_count + 1) * sizeof(*live.workers));
    for (unsigned i = 0; i < admin_self->worker_count; i++)
        live.workers[i].worker = i;
    live.ticked_at = loop->now;
    timer_init(&live.timer, on_timer);
    timer_set(loop, &live.timer, (loop->now / TIME_S + 1) * TIME_S);
    history_advance(loop->now / TIME_S, loop->wall / TIME_MS);
}

static void stop(void)
{
    roster_on_change = NULL;
    timer_cancel(&live.timer);
    struct graph *former = live.graph;
    struct live_things things[LIVE_KINDS];
    struct map names[LIVE_KINDS];
    memcpy(things, live.things, sizeof(things));
    memcpy(names, live.names, sizeof(names));
    live.graph = NULL;
    if (former != NULL) {
        forget(things, names);
        graph_unref(former);
    }
    free(live.workers);
    memset(&live, 0, sizeof(live));
    history_release();
}

static const struct admin_part live_part = {.start = start, .use = use_graph, .stop = stop};
REGISTER(admin_part, live_part);
