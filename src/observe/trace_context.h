/* W3C Trace Context (https://www.w3.org/TR/trace-context/): reading traceparent and tracestate strictly, writing traceparent, and
 * whether a trace is among those that are kept. Pure. */
#ifndef OBSERVE_TRACE_CONTEXT_H
#define OBSERVE_TRACE_CONTEXT_H

#include "base/str.h"

#define TRACE_ID_SIZE 16
#define SPAN_ID_SIZE 8
/* "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" */
#define TRACE_PARENT_SIZE 55
#define TRACE_PARENT_ID_AT 3          /* where the trace's id stands in it, 32 digits */
#define TRACE_PARENT_SPAN_AT 36       /* and the span's, 16 digits */

struct trace_parent {
    uint8_t trace_id[TRACE_ID_SIZE];
    uint64_t span;                    /* its id as a number */
    bool sampled;
};

/* A later version's is read as far as version 00 goes. False: it is to be ignored, and tracestate with it. */
bool trace_parent_parse(struct str text, struct trace_parent *ret_parent);
/* As version 00. */
void trace_parent_format(const uint8_t trace_id[TRACE_ID_SIZE], uint64_t span, bool sampled, char out[TRACE_PARENT_SIZE]);
/* Lines are joined with a comma before. False: it is to be left out. */
bool trace_state_is_valid(struct str text);

/* An id that is kept as a number. */
void span_id_write(uint64_t id, uint8_t out[SPAN_ID_SIZE]);
void span_id_format(uint64_t id, char out[2 * SPAN_ID_SIZE]);

/* The limit for trace_is_sampled of a rate from 0 to 1: 0 samples nothing, 1 everything. */
uint64_t trace_sampling_limit(double rate);
/* By the trace's id alone and as OpenTelemetry's SDKs decide, so that all who see the trace with the same rate agree. */
bool trace_is_sampled(const uint8_t trace_id[TRACE_ID_SIZE], uint64_t limit);

#endif
