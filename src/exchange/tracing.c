#include "exchange/tracing.h"

#include "base/rand.h"
#include "exchange/tracing_write.h"
#include "observe/tracer.h"

#define STATE_MAX ((size_t)8192)      /* of all tracestate lines together */

/* ---- what the client sends ---- */

static const struct str parent_name = STR("traceparent"), state_name = STR("tracestate");

static bool is_named(const struct field *field, struct str name)
{
    return field->id == FIELD_OTHER && str_equal_nocase(field->name, name);
}

/* Two traceparents are none (3.2): nobody knows which one is meant. */
static bool take_parent(const struct fields *fields, struct trace_parent *ret_parent)
{
    const struct field *found = NULL;
    if (!fields_has(fields, FIELD_OTHER))
        return false;
    FIELDS_FOREACH(fields, field) {
        if (!is_named(field, parent_name))
            continue;
        if (found != NULL)
            return false;
        found = field;
    }
    return found != NULL && trace_parent_parse(found->value, ret_parent);
}

/* All lines as one (3.3.1.1), if they can be read. */
static struct str take_state(struct exchange *x)
{
    struct str joined = STR_NONE;
    FIELDS_FOREACH(&exchange_request(x)->fields, field) {
        if (!is_named(field, state_name) || field->value.len == 0)
            continue;
        if (field->value.len > STATE_MAX || joined.len > STATE_MAX)
            return STR_NONE;
        joined = joined.len == 0 ? field->value :
                                   arena_printf(&x->arena, "%.*s,%.*s", STR_ARGS(joined), STR_ARGS(field->value));
    }
    return joined.len != 0 && trace_state_is_valid(joined) ? joined : STR_NONE;
}

/* ---- the beginning ---- */

static bool is_wanted(const struct exchange *x)
{
    if (!x->entry->config->observability.tracing)
        return false;
    return x->router == NULL || (x->router->traced && (!x->router->internal || x->graph->tracing->add_internals));
}

static void join_or_begin(struct exchange *x, struct trace *trace)
{
    struct trace_parent parent;
    if (take_parent(&exchange_request(x)->fields, &parent)) {
        memcpy(trace->id, parent.trace_id, TRACE_ID_SIZE);
        trace->parent_span = parent.span;
        trace->state = take_state(x);
        trace->sampled = parent.sampled;
        return;
    }
    /* The last bit makes it an id that is not all zeros. */
    uint64_t random[2] = {rand_u64() | 1, rand_u64()};
    memcpy(trace->id, random, TRACE_ID_SIZE);
    trace->sampled = trace_is_sampled(trace->id, x->graph->tracing->sampling_limit);
}

static void name_span(struct trace *trace, unsigned number)
{
    span_id_format(span_record_id(trace->span_base, number), trace->parent + TRACE_PARENT_SPAN_AT);
}

static void write_parent(struct trace *trace)
{
    trace_parent_format(trace->id, span_record_id(trace->span_base, SPAN_NUMBER_SERVER), trace->sampled, trace->parent);
    memcpy(trace->span_text, trace->parent + TRACE_PARENT_SPAN_AT, sizeof(trace->span_text));
}

/* The value stays in the trace, where each attempt writes the id of its span. */
static void pass_on(struct exchange *x, struct trace *trace)
{
    struct fields *fields = &exchange_request(x)->fields;
    FIELDS_FOREACH(fields, field) {
        if (is_named(field, parent_name) || is_named(field, state_name))
            field->name.len = 0;
    }
    fields_add(fields, parent_name, str_of(trace->parent, TRACE_PARENT_SIZE));
    if (trace->state.len != 0)
        fields_add(fields, state_name, trace->state);
}

void tracing_begin_trace(struct exchange *x)
{
    if (!is_wanted(x))
        return;
    struct trace *trace = arena_new(&x->arena, struct trace);
    if (trace == NULL)
        return;
    x->trace = trace;
    trace->span_base = rand_u64();
    trace->attempts_end = &trace->attempts;
    join_or_begin(x, trace);
    write_parent(trace);
    pass_on(x, trace);
    if (trace->sampled && x->router != NULL && x->router->chain_count != 0)
        trace->held = arena_array(&x->arena, struct trace_held, x->router->chain_count);
}

/* ---- on the way ---- */

void tracing_note_held(struct exchange *x)
{
    if (x->trace->held == NULL)
        return;
    struct trace_held *held = &x->trace->held[x->chain_at];
    held->ended = exchange_now(x);
    if (held->began == 0)
        held->began = held->ended;
}

static struct trace_attempt *last_attempt(const struct trace *trace)
{
    return trace->attempts != NULL ? container_of(trace->attempts_end, struct trace_attempt, next) : NULL;
}

/* One that answered ends when its answer is done with: passed on, or dropped for another try. */
static void end_attempt(const struct exchange *x)
{
    struct trace_attempt *attempt = last_attempt(x->trace);
    if (attempt == NULL || attempt->ended != 0)
        return;
    attempt->ended = exchange_now(x);
    attempt->status = (x->facts_server & FACT_HEAD) != 0 ? x->upstream_status : 0;
}

void tracing_note_attempt(struct exchange *x)
{
    struct trace *trace = x->trace;
    end_attempt(x);
    name_span(trace, SPAN_NUMBER_ATTEMPT + trace->attempt_count++);
    struct trace_attempt *attempt = trace->sampled ? arena_new(&x->arena, struct trace_attempt) : NULL;
    if (attempt == NULL)
        return;
    attempt->began = exchange_now(x);
    attempt->url = x->server->url;
    attempt->path = exchange_request(x)->path;
    *trace->attempts_end = attempt;
    trace->attempts_end = &attempt->next;
}

void tracing_note_failure(struct exchange *x, enum status status)
{
    struct trace_attempt *attempt = last_attempt(x->trace);
    if (attempt == NULL || attempt->ended != 0)
        return;
    attempt->ended = exchange_now(x);
    attempt->reason = status;
    attempt->detail = x->upstream.detail;
}

/* ---- the end ---- */

/* The last attempt may have broken off in the middle of its answer. */
static void end_last_attempt(struct exchange *x)
{
    struct trace_attempt *attempt = last_attempt(x->trace);
    if (attempt == NULL || attempt->ended != 0)
        return;
    end_attempt(x);
    if (attempt->status == 0 || (x->failure != STATUS_OK && !x->answered_here && !x->download_done)) {
        attempt->reason = x->failure;
        attempt->detail = x->reason_detail;
    }
}

void tracing_keep(struct exchange *x)
{
    if (!x->trace->sampled)
        return;
    end_last_attempt(x);
    tracing_write(x);
}
