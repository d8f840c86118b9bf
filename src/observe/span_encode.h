/* Records become spans: an ExportTraceServiceRequest of a batch's records (opentelemetry.proto.collector.trace.v1), with the names
 * of OpenTelemetry's semantic conventions for HTTP and Traefik's for what they do not name. Pure; the exporter's thread. */
#ifndef OBSERVE_SPAN_ENCODE_H
#define OBSERVE_SPAN_ENCODE_H

#include "base/text.h"
#include "observe/tracer.h"

/* `records` as tracer_add laid them out. */
void span_encode(const struct tracer *tracer, struct str records, enum otlp_encoding encoding, struct text *out);
/* The query with all values but those of `safe` as REDACTED. */
void span_redact_query(const struct strs *safe, struct str query, struct text *out);

#endif
