/* A request's part in a trace (W3C Trace Context): taken over from the client or begun, passed on to servers, and kept as spans when
 * the trace is sampled. One hook for each moment; where a configuration does not trace, each costs a branch and fields pass through
 * untouched. Of a trace that is not sampled nothing is kept but the line for servers.
 *
 * What is noted lies in the exchange's arena; at its end it is copied into the worker's batch (observe/tracer.h). Threading: the
 * worker's. */
#ifndef EXCHANGE_TRACING_H
#define EXCHANGE_TRACING_H

#include "exchange/exchange.h"
#include "exchange/graph.h"
#include "observe/trace_context.h"

struct trace_attempt {
    struct trace_attempt *next;
    const struct server *server;          /* the exchange's graph holds it */
    struct str path;
    const char *detail;
    int64_t began, ended;                 /* 0: not yet */
    enum status reason;
    int status;                           /* of the response; 0: none came */
};

struct trace_held {
    int64_t began, ended;                 /* 0: not entered */
};

/* What is noted of a sampled one, for its spans. */
struct trace_notes {
    uint8_t id[TRACE_ID_SIZE];
    uint64_t parent_span;                 /* the client's; 0: it sent none */
    uint64_t span_base;                   /* see span_record_id */
    struct str state;                     /* tracestate; empty: none */
    bool detailed;                        /* router, middlewares and service become spans too */
    unsigned attempt_count;
    struct trace_attempt *attempts, **attempts_end;
    struct trace_held *held;              /* one for each middleware of the chain; NULL: none, no memory, or not detailed */
};

/* "traceparent: " before the value and CRLF behind it, as a field line. */
#define TRACE_LINE_VALUE_AT 13
#define TRACE_LINE_SIZE (TRACE_LINE_VALUE_AT + TRACE_PARENT_SIZE + 2)

struct trace {
    struct trace_notes *notes;            /* NULL: not sampled */
    char line[TRACE_LINE_SIZE];           /* for servers; its span is the present attempt's when it is sampled */
    char span_text[2 * SPAN_ID_SIZE];     /* of the server span */
};

/* The trace's id as 32 digits, and that of the server span as 16: for logs. */
static inline struct str trace_id_text(const struct trace *trace)
{
    return str_of(trace->line + TRACE_LINE_VALUE_AT + TRACE_PARENT_ID_AT, 2 * TRACE_ID_SIZE);
}
static inline struct str trace_span_text(const struct trace *trace)
{
    return str_of(trace->span_text, sizeof(trace->span_text));
}
static inline bool tracing_notes(const struct trace *trace)
{
    return __builtin_expect(trace != NULL, 0) && trace->notes != NULL;
}

/* What the hooks below do where there is something to do. */
__attribute__((noinline)) void tracing_begin_trace(struct exchange *x);
__attribute__((noinline)) void tracing_note_held(struct exchange *x);
__attribute__((noinline)) void tracing_note_attempt(struct exchange *x);
__attribute__((noinline)) void tracing_note_failure(struct exchange *x, enum status status);
__attribute__((noinline)) void tracing_keep(struct exchange *x);

/* The router is found (or there is none). */
static inline void tracing_begin(struct exchange *x)
{
    if (__builtin_expect(x->graph->tracing != NULL, 0))
        tracing_begin_trace(x);
}
/* on_request of the middleware at x->chain_at has returned. */
static inline void tracing_held(struct exchange *x)
{
    if (tracing_notes(x->trace))
        tracing_note_held(x);
}
/* A server is chosen, and about to be asked. */
static inline void tracing_attempt(struct exchange *x)
{
    if (tracing_notes(x->trace))
        tracing_note_attempt(x);
}
/* It did not answer; x->upstream still tells more. */
static inline void tracing_attempt_failed(struct exchange *x, enum status status)
{
    if (tracing_notes(x->trace))
        tracing_note_failure(x, status);
}
/* The exchange has ended; request, response and server are still there. */
static inline void tracing_end(struct exchange *x)
{
    if (tracing_notes(x->trace))
        tracing_keep(x);
}

#endif
