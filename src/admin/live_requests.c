/* The events "request" of /api/portico/live/requests: requests that have just ended, fetched from the workers twice a second while
 * somebody listens. A busy proxy shows a sample. */
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/feed.h"
#include "admin/recent_show.h"
#include "base/time.h"

#define PAUSE (500 * TIME_MS)
#define EVENTS_MAX 50                     /* in one round */
#define EVENT_MAX ((size_t)16 << 10)

static struct {
    struct timer timer;
    uint64_t after;                       /* the newest number that was told of */
    bool running, listening, asked;
} feed;

static void publish(const struct recent_entry *entry)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, EVENT_MAX);
    recent_show(entry, &json);
    if (!text.overflow)
        feed_publish(FEED_REQUESTS, "request", text_str(&text));
    text_release(&text);
}

/* The oldest first; of too many, every so manieth, the newest among them. What was before anybody listened is no event. */
static void on_survey(struct survey *survey)
{
    size_t count;
    feed.asked = false;
    if (!feed.running)
        return;
    const struct recent_entry **entries = recent_sorted(survey, true, true, &count);
    size_t stride = (count + EVENTS_MAX - 1) / EVENTS_MAX;
    for (size_t i = count; i > 0 && feed.listening; i--)
        if ((i - 1) % stride == 0)
            publish(entries[i - 1]);
    if (count != 0)
        feed.after = entries[0]->number;
    feed.listening = true;
    free(entries);
}

static void on_timer(struct timer *timer)
{
    struct loop *loop = &admin_self->control->loop;
    timer_set(loop, timer, (loop->now / PAUSE + 1) * PAUSE);
    bool heard = feed_is_heard(FEED_REQUESTS);
    feed.listening = feed.listening && heard;
    if (!heard || feed.asked)
        return;
    feed.asked = true;
    if (!survey_start(SURVEY_REQUESTS | SURVEY_FAILURES, feed.after, NULL, on_survey))
        feed.asked = false;
}

static void start(void)
{
    struct loop *loop = &admin_self->control->loop;
    feed.running = true;
    timer_init(&feed.timer, on_timer);
    timer_set(loop, &feed.timer, (loop->now / PAUSE + 1) * PAUSE);
}

static void stop(void)
{
    timer_cancel(&feed.timer);
    memset(&feed, 0, sizeof(feed));
}

static const struct admin_part requests_feed = {.start = start, .stop = stop};
REGISTER(admin_part, requests_feed);
