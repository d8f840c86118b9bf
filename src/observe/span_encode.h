/* A request becomes spans (opentelemetry.proto.trace.v1), with the names of OpenTelemetry's semantic conventions for HTTP and
 * Traefik's for what they do not name. Pure; the worker that the request was on. */
#ifndef OBSERVE_SPAN_ENCODE_H
#define OBSERVE_SPAN_ENCODE_H

#include "observe/span_record.h"
#include "observe/span_sink.h"

struct tracer;

void span_encode(struct span_sink *sink, const struct tracer *tracer, const struct span_record *record);
/* The query with all values but those of `safe` as REDACTED. */
void span_redact_query(const struct strs *safe, struct str query, struct text *out);

#endif
