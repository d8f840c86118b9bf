/* One span after the other, as protobuf or JSON, into an ExportTraceServiceRequest (opentelemetry.proto.collector.trace.v1). Private
 * to observe/span_encode and tracer.
 *
 * Protobuf is written behind a pointer: an attribute whose key is known when this is compiled and whose value is short and ASCII
 * costs a few stores. Whatever is otherwise takes the long way (span_sink_str_slowly and its kin), as JSON always does. */
#ifndef OBSERVE_SPAN_SINK_H
#define OBSERVE_SPAN_SINK_H

#include "observe/otlp.h"
#include "observe/otlp_put.h"
#include "observe/otlp_resource.h"
#include "observe/trace_context.h"

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
    size_t short_max;                     /* longest value that is written at once: `at` has room for all such of a span; 0: none is */
    uint64_t high;                        /* all bytes of such values, or'ed */
    bool as_json;
    struct json json;
    size_t start;                         /* where the present request's spans begin */
    size_t span;                          /* where the present one begins: its tag */
    struct text query, scratch;           /* room for texts that are made */
};

void span_sink_init(struct span_sink *sink);
void span_sink_release(struct span_sink *sink);

/* Begins a message in `out`, which is empty and stays the caller's. */
void span_sink_open(struct span_sink *sink, enum otlp_encoding encoding, struct text *out);
/* How long it is by now. */
static inline size_t span_sink_size(const struct span_sink *sink)
{
    return sink->at != NULL ? (size_t)(sink->at - sink->out->data) : sink->out->len;
}
/* Ends it, with who tells it. */
void span_sink_close(struct span_sink *sink, struct str service_name, const struct strmap *resource_attributes);

/* Before the spans of a request; behind them, whether it was so; and back to before them if not: now each text is looked at. */
void span_sink_expect_ascii(struct span_sink *sink);
static inline bool span_sink_was_ascii(const struct span_sink *sink)
{
    return (sink->high & SWAR_ONES * 0x80) == 0;
}
void span_sink_rewind(struct span_sink *sink);

void span_sink_begin(struct span_sink *sink, const struct span_head *head);
/* `failed`: the span's status is an error; `message` may be empty. */
void span_sink_end(struct span_sink *sink, bool failed, struct str message);

/* Attributes; the empty ones are left out. */
void span_sink_list(struct span_sink *sink, struct str key, struct str value);
#define SPAN_SINK_PARTS 4
void span_sink_joined(struct span_sink *sink, struct str key, const struct str parts[SPAN_SINK_PARTS]);
void span_sink_str_slowly(struct span_sink *sink, struct str key, struct str value);
void span_sink_int_slowly(struct span_sink *sink, struct str key, int64_t value);

#define SPAN_SINK_SHORT ((size_t)80)      /* with a key of SPAN_SINK_KEY_MAX all lengths take one byte */
#define SPAN_SINK_KEY_MAX ((size_t)40)

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

/* Longer than SPAN_SINK_SHORT it does not get here. */
static inline __attribute__((always_inline)) char *span_sink_copy(struct span_sink *sink, char *out, struct str text)
{
    const char *from = text.data;
    size_t len = text.len;
    uint64_t high = 0;
    if (len >= 8) {
        uint64_t last;
        for (size_t i = 0; i + 8 < len; i += 8) {
            uint64_t word;
            memcpy(&word, from + i, 8);
            memcpy(out + i, &word, 8);
            high |= word;
        }
        memcpy(&last, from + len - 8, 8);
        memcpy(out + len - 8, &last, 8);
        high |= last;
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + len - 4, &last, 4);
        high = first | last;
    } else {
        for (size_t i = 0; i < len; i++)
            high |= (unsigned char)(out[i] = from[i]);
    }
    sink->high |= high;
    return out + len;
}

/* Both want a literal for `key`. */
static inline __attribute__((always_inline)) void span_sink_str(struct span_sink *sink, struct str key, struct str value)
{
    if (value.len == 0)
        return;
    if (__builtin_expect(value.len > sink->short_max || key.len > SPAN_SINK_KEY_MAX, 0)) {
        span_sink_str_slowly(sink, key, value);
        return;
    }
    char *start = sink->at, *at = span_sink_put_key(start, key);
    at[0] = (char)(value.len + 2);
    at[1] = PUT_BYTES_TAG(1);
    at[2] = (char)value.len;
    sink->at = span_sink_copy(sink, at + 3, value);
    start[1] = (char)(sink->at - start - 2);
}

static inline __attribute__((always_inline)) void span_sink_int(struct span_sink *sink, struct str key, int64_t value)
{
    if (__builtin_expect(sink->short_max == 0 || key.len > SPAN_SINK_KEY_MAX, 0)) {
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
