#include "admin/live_event.h"

#include <math.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/feed.h"
#include "admin/live.h"
#include "admin/problems.h"
#include "admin/words.h"
#include "base/memory.h"

#define EVENT_MAX ((size_t)4 << 20)

void live_event_members(const struct meter_sum *sum, struct json *json)
{
    json_member_uint(json, "requests", sum->count);
    json_member_uint(json, "errors", sum->errors);
    json_member_uint(json, "refused", sum->refused);
    json_member_uint(json, "bytesIn", sum->bytes_in);
    json_member_uint(json, "bytesOut", sum->bytes_out);
    words_member_ms(json, "p50", meter_quantile(sum->buckets, 0.5));
    words_member_ms(json, "p95", meter_quantile(sum->buckets, 0.95));
    words_member_ms(json, "p99", meter_quantile(sum->buckets, 0.99));
}

static uint64_t requests_of(const struct live_thing *thing)
{
    return thing->changed ? live_past_count(thing->course->delta) : 0;
}

static int busier_first(const void *a, const void *b)
{
    const struct live_thing *one = *(const struct live_thing *const *)a, *other = *(const struct live_thing *const *)b;
    uint64_t first = requests_of(one), second = requests_of(other);
    return first < second ? 1 : first > second ? -1 : one < other ? -1 : 1;
}

/* Under way at the servers of the service, which stand together. */
static uint64_t active_of(const struct live_thing *service)
{
    const struct live_things *servers = live_all(LIVE_SERVER);
    uint64_t active = 0;
    for (size_t i = service->first_server; i < service->first_server + service->server_count; i++)
        active += server_active(servers->items[i].standing->target->server);
    return active;
}

static void show_thing(const struct live_thing *thing, struct json *json)
{
    struct meter_sum delta;
    live_delta(thing, &delta);
    json_key(json, thing->name);
    json_open_object(json);
    live_event_members(&delta, json);
    if (thing->kind == LIVE_SERVICE)
        json_member_uint(json, "active", active_of(thing));
    if (thing->kind == LIVE_SERVER) {
        json_member_uint(json, "active", server_active(thing->standing->target->server));
        json_member_text(json, "state", server_word_name(thing->standing->word));
    }
    json_end(json);
}

/* Those with traffic, and those whose state has changed; when there are too many, the busiest. */
static void show_kind(const char *name, enum live_kind kind, struct json *json)
{
    const struct live_things *things = live_all(kind);
    const struct live_thing **shown = memory_alloc((things->count + 1) * sizeof(struct live_thing *));
    size_t count = 0;
    for (size_t i = 0; i < things->count; i++)
        if (things->items[i].changed || (kind == LIVE_SERVER && things->items[i].standing->word_changed))
            shown[count++] = &things->items[i];
    if (count > LIVE_EVENT_NAMED_MAX) {
        qsort(shown, count, sizeof(struct live_thing *), busier_first);
        count = LIVE_EVENT_NAMED_MAX;
    }
    json_member_object(json, name);
    for (size_t i = 0; i < count; i++)
        show_thing(shown[i], json);
    json_end(json);
    free(shown);
}

static void show_workers(struct json *json)
{
    unsigned count;
    const struct worker_report *workers = live_workers(&count);
    json_member_array(json, "workers");
    for (unsigned i = 0; i < count; i++) {
        json_open_object(json);
        json_member_uint(json, "worker", workers[i].worker);
        words_member_ms(json, "longestTurnMs", workers[i].longest_turn);
        json_member_uint(json, "exchanges", workers[i].exchanges);
        json_member_uint(json, "connections", workers[i].connections);
        json_member_uint(json, "bufferBytes", workers[i].buffer_bytes);
        json_end(json);
    }
    json_end(json);
}

static void show_total(const struct meter_sum *total, struct json *json)
{
    unsigned count;
    const struct worker_report *workers = live_workers(&count);
    uint64_t exchanges = 0;
    for (unsigned i = 0; i < count; i++)
        exchanges += workers[i].exchanges;
    json_member_object(json, "total");
    live_event_members(total, json);
    json_member_uint(json, "active", exchanges);
    json_end(json);
}

void live_event_publish(const struct meter_sum *total, double interval)
{
    struct text text;
    struct json json = {.out = &text};
    text_init(&text, EVENT_MAX);
    json_open_object(&json);
    json_member_int(&json, "at", admin_self->control->loop.wall / TIME_MS);
    json_member_number(&json, "interval", round(interval * 1000) / 1000);
    show_total(total, &json);
    show_kind("entryPoints", LIVE_ENTRYPOINT, &json);
    show_kind("routers", LIVE_ROUTER, &json);
    show_kind("services", LIVE_SERVICE, &json);
    show_kind("servers", LIVE_SERVER, &json);
    show_workers(&json);
    json_member_uint(&json, "problems", problems_count());
    json_member_uint(&json, "generation", admin_self->graph != NULL ? admin_self->graph->generation : 0);
    json_end(&json);
    if (!text.overflow)
        feed_publish(FEED_LIVE, "tick", text_str(&text));
    text_release(&text);
}
