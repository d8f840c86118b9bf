/* One thread's event loop: descriptors (epoll, edge-triggered), timers, messages from other threads.
 *
 * One turn, in this order: wait for events -> read the clocks once -> hand out descriptor events -> expire
 * timers -> take messages -> run what was deferred to the end of the turn (flushes, then frees). Memory that a
 * callback gives up is freed only in that last phase, so no callback of the same turn meets freed memory.
 *
 * Threading: every function is for the loop's own thread but loop_post and loop_wake.
 * A descriptor is registered once, edge-triggered for both directions, and never touched again: who owns it
 * remembers what it may still do (struct sock). Closing the descriptor ends the registration. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/time.h"

/* What epoll reported. */
enum watch_event { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_HANGUP = 4 /* the peer will send no more */, WATCH_ERROR = 8 };

struct watch {
    void (*on_ready)(struct watch *watch, unsigned events);
    int fd;                       /* -1: not registered; events of this turn are then dropped */
};

/* A point in time at which something is to be looked at. Setting a later deadline costs a store; the wheel
 * finds out when the earlier one passes. Resolution 4 ms; never early. */
struct timer {
    struct list link;
    void (*on_expire)(struct timer *timer);
    int64_t deadline;             /* monotonic ns; TIME_NEVER: not armed */
    int64_t filed_for;            /* deadline under which it stands in the wheel */
};

/* Work for the end of the turn. A flush may defer again; frees run last. */
struct deferred {
    struct deferred *next;
    void (*run)(struct deferred *deferred);
    bool queued;
};

/* A message from another thread: memory of the sender's, handed over. */
struct message {
    struct message *next;
    void (*deliver)(struct message *message);
};

#define WHEEL_LEVELS 5
#define WHEEL_SLOTS 64

struct loop {
    int epoll_fd;
    int wake_fd;                                 /* eventfd */
    struct watch wake_watch;
    int64_t now;                                 /* monotonic ns of this turn */
    int64_t wall;                                /* wall-clock ns of this turn */
    char date[32];                               /* HTTP date of this turn, 29 bytes */
    int64_t date_second;
    bool stopping;
    struct deferred *flushes, **flushes_end;
    struct deferred *frees;
    _Atomic(struct message *) inbox;
    int64_t wheel_tick;                          /* the tick up to which timers have expired */
    uint64_t wheel_used[WHEEL_LEVELS];           /* a bit per slot that may hold timers */
    struct list wheel[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t turns;
    int64_t longest_turn;                        /* ns of work in one turn, since last asked */
    void (*before_wait)(struct loop *loop);      /* top of a turn: picks up a new snapshot; may be NULL */
    void *owner;
};

/* False with errno. */
bool loop_init(struct loop *loop);
void loop_release(struct loop *loop);
/* Turns until loop_stop; then runs what is deferred and returns. */
void loop_run(struct loop *loop);
/* One turn that waits at most `wait_ns` (0: not at all); for tests and for draining. */
void loop_turn(struct loop *loop, int64_t wait_ns);
void loop_stop(struct loop *loop);

/* Registers fd for both directions, edge-triggered. False with errno (and watch->fd -1). */
bool loop_watch(struct loop *loop, struct watch *watch, int fd);
/* For a descriptor that is read only, level-triggered: listeners, inotify, signalfd, eventfd. */
bool loop_watch_level(struct loop *loop, struct watch *watch, int fd);
/* Forgets it without closing (a descriptor that lives on elsewhere). */
void loop_unwatch(struct loop *loop, struct watch *watch);

void timer_init(struct timer *timer, void (*on_expire)(struct timer *timer));
/* Sets or moves the deadline. */
void timer_set(struct loop *loop, struct timer *timer, int64_t deadline);
static inline void timer_after(struct loop *loop, struct timer *timer, int64_t ns)
{
    timer_set(loop, timer, loop->now + ns);
}
void timer_cancel(struct timer *timer);

/* Runs `deferred` at the end of this turn (once, even if asked twice). */
void loop_defer_flush(struct loop *loop, struct deferred *deferred);
void loop_defer_free(struct loop *loop, struct deferred *deferred);

/* From any thread: `message` is delivered on the loop's thread, in the order sent by one thread. */
void loop_post(struct loop *loop, struct message *message);
void loop_wake(struct loop *loop);

#endif
