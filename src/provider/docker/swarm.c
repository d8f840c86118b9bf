#include "provider/docker/swarm.h"

#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"
#include "provider/docker/inspect.h"
#include "provider/docker/swarm_read.h"

#define EVENTS_SETTLE (50 * TIME_MS)
#define AFTERMATH (10 * TIME_S)              /* of an event: time in which tasks come and go */
#define AFTERMATH_STEP TIME_S
#define STOPPING_STAYS (10 * TIME_S)

/* Tasks of one reading, immutable but for who is stopping. */
struct reading {
    struct arena arena;
    struct swarm_tasks tasks;
    int64_t *stopping_at;                    /* monotonic ns; 0: not because of us */
};

struct swarm {
    struct follower follower;
    struct containers_owner owner;
    struct engine *engine;
    struct loop *loop;
    int64_t refresh;
    const struct self_hints *hints;
    struct engine_call services_call, tasks_call, self_call;
    size_t self_asked;                       /* how many of the hints */
    bool self_known;
    struct arena self_arena;
    struct inspected self;
    struct text services;                    /* the answer, until the tasks' is there */
    struct reading *reading;                 /* NULL: none yet */
    bool under_way, again;
    int64_t aftermath_ends;
    struct timer timer;                      /* of the next reading */
};

static struct reading *reading_new(void)
{
    struct reading *reading = memory_zalloc(sizeof(*reading));
    arena_init(&reading->arena, ARENA_UNLIMITED);
    return reading;
}

static void reading_free(struct reading *reading)
{
    if (reading == NULL)
        return;
    arena_release(&reading->arena);
    free(reading);
}

static struct swarm_task *find(const struct reading *reading, struct str id)
{
    for (size_t i = 0; reading != NULL && i < reading->tasks.count; i++)
        if (str_equal(reading->tasks.items[i].container.id, id))
            return &reading->tasks.items[i];
    return NULL;
}

/* ---- what became of the tasks ---- */

/* One that was there and is no longer to run: it stays a moment, stopping. */
static void keep_leaving(struct swarm *swarm, struct reading *now, const struct swarm_task *former, int64_t since)
{
    if (former->container.state != CONTAINER_RUNNING || find(now, former->container.id) != NULL)
        return;
    if (since != 0 && swarm->loop->now - since >= STOPPING_STAYS)
        return;
    struct swarm_task *kept = &now->tasks.items[now->tasks.count];
    container_copy(&kept->container, &former->container, &now->arena);
    kept->container_id = arena_str(&now->arena, former->container_id);
    kept->container.stopping = true;
    now->stopping_at[now->tasks.count++] = since != 0 ? since : swarm->loop->now;
}

static void carry_over(struct swarm *swarm, struct reading *now)
{
    const struct reading *former = swarm->reading;
    size_t kept = former != NULL ? former->tasks.count : 0, fresh = now->tasks.count;
    struct swarm_task *items = arena_array(&now->arena, struct swarm_task, kept + fresh);
    now->stopping_at = arena_array(&now->arena, int64_t, kept + fresh);
    memcpy(items, now->tasks.items, fresh * sizeof(*items));
    now->tasks.items = items;
    for (size_t i = 0; i < kept; i++) {
        const struct swarm_task *task = &former->tasks.items[i];
        struct swarm_task *same = find(now, task->container.id);
        /* It was told to stop by its node; the manager has not heard of it yet. */
        if (same != NULL && former->stopping_at[i] != 0 && swarm->loop->now - former->stopping_at[i] < STOPPING_STAYS) {
            same->container.stopping = same->container.state == CONTAINER_RUNNING;
            now->stopping_at[same - now->tasks.items] = former->stopping_at[i];
        }
        keep_leaving(swarm, now, task, former->stopping_at[i]);
    }
}

/* True: something follows from it. */
static bool tell_differences(struct swarm *swarm, const struct reading *former, const struct reading *now)
{
    bool differs = former == NULL || former->tasks.count != now->tasks.count;
    for (size_t i = 0; i < now->tasks.count; i++) {
        const struct container *container = &now->tasks.items[i].container;
        const struct swarm_task *before = find(former, container->id);
        differs = differs || before == NULL || !container_equal(&before->container, container);
        if (before != NULL && container->stopping && !before->container.stopping)
            swarm->owner.on_stopping(swarm->owner.owner, container->id);
    }
    return differs;
}

static void plan_next(struct swarm *swarm)
{
    bool soon = swarm->loop->now < swarm->aftermath_ends;
    for (size_t i = 0; i < swarm->reading->tasks.count; i++)
        soon = soon || swarm->reading->stopping_at[i] != 0;
    if (swarm->follower.watch)
        timer_after(swarm->loop, &swarm->timer, soon && AFTERMATH_STEP < swarm->refresh ? AFTERMATH_STEP : swarm->refresh);
}


static void take(struct swarm *swarm, struct reading *now)
{
    struct reading *former = swarm->reading;
    carry_over(swarm, now);
    swarm->reading = now;
    swarm->under_way = false;
    if (swarm->follower.state == FOLLOWER_READING)
        follower_complete(&swarm->follower);
    bool differs = tell_differences(swarm, former, now);
    reading_free(former);
    plan_next(swarm);
    if (differs)
        swarm->owner.on_change(swarm->owner.owner);
    if (swarm->again)
        timer_after(swarm->loop, &swarm->timer, EVENTS_SETTLE);
    swarm->again = false;
}

/* ---- reading ---- */

static void fail(struct swarm *swarm, const struct engine_answer *answer)
{
    if (answer->failure == FAILURE_NONE && (answer->status == 503 || answer->status == 406 || answer->status == 404))
        follower_fail_with(&swarm->follower, "%.*s is not a manager of a swarm: 'docker swarm init', or name a manager as endpoint",
                           STR_ARGS(engine_endpoint(swarm->engine)));
    else
        follower_fail(&swarm->follower, answer);
}

static void on_tasks(struct engine_call *call, const struct engine_answer *answer)
{
    struct swarm *swarm = call->owner;
    if (answer->failure != FAILURE_NONE || answer->status != 200) {
        fail(swarm, answer);
        return;
    }
    struct reading *now = reading_new();
    bool good = swarm_read(text_str(&swarm->services), answer->body, &now->arena, &now->tasks);
    text_release(&swarm->services);
    if (good) {
        take(swarm, now);
        return;
    }
    reading_free(now);
    follower_fail_with(&swarm->follower, "its list of services and tasks cannot be read");
}

static void on_services(struct engine_call *call, const struct engine_answer *answer)
{
    struct swarm *swarm = call->owner;
    if (answer->failure != FAILURE_NONE || answer->status != 200) {
        fail(swarm, answer);
        return;
    }
    text_init(&swarm->services, (size_t)ANSWER_BYTES_MAX);
    text_add(&swarm->services, answer->body);
    follower_ask(&swarm->follower, &swarm->tasks_call);
}

static void read_again(struct swarm *swarm)
{
    if (swarm->under_way) {
        swarm->again = true;
        return;
    }
    text_release(&swarm->services);
    swarm->under_way = true;
    follower_ask(&swarm->follower, &swarm->services_call);
}

/* ---- our own container ---- */

static void ask_self(struct swarm *swarm)
{
    if (swarm->self_known || swarm->self_asked >= swarm->hints->count) {
        read_again(swarm);
        return;
    }
    memcpy(swarm->self_call.id, swarm->hints->ids[swarm->self_asked++], CONTAINER_ID_SIZE);
    follower_ask(&swarm->follower, &swarm->self_call);
}

static void on_self(struct engine_call *call, const struct engine_answer *answer)
{
    struct swarm *swarm = call->owner;
    if (answer->failure != FAILURE_NONE) {
        follower_fail(&swarm->follower, answer);
        return;
    }
    if (answer->status == 200)
        swarm->self_known = inspect_read(answer->body, &swarm->self_arena, &swarm->self) &&
                            swarm->self.container.state == CONTAINER_RUNNING;
    ask_self(swarm);
}

/* ---- the follower's wishes ---- */

static void read_all(struct follower *follower)
{
    struct swarm *swarm = container_of(follower, struct swarm, follower);
    swarm->under_way = swarm->again = false;
    swarm->self_asked = 0;
    ask_self(swarm);
}

static void on_lost(struct follower *follower)
{
    struct swarm *swarm = container_of(follower, struct swarm, follower);
    engine_cancel(swarm->engine, &swarm->services_call);
    engine_cancel(swarm->engine, &swarm->tasks_call);
    engine_cancel(swarm->engine, &swarm->self_call);
    timer_set(swarm->loop, &swarm->timer, TIME_NEVER);
    text_release(&swarm->services);
    swarm->under_way = false;
}

static void note_killed(struct swarm *swarm, const struct engine_event *event)
{
    struct reading *reading = swarm->reading;
    for (size_t i = 0; reading != NULL && i < reading->tasks.count; i++) {
        struct swarm_task *task = &reading->tasks.items[i];
        if (!str_equal(task->container_id, str_from(event->id)) || task->container.stopping)
            continue;
        task->container.stopping = true;
        reading->stopping_at[i] = swarm->loop->now;
        swarm->owner.on_stopping(swarm->owner.owner, task->container.id);
        swarm->owner.on_change(swarm->owner.owner);
    }
}

static void on_event(struct follower *follower, const struct engine_event *event)
{
    struct swarm *swarm = container_of(follower, struct swarm, follower);
    if (event->kind != EVENT_SERVICE && !event->of_task)
        return;
    if (event->kind == EVENT_KILLED && (event->signal == SIGTERM || event->signal == SIGKILL || event->signal == SIGQUIT))
        note_killed(swarm, event);
    swarm->aftermath_ends = swarm->loop->now + AFTERMATH;
    if (follower->state == FOLLOWER_FOLLOWING && swarm->timer.deadline > swarm->loop->now + EVENTS_SETTLE)
        timer_after(swarm->loop, &swarm->timer, EVENTS_SETTLE);
    else if (follower->state != FOLLOWER_FOLLOWING)
        swarm->again = true;
}

static void on_timer(struct timer *timer)
{
    struct swarm *swarm = container_of(timer, struct swarm, timer);
    if (swarm->follower.state == FOLLOWER_FOLLOWING)
        read_again(swarm);
}

/* ---- its life ---- */

struct swarm *swarm_new(struct engine *engine, struct loop *loop, struct str provider, bool watch, int64_t refresh,
                        const struct self_hints *self, const struct containers_owner *owner)
{
    static const struct follower_ops ops = {.events = QUESTION_SWARM_EVENTS, .read = read_all, .on_event = on_event, .on_lost = on_lost};
    struct swarm *swarm = memory_zalloc(sizeof(*swarm));
    *swarm = (struct swarm){.owner = *owner, .engine = engine, .loop = loop, .refresh = refresh, .hints = self};
    swarm->services_call = (struct engine_call){.question = QUESTION_SERVICES, .on_done = on_services, .owner = swarm};
    swarm->tasks_call = (struct engine_call){.question = QUESTION_TASKS, .on_done = on_tasks, .owner = swarm};
    swarm->self_call = (struct engine_call){.question = QUESTION_CONTAINER, .on_done = on_self, .owner = swarm};
    arena_init(&swarm->self_arena, ARENA_UNLIMITED);
    timer_init(&swarm->timer, on_timer);
    follower_init(&swarm->follower, &ops, engine, loop, provider, watch);
    follower_start(&swarm->follower);
    return swarm;
}

void swarm_free(struct swarm *swarm)
{
    on_lost(&swarm->follower);
    follower_stop(&swarm->follower);
    timer_cancel(&swarm->timer);
    reading_free(swarm->reading);
    arena_release(&swarm->self_arena);
    free(swarm);
}

const struct follower *swarm_follower(const struct swarm *swarm)
{
    return &swarm->follower;
}

static void fill_self(const struct swarm *swarm, struct arena *arena, struct inventory *inventory)
{
    struct container *self = arena_new(arena, struct container);
    if (!swarm->self_known)
        return;
    container_copy(self, &swarm->self.container, arena);
    inventory->self_id = self->id;
    inventory->self_name = self->name;
    inventory->self_networks = self->networks;
    inventory->self_network_count = self->network_count;
    inventory->self_on_host = str_equal(self->network_mode, S("host"));
}

void swarm_fill(const struct swarm *swarm, struct arena *arena, struct inventory *ret_inventory)
{
    size_t count = swarm->reading != NULL ? swarm->reading->tasks.count : 0;
    *ret_inventory = (struct inventory){.containers = arena_array(arena, struct container, count), .count = count};
    for (size_t i = 0; i < count; i++)
        container_copy(&ret_inventory->containers[i], &swarm->reading->tasks.items[i].container, arena);
    inventory_sort(ret_inventory);
    fill_self(swarm, arena, ret_inventory);
}
