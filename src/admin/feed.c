/* Streams of events. Owns the events on their way and the listeners' queues; refuses to know what is told in them.
 *
 * An event lies on the heap once, counted by reference: by the messages that carry it to workers and by the queues that hold it.
 * A listener lies in its exchange's arena and is its body's source. It copies an event into the worker's buffers only as they
 * take it, so a reader that stands still holds one event half sent, and the queues of all hold no more than the latest ones. */
#include "admin/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/ask.h"
#include "base/memory.h"
#include "base/time.h"
#include "exchange/graph.h"
#include "exchange/port.h"

#define LISTENERS_MAX 256                  /* in the process */
#define QUEUE_MAX 32                       /* events that wait for one listener */
#define SILENCE_MAX (INT64_C(15) * TIME_S) /* then a comment shows that the stream lives */
#define OLD_GRAPH_MAX (INT64_C(60) * TIME_S)
#define LOST_SIZE 40

struct event {
    _Atomic unsigned refs;
    size_t open;                      /* bytes as far as the '{' of its data, that included */
    size_t size;
    char bytes[];
};

/* To one worker; NULL event: its streams end. */
struct delivery {
    struct message message;
    struct event *event;
    enum feed feed;
};

struct listener {
    struct body_source source;
    struct list link;
    struct exchange *x;
    enum feed feed;
    struct event *queue[QUEUE_MAX];
    unsigned first, count;
    struct event *sending;            /* NULL: none */
    struct str parts[3];              /* of it, still to be read: where events were lost that is told in its midst */
    unsigned part;
    uint64_t lost;
    char lost_text[LOST_SIZE];
    struct timer timer;
    int64_t told_at;                  /* monotonic ns of its last bytes */
    int64_t old_since;                /* its graph does not run any more; 0: it does */
    bool ending;
};

/* The listeners of the thread's worker. */
static _Thread_local struct hall {
    bool opened;
    struct list listeners[FEED_COUNT];
} hall;

static _Atomic unsigned listening;                    /* all together */
static _Atomic unsigned heard[FEED_COUNT];
static _Atomic bool closed;

static struct list *listeners_of(enum feed feed)
{
    if (!hall.opened)
        for (int i = 0; i < FEED_COUNT; i++)
            list_init(&hall.listeners[i]);
    hall.opened = true;
    return &hall.listeners[feed];
}

/* ---- events ---- */

static struct event *event_new(const char *name, struct str data)
{
    struct str before = STR("event: "), between = STR("\ndata: ");
    size_t name_len = strlen(name), open = before.len + name_len + between.len + 1;
    struct event *event = memory_alloc(sizeof(*event) + open + data.len + 2);
    char *at = event->bytes;
    atomic_init(&event->refs, 1);
    at = (char *)mempcpy(at, before.data, before.len);
    at = (char *)mempcpy(at, name, name_len);
    at = (char *)mempcpy(at, between.data, between.len);
    at = (char *)mempcpy(at, data.data, data.len);
    at = (char *)mempcpy(at, "\n\n", 2);
    event->open = open;
    event->size = (size_t)(at - event->bytes);
    return event;
}

static void event_unref(struct event *event)
{
    if (event != NULL && atomic_fetch_sub_explicit(&event->refs, 1, memory_order_acq_rel) == 1)
        free(event);
}

/* ---- the body ---- */

static void begin_event(struct listener *listener)
{
    struct event *event = listener->queue[listener->first];
    struct str bytes = str_of(event->bytes, event->size), rest = str_from_index(bytes, event->open);
    listener->first = (listener->first + 1) % QUEUE_MAX;
    listener->count--;
    listener->sending = event;
    listener->part = 0;
    memset(listener->parts, 0, sizeof(listener->parts));
    listener->parts[0] = bytes;
    if (listener->lost == 0)
        return;
    int len = snprintf(listener->lost_text, LOST_SIZE, "\"lost\":%llu%s", (unsigned long long)listener->lost,
                       str_starts(rest, S("}")) ? "" : ",");
    listener->lost = 0;
    listener->parts[0] = str_first(bytes, event->open);
    listener->parts[1] = str_of(listener->lost_text, (size_t)len);
    listener->parts[2] = rest;
}

/* The stretch that is next; NULL when nothing waits. */
static struct str *next_stretch(struct listener *listener)
{
    for (;;) {
        while (listener->part < 3 && listener->parts[listener->part].len == 0)
            listener->part++;
        if (listener->part < 3)
            return &listener->parts[listener->part];
        event_unref(listener->sending);
        listener->sending = NULL;
        if (listener->count == 0)
            return NULL;
        begin_event(listener);
    }
}

static enum status read_events(struct body_source *source, struct chunkq *into, size_t max)
{
    struct listener *listener = container_of(source, struct listener, source);
    struct str *stretch = next_stretch(listener);
    if (stretch == NULL)
        return listener->ending ? STATUS_END : STATUS_AGAIN;
    struct str bytes = str_first(*stretch, max);
    /* Without buffers it waits: the next event comes by here again. */
    if (!chunkq_add_copy(into, &listener->x->worker->chunks, bytes))
        return STATUS_AGAIN;
    *stretch = str_from_index(*stretch, bytes.len);
    listener->told_at = exchange_now(listener->x);
    return STATUS_OK;
}

static void leave(struct body_source *source)
{
    struct listener *listener = container_of(source, struct listener, source);
    list_remove(&listener->link);
    timer_cancel(&listener->timer);
    event_unref(listener->sending);
    for (unsigned i = 0; i < listener->count; i++)
        event_unref(listener->queue[(listener->first + i) % QUEUE_MAX]);
    atomic_fetch_sub(&heard[listener->feed], 1);
    atomic_fetch_sub(&listening, 1);
}

/* One reference is taken over. What is newer is worth more. */
static void enqueue(struct listener *listener, struct event *event)
{
    if (listener->count == QUEUE_MAX) {
        event_unref(listener->queue[listener->first]);
        listener->first = (listener->first + 1) % QUEUE_MAX;
        listener->count--;
        listener->lost++;
    }
    listener->queue[(listener->first + listener->count++) % QUEUE_MAX] = event;
}

/* ---- now and then ---- */

/* Its graph would be kept for as long as somebody looks, and what let the client in may hold no more. */
static void look_at_graph(struct listener *listener)
{
    const struct exchange *x = listener->x;
    int64_t now = exchange_now(x);
    if (x->worker->graph->pin->graph == x->graph)
        return;
    if (listener->old_since == 0)
        listener->old_since = now;
    else if (now - listener->old_since >= OLD_GRAPH_MAX)
        listener->ending = true;
}

static void on_timer(struct timer *timer)
{
    struct listener *listener = container_of(timer, struct listener, timer);
    struct exchange *x = listener->x;
    look_at_graph(listener);
    if (next_stretch(listener) == NULL && exchange_now(x) - listener->told_at >= SILENCE_MAX) {
        listener->part = 0;
        listener->parts[0] = S(":\n\n");
    }
    timer_after(&x->worker->loop, timer, SILENCE_MAX);
    exchange_run(x);
}

/* ---- from the control thread to the workers ---- */

static void hand_to(struct listener *listener, struct event *event)
{
    if (event == NULL) {
        listener->ending = true;
    } else {
        atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
        enqueue(listener, event);
    }
    exchange_run(listener->x);
}

static void deliver(struct message *message)
{
    struct delivery *delivery = container_of(message, struct delivery, message);
    struct list *listeners = listeners_of(delivery->feed), round = LIST_INIT(round);
    /* Running one exchange may end it, and others of its connection: whoever is still to be told stands in a row of its own. */
    for (struct list *link; (link = list_pop(listeners)) != NULL;)
        list_append(&round, link);
    for (struct list *link; (link = list_pop(&round)) != NULL;) {
        list_append(listeners, link);
        hand_to(container_of(link, struct listener, link), delivery->event);
    }
    event_unref(delivery->event);
    free(delivery);
}

/* One reference to `event` is taken over. */
static void tell_workers(enum feed feed, struct event *event)
{
    for (unsigned i = 0; i < admin_self->worker_count; i++) {
        struct delivery *delivery = memory_alloc(sizeof(*delivery));
        *delivery = (struct delivery){.message = {.deliver = deliver}, .event = event, .feed = feed};
        if (event != NULL)
            atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
        loop_post(&admin_self->workers[i].loop, &delivery->message);
    }
    event_unref(event);
}

bool feed_is_heard(enum feed feed)
{
    return atomic_load_explicit(&heard[feed], memory_order_relaxed) != 0 && !atomic_load_explicit(&closed, memory_order_relaxed);
}

void feed_publish(enum feed feed, const char *event, struct str data)
{
    if (feed_is_heard(feed))
        tell_workers(feed, event_new(event, data));
}

void feed_close(void)
{
    if (atomic_exchange(&closed, true))
        return;
    for (int feed = 0; feed < FEED_COUNT; feed++)
        tell_workers((enum feed)feed, NULL);
}

/* ---- a listener comes ---- */

static struct event *hello_of(struct exchange *x)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, 4096);
    json_object(&json);
    json_member_uint(&json, "generation", x->graph->generation);
    json_member_bool(&json, "canWrite", ask_may_write(x));
    json_member_text(&json, "version", PORTICO_VERSION);
    json_end(&json);
    struct event *event = event_new("hello", text_str(&text));
    text_release(&text);
    return event;
}

static enum pick_result refuse(struct exchange *x, const char *message)
{
    struct str body = arena_printf(&x->arena, "{\"message\":\"%s\"}\n", message);
    exchange_answer(x, 503, STATUS_OK, S("application/json"), body);
    fields_add_id(&x->response.fields, FIELD_RETRY_AFTER, S("10"));
    return PICK_ANSWER;
}

static void join(struct exchange *x, struct listener *listener, enum feed feed)
{
    *listener = (struct listener){.source = {.read = read_events, .release = leave},
                                  .x = x,
                                  .feed = feed,
                                  .part = 0,
                                  .parts = {S("retry: 1000\n\n")},
                                  .told_at = exchange_now(x)};
    timer_init(&listener->timer, on_timer);
    timer_after(&x->worker->loop, &listener->timer, SILENCE_MAX);
    list_append(listeners_of(feed), &listener->link);
    enqueue(listener, hello_of(x));
    atomic_fetch_add(&heard[feed], 1);
}

enum pick_result feed_listen(struct exchange *x, enum feed feed)
{
    if (atomic_load(&closed))
        return refuse(x, "the process is stopping");
    if (atomic_fetch_add(&listening, 1) >= LISTENERS_MAX) {
        atomic_fetch_sub(&listening, 1);
        return refuse(x, "there are as many listeners as there may be; others must leave first");
    }
    struct listener *listener = arena_new(&x->arena, struct listener);
    if (listener == NULL) {
        atomic_fetch_sub(&listening, 1);
        return refuse(x, "there is no memory left");
    }
    join(x, listener, feed);
    exchange_answer(x, 200, STATUS_OK, S("text/event-stream"), STR_NONE);
    fields_add_id(&x->response.fields, FIELD_CACHE_CONTROL, S("no-store"));
    fields_add(&x->response.fields, S("X-Accel-Buffering"), S("no"));
    x->response.body_length = BODY_UNKNOWN;
    exchange_answer_source(x, &listener->source, STATUS_OK);
    return PICK_ANSWER;
}

/* ---- its life ---- */

static void open_again(void)
{
    atomic_store(&closed, false);
}

static const struct admin_part feeds = {.start = open_again, .stopping = feed_close, .stop = NULL};
REGISTER(admin_part, feeds);

static enum pick_result listen_live(struct exchange *x)
{
    return feed_listen(x, FEED_LIVE);
}
static const struct admin_stream live_stream = {.path = "/api/portico/live", .listen = listen_live};
REGISTER(admin_stream, live_stream);

static enum pick_result listen_requests(struct exchange *x)
{
    return feed_listen(x, FEED_REQUESTS);
}
static const struct admin_stream requests_stream = {.path = "/api/portico/live/requests", .listen = listen_requests};
REGISTER(admin_stream, requests_stream);
