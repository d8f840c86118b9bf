/* One thread's event loop: descriptors (epoll, edge-triggered), timers, messages from other threads.
 *
 * One turn, in this order: wait for events -> read the clocks once -> hand out descriptor events -> expire
 * timers -> some of what was put off -> take messages -> run what was deferred to the end of the turn (flushes, then frees). Memory
 * that a callback gives up is freed only in that last phase, so no callback of the same turn meets freed memory.
 *
 * A turn is kept short, as whoever is ready meanwhile waits for its end: it takes a few events (LOOP_EVENTS; who is left is first in the
 * next), and what takes long puts itself off (timer_next_turn, timer_begin_later) or looks at the clock (loop_turn_is_long).
 *
 * Threading: every function is for the loop's own thread but loop_post and loop_wake.
 * A descriptor is registered once, edge-triggered, and not touched again but by who once could not write: who owns it
 * remembers what it may still do (struct sock). Closing the descriptor ends the registration. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdatomic.h>

#include "net/backlog.h"
#include "net/wheel.h"

/* What epoll reported. */
enum watch_event { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_HANGUP = 4 /* the peer will send no more */, WATCH_ERROR = 8 };

struct ring;

struct watch {
    void (*on_ready)(struct watch *watch, unsigned events);
    int fd;                       /* -1: not registered; events of this turn are then dropped */
    uint32_t since;               /* the turn of its registration: events fetched before are another's; then 0 */
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

struct loop {
    int epoll_fd;
    int wake_fd;                                 /* eventfd */
    struct watch wake_watch;
    int64_t now;                                 /* monotonic ns of this turn */
    int64_t wall;                                /* wall-clock ns of this turn */
    char date[32];                               /* HTTP date of this turn, 29 bytes */
    int64_t date_second;                         /* Unix time of `date` */
    int64_t wall_offset;                         /* wall - now, read anew with each second */
    int64_t second_ends;                         /* monotonic ns at which `date` is no longer right */
    bool stopping;
    struct deferred *flushes, **flushes_end;     /* first in, first out */
    struct deferred *frees;
    _Atomic(struct message *) inbox;
    struct wheel wheel;
    struct backlog backlog;                      /* timers that were put off: while there are any, no turn waits */
    uint32_t turn;                               /* number of this turn, never 0 */
    int64_t worked_until;                        /* monotonic ns at which this turn ended */
    int64_t longest_turn;                        /* ns of work in one turn; the reader clears it */
    void (*before_wait)(struct loop *loop);      /* top of a turn: picks up a new snapshot; may be NULL */
    void *owner;
    struct ring *ring;                           /* reads ahead (net/ring.h); NULL: nobody does */
};

/* False with errno. */
bool loop_init(struct loop *loop);
void loop_release(struct loop *loop);
/* Turns until loop_stop; then runs what is deferred and returns. */
void loop_run(struct loop *loop);
/* One turn that waits at most `wait_ns` (0: not at all); for tests and for draining. */
void loop_turn(struct loop *loop, int64_t wait_ns);
void loop_stop(struct loop *loop);

/* Registers fd for both directions, edge-triggered. False with errno (and watch->fd -1). The first report is
 * the state at registration, so nothing that happened before is missed. */
bool loop_watch(struct loop *loop, struct watch *watch, int fd);
/* As that, but for reading alone: a new connection can be written to, and to hear it would be an event in vain. */
bool loop_watch_reading(struct loop *loop, struct watch *watch, int fd);
/* Registered as that, it could not be written to: both directions from now on, the present state first. */
bool loop_watch_writing_too(struct loop *loop, struct watch *watch);
/* The descriptor of `from` is reported to `to` from now on, its present state first; for `writing` as well, or reading alone. */
bool loop_watch_move(struct loop *loop, struct watch *to, struct watch *from, bool writing);
/* For a descriptor that is read only, level-triggered: listeners, inotify, signalfd. */
bool loop_watch_level(struct loop *loop, struct watch *watch, int fd);
/* Level-triggered for WATCH_READ, WATCH_WRITE, both or neither: for libraries that say what they wait for. */
bool loop_watch_for(struct loop *loop, struct watch *watch, int fd, unsigned events);
/* Other events for a watch of the two above. */
bool loop_rewatch(struct loop *loop, struct watch *watch, unsigned events);
/* Forgets it without closing (a descriptor that lives on elsewhere). */
void loop_unwatch(struct loop *loop, struct watch *watch);

static inline void timer_init(struct timer *timer, void (*on_expire)(struct timer *timer))
{
    list_init(&timer->link);
    timer->on_expire = on_expire;
    timer->deadline = timer->filed_for = TIME_NEVER;
}
/* Sets or moves the deadline. TIME_NEVER disarms at the price of a store, but the wheel still knows the timer:
 * only timer_cancel makes its memory free to go. */
static inline void timer_set(struct loop *loop, struct timer *timer, int64_t deadline)
{
    timer->deadline = deadline;
    if (deadline < timer->filed_for)
        wheel_file(&loop->wheel, timer);
}
static inline void timer_after(struct loop *loop, struct timer *timer, int64_t ns)
{
    timer_set(loop, timer, loop->now + ns);
}
/* Put off behind the events of this turn or the next ones, which come at once, to when everybody else had theirs; see net/backlog.h. */
static inline void timer_put_off(struct loop *loop, struct timer *timer, enum backlog_row row)
{
    list_remove(&timer->link);
    backlog_add(&loop->backlog, row, &timer->link);
    timer->deadline = timer->filed_for = loop->now;
}
/* For work that is done in parts, of which one is done. */
static inline void timer_next_turn(struct loop *loop, struct timer *timer)
{
    timer_put_off(loop, timer, BACKLOG_GOES_ON);
}
/* For work that takes long beside a short request, and many of which may come at once. */
static inline void timer_begin_later(struct loop *loop, struct timer *timer)
{
    timer_put_off(loop, timer, BACKLOG_BEGINS);
}
/* What one turn may take before work that can be done in parts is left for the next one: others wait meanwhile. */
#define LOOP_TURN_ENOUGH (TIME_MS / 2)
/* Events that one turn takes: with short requests, about LOOP_TURN_ENOUGH. */
#define LOOP_EVENTS 24
/* Reads the clock: for use between pieces of work that are long beside that. */
static inline bool loop_turn_is_long(const struct loop *loop)
{
    return time_monotonic() - loop->now >= LOOP_TURN_ENOUGH;
}
/* For work that could be put off: somebody was before, or others have waited long enough. */
static inline bool loop_is_busy(const struct loop *loop)
{
    return !backlog_empty(&loop->backlog) || loop_turn_is_long(loop);
}
static inline bool timer_armed(const struct timer *timer)
{
    return timer->deadline != TIME_NEVER;
}
static inline void timer_cancel(struct timer *timer)
{
    list_remove(&timer->link);
    timer->deadline = timer->filed_for = TIME_NEVER;
}

/* Runs `deferred` at the end of this turn (once, even if asked twice). */
static inline void loop_defer_flush(struct loop *loop, struct deferred *deferred)
{
    if (deferred->queued)
        return;
    deferred->queued = true;
    deferred->next = NULL;
    *loop->flushes_end = deferred;
    loop->flushes_end = &deferred->next;
}
static inline void loop_defer_free(struct loop *loop, struct deferred *deferred)
{
    if (deferred->queued)
        return;
    deferred->queued = true;
    deferred->next = loop->frees;
    loop->frees = deferred;
}

/* From any thread: `message` is delivered on the loop's thread, in the order sent by one thread. The loop must
 * live until then; what is still on its way when loop_run ends is delivered by it, later messages never are. */
void loop_post(struct loop *loop, struct message *message);
void loop_wake(struct loop *loop);

#endif
