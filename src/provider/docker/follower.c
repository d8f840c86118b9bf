#include "provider/docker/follower.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/rand.h"
#include "provider/docker/member.h"
#include "provider/docker/question.h"

#define PAUSE_FIRST (100 * TIME_MS)
#define PAUSE_MOST (15 * TIME_S)
#define REASON_STAYS (5 * TIME_S)
#define LINE_MAX_BYTES ((size_t)4 << 20)

/* ---- what people hear ---- */

/* Another reason is worth a line only when it stays: an engine that is started again goes through several. */
static bool is_news(const struct follower *follower, bool connected)
{
    if (!follower->said || follower->connected != connected)
        return true;
    return !connected && follower->loop->now - follower->said_at > REASON_STAYS && str_hash(text_str(&follower->why)) != follower->said_why;
}

static void say(struct follower *follower, bool connected)
{
    if (!is_news(follower, connected))
        return;
    if (follower->connected != connected)
        follower->since = time_wall();
    if (connected)
        log_info("%.*s: containers are %s from %.*s (%s)", STR_ARGS(follower->provider), follower->said ? "read again" : "read",
                 STR_ARGS(engine_endpoint(follower->engine)), text_c(&follower->version));
    else
        log_error("%.*s: the engine cannot be read: %s%s", STR_ARGS(follower->provider), text_c(&follower->why),
                  follower->readings != 0 ? "; what was known of it stays" : "");
    follower->said = true;
    follower->said_at = follower->loop->now;
    follower->said_why = str_hash(text_str(&follower->why));
    follower->connected = connected;
}

/* ---- failure ---- */

static void begin_anew(struct follower *follower)
{
    engine_cancel(follower->engine, &follower->version_call);
    engine_cancel(follower->engine, &follower->events_call);
    text_clear(&follower->line);
    follower->state = FOLLOWER_LOST;
    if (follower->ops->on_lost != NULL)
        follower->ops->on_lost(follower);
    follower->settled = true;
    int64_t spread = follower->pause / 4;
    timer_after(follower->loop, &follower->timer, follower->pause + (int64_t)rand_below((uint32_t)(spread / TIME_US) + 1) * TIME_US);
    follower->pause = follower->pause * 2 < PAUSE_MOST ? follower->pause * 2 : PAUSE_MOST;
}

void follower_fail(struct follower *follower, const struct engine_answer *answer)
{
    text_clear(&follower->why);
    engine_explain(follower->engine, answer, &follower->why);
    if (answer->failure != FAILURE_HELPER)      /* that was said, and the next one will do */
        say(follower, false);
    begin_anew(follower);
}

void follower_fail_with(struct follower *follower, const char *format, ...)
{
    va_list args;
    text_clear(&follower->why);
    va_start(args, format);
    text_vaddf(&follower->why, format, args);
    va_end(args);
    say(follower, false);
    begin_anew(follower);
}

bool follower_ask(struct follower *follower, struct engine_call *call)
{
    if (engine_ask(follower->engine, call))
        return true;
    follower_fail_with(follower, "the helper process that reads it cannot be started: %s", strerror(errno));
    return false;
}

/* ---- the stream ---- */

static void take_line(struct follower *follower)
{
    struct engine_event event = event_read(text_str(&follower->line));
    text_clear(&follower->line);
    if (event.kind == EVENT_NONE)
        return;
    follower->events++;
    follower->ops->on_event(follower, &event);
}

static void on_bytes(struct engine_call *call, struct str bytes)
{
    struct follower *follower = call->owner;
    while (bytes.len != 0 && call->number != 0) {
        ptrdiff_t end = str_find_char(bytes, '\n', 0);
        text_add(&follower->line, str_first(bytes, end < 0 ? bytes.len : (size_t)end));
        if (follower->line.overflow) {
            follower_fail_with(follower, "an event of it has no end");
            return;
        }
        if (end < 0)
            return;
        bytes = str_from_index(bytes, (size_t)end + 1);
        take_line(follower);
    }
}

static void on_open(struct engine_call *call, unsigned status)
{
    struct follower *follower = call->owner;
    if (status != 200 || follower->state != FOLLOWER_LISTENING)
        return;      /* its end brings the reason */
    follower->state = FOLLOWER_READING;
    follower->ops->read(follower);
}

static void on_end_of_stream(struct engine_call *call, const struct engine_answer *answer)
{
    struct engine_answer end = *answer;
    if (end.failure == FAILURE_NONE && end.status == 200)
        end.failure = FAILURE_CUT;
    follower_fail(call->owner, &end);
}

/* ---- the first words ---- */

/* An engine that is too new to know our version is asked in the oldest that it knows. */
static void choose_api(struct follower *follower, unsigned newest, unsigned oldest)
{
    unsigned chosen = newest < ENGINE_API_MINOR ? newest : ENGINE_API_MINOR;
    engine_set_api_minor(follower->engine, chosen < oldest && oldest <= newest ? oldest : chosen);
}

/* "20.10.24+dfsg1, API 1.41". */
static bool take_version(struct follower *follower, struct str body)
{
    json_t *json = member_parse(body);
    unsigned major = 0, newest = 0, oldest = 0;
    const char *api = json_string_value(json_object_get(json, "ApiVersion"));
    const char *least = json_string_value(json_object_get(json, "MinAPIVersion"));
    struct str name = member_text(member_at(json_array_get(json_object_get(json, "Components"), 0), "Name", NULL));
    struct str version = str_first(member_text(json_object_get(json, "Version")), 40);
    if (least != NULL && sscanf(least, "%u.%u", &major, &oldest) != 2)
        oldest = 0;
    bool good = api != NULL && sscanf(api, "%u.%u", &major, &newest) == 2 && major == 1;
    text_clear(&follower->version);
    if (good)
        text_addf(&follower->version, "%s%.*s, API %u.%u", str_starts(name, S("Podman")) ? "Podman " : "", STR_ARGS(version), major, newest);
    follower->is_podman = str_starts(name, S("Podman"));
    json_decref(json);
    if (good && newest >= QUESTION_API_MINOR_LEAST && newest <= QUESTION_API_MINOR_MOST)
        choose_api(follower, newest, oldest);
    if (!good)
        follower_fail_with(follower, "%.*s is no container engine: it says no version of its API", STR_ARGS(engine_endpoint(follower->engine)));
    else if (newest < QUESTION_API_MINOR_LEAST)
        follower_fail_with(follower, "the engine is too old: it speaks version 1.%u of its API, 1.%d is needed", newest, QUESTION_API_MINOR_LEAST);
    return good && newest >= QUESTION_API_MINOR_LEAST;
}

static void on_version(struct engine_call *call, const struct engine_answer *answer)
{
    struct follower *follower = call->owner;
    if (answer->failure != FAILURE_NONE || answer->status != 200) {
        follower_fail(follower, answer);
        return;
    }
    if (!take_version(follower, answer->body))
        return;
    follower->state = follower->watch ? FOLLOWER_LISTENING : FOLLOWER_READING;
    if (!follower->watch)
        follower->ops->read(follower);
    else
        follower_ask(follower, &follower->events_call);
}

static void on_timer(struct timer *timer)
{
    struct follower *follower = container_of(timer, struct follower, timer);
    follower->state = FOLLOWER_MEETING;
    follower_ask(follower, &follower->version_call);
}

void follower_complete(struct follower *follower)
{
    follower->state = FOLLOWER_FOLLOWING;
    follower->pause = PAUSE_FIRST;
    follower->readings++;
    follower->settled = true;
    text_clear(&follower->why);
    say(follower, true);
}

/* ---- its life ---- */

void follower_init(struct follower *follower, const struct follower_ops *ops, struct engine *engine, struct loop *loop,
                   struct str provider, bool watch)
{
    *follower = (struct follower){.ops = ops, .engine = engine, .loop = loop, .provider = provider, .watch = watch};
    follower->version_call = (struct engine_call){.question = QUESTION_VERSION, .on_done = on_version, .owner = follower};
    follower->events_call = (struct engine_call){
        .question = ops->events, .on_begin = on_open, .on_bytes = on_bytes, .on_done = on_end_of_stream, .owner = follower};
    follower->pause = PAUSE_FIRST;
    follower->since = time_wall();
    timer_init(&follower->timer, on_timer);
    text_init(&follower->line, LINE_MAX_BYTES);
    text_init(&follower->version, 200);
    text_init(&follower->why, 2000);
}

void follower_start(struct follower *follower)
{
    on_timer(&follower->timer);
}

void follower_stop(struct follower *follower)
{
    engine_cancel(follower->engine, &follower->version_call);
    engine_cancel(follower->engine, &follower->events_call);
    timer_cancel(&follower->timer);
    text_release(&follower->line);
    text_release(&follower->version);
    text_release(&follower->why);
}
