/* GET /api/portico/failures: how requests failed since the process began, by reason, each with what can be done and the last one
 * that it happened to. */
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/call.h"
#include "admin/recent_show.h"
#include "admin/words.h"
#include "exchange/advice.h"

struct reason {
    enum status status;
    uint64_t count;
    const struct recent_entry *last;
};

static int latest_first(const void *a, const void *b)
{
    const struct reason *one = a, *other = b;
    uint64_t first = one->last != NULL ? one->last->number : 0, second = other->last != NULL ? other->last->number : 0;
    if (first != second)
        return first < second ? 1 : -1;
    return one->count < other->count ? 1 : one->count > other->count ? -1 : (int)one->status - (int)other->status;
}

/* Counted at the entrypoints: every request passes one. */
static size_t collect(const struct graph *graph, const struct recent_entry *const *entries, size_t entry_count,
                      struct reason reasons[STATUS_COUNT])
{
    uint64_t failures[STATUS_COUNT] = {0};
    const struct recent_entry *last[STATUS_COUNT] = {NULL};
    size_t count = 0;
    for (unsigned i = 0; graph != NULL && i < graph->entry_count; i++)
        if (graph->entries[i]->meter != NULL)
            meter_failures(graph->entries[i]->meter, failures);
    for (size_t i = entry_count; i > 0; i--)
        last[entries[i - 1]->reason] = entries[i - 1];
    for (int status = STATUS_OK + 1; status < STATUS_COUNT; status++)
        if (failures[status] != 0 || last[status] != NULL)
            reasons[count++] = (struct reason){.status = (enum status)status, .count = failures[status], .last = last[status]};
    qsort(reasons, count, sizeof(reasons[0]), latest_first);
    return count;
}

static void show(const struct reason *reason, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "reason", status_reason(reason->status));
    json_member_text(json, "text", status_text(reason->status));
    json_member_text(json, "hint", advice_for(reason->status));
    json_member_uint(json, "count", reason->count != 0 ? reason->count : 1);
    words_member_time(json, "lastAt", reason->last != NULL ? reason->last->began_wall + reason->last->total : 0);
    json_key(json, S("last"));
    if (reason->last != NULL)
        recent_show(reason->last, json);
    else
        json_nothing(json);
    json_end(json);
}

static void on_survey(struct survey *survey)
{
    struct admin_call *call = survey->owner;
    struct reason reasons[STATUS_COUNT];
    size_t entry_count;
    const struct recent_entry **entries = recent_sorted(survey, true, true, &entry_count);
    size_t count = collect(admin_self != NULL ? admin_self->graph : NULL, entries, entry_count, reasons);
    json_open_array(&call->json);
    for (size_t i = 0; i < count; i++)
        show(&reasons[i], &call->json);
    json_end(&call->json);
    free(entries);
    admin_finish(call);
}

static bool answer(struct admin_call *call)
{
    return admin_survey(call, SURVEY_REQUESTS | SURVEY_FAILURES, on_survey);
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/failures",
                                         .summary = "How requests failed, by reason, with what can be done about it.",
                                         .answer = answer};
REGISTER(admin_route, route);
