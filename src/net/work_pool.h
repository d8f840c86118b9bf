/* A few threads for what computes longer than a loop may wait: passwords, coders of high levels. They are started when the first work comes,
 * and step back behind the loops' threads: those wake seldom and for short, these compute.
 *
 * Threading: submit and withdraw on the loop's thread that the work belongs to, several loops at a time; `run` on a thread of the pool;
 * the message is delivered on the loop's thread behind it. The owner's pieces lie around struct work and are the pool's meanwhile. */
#ifndef NET_WORK_POOL_H
#define NET_WORK_POOL_H

#include <pthread.h>

#include "base/list.h"
#include "net/loop.h"

#define WORK_POOL_THREADS 2

struct work {
    struct message message;      /* its `deliver` is the owner's */
    struct list link;
    struct loop *loop;
    bool is_waiting;             /* for a thread; under the mutex */
};

struct work_pool {
    void (*run)(struct work *work);
    unsigned waiting_max;        /* more are refused */
    pthread_mutex_t mutex;
    pthread_cond_t arrival;
    struct list waiting;
    unsigned waiting_count, thread_count;
    bool stopping;
    pthread_t threads[WORK_POOL_THREADS];
};

/* For a static one: WORK_POOL_INIT(pool, run, UINT_MAX). */
#define WORK_POOL_INIT(pool, run_work, most_waiting) \
    {.run = (run_work), .waiting_max = (most_waiting), .mutex = PTHREAD_MUTEX_INITIALIZER, .arrival = PTHREAD_COND_INITIALIZER, \
     .waiting = LIST_INIT((pool).waiting)}

/* False: too much waits, or there are no threads; nothing was taken. */
bool work_pool_submit(struct work_pool *pool, struct work *work);
/* True: no thread has begun with it, and none will. False: its message is on its way, or it does not wait. */
bool work_pool_withdraw(struct work_pool *pool, struct work *work);
/* Ends the threads: what runs ends first, and its message is on its way to the loop then. What waits is given to `drop` (NULL: it stays
 * its owner's). The pool may be used again. */
void work_pool_stop(struct work_pool *pool, void (*drop)(struct work *work));

#endif
