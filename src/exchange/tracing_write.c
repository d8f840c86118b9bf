#include "exchange/tracing_write.h"

#include <assert.h>

#include "base/copy.h"
#include "exchange/middleware.h"
#include "exchange/service.h"
#include "observe/tracer.h"
#include "upstream/server.h"

#define FIELDS_MAX 64                 /* captured fields of one request and its response */

_Static_assert(STATUS_COUNT <= 256, "a reason fits a byte");

/* What is going to be written: the rows first, then the texts behind them. */
struct draft {
    struct exchange *x;
    struct trace_notes *notes;
    unsigned held_count, attempt_count, field_count;
    size_t size;                      /* of all texts */
    struct str texts[SPAN_TEXT_COUNT];
    struct span_field fields[FIELDS_MAX];
    struct str values[FIELDS_MAX];
};

static struct str cut(struct str text)
{
    return str_first(text, SPAN_TEXT_MAX);
}

static struct str cut_c(const char *text)
{
    return text != NULL ? cut(str_from(text)) : STR_NONE;
}

/* ---- how much there is ---- */

static void choose_way(const struct exchange *x, bool detailed, struct str *texts)
{
    texts[SPAN_ROUTER] = texts[SPAN_RULE] = texts[SPAN_SERVICE] = STR_NONE;
    if (x->router != NULL)
        texts[SPAN_ROUTER] = cut(x->router->name);
    if (x->router != NULL && detailed)
        texts[SPAN_RULE] = cut(x->router->rule);
    if (x->service != NULL)
        texts[SPAN_SERVICE] = cut(x->service->name);
}

/* tracestate is whole or not at all. */
static void choose_texts(struct draft *draft)
{
    struct exchange *x = draft->x;
    struct str *texts = draft->texts;
    texts[SPAN_METHOD] = cut(x->original_method_name);
    texts[SPAN_PATH] = cut(x->original_path);
    texts[SPAN_QUERY] = cut(x->original_query);
    texts[SPAN_AUTHORITY] = cut(x->original_authority);
    texts[SPAN_CLIENT] = exchange_client_text(x);
    texts[SPAN_PEER] = x->stream.client->unix_socket ? STR_NONE : exchange_peer_text(x);
    texts[SPAN_USER_AGENT] = cut(fields_value(&exchange_request(x)->fields, FIELD_USER_AGENT));
    texts[SPAN_TRACE_STATE] = draft->notes->state;
    texts[SPAN_REQUEST_ID] = x->request_id;
    texts[SPAN_ENTRYPOINT] = cut(x->entry->name);
    texts[SPAN_DETAIL] = x->failure != STATUS_OK ? cut_c(x->reason_detail) : STR_NONE;
    choose_way(x, draft->notes->detailed, texts);
    for (int i = 0; i < SPAN_TEXT_COUNT; i++)
        draft->size += texts[i].len;
}

static void capture(struct draft *draft, const struct fields *fields, const struct strs *names, bool response)
{
    for (size_t i = 0; i < names->count && fields->items != NULL; i++)
        FIELDS_FOREACH(fields, field) {
            if (draft->field_count == FIELDS_MAX || !str_equal_nocase(field->name, names->items[i]))
                continue;
            struct str value = cut(field->value);
            draft->values[draft->field_count] = value;
            draft->fields[draft->field_count++] =
                (struct span_field){.value = (uint32_t)value.len, .index = (uint16_t)i, .response = response};
            draft->size += value.len;
        }
}

static void count_rows(struct draft *draft)
{
    const struct exchange *x = draft->x;
    draft->held_count = draft->notes->held != NULL ? x->chain_entered : 0;
    for (unsigned i = 0; i < draft->held_count; i++) {
        const struct middleware *m = x->router->chain[i];
        draft->size += cut(m->name).len + strlen(m->type->choice.name);
    }
    for (const struct trace_attempt *it = draft->notes->attempts; it != NULL; it = it->next) {
        draft->attempt_count++;
        draft->size += cut(it->server->url).len + cut(it->path).len + cut_c(it->detail).len;
    }
}

/* ---- writing ---- */

static int64_t admitted_at(const struct draft *draft)
{
    if (!draft->x->admitted)
        return 0;
    return draft->held_count != 0 ? draft->notes->held[draft->held_count - 1].ended : draft->x->times.routed;
}

static void fill(const struct draft *draft, struct span_record *record)
{
    struct exchange *x = draft->x;
    const struct trace_notes *notes = draft->notes;
    const struct request *request = exchange_request(x);
    memcpy(record->trace_id, notes->id, TRACE_ID_SIZE);
    record->held_count = (uint16_t)draft->held_count;
    record->attempt_count = (uint16_t)draft->attempt_count;
    record->field_count = (uint16_t)draft->field_count;
    record->parent = notes->parent_span;
    record->span_base = notes->span_base;
    record->wall_offset = x->worker->loop.wall - x->worker->loop.now;
    record->began = x->times.began;
    record->routed = notes->detailed ? x->times.routed : 0;
    record->admitted = notes->detailed ? admitted_at(draft) : 0;
    record->ended = x->times.ended;
    record->request_bytes = x->upload_began ? x->upload.moved : 0;
    record->response_bytes = x->download_began ? x->download.given : 0;
    record->status = x->response_sent ? (int16_t)x->response.status : 0;
    record->peer_port = x->stream.client->peer_port;
    record->version = (uint8_t)request->version;
    record->reason = (uint8_t)x->failure;
    record->secure = x->stream.client->tls;
    record->known_method = x->original_method != METHOD_OTHER;
    record->same_query = str_equal(request->query, x->original_query);
}

static char *put_held(struct span_held *row, const struct draft *draft, char *out)
{
    for (unsigned i = 0; i < draft->held_count; i++) {
        const struct middleware *m = draft->x->router->chain[i];
        struct str name = cut(m->name), type = str_from(m->type->choice.name);
        row[i] = (struct span_held){.began = draft->notes->held[i].began,
                                    .ended = draft->notes->held[i].ended,
                                    .name = (uint32_t)name.len,
                                    .type = (uint32_t)type.len};
        out = copy_short(copy_short(out, name), type);
    }
    return out;
}

static void fill_attempt(struct span_attempt *row, const struct trace_attempt *attempt)
{
    const struct server *server = attempt->server;
    size_t host_at = (size_t)(server->host.data - server->url.data);
    bool whole = host_at + server->host.len <= SPAN_TEXT_MAX;
    row->began = attempt->began;
    row->ended = attempt->ended;
    row->host_at = whole ? (uint32_t)host_at : 0;
    row->host = whole ? (uint32_t)server->host.len : 0;
    row->port = server->unix_socket ? 0 : server->port;
    row->secure = server->secure;
    row->status = (int16_t)attempt->status;
    row->reason = (uint8_t)attempt->reason;
}

static char *put_attempts(struct span_attempt *row, const struct draft *draft, char *out)
{
    for (const struct trace_attempt *it = draft->notes->attempts; it != NULL; it = it->next, row++) {
        struct str url = cut(it->server->url), path = cut(it->path), detail = cut_c(it->detail);
        fill_attempt(row, it);
        row->url = (uint32_t)url.len;
        row->path = (uint32_t)path.len;
        row->detail = (uint32_t)detail.len;
        out = copy_short(copy_short(copy_short(out, url), path), detail);
    }
    return out;
}

/* In the order that span_record.h tells. */
static void write_out(const struct draft *draft, struct span_record *record)
{
    struct span_held *held = (struct span_held *)(record + 1);
    struct span_attempt *attempts = (struct span_attempt *)(held + draft->held_count);
    struct span_field *fields = (struct span_field *)(attempts + draft->attempt_count);
    char *out = (char *)(fields + draft->field_count), *end = (char *)record + record->size;
    memset(end - 8, 0, 8);
    fill(draft, record);
    for (int i = 0; i < SPAN_TEXT_COUNT; i++) {
        record->texts[i] = (uint32_t)draft->texts[i].len;
        out = copy_short(out, draft->texts[i]);
    }
    for (unsigned i = 0; i < draft->field_count; i++) {
        fields[i] = draft->fields[i];
        out = copy_short(out, draft->values[i]);
    }
    out = put_held(held, draft, out);
    out = put_attempts(attempts, draft, out);
    assert(out <= end && end - out < 8);
}

void tracing_write(struct exchange *x)
{
    struct tracer *tracer = x->graph->tracing;
    struct draft draft;
    draft.x = x;
    draft.notes = x->trace->notes;
    draft.field_count = draft.attempt_count = 0;
    draft.size = 0;
    choose_texts(&draft);
    capture(&draft, &exchange_request(x)->fields, &tracer->request_headers, false);
    capture(&draft, &x->response.fields, &tracer->response_headers, true);
    count_rows(&draft);
    size_t size = sizeof(struct span_record) + draft.held_count * sizeof(struct span_held) +
                  draft.attempt_count * sizeof(struct span_attempt) + draft.field_count * sizeof(struct span_field) + draft.size;
    size = (size + 7) & ~(size_t)7;
    struct span_record *record = tracer_add(tracer, x->worker, size);
    record->size = (uint32_t)size;
    write_out(&draft, record);
    tracer_added(x->worker, span_record_count(record));
}
