#include "provider/docker/containers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "provider/docker/inspect.h"

#define LOOKS_AT_ONCE 8                      /* containers that are looked at */
#define REMOVED_STAYS (10 * TIME_S)
#define STOPPING_MOST (300 * TIME_S)         /* then it has survived its signal: it is as others again */
#define FAILED_LOOKS_MOST 30
#define TICK TIME_S

struct record {
    struct list waiting;                     /* to be looked at */
    char id[CONTAINER_ID_SIZE];
    struct arena arena;                      /* of `what` */
    struct inspected what;
    bool known;                              /* `what` is there */
    bool under_look, again;                  /* it is just looked at; something happened since */
    bool outdated;                           /* it has died or gone since that look began: what the look finds is over */
    unsigned failed_looks;                   /* in a row */
    bool listed;                             /* it is there, by the list or by an event since reading began */
    int64_t removed_at, stopping_at;         /* monotonic ns */
};

struct look {
    struct engine_call call;
    struct record *record;                   /* NULL: free */
    struct containers *containers;
};

struct containers {
    struct follower follower;
    struct containers_owner owner;
    struct engine *engine;
    struct loop *loop;
    struct map records;                      /* by id */
    struct list waiting;
    struct engine_call list_call;
    struct look looks[LOOKS_AT_ONCE];
    bool listed;                             /* the list of this reading is there */
    struct timer tick;
};

static void go_on(struct containers *containers);

static void changed(struct containers *containers)
{
    if (containers->follower.state == FOLLOWER_FOLLOWING)
        containers->owner.on_change(containers->owner.owner);
}

/* ---- records ---- */

static struct record *find(struct containers *containers, struct str id)
{
    return map_get(&containers->records, id);
}

static struct record *find_or_add(struct containers *containers, struct str id)
{
    struct record *record = find(containers, id);
    if (record != NULL)
        return record;
    record = memory_zalloc(sizeof(*record));
    list_init(&record->waiting);
    arena_init(&record->arena, ARENA_UNLIMITED);
    snprintf(record->id, sizeof(record->id), "%.*s", STR_ARGS(id));
    map_put(&containers->records, str_from(record->id), record);
    return record;
}

static void drop(struct containers *containers, struct record *record)
{
    for (size_t i = 0; i < LOOKS_AT_ONCE; i++)
        if (containers->looks[i].record == record) {
            engine_cancel(containers->engine, &containers->looks[i].call);
            containers->looks[i].record = NULL;
        }
    map_remove(&containers->records, str_from(record->id));
    list_remove(&record->waiting);
    arena_release(&record->arena);
    free(record);
}

static void want_tick(struct containers *containers)
{
    if (!timer_armed(&containers->tick))
        timer_after(containers->loop, &containers->tick, TICK);
}

static void want_look(struct containers *containers, struct record *record)
{
    if (record->under_look)
        record->again = true;
    else if (list_empty(&record->waiting))
        list_append(&containers->waiting, &record->waiting);
}

static void note_removed(struct containers *containers, struct record *record)
{
    if (!record->known) {
        drop(containers, record);
        return;
    }
    record->outdated = record->under_look;
    record->again = false;
    if (record->what.container.state == CONTAINER_REMOVED)
        return;
    if (record->what.container.state == CONTAINER_RUNNING)
        containers->owner.on_gone(containers->owner.owner, str_from(record->id));
    record->what.container.state = CONTAINER_REMOVED;
    record->what.container.stopping = false;
    record->removed_at = containers->loop->now;
    list_remove(&record->waiting);
    want_tick(containers);
    changed(containers);
}

/* ---- one takes another's place ---- */

static struct str label_of(const struct container *container, struct str key)
{
    for (size_t i = 0; i < container->label_count; i++)
        if (str_equal(container->labels[i].key, key))
            return container->labels[i].value;
    return STR_NONE;
}

static bool takes_place_of(const struct container *container, const struct container *gone)
{
    struct str project = label_of(container, S("com.docker.compose.project"));
    struct str service = label_of(container, S("com.docker.compose.service"));
    if (str_equal(container->name, gone->name))
        return true;
    return !str_empty(project) && str_equal(project, label_of(gone, S("com.docker.compose.project"))) &&
           str_equal(service, label_of(gone, S("com.docker.compose.service")));
}

/* Its labels may differ from the former one's, which would stand against them. */
static void drop_replaced(struct containers *containers, const struct record *newcomer)
{
    for (uint32_t i = 0; i < containers->records.count; i++) {
        struct record *record = containers->records.items[i].value;
        if (containers->records.items[i].key.data == NULL || record == newcomer || !record->known)
            continue;
        if (record->what.container.state == CONTAINER_REMOVED && takes_place_of(&newcomer->what.container, &record->what.container))
            drop(containers, record);
    }
}

/* ---- looking at one ---- */

/* True: something follows from it. */
static bool take_look(struct containers *containers, struct record *record, struct str json)
{
    struct arena arena;
    struct inspected what;
    arena_init(&arena, ARENA_UNLIMITED);
    if (!inspect_read(json, &arena, &what)) {
        arena_release(&arena);
        return false;
    }
    what.container.stopping = record->known && record->what.container.stopping && what.started == record->what.started &&
                              (what.container.state == CONTAINER_RUNNING || what.container.state == CONTAINER_PAUSED);
    bool differs = !record->known || !container_equal(&what.container, &record->what.container) || what.started != record->what.started;
    bool started = record->known && what.started != record->what.started;
    arena_release(&record->arena);
    record->arena = arena;
    record->what = what;
    record->known = true;
    if (started)
        containers->owner.on_started(containers->owner.owner, what.container.id);
    if (differs)
        drop_replaced(containers, record);
    return differs;
}

/* An engine that cannot say it just now (500: mostly while it makes or removes the container) is asked again, for a while. */
static void settle_look(struct containers *containers, struct record *record, struct str json, bool told)
{
    bool again = record->again;
    record->again = false;
    record->failed_looks = told ? 0 : record->failed_looks + 1;
    if (!told && record->failed_looks <= FAILED_LOOKS_MOST)
        want_tick(containers);
    if (again)
        want_look(containers, record);
    if (!str_empty(json) && take_look(containers, record, json))
        changed(containers);
}

static void on_looked(struct engine_call *call, const struct engine_answer *answer)
{
    struct look *look = container_of(call, struct look, call);
    struct containers *containers = look->containers;
    struct record *record = look->record;
    look->record = NULL;
    bool outdated = record->outdated;
    record->under_look = record->outdated = false;
    if (answer->failure != FAILURE_NONE || (answer->status != 200 && answer->status != 404 && answer->status != 500)) {
        follower_fail(&containers->follower, answer);
        return;
    }
    if (answer->status == 404)
        note_removed(containers, record);
    else
        settle_look(containers, record, !outdated && answer->status == 200 ? answer->body : STR_NONE, answer->status == 200);
    go_on(containers);
}

static struct look *free_look(struct containers *containers)
{
    for (size_t i = 0; i < LOOKS_AT_ONCE; i++)
        if (containers->looks[i].record == NULL)
            return &containers->looks[i];
    return NULL;
}

static bool start_look(struct containers *containers, struct look *look)
{
    struct record *record = container_of(list_pop(&containers->waiting), struct record, waiting);
    look->record = record;
    record->under_look = true;
    memcpy(look->call.id, record->id, sizeof(record->id));
    return follower_ask(&containers->follower, &look->call);
}

static bool is_looking(const struct containers *containers)
{
    for (size_t i = 0; i < LOOKS_AT_ONCE; i++)
        if (containers->looks[i].record != NULL)
            return true;
    return false;
}

/* Starts what can be; a reading is complete when nothing is left of it. */
static void go_on(struct containers *containers)
{
    struct look *look;
    while (!list_empty(&containers->waiting) && (look = free_look(containers)) != NULL)
        if (!start_look(containers, look))
            return;
    if (containers->follower.state != FOLLOWER_READING || !containers->listed || is_looking(containers))
        return;
    follower_complete(&containers->follower);
    if (containers->follower.is_podman)
        want_tick(containers);
    changed(containers);
}

/* ---- the list ---- */

static void note_missing(struct containers *containers)
{
    for (uint32_t i = 0; i < containers->records.count; i++) {
        struct record *record = containers->records.items[i].value;
        if (containers->records.items[i].key.data != NULL && !record->listed)
            note_removed(containers, record);
    }
}

static void take_list(struct containers *containers, const struct strs *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        struct record *record = find_or_add(containers, ids->items[i]);
        record->listed = true;
        want_look(containers, record);
    }
    note_missing(containers);
    containers->listed = true;
    go_on(containers);
}

static void on_list(struct engine_call *call, const struct engine_answer *answer)
{
    struct containers *containers = call->owner;
    struct arena arena;
    struct strs ids;
    if (answer->failure != FAILURE_NONE || answer->status != 200) {
        follower_fail(&containers->follower, answer);
        return;
    }
    arena_init(&arena, ARENA_UNLIMITED);
    if (inspect_read_list(answer->body, &arena, &ids))
        take_list(containers, &ids);
    else
        follower_fail_with(&containers->follower, "its list of containers cannot be read");
    arena_release(&arena);
}

static void read_all(struct follower *follower)
{
    struct containers *containers = container_of(follower, struct containers, follower);
    containers->listed = false;
    for (uint32_t i = 0; i < containers->records.count; i++)
        if (containers->records.items[i].key.data != NULL)
            ((struct record *)containers->records.items[i].value)->listed = false;
    follower_ask(follower, &containers->list_call);
}

static void forget_look(struct record *record)
{
    record->under_look = record->again = record->outdated = false;
}

static void on_lost(struct follower *follower)
{
    struct containers *containers = container_of(follower, struct containers, follower);
    engine_cancel(containers->engine, &containers->list_call);
    for (size_t i = 0; i < LOOKS_AT_ONCE; i++)
        if (containers->looks[i].record != NULL) {
            engine_cancel(containers->engine, &containers->looks[i].call);
            forget_look(containers->looks[i].record);
            containers->looks[i].record = NULL;
        }
    while (!list_empty(&containers->waiting))
        list_pop(&containers->waiting);
}

/* ---- events ---- */

static void note_signal(struct containers *containers, struct record *record, int number)
{
    struct inspected *what = &record->what;
    bool stops = number == SIGTERM || number == SIGKILL || (record->known && number == what->stop_signal);
    if (!record->known || !stops || what->container.stopping ||
        (what->container.state != CONTAINER_RUNNING && what->container.state != CONTAINER_PAUSED))
        return;
    what->container.stopping = true;
    record->stopping_at = containers->loop->now;
    want_tick(containers);
    containers->owner.on_stopping(containers->owner.owner, what->container.id);
    changed(containers);
}

/* Known at once, before it is looked at: nothing is to be expected of it. */
static void note_death(struct containers *containers, struct record *record, int exit_code)
{
    containers->owner.on_started(containers->owner.owner, str_from(record->id));
    record->outdated = record->under_look;
    if (!record->known || record->what.container.state != CONTAINER_RUNNING)
        return;
    containers->owner.on_gone(containers->owner.owner, str_from(record->id));
    record->what.container.state = CONTAINER_STOPPED;
    record->what.container.stopping = false;
    record->what.container.exit_code = exit_code;
    changed(containers);
}

static void on_event(struct follower *follower, const struct engine_event *event)
{
    struct containers *containers = container_of(follower, struct containers, follower);
    struct record *record = find_or_add(containers, str_from(event->id));
    if (event->kind == EVENT_REMOVED) {
        note_removed(containers, record);
        return;
    }
    if (event->kind == EVENT_STARTED)
        containers->owner.on_started(containers->owner.owner, str_from(record->id));
    if (event->kind == EVENT_DIED)
        note_death(containers, record, event->exit_code);
    if (event->kind == EVENT_KILLED)
        note_signal(containers, record, event->signal);
    record->listed = true;
    want_look(containers, record);
    go_on(containers);
}

/* ---- what time brings ---- */

static bool is_checked(const struct record *record)
{
    return record->known && record->what.container.state == CONTAINER_RUNNING && record->what.container.health != HEALTH_NONE;
}

/* True: it wants to be looked after further. */
static bool age(struct containers *containers, struct record *record)
{
    struct container *container = &record->what.container;
    int64_t now = containers->loop->now;
    if (container->state == CONTAINER_REMOVED && now - record->removed_at >= REMOVED_STAYS) {
        drop(containers, record);
        changed(containers);
        return false;
    }
    if (container->stopping && now - record->stopping_at >= STOPPING_MOST) {
        container->stopping = false;
        changed(containers);
    }
    /* Podman tells nobody when a container's health changes. */
    if (containers->follower.is_podman && is_checked(record) && containers->follower.state == FOLLOWER_FOLLOWING)
        want_look(containers, record);
    bool failed = record->failed_looks != 0 && record->failed_looks <= FAILED_LOOKS_MOST;
    if (failed && containers->follower.state == FOLLOWER_FOLLOWING)
        want_look(containers, record);
    return container->state == CONTAINER_REMOVED || container->stopping || failed;
}

static void on_tick(struct timer *timer)
{
    struct containers *containers = container_of(timer, struct containers, tick);
    bool more = containers->follower.is_podman && containers->follower.watch;
    for (uint32_t i = 0; i < containers->records.count; i++)
        if (containers->records.items[i].key.data != NULL && age(containers, containers->records.items[i].value))
            more = true;
    if (more)
        want_tick(containers);
    if (containers->follower.state == FOLLOWER_FOLLOWING)
        go_on(containers);
}

/* ---- its life ---- */

struct containers *containers_new(struct engine *engine, struct loop *loop, struct str provider, bool watch,
                                  const struct containers_owner *owner)
{
    static const struct follower_ops ops = {.events = QUESTION_EVENTS, .read = read_all, .on_event = on_event, .on_lost = on_lost};
    struct containers *containers = memory_zalloc(sizeof(*containers));
    containers->owner = *owner;
    containers->engine = engine;
    containers->loop = loop;
    map_init(&containers->records, false);
    list_init(&containers->waiting);
    timer_init(&containers->tick, on_tick);
    containers->list_call = (struct engine_call){.question = QUESTION_CONTAINERS, .on_done = on_list, .owner = containers};
    for (size_t i = 0; i < LOOKS_AT_ONCE; i++)
        containers->looks[i] = (struct look){.call = {.question = QUESTION_CONTAINER, .on_done = on_looked}, .containers = containers};
    follower_init(&containers->follower, &ops, engine, loop, provider, watch);
    follower_start(&containers->follower);
    return containers;
}

void containers_free(struct containers *containers)
{
    on_lost(&containers->follower);
    follower_stop(&containers->follower);
    timer_cancel(&containers->tick);
    for (uint32_t i = 0; i < containers->records.count; i++)
        if (containers->records.items[i].key.data != NULL)
            drop(containers, containers->records.items[i].value);
    map_release(&containers->records);
    free(containers);
}

const struct follower *containers_follower(const struct containers *containers)
{
    return &containers->follower;
}

void containers_fill(const struct containers *containers, struct arena *arena, struct inventory *ret_inventory)
{
    *ret_inventory = (struct inventory){.containers = arena_array(arena, struct container, containers->records.live)};
    for (uint32_t i = 0; i < containers->records.count; i++) {
        const struct record *record = containers->records.items[i].value;
        if (containers->records.items[i].key.data != NULL && record->known)
            container_copy(&ret_inventory->containers[ret_inventory->count++], &record->what.container, arena);
    }
    inventory_sort(ret_inventory);
}
