/* GET /api/portico/explain: where a request would go under the running configuration, and why; the same code and the same words
 * as `portico explain`. */
#include "admin/admin.h"
#include "admin/call.h"
#include "admin/explain_question.h"
#include "admin/explain_show.h"
#include "http/uri.h"

#define FIELDS_MAX 50

/* "K:V" or "K: V" of each `header`. False: one is none. */
static bool read_fields(struct admin_call *call, struct way_request *request)
{
    struct str *fields = arena_array(&call->arena, struct str, FIELDS_MAX);
    struct str rest = call->query, key, value, name, text;
    request->fields = fields;
    while (rest.data != NULL && uri_next_pair(&rest, &key, &value)) {
        if (!uri_decode_query(&call->arena, key, &name) || !str_equal(name, S("header")))
            continue;
        if (!uri_decode_query(&call->arena, value, &text) || str_find_char(text, ':', 1) < 0 ||
            str_find_char(text, '\n', 0) >= 0 || request->field_count == FIELDS_MAX)
            return false;
        fields[request->field_count++] = text;
    }
    return true;
}

static bool refuse_entry(struct admin_call *call, struct str name, struct str meant)
{
    if (name.len == 0)
        return admin_refuse(call, 404, "there is no entrypoint");
    if (meant.len == 0)
        return admin_refuse(call, 404, "there is no entrypoint '%.*s'", STR_ARGS(name));
    return admin_refuse(call, 404, "there is no entrypoint '%.*s', did you mean '%.*s'?", STR_ARGS(name), STR_ARGS(meant));
}

static bool answer(struct admin_call *call)
{
    struct explain_question question = {.request.method = S("GET")};
    struct str url = STR_NONE, from = S("127.0.0.1"), meant;
    char note[EXPLAIN_NOTE_SIZE];
    if (!admin_query(call, "url", &url) || !explain_question_url(&question, url, &call->arena))
        return admin_refuse(call, 422, "'%.*s' is no URL", STR_ARGS(url));
    admin_query(call, "from", &from);
    if (!ip_parse(from, &question.request.peer))
        return admin_refuse(call, 422, "'%.*s' is no IP address", STR_ARGS(from));
    if (!read_fields(call, &question.request))
        return admin_refuse(call, 422, "header wants 'Name: value', at most %d of them", FIELDS_MAX);
    admin_query(call, "method", &question.request.method);
    admin_query(call, "entryPoint", &question.entry);
    if (admin_self->graph == NULL)
        return admin_refuse(call, 503, "no configuration runs yet");
    struct entry *entry = explain_question_entry(&question, admin_self->graph, note, &meant);
    if (entry == NULL)
        return refuse_entry(call, question.entry, meant);
    struct way way;
    way_find(&way, admin_self->control, admin_self->graph, entry, &question.request);
    explain_show_json(&way, &call->out);
    way_release(&way);
    return true;
}

static const struct admin_route route = {.method = "GET",
                                         .path = "/api/portico/explain",
                                         .summary = "Where a request would go, and why: url, method, header, from, entryPoint.",
                                         .answer = answer};
REGISTER(admin_route, route);
