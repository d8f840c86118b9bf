/* GET /api/portico/exchanges: requests under way, and what each of them waits for; the oldest first. */
#include <stdlib.h>

#include "admin/call.h"
#include "admin/words.h"
#include "base/memory.h"
#include "exchange/survey.h"

struct row {
    const struct open_exchange *open;
    unsigned worker;
};

static int older_first(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    return one->open->age < other->open->age ? 1 : one->open->age > other->open->age ? -1 : 0;
}

static void show(const struct row *row, struct json *json)
{
    const struct open_exchange *open = row->open;
    json_open_object(json);
    json_member_uint(json, "id", open->id);
    json_member_uint(json, "worker", row->worker);
    json_member_text(json, "step", step_name(open->step));
    json_member_text(json, "stepText", open->held ? "waiting for a server to become ready" : step_text(open->step));
    words_member_ms(json, "ageMs", open->age);
    words_member_ms(json, "stepAgeMs", open->step_age);
    words_member_str(json, "method", open->method);
    words_member_str(json, "host", open->host);
    words_member_str(json, "path", open->path);
    words_member_str(json, "client", open->client);
    words_member_str(json, "entryPoint", open->entrypoint);
    words_member_str(json, "router", open->router);
    words_member_str(json, "middleware", open->middleware);
    words_member_str(json, "service", open->service);
    words_member_str(json, "server", open->server);
    words_member_str(json, "protocol", open->protocol);
    json_member_bool(json, "tls", open->tls);
    json_member_bool(json, "upgraded", open->upgraded);
    json_member_bool(json, "held", open->held);
    json_member_uint(json, "attempts", open->attempts);
    json_member_uint(json, "bytesIn", open->bytes_in);
    json_member_uint(json, "bytesOut", open->bytes_out);
    words_member_str(json, "requestId", open->request_id);
    json_end(json);
}

static void on_survey(struct survey *survey)
{
    struct admin_call *call = survey->owner;
    size_t count = 0, at = 0;
    for (unsigned i = 0; i < survey->count; i++)
        count += survey->reports[i].open_count;
    struct row *rows = memory_alloc((count + 1) * sizeof(*rows));
    for (unsigned i = 0; i < survey->count; i++)
        for (size_t j = 0; j < survey->reports[i].open_count; j++)
            rows[at++] = (struct row){.open = &survey->reports[i].open[j], .worker = survey->reports[i].worker};
    qsort(rows, count, sizeof(*rows), older_first);
    json_open_array(&call->json);
    for (size_t i = 0; i < count; i++)
        show(&rows[i], &call->json);
    json_end(&call->json);
    free(rows);
    admin_finish(call);
}

static bool answer(struct admin_call *call)
{
    return admin_survey(call, SURVEY_EXCHANGES, on_survey);
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/exchanges",
                                         .summary = "Requests under way, and what each of them waits for; the oldest first.",
                                         .answer = answer};
REGISTER(admin_route, route);
