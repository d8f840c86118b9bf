#include "exchange/await_server.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/graph.h"
#include "exchange/passed.h"
#include "exchange/port.h"
#include "exchange/progress.h"
#include "exchange/service.h"

#define LOOK_EVERY (20 * TIME_MS)
#define FIRST_FEW 16                  /* let go at once when the service becomes ready, on each worker */
#define MOST 256                      /* that ask at once, on each worker */
#define PAUSE_MIN (50 * TIME_MS)      /* until the next may try, after one was refused */
#define PAUSE_MAX (400 * TIME_MS)

/* A newer graph that an exchange goes on with. All are held to its end: servers that it asked are in its records. */
struct newer_pin {
    struct graph_pin *pin;
    struct newer_pin *next;
};

/* An exchange that waits or has waited; in its arena. */
struct awaiting {
    struct list link;                 /* in its queue's `waiting` or `asking` */
    struct exchange *x;
    struct await_queue *queue;        /* NULL: in none */
    struct await_tally *tally;        /* where it counts as waiting; NULL: it does not wait */
    struct await_tally *last_tally;
    struct newer_pin *pins;           /* the newest first */
    struct timer timer;               /* the end of its patience */
    int64_t began, deadline;
    int64_t let_go_at;
    enum status failure;              /* of the first attempt that failed */
    bool was_sent;                    /* it was sent, and lost: once more, not again and again */
    bool went_elsewhere;              /* to another service of the same parent */
    bool gave_up;
};

/* The requests for one router's service. */
struct await_queue {
    struct list link;
    struct await_queues *all;
    struct str name;                  /* of the service; owned */
    struct service *service;          /* in the worker's present graph; NULL: there is none of the name */
    struct list waiting;              /* the longest first */
    struct list asking;               /* let go, and not answered when last looked at */
    unsigned asking_count, window;    /* how many may ask at once */
    int64_t not_before, pause;
    bool was_ready;
};

struct await_queues {
    struct worker *worker;
    struct map by_name;
    struct list list;
    struct timer timer;
};

/* ---- queues ---- */

static void look(struct timer *timer);

static struct await_queues *queues_of(struct worker *worker)
{
    struct await_queues *all = worker->graph->awaiting;
    if (all != NULL)
        return all;
    all = memory_zalloc(sizeof(*all));
    all->worker = worker;
    map_init(&all->by_name, false);
    list_init(&all->list);
    timer_init(&all->timer, look);
    return worker->graph->awaiting = all;
}

static struct service *service_named(const struct graph *graph, struct str name)
{
    for (unsigned i = 0; i < graph->service_count; i++)
        if (str_equal(graph->services[i]->name, name))
            return graph->services[i];
    return NULL;
}

/* Under maintenance nobody is ready, but that is an answer. */
static bool is_settled(const struct service *service, int64_t now)
{
    return service != NULL && (service_is_ready(service, now) || service_in_maintenance(service));
}

static struct await_queue *queue_of(struct await_queues *all, struct str name)
{
    struct await_queue *queue = map_get(&all->by_name, name);
    if (queue != NULL)
        return queue;
    queue = memory_zalloc(sizeof(*queue));
    queue->all = all;
    queue->name = str_of(memory_copy_text(name.data, name.len), name.len);
    queue->service = service_named(all->worker->graph->pin->graph, name);
    queue->was_ready = is_settled(queue->service, all->worker->loop.now);
    queue->window = queue->was_ready ? 1 : FIRST_FEW;
    queue->pause = PAUSE_MIN;
    queue->not_before = queue->was_ready ? all->worker->loop.now + PAUSE_MIN : 0;
    list_init(&queue->waiting);
    list_init(&queue->asking);
    list_append(&all->list, &queue->link);
    map_put(&all->by_name, queue->name, queue);
    if (!timer_armed(&all->timer))
        timer_after(&all->worker->loop, &all->timer, LOOK_EVERY);
    return queue;
}

static void free_queue(struct await_queue *queue)
{
    map_remove(&queue->all->by_name, queue->name);
    list_remove(&queue->link);
    free((char *)(uintptr_t)queue->name.data);
    free(queue);
}

static bool was_answered(const struct awaiting *own)
{
    int64_t first_byte = own->x->times.first_byte;
    return first_byte != 0 && first_byte >= own->let_go_at;
}

/* For each that was answered one more may ask at the same time. */
static void leave_asking(struct awaiting *own)
{
    struct await_queue *queue = own->queue;
    queue->asking_count--;
    if (!was_answered(own))
        return;
    queue->window += queue->window < MOST;
    queue->pause = PAUSE_MIN;
}

static void leave_queue(struct awaiting *own)
{
    timer_cancel(&own->timer);
    if (own->queue == NULL)
        return;
    if (own->tally != NULL)
        atomic_fetch_sub_explicit(&own->tally->waiting, 1, memory_order_relaxed);
    else
        leave_asking(own);
    own->tally = NULL;
    own->queue = NULL;
    list_remove(&own->link);
}

/* ---- going on ---- */

/* The exchange belongs to `graph`'s service of the same name from now on. Its router stays the one that it had, but for the service:
 * so a copy of it. False: no memory. */
static bool move_to_present(struct exchange *x, struct service *service)
{
    struct graph_pin *present = x->worker->graph->pin;
    struct awaiting *own = x->awaiting;
    if (present == (own->pins != NULL ? own->pins->pin : x->pin))
        return true;
    struct newer_pin *newer = arena_new(&x->arena, struct newer_pin);
    struct router *router = arena_new(&x->arena, struct router);
    if (newer == NULL || router == NULL)
        return false;
    *newer = (struct newer_pin){.pin = present, .next = own->pins};
    graph_pin_take(present);
    own->pins = newer;
    *router = *x->router;
    router->service = service;
    router->on_several |= atomic_load_explicit(&router->counts, memory_order_relaxed) == NULL;      /* a copy owns no joint */
    x->router = router;
    return true;
}

/* Back to where the request came from, in the present graph if that has the service. */
static void start_over(struct exchange *x, struct service *present)
{
    if (present != NULL)
        move_to_present(x, present);
    x->service = x->router->service;
    x->tried = 0;
    x->failure = STATUS_OK;
    x->reason_detail = NULL;
}

static void let_go(struct awaiting *own)
{
    struct exchange *x = own->x;
    struct await_queue *queue = own->queue;
    leave_queue(own);
    own->queue = queue;
    own->let_go_at = exchange_now(x);
    list_append(&queue->asking, &own->link);
    queue->asking_count++;
    start_over(x, queue->service);
    exchange_resume(x);
}

static void on_deadline(struct timer *timer)
{
    let_go(container_of(timer, struct awaiting, timer));
}

/* Those that are answered and still have bodies under way. */
static void note_answers(struct await_queue *queue)
{
    LIST_FOREACH(&queue->asking, link) {
        struct awaiting *own = container_of(link, struct awaiting, link);
        if (was_answered(own))
            leave_queue(own);
    }
}

static void serve(struct await_queue *queue)
{
    int64_t now = queue->all->worker->loop.now;
    bool ready = is_settled(queue->service, now);
    note_answers(queue);
    if (ready && !queue->was_ready) {
        queue->window = FIRST_FEW;
        queue->pause = PAUSE_MIN;
        queue->not_before = 0;
    }
    queue->was_ready = ready;
    while (ready && !list_empty(&queue->waiting) && queue->asking_count < queue->window && now >= queue->not_before)
        let_go(container_of(queue->waiting.next, struct awaiting, link));
}

static void look(struct timer *timer)
{
    struct await_queues *all = container_of(timer, struct await_queues, timer);
    LIST_FOREACH(&all->list, link) {
        struct await_queue *queue = container_of(link, struct await_queue, link);
        serve(queue);
        if (list_empty(&queue->waiting) && list_empty(&queue->asking))
            free_queue(queue);
    }
    if (!list_empty(&all->list))
        timer_after(&all->worker->loop, timer, LOOK_EVERY);
}

/* ---- waiting ---- */

/* What another server, or the same one a little later, may do better. */
static bool may_pass(enum status failure)
{
    return failure == STATUS_NO_READY_SERVER || failure == STATUS_UPSTREAM_REFUSED || failure == STATUS_UPSTREAM_UNREACHABLE ||
           failure == STATUS_UPSTREAM_UNRESOLVED || failure == STATUS_UPSTREAM_CONNECT_TIMEOUT ||
           failure == STATUS_UPSTREAM_CLOSED || failure == STATUS_UPSTREAM_RESET;
}

static struct awaiting *begin(struct exchange *x, int64_t timeout)
{
    struct awaiting *own = arena_new(&x->arena, struct awaiting);
    if (own == NULL)
        return NULL;
    own->x = x;
    own->began = exchange_now(x);
    own->deadline = timeout < TIME_NEVER - own->began ? own->began + timeout : TIME_NEVER;
    list_init(&own->link);
    timer_init(&own->timer, on_deadline);
    return x->awaiting = own;
}

/* It had been let go and comes back: the others need not try at the same time. */
static void note_refusal(struct awaiting *own)
{
    struct await_queue *queue = own->queue;
    if (queue == NULL)
        return;
    int64_t now = exchange_now(own->x);
    leave_queue(own);
    queue->window = 1;
    if (now < queue->not_before)
        return;
    queue->not_before = now + queue->pause;
    queue->pause = queue->pause * 2 < PAUSE_MAX ? queue->pause * 2 : PAUSE_MAX;
}

/* Did the last attempt send something? Then its like is not tried a third time: it may be what breaks the servers. */
static bool is_lost_again(struct exchange *x)
{
    bool sent = x->attempts != 0 && x->failure != STATUS_NO_READY_SERVER && x->upstream.anything_sent &&
                !x->upstream.missed;
    bool again = sent && x->awaiting->was_sent;
    x->awaiting->was_sent |= sent;
    return again;
}

static bool give_up(struct exchange *x)
{
    struct awaiting *own = x->awaiting;
    struct service *service = service_named(x->worker->graph->pin->graph, x->router->service->name);
    int64_t now = exchange_now(x);
    own->gave_up = true;
    /* Where servers count as ready, it says more how they failed. */
    bool failed = own->failure != STATUS_OK && service != NULL && service_is_ready(service, now);
    x->failure = failed ? own->failure : STATUS_NO_READY_SERVER;
    x->reason_detail = arena_printf(&x->arena, "held for %.1f s", (double)(now - own->began) / (double)TIME_S).data;
    return false;
}

static bool join(struct exchange *x, const struct await_rule *rule)
{
    struct awaiting *own = x->awaiting;
    if (atomic_fetch_add_explicit(&rule->tally->waiting, 1, memory_order_relaxed) >= rule->max) {
        atomic_fetch_sub_explicit(&rule->tally->waiting, 1, memory_order_relaxed);
        x->failure = STATUS_TOO_MANY_WAITING;
        own->gave_up = true;
        return false;
    }
    own->tally = own->last_tally = rule->tally;
    own->queue = queue_of(queues_of(x->worker), x->router->service->name);
    struct list *at = own->queue->waiting.prev;
    while (at != &own->queue->waiting && container_of(at, struct awaiting, link)->began > own->began)
        at = at->prev;
    list_push(at, &own->link);
    timer_set(&x->worker->loop, &own->timer, own->deadline);
    progress_limit(x, 0);
    x->failure = STATUS_OK;      /* nothing has gone wrong yet: who leaves now has left */
    x->reason_detail = NULL;
    x->waiting = true;
    return true;
}

/* Another service of a parent's, or a newer configuration's servers, which may be asked at once. */
static bool has_another_way(struct exchange *x)
{
    struct awaiting *own = x->awaiting;
    const struct graph_pin *present = x->worker->graph->pin;
    struct service *other = own->went_elsewhere ? NULL : passed_other_ready(x);
    if (other != NULL) {
        own->went_elsewhere = true;
        x->service = other;
        x->tried = 0;
        return true;
    }
    if (present == (own->pins != NULL ? own->pins->pin : x->pin))
        return false;
    struct service *newer = service_named(present->graph, x->router->service->name);
    if (!is_settled(newer, exchange_now(x)))
        return false;
    start_over(x, newer);
    return true;
}

bool await_server(struct exchange *x)
{
    const struct await_rule *rule = x->service->await;
    if (!may_pass(x->failure) || !exchange_can_retry(x))
        return false;
    struct awaiting *own = x->awaiting;
    if (own == NULL && (own = begin(x, rule->timeout)) == NULL)
        return false;
    if (own->failure == STATUS_OK && x->failure != STATUS_NO_READY_SERVER)
        own->failure = x->failure;
    note_refusal(own);
    if (is_lost_again(x))
        return false;
    if (exchange_now(x) >= own->deadline || x->worker->graph->stopping)
        return give_up(x);
    return has_another_way(x) || join(x, rule);
}

bool await_is_waiting(const struct exchange *x)
{
    return x->awaiting != NULL && x->awaiting->tally != NULL;
}

void await_end(struct exchange *x)
{
    struct awaiting *own = x->awaiting;
    if (own->last_tally != NULL)
        atomic_fetch_add_explicit(own->gave_up       ? &own->last_tally->gave_up
                                  : own->tally != NULL ? &own->last_tally->left
                                                       : &own->last_tally->went_on,
                                  1, memory_order_relaxed);
    leave_queue(own);
    for (struct newer_pin *newer = own->pins; newer != NULL; newer = newer->next)
        graph_pin_drop(newer->pin);
}

/* ---- the worker's ---- */

void await_graph_changed(struct worker *worker)
{
    struct await_queues *all = worker->graph->awaiting;
    const struct graph *graph = worker->graph->pin->graph;
    if (all == NULL || list_empty(&all->list))
        return;
    LIST_FOREACH(&all->list, link) {
        struct await_queue *queue = container_of(link, struct await_queue, link);
        queue->service = NULL;
        queue->was_ready = false;
    }
    for (unsigned i = 0; i < graph->service_count; i++) {
        struct await_queue *queue = map_get(&all->by_name, graph->services[i]->name);
        if (queue != NULL)
            queue->service = graph->services[i];
    }
    timer_set(&worker->loop, &all->timer, worker->loop.now);
}

void await_give_up(struct worker *worker)
{
    struct await_queues *all = worker->graph->awaiting;
    if (all == NULL)
        return;
    LIST_FOREACH(&all->list, link) {
        struct await_queue *queue = container_of(link, struct await_queue, link);
        while (!list_empty(&queue->waiting))
            let_go(container_of(queue->waiting.next, struct awaiting, link));
    }
}

void await_release(struct worker *worker)
{
    struct await_queues *all = worker->graph->awaiting;
    if (all == NULL)
        return;
    timer_cancel(&all->timer);
    LIST_FOREACH(&all->list, link)
        free_queue(container_of(link, struct await_queue, link));
    map_release(&all->by_name);
    free(all);
    worker->graph->awaiting = NULL;
}
