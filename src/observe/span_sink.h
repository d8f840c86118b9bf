/* One span after the other, as protobuf or JSON (opentelemetry.proto.trace.v1). Private to observe/span_encode.
 *
 * Protobuf is written behind a pointer: an attribute whose key is known when this is compiled and whose value is short and ASCII
 * costs a few stores. Whatever is otherwise takes the long way (span_sink_str_slowly and its kin), as JSON always does. */
#ifndef OBSERVE_SPAN_SINK_H
#define OBSERVE_SPAN_SINK_H

#include "observe/otlp_put.h"
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
    char *at, *end;                       /* protobuf: what is written, and the room behind it; NULL: it is in `out`, to the byte */
    size_t short_max;                     /* longest value that is written at once; 0: none is */
    bool as_json;
    struct json json;
    size_t marks[2];                      /* ResourceSpans, ScopeSpans */
    size_t span;                          /* where the present one begins: its tag */
};

void span_sink_open(struct span_sink *sink, const struct tracer *tracer, enum otlp_encoding encoding, struct text *out);
/* Before the spans of a request: whether all its texts are ASCII. */
void span_sink_expect(struct span_sink *sink, bool ascii);
void span_sink_begin(struct span_sink *sink, const struct span_head *head);
/* `failed`: the span's status is an error; `message` may be empty. */
void span_sink_end(struct span_sink *sink, bool failed, struct str message);
void span_sink_close(struct span_sink *sink);

/* Attributes; the empty ones are left out. */
void span_sink_list(struct span_sink *sink, struct str key, struct str value);
void span_sink_str_slowly(struct span_sink *sink, struct str key, struct str value);
void span_sink_int_slowly(struct span_sink *sink, struct str key, int64_t value);

#define SPAN_SINK_SHORT ((size_t)80)      /* with a key of SPAN_SINK_KEY_MAX all lengths take one byte */
#define SPAN_SINK_KEY_MAX ((size_t)40)
#define SPAN_SINK_ROOM 192                /* that an attribute may take */

static inline bool span_sink_has_room(const struct span_sink *sink)
{
    return sink->end - sink->at >= SPAN_SINK_ROOM;
}

/* KeyValue{key = 1, value = 2} as member 9, without its length; gives where the length of the value stands. */
static inline __attribute__((always_inline)) char *span_sink_put_key(char *out, struct str key)
{
    out[0] = PUT_BYTES_TAG(9);
    out[2] = PUT_BYTES_TAG(1);
    out[3] = (char)key.len;
    memcpy(out + 4, key.data, key.len);
    out[4 + key.len] = PUT_BYTES_TAG(2);
    return out + 5 + key.len;
}

/* Both want a literal for `key`. */
static inline __attribute__((always_inline)) void span_sink_str(struct span_sink *sink, struct str key, struct str value)
{
    if (value.len == 0)
        return;
    if (__builtin_expect(value.len > sink->short_max || key.len > SPAN_SINK_KEY_MAX || !span_sink_has_room(sink), 0)) {
        span_sink_str_slowly(sink, key, value);
        return;
    }
    char *start = sink->at, *at = span_sink_put_key(start, key);
    at[0] = (char)(value.len + 2);
    at[1] = PUT_BYTES_TAG(1);
    at[2] = (char)value.len;
    sink->at = copy_short(at + 3, value);
    start[1] = (char)(sink->at - start - 2);
}

static inline __attribute__((always_inline)) void span_sink_int(struct span_sink *sink, struct str key, int64_t value)
{
    if (__builtin_expect(key.len > SPAN_SINK_KEY_MAX || !span_sink_has_room(sink), 0)) {
        span_sink_int_slowly(sink, key, value);
        return;
    }
    char *start = sink->at, *at = span_sink_put_key(start, key);
    at[1] = 3 << 3;
    sink->at = put_varint(at + 2, (uint64_t)value);
    at[0] = (char)(sink->at - at - 1);
    start[1] = (char)(sink->at - start - 2);
}

#endif
