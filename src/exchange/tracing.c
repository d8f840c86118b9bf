#include "exchange/tracing.h"

#include "base/rand.h"
#include "exchange/tracing_write.h"
#include "observe/tracer.h"

#define STATE_MAX ((size_t)8192)      /* of all tracestate lines together */

/* ---- what the client sends ---- */

/* Out of the request's fields, and what was found there. */
struct sent {
    struct str parent, state;
    unsigned parents, states;             /* lines */
};

/* All lines as one (3.3.1.1); none at all when they are too long together. */
static void take_state(struct sent *sent, struct str value, struct arena *arena)
{
    if (value.len == 0)
        return;
    bool first = sent->states++ == 0;
    if (sent->state.len + value.len > STATE_MAX)
        sent->state = STR_NONE;
    else if (first)
        sent->state = value;
    else if (sent->state.len != 0)
        sent->state = arena_printf(arena, "%.*s,%.*s", STR_ARGS(sent->state), STR_ARGS(value));
}

static void take_fields(struct fields *fields, struct arena *arena, struct sent *ret_sent)
{
    static const struct str parent_name = STR("traceparent"), state_name = STR("tracestate");
    *ret_sent = (struct sent){.parents = 0};
    if (!fields_has(fields, FIELD_OTHER))
        return;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_OTHER)
            continue;
        if (str_equal_nocase(field->name, parent_name)) {
            ret_sent->parents++;
            ret_sent->parent = field->value;
        } else if (str_equal_nocase(field->name, state_name)) {
            take_state(ret_sent, field->value, arena);
        } else {
            continue;
        }
        field->name.len = 0;
    }
}

/* ---- the beginning ---- */

static bool is_wanted(const struct exchange *x)
{
    if (!x->entry->config->observability.tracing)
        return false;
    return x->router == NULL || (x->router->traced && (!x->router->internal || x->graph->tracing->add_internals));
}

/* Who it is of. */
struct origin {
    uint8_t id[TRACE_ID_SIZE];
    uint64_t parent_span, span_base;
    struct str state;
    bool sampled;
};

/* Two traceparents are none (3.2): nobody knows which one is meant. */
static bool join(const struct sent *sent, struct origin *origin)
{
    struct trace_parent parent;
    if (sent->parents != 1 || !trace_parent_parse(sent->parent, &parent))
        return false;
    memcpy(origin->id, parent.trace_id, TRACE_ID_SIZE);
    origin->parent_span = parent.span;
    origin->span_base = rand_u64();
    origin->state = sent->state.len != 0 && trace_state_is_valid(sent->state) ? sent->state : STR_NONE;
    origin->sampled = parent.sampled;
    return true;
}

/* In a trace of our own nobody else makes spans, so that their ids may follow from the trace's. */
static void begin(uint64_t sampling_limit, struct origin *origin)
{
    uint64_t random[2];
    rand_pair(random);
    random[0] |= 1;                       /* not all zeros */
    memcpy(origin->id, random, TRACE_ID_SIZE);
    origin->parent_span = 0;
    origin->span_base = random[0] * UINT64_C(0xd1342543de82ef95) + random[1];
    origin->state = STR_NONE;
    origin->sampled = trace_is_sampled(origin->id, sampling_limit);
}

static bool is_detailed(const struct exchange *x)
{
    enum trace_verbosity own = x->router->trace_verbosity;
    return (own != TRACE_AS_ENTRYPOINT ? own : (enum trace_verbosity)x->entry->config->observability.trace_verbosity) == TRACE_DETAILED;
}

static void note(struct exchange *x, const struct origin *origin)
{
    struct trace_notes *notes = x->trace->notes = arena_new(&x->arena, struct trace_notes);
    if (notes == NULL)
        return;
    memcpy(notes->id, origin->id, TRACE_ID_SIZE);
    notes->parent_span = origin->parent_span;
    notes->span_base = origin->span_base;
    notes->state = origin->state;
    notes->attempts_end = &notes->attempts;
    notes->detailed = x->router != NULL && is_detailed(x);
    if (notes->detailed && x->router->chain_count != 0)
        notes->held = arena_array(&x->arena, struct trace_held, x->router->chain_count);
}

/* A whole line, which is checked and copied at once. It stays in the trace, where each attempt writes the id of its span. */
static void write_line(struct trace *trace, const struct origin *origin)
{
    char *value = trace->line + TRACE_LINE_VALUE_AT;
    memcpy(trace->line, "traceparent: ", TRACE_LINE_VALUE_AT);
    trace_parent_format(origin->id, span_record_id(origin->span_base, SPAN_NUMBER_SERVER), origin->sampled, value);
    memcpy(value + TRACE_PARENT_SIZE, "\r\n", 2);
    memcpy(trace->span_text, value + TRACE_PARENT_SPAN_AT, sizeof(trace->span_text));
}

void tracing_begin_trace(struct exchange *x)
{
    /* What one of our own does is a part of the request that it serves; the field of the client's trace goes along with it. */
    struct trace *trace = x->subrequest == NULL && is_wanted(x) ? arena_alloc(&x->arena, sizeof(*trace)) : NULL;
    if (trace == NULL)
        return;
    struct fields *fields = &exchange_request(x)->fields;
    struct sent sent;
    struct origin origin;
    take_fields(fields, &x->arena, &sent);
    if (!join(&sent, &origin))
        begin(x->graph->tracing->sampling_limit, &origin);
    x->trace = trace;
    trace->notes = NULL;
    write_line(trace, &origin);
    fields_add_line(fields, str_of(trace->line, TRACE_LINE_SIZE), TRACE_LINE_VALUE_AT - 2);
    if (origin.state.len != 0)
        fields_add(fields, S("tracestate"), origin.state);
    if (origin.sampled)
        note(x, &origin);
}

/* ---- on the way ---- */

void tracing_note_held(struct exchange *x)
{
    if (x->trace->notes->held == NULL)
        return;
    struct trace_held *held = &x->trace->notes->held[x->chain_at];
    held->ended = exchange_now(x);
    if (held->began == 0)
        held->began = held->ended;
}

static struct trace_attempt *last_attempt(const struct trace *trace)
{
    const struct trace_notes *notes = trace->notes;
    return notes->attempts != NULL ? container_of(notes->attempts_end, struct trace_attempt, next) : NULL;
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
    struct trace_notes *notes = x->trace->notes;
    end_attempt(x);
    span_id_format(span_record_id(notes->span_base, SPAN_NUMBER_ATTEMPT + notes->attempt_count++),
                   x->trace->line + TRACE_LINE_VALUE_AT + TRACE_PARENT_SPAN_AT);
    struct trace_attempt *attempt = arena_new(&x->arena, struct trace_attempt);
    if (attempt == NULL)
        return;
    attempt->began = exchange_now(x);
    attempt->server = x->server;
    attempt->path = exchange_request(x)->path;
    *notes->attempts_end = attempt;
    notes->attempts_end = &attempt->next;
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
    end_last_attempt(x);
    tracing_write(x);
}
