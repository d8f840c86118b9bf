/* GET /api/portico/workers: what each worker holds and how busy its loop is. */
#include "admin/call.h"
#include "admin/words.h"
#include "exchange/survey.h"

static void show_sent_away(const struct worker_report *report, struct json *json)
{
    json_member_object(json, "sentAway");
    for (int status = 0; status < STATUS_COUNT; status++)
        if (report->sent_away[status] != 0)
            json_member_uint(json, status_reason((enum status)status), report->sent_away[status]);
    json_end(json);
}

static void show_ports(const struct worker_report *report, struct json *json)
{
    json_member_array(json, "ports");
    for (size_t i = 0; i < report->port_count; i++) {
        json_open_object(json);
        json_member_str(json, "entryPoint", report->ports[i].entrypoint);
        json_member_uint(json, "accepted", report->ports[i].accepted);
        json_member_uint(json, "open", report->ports[i].open);
        json_end(json);
    }
    json_end(json);
}

static void show(const struct worker_report *report, struct json *json)
{
    json_open_object(json);
    json_member_uint(json, "worker", report->worker);
    words_member_ms(json, "longestTurnMs", report->longest_turn);
    json_member_uint(json, "bufferBytes", report->buffer_bytes);
    json_member_uint(json, "exchanges", report->exchanges);
    json_member_uint(json, "connections", report->connections);
    json_member_uint(json, "idleUpstream", report->idle_upstream);
    json_member_uint(json, "handshakes", report->handshakes);
    json_member_uint(json, "handshakesResumed", report->handshakes_resumed);
    json_member_uint(json, "handshakesFailed", report->handshakes_failed);
    show_sent_away(report, json);
    json_member_uint(json, "logLinesLost", report->log_lines_lost);
    show_ports(report, json);
    json_end(json);
}

static void on_survey(struct survey *survey)
{
    struct admin_call *call = survey->owner;
    json_open_array(&call->json);
    for (unsigned i = 0; i < survey->count; i++)
        show(&survey->reports[i], &call->json);
    json_end(&call->json);
    admin_finish(call);
}

static bool answer(struct admin_call *call)
{
    return admin_survey(call, 0, on_survey);
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/workers",
                                         .summary = "What each worker holds, and how busy its loop is.",
                                         .answer = answer};
REGISTER(admin_route, route);
