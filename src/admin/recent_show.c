#include "admin/recent_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin/words.h"
#include "base/memory.h"
#include "base/time.h"

/* To a millisecond: people compare them with other logs. */
static void member_moment(struct json *json, const char *key, int64_t wall)
{
    char text[40];
    struct tm tm;
    time_t seconds = (time_t)(wall / TIME_S);
    if (gmtime_r(&seconds, &tm) == NULL) {
        json_member_text(json, key, NULL);
        return;
    }
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(wall % TIME_S / TIME_MS));
    json_member_text(json, key, text);
}

static void show_way(const struct recent_entry *entry, struct json *json)
{
    words_member_str(json, "method", entry->method);
    words_member_str(json, "host", entry->host);
    words_member_str(json, "path", entry->path);
    words_member_str(json, "client", entry->client);
    words_member_str(json, "user", entry->user);
    words_member_str(json, "entryPoint", entry->entrypoint);
    words_member_str(json, "router", entry->router);
    words_member_str(json, "service", entry->service);
    words_member_str(json, "server", entry->server);
}

static void show_outcome(const struct recent_entry *entry, struct json *json)
{
    bool failed = entry->reason != STATUS_OK;
    json_member_int(json, "status", entry->status);
    json_member_int(json, "originStatus", entry->origin_status);
    json_member_text(json, "reason", failed ? status_reason(entry->reason) : NULL);
    json_member_text(json, "reasonText", failed ? status_text(entry->reason) : NULL);
    words_member_str(json, "detail", entry->detail);
}

static void show_measures(const struct recent_entry *entry, struct json *json)
{
    words_member_ms(json, "totalMs", entry->total);
    words_member_ms(json, "queueMs", entry->queue);
    words_member_ms(json, "connectMs", entry->connect);
    words_member_ms(json, "firstByteMs", entry->first_byte);
    json_member_uint(json, "bytesIn", entry->request_bytes);
    json_member_uint(json, "bytesOut", entry->response_bytes);
    json_member_uint(json, "attempts", entry->attempts);
}

void recent_show(const struct recent_entry *entry, struct json *json)
{
    json_open_object(json);
    json_member_uint(json, "number", entry->number);
    member_moment(json, "at", entry->began_wall);
    show_way(entry, json);
    show_outcome(entry, json);
    show_measures(entry, json);
    words_member_str(json, "protocol", entry->protocol);
    json_member_bool(json, "tls", entry->tls);
    words_member_str(json, "requestId", entry->request_id);
    words_member_str(json, "traceId", entry->trace_id);
    json_end(json);
}

static int newer_first(const void *a, const void *b)
{
    const struct recent_entry *one = *(const struct recent_entry *const *)a, *other = *(const struct recent_entry *const *)b;
    return one->number < other->number ? 1 : one->number > other->number ? -1 : 0;
}

const struct recent_entry **recent_sorted(const struct survey *survey, bool requests, bool failures, size_t *ret_count)
{
    size_t count = 0, kept = 0;
    for (unsigned i = 0; i < survey->count; i++)
        count += survey->reports[i].request_count + survey->reports[i].failure_count;
    const struct recent_entry **entries = memory_alloc((count + 1) * sizeof(struct recent_entry *));
    count = 0;
    for (unsigned i = 0; i < survey->count; i++) {
        const struct worker_report *report = &survey->reports[i];
        for (size_t j = 0; requests && j < report->request_count; j++)
            entries[count++] = &report->requests[j];
        for (size_t j = 0; failures && j < report->failure_count; j++)
            entries[count++] = &report->failures[j];
    }
    qsort(entries, count, sizeof(struct recent_entry *), newer_first);
    /* One that failed may stand in both rings. */
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || entries[kept - 1]->number != entries[i]->number)
            entries[kept++] = entries[i];
    *ret_count = kept;
    return entries;
}
