#include "cli/stop.h"

#include <stdlib.h>

#include "acme/manager.h"
#include "admin/admin.h"
#include "base/log.h"
#include "base/memory.h"
#include "exchange/port.h"
#include "service/stopping.h"

enum { RUNNING, STILL_ACCEPTING, DRAINING, CUT };

#define LOOK_EVERY (20 * TIME_MS)

/* What a worker is told, and what it watches by itself until it is done. */
struct order {
    struct message message;
    struct stop *stop;
    struct worker *worker;
    struct timer look;
    bool cut;
};

static void report_done(struct message *message)
{
    struct order *order = container_of(message, struct order, message);
    struct stop *stop = order->stop;
    free(order);
    if (++stop->workers_done != stop->worker_count)
        return;
    timer_cancel(&stop->timer);      /* there will be nobody to be cut */
    loop_stop(&stop->control->loop);
}

static void worker_done(struct order *order)
{
    loop_stop(&order->worker->loop);
    order->message = (struct message){.deliver = report_done};
    loop_post(&order->stop->control->loop, &order->message);
}

static void look(struct timer *timer)
{
    struct order *order = container_of(timer, struct order, look);
    if (worker_graph_busy(order->worker) == 0) {
        timer_cancel(timer);
        worker_done(order);
        return;
    }
    worker_graph_drain(order->worker);
    timer_after(&order->worker->loop, timer, LOOK_EVERY);
}

static void drain_worker(struct message *message)
{
    struct order *order = container_of(message, struct order, message);
    worker_graph_stop_accepting(order->worker);
    timer_init(&order->look, look);
    timer_after(&order->worker->loop, &order->look, TIME_MS);
}

static void cut_worker(struct message *message)
{
    struct order *order = container_of(message, struct order, message);
    /* A worker that was done before this came hears it when its graph is gone. */
    if (order->worker->graph != NULL)
        worker_graph_abort(order->worker);
    free(order);
}

static void send_orders(struct stop *stop, void (*deliver)(struct message *message))
{
    for (unsigned i = 0; i < stop->worker_count; i++) {
        struct order *order = memory_zalloc(sizeof(*order));
        *order = (struct order){.message = {.deliver = deliver}, .stop = stop, .worker = &stop->workers[i]};
        loop_post(&stop->workers[i].loop, &order->message);
    }
}

static void enter(struct stop *stop, unsigned stage);

static void on_timer(struct timer *timer)
{
    struct stop *stop = container_of(timer, struct stop, timer);
    enter(stop, stop->stage + 1);
}

static void enter(struct stop *stop, unsigned stage)
{
    struct loop *loop = &stop->control->loop;
    unsigned before = stop->stage;
    stop->stage = stage;
    if (stage == STILL_ACCEPTING) {
        log_info("stopping: %s", stop->accept_grace != 0 ? "still accepting for a while" : "no more connections are accepted");
        stopping_begin(stop->ping_status);
        if (stop->accept_grace != 0)
            timer_after(loop, &stop->timer, stop->accept_grace);
        else
            enter(stop, DRAINING);
        return;
    }
    if (before < DRAINING)
        admin_stopping();
    if (before < DRAINING)
        send_orders(stop, drain_worker);
    if (stage == DRAINING) {
        timer_after(loop, &stop->timer, stop->grace);
    } else {
        timer_cancel(&stop->timer);
        log_info("stopping: what still runs is cut");
        send_orders(stop, cut_worker);
    }
}

static void choose_times(struct stop *stop, const struct graph *graph)
{
    const struct ping_config *ping = graph->model->config.ping;
    stop->ping_status = ping != NULL ? (int)ping->terminating_status_code : 503;
    for (unsigned i = 0; i < graph->entry_count; i++) {
        const struct life_cycle *life = &graph->entries[i]->config->transport.life_cycle;
        if (life->request_accept_grace_timeout > stop->accept_grace)
            stop->accept_grace = life->request_accept_grace_timeout;
        if (life->grace_timeout > stop->grace)
            stop->grace = life->grace_timeout;
    }
}

void stop_begin(struct stop *stop, const struct graph *graph)
{
    if (stop->stage == CUT)
        return;
    if (stop->stage != RUNNING) {
        enter(stop, CUT);
        return;
    }
    acme_stopping();
    timer_init(&stop->timer, on_timer);
    choose_times(stop, graph);
    enter(stop, STILL_ACCEPTING);
}

bool stop_has_begun(const struct stop *stop)
{
    return stop->stage != RUNNING;
}
