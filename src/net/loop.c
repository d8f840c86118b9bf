/* Owns waiting: what happens in a turn, and in which order. Knows nothing of sockets or protocols. */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/ring.h"

/* The bits are moved, not tested: this runs for every event. */
_Static_assert((unsigned)WATCH_READ == EPOLLIN && (unsigned)WATCH_WRITE == EPOLLOUT >> 1 &&
                   (unsigned)WATCH_HANGUP == EPOLLHUP >> 2 &&
                   (unsigned)WATCH_HANGUP == EPOLLRDHUP >> 11 && (unsigned)WATCH_ERROR == EPOLLERR,
               "watch events are shifted epoll events");

static unsigned events_from_epoll(uint32_t mask)
{
    if ((mask & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0)
        return mask - (mask >> 1);      /* 1, 4 and 5 to 1, 2 and 3 */
    return (mask & EPOLLIN) | (mask & EPOLLOUT) >> 1 | (mask & EPOLLHUP) >> 2 |
           (mask & EPOLLRDHUP) >> 11 | (mask & EPOLLERR);
}

static uint32_t events_to_epoll(unsigned events)
{
    return (events & WATCH_READ) | (events & WATCH_WRITE) << 1;
}

/* ---- clocks ---- */

static void put_two_digits(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

/* IMF-fixdate (RFC 9110 5.6.7). Not strftime, which follows the locale. */
static void format_date(int64_t unix_seconds, char *out)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)unix_seconds;
    struct tm at;
    gmtime_r(&seconds, &at);
    memcpy(out, "ddd, dd mmm yyyy hh:mm:ss GMT", 30);
    memcpy(out, days + 3 * at.tm_wday, 3);
    put_two_digits(out + 5, at.tm_mday);
    memcpy(out + 8, months + 3 * at.tm_mon, 3);
    put_two_digits(out + 12, (at.tm_year + 1900) / 100);
    put_two_digits(out + 14, (at.tm_year + 1900) % 100);
    put_two_digits(out + 17, at.tm_hour);
    put_two_digits(out + 20, at.tm_min);
    put_two_digits(out + 23, at.tm_sec);
}

/* A new second of wall-clock time, or the first. */
static void refresh_wall(struct loop *loop)
{
    int64_t wall = time_wall();
    loop->wall_offset = wall - loop->now;
    loop->date_second = wall / TIME_S;
    loop->second_ends = loop->now + TIME_S - wall % TIME_S;
    format_date(loop->date_second, loop->date);
}

static void read_clocks(struct loop *loop)
{
    loop->now = time_monotonic();
    if (loop->now >= loop->second_ends)
        refresh_wall(loop);
    loop->wall = loop->now + loop->wall_offset;
}

/* Exactly: the coarse clock would be cheaper by some ns, but what it shows lags by up to a tick of the kernel's (1 to 4 ms), so
 * that turns of a millisecond go unseen. */
static void note_work(struct loop *loop)
{
    loop->worked_until = time_monotonic();
    if (loop->worked_until - loop->now > loop->longest_turn)
        loop->longest_turn = loop->worked_until - loop->now;
}

/* ---- life ---- */

/* The eventfd is edge-triggered and never read: every write is a new edge. */
static void on_wake(struct watch *watch, unsigned events)
{
}

bool loop_init(struct loop *loop)
{
    *loop = (struct loop){.wake_fd = -1, .wake_watch = {.on_ready = on_wake, .fd = -1}, .turn = 1};
    loop->flushes_end = &loop->flushes;
    atomic_init(&loop->inbox, NULL);
    loop->second_ends = INT64_MIN;
    read_clocks(loop);
    loop->worked_until = loop->now;
    wheel_init(&loop->wheel, loop->now);
    backlog_init(&loop->backlog);

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return false;
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd >= 0 && loop_watch(loop, &loop->wake_watch, loop->wake_fd))
        return true;
    int error = errno;
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    close(loop->epoll_fd);
    errno = error;
    return false;
}

static void run_flushes(struct loop *loop)
{
    struct deferred *first;
    while ((first = loop->flushes) != NULL) {
        loop->flushes = first->next;
        if (loop->flushes == NULL)
            loop->flushes_end = &loop->flushes;
        first->queued = false;
        first->run(first);
    }
}

static void run_deferred(struct loop *loop)
{
    while (loop->flushes != NULL || loop->frees != NULL) {
        run_flushes(loop);
        struct deferred *next = loop->frees;
        loop->frees = NULL;
        for (struct deferred *it = next; it != NULL; it = next) {
            next = it->next;
            it->queued = false;
            it->run(it);
        }
    }
}

void loop_release(struct loop *loop)
{
    run_deferred(loop);
    close(loop->wake_fd);
    close(loop->epoll_fd);
    loop->wake_fd = loop->epoll_fd = loop->wake_watch.fd = -1;
}

/* ---- a turn ---- */

static int wait_milliseconds(const struct loop *loop, int64_t longest)
{
    if (loop->flushes != NULL || loop->frees != NULL || loop->stopping || !backlog_empty(&loop->backlog))
        return 0;
    int64_t due = wheel_due(&loop->wheel);
    if (due == TIME_NEVER && longest == TIME_NEVER)
        return -1;
    int64_t wait = due - loop->worked_until < longest ? due - loop->worked_until : longest;
    if (wait <= 0)
        return 0;
    /* Rounded up: waking before the deadline would only mean to wait again. */
    int64_t milliseconds = wait / TIME_MS + (wait % TIME_MS != 0);
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

static void hand_out(struct loop *loop, const struct epoll_event *event)
{
    struct watch *watch = event->data.ptr;
    /* A watch that was closed and used again in this turn: the event is the former descriptor's. */
    if (watch->fd < 0 || watch->since == loop->turn)
        return;
    watch->since = 0;
    watch->on_ready(watch, events_from_epoll(event->events));
}

static void take_up(struct loop *loop, struct timer *timer)
{
    int64_t deadline = timer->deadline;
    timer->filed_for = TIME_NEVER;
    if (deadline > loop->now && deadline != TIME_NEVER) {
        wheel_file(&loop->wheel, timer);
    } else if (deadline != TIME_NEVER) {
        timer->deadline = TIME_NEVER;
        timer->on_expire(timer);
    }
}

struct go_on {
    struct backlog_runner runner;
    struct loop *loop;
};

/* A timer that was moved since it was put off stands here all the same (timer_set). */
static void go_on_with(struct backlog_runner *runner, struct list *link)
{
    take_up(container_of(runner, struct go_on, runner)->loop, container_of(link, struct timer, link));
}

static bool has_gone_on_enough(struct backlog_runner *runner)
{
    return loop_turn_is_long(container_of(runner, struct go_on, runner)->loop);
}

static void go_on(struct loop *loop)
{
    struct go_on go_on = {.runner = {.run = go_on_with, .is_enough = has_gone_on_enough}, .loop = loop};
    backlog_run(&loop->backlog, &go_on.runner);
}

static void deliver_messages(struct loop *loop)
{
    struct message *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct message *oldest = NULL;
    while (newest != NULL) {
        struct message *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    while (oldest != NULL) {
        struct message *next = oldest->next;
        oldest->deliver(oldest);
        oldest = next;
    }
}

static bool has_messages(struct loop *loop)
{
    return atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL;
}

void loop_turn(struct loop *loop, int64_t wait_ns)
{
    struct epoll_event events[LOOP_EVENTS];
    if (loop->before_wait != NULL)
        loop->before_wait(loop);
    int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS, wait_milliseconds(loop, wait_ns));
    assert(count >= 0 || errno == EINTR);
    loop->turn += loop->turn == UINT32_MAX ? 2 : 1;
    read_clocks(loop);
    bool owed = !backlog_empty(&loop->backlog);
    ring_read_ahead(loop, events, count);
    for (int i = 0; i < count; i++)
        hand_out(loop, &events[i]);
    wheel_advance(&loop->wheel, loop->now);
    /* One of those who have waited since the turn before, whatever the time. */
    if (!backlog_empty(&loop->backlog) && (owed || !loop_turn_is_long(loop)))
        go_on(loop);
    if (has_messages(loop))
        deliver_messages(loop);
    if (loop->flushes != NULL || loop->frees != NULL)
        run_deferred(loop);
    note_work(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->stopping)
        loop_turn(loop, TIME_NEVER);
    if (has_messages(loop))
        deliver_messages(loop);
    run_deferred(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

/* ---- descriptors ---- */

static bool add(struct loop *loop, struct watch *watch, int fd, uint32_t mask)
{
    struct epoll_event event = {.events = mask, .data.ptr = watch};
    watch->fd = fd;
    watch->since = loop->turn;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return true;
    watch->fd = -1;
    return false;
}

#define EDGES_OF_READING (EPOLLIN | EPOLLRDHUP | EPOLLET)
#define EDGES_OF_BOTH (EDGES_OF_READING | EPOLLOUT)

static bool modify(struct loop *loop, struct watch *watch, uint32_t mask)
{
    struct epoll_event event = {.events = mask, .data.ptr = watch};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0;
}

bool loop_watch(struct loop *loop, struct watch *watch, int fd)
{
    return add(loop, watch, fd, EDGES_OF_BOTH);
}

bool loop_watch_reading(struct loop *loop, struct watch *watch, int fd)
{
    return add(loop, watch, fd, EDGES_OF_READING);
}

bool loop_watch_writing_too(struct loop *loop, struct watch *watch)
{
    return modify(loop, watch, EDGES_OF_BOTH);
}

bool loop_watch_level(struct loop *loop, struct watch *watch, int fd)
{
    return add(loop, watch, fd, EPOLLIN);
}

bool loop_watch_for(struct loop *loop, struct watch *watch, int fd, unsigned events)
{
    return add(loop, watch, fd, events_to_epoll(events));
}

bool loop_rewatch(struct loop *loop, struct watch *watch, unsigned events)
{
    return modify(loop, watch, events_to_epoll(events));
}

bool loop_watch_move(struct loop *loop, struct watch *to, struct watch *from, bool writing)
{
    to->fd = from->fd;
    to->since = loop->turn;
    from->fd = -1;
    return modify(loop, to, writing ? EDGES_OF_BOTH : EDGES_OF_READING);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
    if (watch->fd < 0)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
}

/* ---- from other threads ---- */

void loop_wake(struct loop *loop)
{
    /* Fails only when 2^64 wakes were never read, which nothing lives to see. */
    ssize_t written = write(loop->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written == sizeof(uint64_t));
}

void loop_post(struct loop *loop, struct message *message)
{
    struct message *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do
        message->next = head;
    while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &head, message, memory_order_release,
                                                  memory_order_relaxed));
    /* Who finds the inbox empty wakes the loop; the others ride along. */
    if (head == NULL)
        loop_wake(loop);
}
