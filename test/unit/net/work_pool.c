#include "test.h"

#include <stdatomic.h>
#include <unistd.h>

#include "net/work_pool.h"

struct pooled {
    struct work work;
    unsigned runs, deliveries, drops;
};

static atomic_bool gate_is_open;

static void run_behind_the_gate(struct work *work)
{
    while (!atomic_load(&gate_is_open))
        usleep(100);
    container_of(work, struct pooled, work)->runs++;
}

static void count_delivery(struct message *message)
{
    container_of(message, struct pooled, work.message)->deliveries++;
}

static void count_drop(struct work *work)
{
    container_of(work, struct pooled, work)->drops++;
}

#define WORKS (WORK_POOL_THREADS + 2)

struct pool_case {
    struct loop loop;
    struct work_pool pool;
    struct pooled works[WORKS];
};

static void pool_case_begin(struct pool_case *at, unsigned waiting_max)
{
    *at = (struct pool_case){.pool = WORK_POOL_INIT(at->pool, run_behind_the_gate, waiting_max)};
    assert_true(loop_init(&at->loop));
    for (size_t i = 0; i < WORKS; i++) {
        at->works[i].work.loop = &at->loop;
        at->works[i].work.message.deliver = count_delivery;
    }
    atomic_store(&gate_is_open, false);
}

static bool is_taken_up(struct work_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->mutex);
    bool taken_up = !work->is_waiting;
    pthread_mutex_unlock(&pool->mutex);
    return taken_up;
}

/* Every thread has work that does not end before the gate opens. */
static void occupy_threads(struct pool_case *at)
{
    for (size_t i = 0; i < WORK_POOL_THREADS; i++) {
        assert_true(work_pool_submit(&at->pool, &at->works[i].work));
        while (!is_taken_up(&at->pool, &at->works[i].work))
            usleep(100);
    }
}

static void pool_case_end(struct pool_case *at)
{
    loop_turn(&at->loop, 0);
    loop_release(&at->loop);
}

TEST(a_pools_work_is_run_once_and_delivered_on_its_loop)
{
    struct pool_case at;
    pool_case_begin(&at, UINT32_MAX);
    atomic_store(&gate_is_open, true);
    for (size_t i = 0; i < WORKS; i++)
        assert_true(work_pool_submit(&at.pool, &at.works[i].work));
    for (size_t i = 0; i < WORKS; i++) {
        while (at.works[i].deliveries == 0)
            loop_turn(&at.loop, TIME_S);
    }
    work_pool_stop(&at.pool, NULL);
    loop_turn(&at.loop, 0);
    for (size_t i = 0; i < WORKS; i++) {
        assert_int_equal(at.works[i].runs, 1);
        assert_int_equal(at.works[i].deliveries, 1);
    }
    pool_case_end(&at);
}

TEST(a_pool_refuses_what_is_beyond_its_waiting_room_and_takes_again_behind_a_withdrawal)
{
    struct pool_case at;
    pool_case_begin(&at, 1);
    occupy_threads(&at);
    struct pooled *first = &at.works[WORK_POOL_THREADS], *second = first + 1;
    assert_true(work_pool_submit(&at.pool, &first->work));
    assert_false(work_pool_submit(&at.pool, &second->work));
    assert_true(work_pool_withdraw(&at.pool, &first->work));
    assert_false(work_pool_withdraw(&at.pool, &first->work));
    assert_true(work_pool_submit(&at.pool, &second->work));
    atomic_store(&gate_is_open, true);
    while (second->deliveries == 0)
        loop_turn(&at.loop, TIME_S);
    work_pool_stop(&at.pool, NULL);
    assert_int_equal(first->runs, 0);
    assert_int_equal(second->runs, 1);
    pool_case_end(&at);
}

TEST(a_pool_that_stops_ends_what_runs_and_drops_what_waits)
{
    struct pool_case at;
    pool_case_begin(&at, UINT32_MAX);
    occupy_threads(&at);
    struct pooled *waiting = &at.works[WORK_POOL_THREADS];
    assert_true(work_pool_submit(&at.pool, &waiting->work));
    /* No thread comes back for it: each sees `stopping` behind the work that it has. */
    at.pool.stopping = true;
    atomic_store(&gate_is_open, true);
    work_pool_stop(&at.pool, count_drop);
    loop_turn(&at.loop, 0);
    for (size_t i = 0; i < WORK_POOL_THREADS; i++)
        assert_int_equal(at.works[i].deliveries, 1);
    assert_int_equal(waiting->runs, 0);
    assert_int_equal(waiting->drops, 1);
    pool_case_end(&at);
}
