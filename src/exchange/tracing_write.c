#include "exchange/tracing_write.h"

#include "exchange/middleware.h"
#include "exchange/service.h"
#include "observe/tracer.h"
#include "upstream/server.h"

#define FIELDS_MAX 64                 /* captured fields of one request and its response */

_Static_assert(STATUS_COUNT <= 256, "a reason fits a byte");

#define ATTEMPTS_FEW 2                /* of most requests */

static struct str cut(struct str text)
{
    return str_first(text, SPAN_TEXT_MAX);
}

static struct str cut_c(const char *text)
{
    return text != NULL ? cut(str_from(text)) : STR_NONE;
}

static __attribute__((noinline)) void cut_all(struct str *texts)
{
    for (unsigned i = 0; i < SPAN_TEXT_COUNT; i++)
        if (i != SPAN_TRACE_STATE)            /* which is whole or not at all */
            texts[i] = cut(texts[i]);
}

/* One look at all lengths: hardly any is above. */
static void cut_where_long(struct str *texts)
{
    size_t bits = 0;
#define X(name) bits |= texts[SPAN_##name].len;
    SPAN_TEXTS(X)
#undef X
    if (__builtin_expect(bits >= SPAN_TEXT_MAX, 0))
        cut_all(texts);
}

static void choose_texts(struct exchange *x, const struct trace_notes *notes, struct str *texts)
{
    const struct router *router = x->router;
    texts[SPAN_METHOD] = x->original_method_name;
    texts[SPAN_PATH] = x->original_path;
    texts[SPAN_QUERY] = x->original_query;
    texts[SPAN_AUTHORITY] = x->original_authority;
    texts[SPAN_CLIENT] = exchange_client_text(x);
    texts[SPAN_PEER] = x->stream.client->unix_socket ? STR_NONE : exchange_peer_text(x);
    texts[SPAN_USER_AGENT] = fields_value(&exchange_request(x)->fields, FIELD_USER_AGENT);
    texts[SPAN_TRACE_STATE] = notes->state;
    texts[SPAN_REQUEST_ID] = x->request_id;
    texts[SPAN_ENTRYPOINT] = x->entry->name;
    texts[SPAN_ROUTER] = router != NULL ? router->name : STR_NONE;
    texts[SPAN_RULE] = router != NULL && notes->detailed ? router->about->rule : STR_NONE;
    texts[SPAN_SERVICE] = x->service != NULL ? x->service->name : STR_NONE;
    texts[SPAN_DETAIL] = x->failure != STATUS_OK && x->reason_detail != NULL ? str_from(x->reason_detail) : STR_NONE;
    cut_where_long(texts);
}

static unsigned capture(struct span_field *out, unsigned count, const struct fields *fields, const struct strs *names, bool response)
{
    for (size_t i = 0; i < names->count && fields->items != NULL; i++)
        FIELDS_FOREACH(fields, field)
            if (count != FIELDS_MAX && str_equal_nocase(field->name, names->items[i]))
                out[count++] = (struct span_field){.value = cut(field->value), .index = (uint16_t)i, .response = response};
    return count;
}

/* Without memory for them there are none. */
static void take_fields(struct exchange *x, struct span_record *record)
{
    const struct tracer *tracer = x->graph->tracing;
    record->field_count = 0;
    if (tracer->request_headers.count == 0 && tracer->response_headers.count == 0)
        return;
    struct span_field *fields = arena_array(&x->arena, struct span_field, FIELDS_MAX);
    if (fields == NULL)
        return;
    unsigned count = capture(fields, 0, &exchange_request(x)->fields, &tracer->request_headers, false);
    record->field_count = capture(fields, count, &x->response.fields, &tracer->response_headers, true);
    record->fields = fields;
}

static void take_held(struct exchange *x, const struct trace_notes *notes, struct span_record *record)
{
    record->held_count = 0;
    struct span_held *rows = notes->held != NULL ? arena_array(&x->arena, struct span_held, x->chain_entered) : NULL;
    if (rows == NULL)
        return;
    record->held = rows;
    record->held_count = x->chain_entered;
    for (unsigned i = 0; i < x->chain_entered; i++) {
        const struct middleware *m = x->router->chain[i];
        rows[i] = (struct span_held){.began = notes->held[i].began,
                                     .ended = notes->held[i].ended,
                                     .name = cut(m->name),
                                     .type = str_from(m->type->choice.name)};
    }
}

static void fill_attempt(struct span_attempt *row, const struct trace_attempt *attempt)
{
    const struct server *server = attempt->server;
    row->began = attempt->began;
    row->ended = attempt->ended;
    row->url = server->url;
    row->host = server->host;
    row->path = attempt->path;
    row->detail = cut_c(attempt->detail);
    if (__builtin_expect((row->url.len | row->host.len | row->path.len) >= SPAN_TEXT_MAX, 0)) {
        row->url = cut(row->url);
        row->host = cut(row->host);
        row->path = cut(row->path);
    }
    row->port = server->unix_socket ? 0 : server->port;
    row->secure = server->secure;
    row->status = (int16_t)attempt->status;
    row->reason = (uint8_t)attempt->reason;
}

/* Into `few`, or memory of the exchange's; without that the first ones alone. */
static void take_attempts(struct exchange *x, const struct trace_notes *notes, struct span_attempt *few, struct span_record *record)
{
    unsigned room = ATTEMPTS_FEW, count = 0;
    struct span_attempt *rows = few;
    if (notes->attempt_count > ATTEMPTS_FEW) {
        struct span_attempt *many = arena_array(&x->arena, struct span_attempt, notes->attempt_count);
        rows = many != NULL ? many : few;
        room = many != NULL ? notes->attempt_count : ATTEMPTS_FEW;
    }
    for (const struct trace_attempt *it = notes->attempts; it != NULL && count != room; it = it->next)
        fill_attempt(&rows[count++], it);
    record->attempts = rows;
    record->attempt_count = count;
}

static int64_t admitted_at(const struct exchange *x, const struct span_record *record)
{
    if (!x->admitted)
        return 0;
    return record->held_count != 0 ? record->held[record->held_count - 1].ended : x->times.routed;
}

static void fill(const struct exchange *x, const struct trace_notes *notes, struct span_record *record)
{
    const struct request *request = &x->stream.request;
    record->trace_id = notes->id;
    record->parent = notes->parent_span;
    record->span_base = notes->span_base;
    record->wall_offset = x->worker->loop.wall - x->worker->loop.now;
    record->began = x->times.began;
    record->routed = notes->detailed ? x->times.routed : 0;
    record->admitted = notes->detailed ? admitted_at(x, record) : 0;
    record->ended = x->times.ended;
    record->request_bytes = x->upload_began ? x->upload.moved : 0;
    record->response_bytes = exchange_given(x);
    record->status = x->response_sent ? (int16_t)x->response.status : 0;
    record->peer_port = x->stream.client->peer_port;
    record->version = (uint8_t)request->version;
    record->reason = (uint8_t)x->failure;
    record->secure = x->stream.client->tls;
    record->known_method = x->original_method != METHOD_OTHER;
    record->same_query = str_equal(request->query, x->original_query);
}

void tracing_write(struct exchange *x)
{
    const struct trace_notes *notes = x->trace->notes;
    struct span_attempt few[ATTEMPTS_FEW];
    struct span_record record;
    choose_texts(x, notes, record.texts);
    take_fields(x, &record);
    take_held(x, notes, &record);
    take_attempts(x, notes, few, &record);
    fill(x, notes, &record);
    tracer_add(x->graph->tracing, x->worker, &record);
}
