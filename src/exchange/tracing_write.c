#include "exchange/tracing_write.h"

#include <assert.h>

#include "exchange/middleware.h"
#include "exchange/service.h"
#include "observe/tracer.h"

#define FIELDS_MAX 64                 /* captured fields of one request and its response */

_Static_assert(STATUS_COUNT <= 256, "a reason fits a byte");

/* What is going to be written: the rows first, then the texts behind them. */
struct draft {
    struct exchange *x;
    struct span_record record;
    struct str texts[SPAN_TEXT_COUNT];
    struct span_field fields[FIELDS_MAX];
    struct str values[FIELDS_MAX];
    size_t size;                      /* of all texts */
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

static void choose_texts(struct draft *draft)
{
    struct exchange *x = draft->x;
    const struct fields *fields = &exchange_request(x)->fields;
    struct str *texts = draft->texts;
    texts[SPAN_METHOD] = x->original_method_name;
    texts[SPAN_PATH] = x->original_path;
    texts[SPAN_QUERY] = x->original_query;
    texts[SPAN_AUTHORITY] = x->original_authority;
    texts[SPAN_CLIENT] = exchange_client_text(x);
    texts[SPAN_PEER] = x->stream.client->unix_socket ? STR_NONE : exchange_peer_text(x);
    texts[SPAN_USER_AGENT] = fields_value(fields, FIELD_USER_AGENT);
    texts[SPAN_TRACE_STATE] = x->trace->state;
    texts[SPAN_REQUEST_ID] = x->request_id;
    texts[SPAN_ENTRYPOINT] = x->entry->name;
    texts[SPAN_DETAIL] = x->failure != STATUS_OK && x->reason_detail != NULL ? str_from(x->reason_detail) : STR_NONE;
    if (x->router != NULL) {
        texts[SPAN_ROUTER] = x->router->name;
        texts[SPAN_RULE] = x->router->rule;
    }
    if (x->service != NULL)
        texts[SPAN_SERVICE] = x->service->name;
    for (int i = 0; i < SPAN_TEXT_COUNT; i++) {
        /* tracestate is whole or not at all. */
        texts[i] = i == SPAN_TRACE_STATE ? texts[i] : cut(texts[i]);
        draft->record.texts[i] = (uint32_t)texts[i].len;
        draft->size += texts[i].len;
    }
}

static void capture(struct draft *draft, const struct fields *fields, const struct strs *names, bool response)
{
    struct span_record *record = &draft->record;
    for (size_t i = 0; i < names->count && fields->items != NULL; i++)
        FIELDS_FOREACH(fields, field) {
            if (record->field_count == FIELDS_MAX || !str_equal_nocase(field->name, names->items[i]))
                continue;
            struct str value = cut(field->value);
            draft->values[record->field_count] = value;
            draft->fields[record->field_count++] =
                (struct span_field){.value = (uint32_t)value.len, .index = (uint16_t)i, .response = response};
            draft->size += value.len;
        }
}

static void count_rows(struct draft *draft)
{
    const struct exchange *x = draft->x;
    draft->record.held_count = x->trace->held != NULL ? (uint16_t)x->chain_entered : 0;
    for (unsigned i = 0; i < draft->record.held_count; i++) {
        const struct middleware *m = x->router->chain[i];
        draft->size += cut(m->name).len + strlen(m->type->choice.name);
    }
    for (const struct trace_attempt *it = x->trace->attempts; it != NULL; it = it->next) {
        draft->record.attempt_count++;
        draft->size += cut(it->url).len + cut(it->path).len + cut_c(it->detail).len;
    }
}

static int64_t admitted_at(const struct exchange *x, unsigned held_count)
{
    if (!x->admitted)
        return 0;
    return held_count != 0 ? x->trace->held[held_count - 1].ended : x->times.routed;
}

static void fill(struct draft *draft)
{
    struct exchange *x = draft->x;
    const struct trace *trace = x->trace;
    const struct request *request = exchange_request(x);
    struct span_record *record = &draft->record;
    memcpy(record->trace_id, trace->id, TRACE_ID_SIZE);
    record->parent = trace->parent_span;
    record->span_base = trace->span_base;
    record->wall_offset = x->worker->loop.wall - x->worker->loop.now;
    record->began = x->times.began;
    record->routed = x->router != NULL ? x->times.routed : 0;
    record->admitted = admitted_at(x, record->held_count);
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

/* ---- writing ---- */

static char *put(char *out, struct str text)
{
    return text.len != 0 ? mempcpy(out, text.data, text.len) : out;
}

static char *put_held(struct span_held *row, const struct exchange *x, unsigned count, char *out)
{
    for (unsigned i = 0; i < count; i++) {
        const struct middleware *m = x->router->chain[i];
        struct str name = cut(m->name), type = str_from(m->type->choice.name);
        row[i] = (struct span_held){.began = x->trace->held[i].began,
                                    .ended = x->trace->held[i].ended,
                                    .name = (uint32_t)name.len,
                                    .type = (uint32_t)type.len};
        out = put(put(out, name), type);
    }
    return out;
}

static char *put_attempts(struct span_attempt *row, const struct exchange *x, char *out)
{
    for (const struct trace_attempt *it = x->trace->attempts; it != NULL; it = it->next, row++) {
        struct str url = cut(it->url), path = cut(it->path), detail = cut_c(it->detail);
        *row = (struct span_attempt){.began = it->began,
                                     .ended = it->ended,
                                     .url = (uint32_t)url.len,
                                     .path = (uint32_t)path.len,
                                     .detail = (uint32_t)detail.len,
                                     .status = (int16_t)it->status,
                                     .reason = (uint8_t)it->reason};
        out = put(put(put(out, url), path), detail);
    }
    return out;
}

/* In the order that span_record.h tells. */
static void write_out(const struct draft *draft, struct span_record *record)
{
    struct span_held *held = (struct span_held *)(record + 1);
    struct span_attempt *attempts = (struct span_attempt *)(held + draft->record.held_count);
    struct span_field *fields = (struct span_field *)(attempts + draft->record.attempt_count);
    char *out = (char *)(fields + draft->record.field_count);
    *record = draft->record;
    for (int i = 0; i < SPAN_TEXT_COUNT; i++)
        out = put(out, draft->texts[i]);
    for (unsigned i = 0; i < record->field_count; i++) {
        fields[i] = draft->fields[i];
        out = put(out, draft->values[i]);
    }
    out = put_held(held, draft->x, record->held_count, out);
    out = put_attempts(attempts, draft->x, out);
    assert(out <= (char *)record + record->size);
}

void tracing_write(struct exchange *x)
{
    struct tracer *tracer = x->graph->tracing;
    struct draft draft;
    draft.x = x;
    draft.size = 0;
    memset(draft.texts, 0, sizeof(draft.texts));
    memset(&draft.record, 0, sizeof(draft.record));
    choose_texts(&draft);
    capture(&draft, &exchange_request(x)->fields, &tracer->request_headers, false);
    capture(&draft, &x->response.fields, &tracer->response_headers, true);
    count_rows(&draft);
    fill(&draft);
    const struct span_record *counts = &draft.record;
    size_t size = sizeof(struct span_record) + counts->held_count * sizeof(struct span_held) +
                  counts->attempt_count * sizeof(struct span_attempt) + counts->field_count * sizeof(struct span_field) + draft.size;
    draft.record.size = (uint32_t)((size + 7) & ~(size_t)7);
    write_out(&draft, tracer_add(tracer, x->worker, draft.record.size, span_record_count(&draft.record)));
}
