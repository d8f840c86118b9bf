/* The tick. Owns what the meters showed last; what comes of a difference is the history's and the listeners'. */
#include "admin/live.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "admin/feed.h"
#include "admin/history.h"
#include "admin/live_event.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/graph.h"
#include "service/load_balancer.h"

#define FAILURES_SIZE (STATUS_COUNT * sizeof(uint64_t))
#define UNHEARD_TICKS 10                  /* of which one asks the workers while nobody listens */

static struct {
    bool started;
    struct timer timer;
    struct graph *graph;                  /* that the things are of; one reference; NULL: none */
    struct live_things things[LIVE_KINDS];
    struct meter_sum total;               /* the last tick's, of all entrypoints */
    bool moved;                           /* the last tick met traffic: what ended meanwhile is counted a moment later */
    int64_t ticked_at;                    /* monotonic ns */
    struct worker_report *workers;        /* as last heard; without arenas */
    int64_t asked_at;                     /* a survey is under way since then; 0: none is */
    unsigned ticks;
    struct live_slot sent_away[STATUS_COUNT][LIVE_MINUTE_SLOTS], lines_lost[LIVE_MINUTE_SLOTS];
} live;

/* Of several with one name the last. */
static struct live_thing *find(const struct live_things *things, struct str name)
{
    size_t from = 0, to = things->by_name != NULL ? things->count : 0;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (str_compare(things->items[things->by_name[middle]].name, name) <= 0)
            from = middle + 1;
        else
            to = middle;
    }
    struct live_thing *found = from != 0 ? &things->items[things->by_name[from - 1]] : NULL;
    return found != NULL && str_equal(found->name, name) ? found : NULL;
}

const struct live_things *live_all(enum live_kind kind)
{
    return &live.things[kind];
}

const struct live_thing *live_find(enum live_kind kind, struct str name)
{
    return live.graph != NULL ? find(&live.things[kind], name) : NULL;
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
    uint32_t number = (uint32_t)(second / 10) + 1;
    struct live_slot *slot = &minute[number % LIVE_MINUTE_SLOTS];
    if (slot->number != number)
        *slot = (struct live_slot){.number = number};
    slot->requests += (uint32_t)requests;
    slot->errors += (uint32_t)errors;
}

struct live_slot live_sum_minute(const struct live_slot minute[LIVE_MINUTE_SLOTS], int64_t second)
{
    uint32_t number = (uint32_t)(second / 10) + 1;
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
    return live_sum_minute(thing->course != NULL ? thing->course->minute : none, admin_self->control->loop.now / TIME_S);
}

bool live_delta(const struct live_thing *thing, struct meter_sum *ret_delta)
{
    live_past_unpack(thing->changed ? thing->course->delta : NULL, ret_delta);
    return thing->changed;
}

/* ---- what there is ---- */

static struct live_course *course_of(struct live_thing *thing)
{
    if (thing->course == NULL)
        thing->course = memory_zalloc(sizeof(*thing->course));
    return thing->course;
}

/* What a former thing of the same meter knew becomes this one's. */
static void adopt(struct live_thing *thing, const struct live_things *former)
{
    struct live_thing *old = thing->meter != NULL ? find(former, thing->name) : NULL;
    if (old != NULL && old->meter == thing->meter) {
        thing->total = old->total;
        thing->course = old->course;
        old->course = NULL;
        old->meter = NULL;
    } else if (thing->meter != NULL && meter_total(thing->meter) != 0) {
        struct meter_sum sum = {.count = 0};
        thing->total = meter_total(thing->meter);
        meter_sum(thing->meter, &sum);
        course_of(thing)->last = live_past_pack(NULL, &sum);
    }
}

static struct live_thing *add_thing(enum live_kind kind, struct str name, struct meter *meter, const struct live_things *former)
{
    struct live_things *things = &live.things[kind];
    struct live_thing *thing = &things->items[things->count++];
    thing->kind = (uint8_t)kind;
    thing->name = name;
    thing->meter = meter;
    adopt(thing, &former[kind]);
    return thing;
}

/* A server that another configuration named before is the same one, whatever was learnt of it. */
static void add_server(const struct service *service, const struct target *target, const struct live_things *former)
{
    const struct server *server = target->server;
    const struct live_thing *old = find(&former[LIVE_SERVER], server->key);
    struct live_thing *thing = add_thing(LIVE_SERVER, server->key, server->meter, former);
    struct live_standing *standing = thing->standing = memory_zalloc(sizeof(*standing));
    struct loop *loop = &admin_self->control->loop;
    thing->service = service;
    if (old == NULL) {
        *standing = (struct live_standing){.target = target, .word = server_word_of(target, loop->now), .word_since = loop->wall};
        return;
    }
    *standing = *old->standing;
    standing->target = target;
    standing->word_changed = false;
    if (standing->failures != NULL)
        standing->failures = memcpy(memory_alloc(FAILURES_SIZE), standing->failures, FAILURES_SIZE);
}

static int by_router_name(const void *a, const void *b, void *graph)
{
    struct router *const *routers = ((const struct graph *)graph)->routers;
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    int order = str_compare(routers[one]->name, routers[other]->name);
    return order != 0 ? order : one < other ? -1 : 1;
}

/* A router on several entrypoints appears once for each of them, with one meter: which of the graph's are the first of their name?
 * Gives how many. */
static size_t find_first_appearances(struct graph *graph, bool *ret_first)
{
    uint32_t *order = memory_alloc((graph->router_count + 1) * sizeof(*order));
    size_t count = 0;
    for (uint32_t i = 0; i < graph->router_count; i++)
        order[i] = i;
    qsort_r(order, graph->router_count, sizeof(*order), by_router_name, graph);
    for (uint32_t i = 0; i < graph->router_count; i++) {
        bool first = i == 0 || !str_equal(graph->routers[order[i]]->name, graph->routers[order[i - 1]]->name);
        ret_first[order[i]] = first;
        count += first;
    }
    free(order);
    return count;
}

static void make_room(enum live_kind kind, size_t count)
{
    live.things[kind] = (struct live_things){.items = memory_zalloc((count + 1) * sizeof(struct live_thing))};
}

static void add_routers(struct graph *graph, const struct live_things *former)
{
    bool *first = memory_alloc(graph->router_count + 1);
    make_room(LIVE_ROUTER, find_first_appearances(graph, first));
    for (unsigned i = 0; i < graph->router_count; i++)
        if (first[i])
            add_thing(LIVE_ROUTER, graph->routers[i]->name, graph->routers[i]->meter, former)->router = graph->routers[i];
    free(first);
}

static void add_services(const struct graph *graph, const struct live_things *former)
{
    size_t servers = 0;
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct target_set *targets = load_balancer_targets(graph->services[i]);
        servers += targets != NULL ? targets->count : 0;
    }
    make_room(LIVE_SERVICE, graph->service_count);
    make_room(LIVE_SERVER, servers);
    for (unsigned i = 0; i < graph->service_count; i++) {
        const struct service *service = graph->services[i];
        const struct target_set *targets = load_balancer_targets(service);
        struct live_thing *thing = add_thing(LIVE_SERVICE, service->name, service->meter, former);
        thing->service = service;
        thing->first_server = (uint32_t)live.things[LIVE_SERVER].count;
        thing->names_servers = targets != NULL;
        thing->server_count = targets != NULL ? (uint32_t)targets->count : 0;
        for (unsigned j = 0; targets != NULL && j < targets->count; j++)
            add_server(service, &targets->items[j], former);
    }
}

static int by_name(const void *a, const void *b, void *items)
{
    const struct live_thing *things = items;
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    int order = str_compare(things[one].name, things[other].name);
    return order != 0 ? order : one < other ? -1 : 1;
}

static void sort(struct live_things *things)
{
    things->by_name = memory_alloc((things->count + 1) * sizeof(things->by_name[0]));
    for (size_t i = 0; i < things->count; i++)
        things->by_name[i] = (uint32_t)i;
    qsort_r(things->by_name, things->count, sizeof(things->by_name[0]), by_name, things->items);
}

static void add_things(struct graph *graph, const struct live_things *former)
{
    make_room(LIVE_ENTRYPOINT, graph->entry_count);
    for (unsigned i = 0; i < graph->entry_count; i++)
        add_thing(LIVE_ENTRYPOINT, graph->entries[i]->name, graph->entries[i]->meter, former);
    add_routers(graph, former);
    add_services(graph, former);
    for (int kind = 0; kind < LIVE_KINDS; kind++)
        sort(&live.things[kind]);
}

static void free_course(struct live_course *course)
{
    if (course == NULL)
        return;
    free(course->last);
    free(course->delta);
    free(course);
}

/* What was not taken over goes. */
static void forget(struct live_things *things)
{
    for (int kind = 0; kind < LIVE_KINDS; kind++) {
        for (size_t i = 0; i < things[kind].count; i++) {
            const struct live_thing *thing = &things[kind].items[i];
            free_course(thing->course);
            if (kind == LIVE_SERVER) {
                free(thing->standing->failures);
                free(thing->standing);
            }
        }
        free(things[kind].items);
        free(things[kind].by_name);
    }
}

static void use_graph(struct graph *graph)
{
    struct graph *former = live.graph;
    struct live_things things[LIVE_KINDS];
    memcpy(things, live.things, sizeof(things));
    live.graph = graph_ref(graph);
    add_things(graph, things);
    forget(things);
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

static void note_change(struct live_thing *thing, int64_t second)
{
    struct live_course *course = course_of(thing);
    struct meter_sum sum = {.count = 0}, last, delta;
    meter_sum(thing->meter, &sum);
    live_past_unpack(course->last, &last);
    live_difference(&sum, &last, &delta);
    course->last = live_past_pack(course->last, &sum);
    course->delta = live_past_pack(course->delta, &delta);
    thing->changed = delta.count != 0;
    live_note_minute(course->minute, second, delta.count, delta.errors);
}

static void look_at_meter(struct live_thing *thing, int64_t second)
{
    thing->changed = false;
    uint64_t total = thing->meter != NULL ? meter_total(thing->meter) : 0;
    if (total != thing->total) {
        thing->total = total;
        note_change(thing, second);
    } else if (thing->course != NULL) {      /* most of thousands of routers have nothing to do at most times */
        free(thing->course->delta);
        thing->course->delta = NULL;
    }
}

static void look_at_kind(enum live_kind kind, int64_t second)
{
    for (size_t i = 0; i < live.things[kind].count; i++)
        look_at_meter(&live.things[kind].items[i], second);
}

/* How requests failed there since the last tick: the commonest reason. */
static enum status new_failure(const struct live_thing *thing)
{
    struct live_standing *standing = thing->standing;
    uint64_t failures[STATUS_COUNT] = {0}, most = 0;
    enum status worst = STATUS_OK;
    meter_failures(thing->meter, failures);
    if (standing->failures == NULL)
        standing->failures = memory_zalloc(sizeof(failures));
    for (int status = 0; status < STATUS_COUNT; status++) {
        uint64_t more = minus(failures[status], standing->failures[status]);
        if (more > most && status_http((enum status)status) >= 500)
            most = more, worst = (enum status)status;
    }
    memcpy(standing->failures, failures, sizeof(failures));
    return worst;
}

static void look_at_failures(const struct live_thing *thing, int64_t wall)
{
    struct live_standing *standing = thing->standing;
    struct meter_sum delta;
    if (thing->meter == NULL)
        return;
    enum status failure = new_failure(thing);
    if (live_delta(thing, &delta) && delta.count > delta.errors) {
        standing->good_at = wall;
        standing->failing_since = 0;
    }
    if (failure == STATUS_OK)
        return;
    standing->last_failure = failure;
    standing->failed_at = wall;
    if (standing->failing_since == 0 && standing->good_at != wall)
        standing->failing_since = wall;
}

/* Its word can change without a request. */
static void look_at_servers(const struct loop *loop, bool failures)
{
    struct live_things *servers = &live.things[LIVE_SERVER];
    for (size_t i = 0; i < servers->count; i++) {
        const struct live_thing *thing = &servers->items[i];
        struct live_standing *standing = thing->standing;
        enum server_word word = server_word_of(standing->target, loop->now);
        standing->word_changed = word != standing->word;
        if (standing->word_changed)
            standing->word_since = loop->wall;
        standing->word = word;
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
        struct meter_sum delta;
        moved = moved || entry->changed;
        if (live_delta(entry, &delta))
            add(&live.total, &delta);
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
    struct meter_sum delta;
    text_clear(key);
    text_add(key, str_from(kinds[thing->kind]));
    text_add(key, thing->name);
    live_delta(thing, &delta);
    history_record(text_str(key), seconds, &delta);
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
    memcpy(things, live.things, sizeof(things));
    live.graph = NULL;
    if (former != NULL) {
        forget(things);
        graph_unref(former);
    }
    free(live.workers);
    memset(&live, 0, sizeof(live));
    history_release();
}

static const struct admin_part live_part = {.start = start, .use = use_graph, .stop = stop};
REGISTER(admin_part, live_part);
