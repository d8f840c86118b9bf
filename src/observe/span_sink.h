/* One span after the other, as protobuf or JSON (opentelemetry.proto.trace.v1). Private to observe/span_encode. */
#ifndef OBSERVE_SPAN_SINK_H
#define OBSERVE_SPAN_SINK_H

#include "observe/otlp_resource.h"
#include "observe/tracer.h"

enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER_KIND = 2, SPAN_CLIENT_KIND = 3 };

struct span_head {
    const uint8_t *trace_id;
    struct str trace_state;
    uint64_t id, parent;                  /* parent 0: none */
    struct str name, name_of;             /* "Router" and "api@file"; the second may be empty */
    enum span_kind kind;
    int64_t began, ended;                 /* Unix ns */
};

struct span_sink {
    struct text *out;
    bool as_json;
    struct json json;
    size_t marks[3];                      /* ResourceSpans, ScopeSpans, Span */
};

void span_sink_open(struct span_sink *sink, const struct tracer *tracer, enum otlp_encoding encoding, struct text *out);
void span_sink_begin(struct span_sink *sink, const struct span_head *head);
/* Attributes; the empty ones are left out. */
void span_sink_str(struct span_sink *sink, struct str key, struct str value);
void span_sink_int(struct span_sink *sink, struct str key, int64_t value);
void span_sink_list(struct span_sink *sink, struct str key, struct str value);
/* `failed`: the span's status is an error; `message` may be empty. */
void span_sink_end(struct span_sink *sink, bool failed, struct str message);
void span_sink_close(struct span_sink *sink);

#endif
