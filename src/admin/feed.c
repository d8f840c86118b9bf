/* Streams of events. Owns the events on their way and the listeners' queues; refuses to know what is told in them.
 *
 * An event lies on the heap once, counted by reference: by the messages that carry it to workers and by the queues that hold it.
 * A reader lies in its exchange's arena and is its body's source. It copies an event into the worker's buffers only as they
 * take it, so a reader that stands still holds one event half sent, and the queues of all hold no more than the latest ones. */
#include "admin/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/ask.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/version.h"
#include "exchange/graph.h"
#include "exchange/port.h"

#define LISTENERS_MAX 256                  /* in the process */
#define QUEUE_MAX 32                       /* events that wait for one reader */
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

struct reader {
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

static void begin_event(struct reader *reader)
{
    struct event *event = reader->queue[reader->first];
    struct str bytes = str_of(event->bytes, event->size), rest = str_from_index(bytes, event->open);
    reader->first = (reader->first + 1) % QUEUE_MAX;
    reader->count--;
    reader->sending = event;
    reader->part = 0;
    memset(reader->parts, 0, sizeof(reader->parts));
    reader->parts[0] = bytes;
    if (reader->lost == 0)
        return;
    int len = snprintf(reader->lost_text, LOST_SIZE, "\"lost\":%llu%s", (unsigned long long)reader->lost,
                       str_starts(rest, S("}")) ? "" : ",");
    reader->lost = 0;
    reader->parts[0] = str_first(bytes, event->open);
    reader->parts[1] = str_of(reader->lost_text, (size_t)len);
    reader->parts[2] = rest;
}

/* The stretch that is next; NULL when nothing waits. */
static struct str *next_stretch(struct reader *reader)
{
    for (;;) {
        while (reader->part < 3 && reader->parts[reader->part].len == 0)
            reader->part++;
        if (reader->part < 3)
            return &reader->parts[reader->part];
        event_unref(reader->sending);
        reader->sending = NULL;
        if (reader->count == 0)
            return NULL;
        begin_event(reader);
    }
}

static enum status read_events(struct body_source *source, struct chunkq *into, size_t max)
{
    struct reader *reader = container_of(source, struct reader, source);
    struct str *stretch = next_stretch(reader);
    if (stretch == NULL)
        return reader->ending ? STATUS_END : STATUS_AGAIN;
    struct str bytes = str_first(*stretch, max);
    /* Without buffers it waits: the next event comes by here again. */
    if (!chunkq_add_copy(into, &reader->x->worker->chunks, bytes))
        return STATUS_AGAIN;
    *stretch = str_from_index(*stretch, bytes.len);
    reader->told_at = exchange_now(reader->x);
    return STATUS_OK;
}

static void leave(struct body_source *source)
{
    struct reader *reader = container_of(source, struct reader, source);
    list_remove(&reader->link);
    timer_cancel(&reader->timer);
    event_unref(reader->sending);
    for (unsigned i = 0; i < reader->count; i++)
        event_unref(reader->queue[(reader->first + i) % QUEUE_MAX]);
    atomic_fetch_sub(&heard[reader->feed], 1);
    atomic_fetch_sub(&listening, 1);
}

static const struct body_source_ops event_source = {.read = read_events, .release = leave};

/* One reference is taken over. What is newer is worth more. */
static void enqueue(struct reader *reader, struct event *event)
{
    if (reader->count == QUEUE_MAX) {
        event_unref(reader->queue[reader->first]);
        reader->first = (reader->first + 1) % QUEUE_MAX;
        reader->count--;
        reader->lost++;
    }
    reader->queue[(reader->first + reader->count++) % QUEUE_MAX] = event;
}

/* ---- now and then ---- */

/* Its graph would be kept for as long as somebody looks, and what let the client in may hold no more. */
static void look_at_graph(struct reader *reader)
{
    const struct exchange *x = reader->x;
    int64_t now = exchange_now(x);
    if (x->worker->graph->pin->graph == x->graph)
        return;
    if (reader->old_since == 0)
        reader->old_since = now;
    else if (now - reader->old_since >= OLD_GRAPH_MAX)
        reader->ending = true;
}

static void on_timer(struct timer *timer)
{
    struct reader *reader = container_of(timer, struct reader, timer);
    struct exchange *x = reader->x;
    look_at_graph(reader);
    if (next_stretch(reader) == NULL && exchange_now(x) - reader->told_at >= SILENCE_MAX) {
        reader->part = 0;
        reader->parts[0] = S(":\n\n");
    }
    timer_after(&x->worker->loop, timer, SILENCE_MAX);
    exchange_run(x);
}

/* ---- from the control thread to the workers ---- */

static void hand_to(struct reader *reader, struct event *event)
{
    if (event == NULL) {
        reader->ending = true;
    } else {
        atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
        enqueue(reader, event);
    }
    exchange_run(reader->x);
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
        hand_to(container_of(link, struct reader, link), delivery->event);
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

/* ---- a reader comes ---- */

static struct event *hello_of(struct exchange *x)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, 4096);
    json_open_object(&json);
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

static void join(struct exchange *x, struct reader *reader, enum feed feed)
{
    *reader = (struct reader){.source = {&event_source},
                                  .x = x,
                                  .feed = feed,
                                  .part = 0,
                                  .parts = {S("retry: 1000\n\n")},
                                  .told_at = exchange_now(x)};
    timer_init(&reader->timer, on_timer);
    timer_after(&x->worker->loop, &reader->timer, SILENCE_MAX);
    list_append(listeners_of(feed), &reader->link);
    enqueue(reader, hello_of(x));
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
    struct reader *reader = arena_new(&x->arena, struct reader);
    if (reader == NULL) {
        atomic_fetch_sub(&listening, 1);
        return refuse(x, "there is no memory left");
    }
    join(x, reader, feed);
    exchange_answer(x, 200, STATUS_OK, S("text/event-stream"), STR_NONE);
    fields_add_id(&x->response.fields, FIELD_CACHE_CONTROL, S("no-store"));
    fields_add(&x->response.fields, S("X-Accel-Buffering"), S("no"));
    x->response.body_length = BODY_UNKNOWN;
    exchange_answer_source(x, &reader->source, STATUS_OK);
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
