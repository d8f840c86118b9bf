/* One span after the other, as protobuf or JSON, into an ExportTraceServiceRequest (opentelemetry.proto.collector.trace.v1). Private
 * to observe/span_encode and tracer.
 *
 * Protobuf is written with a pen, a pointer that stays in a register: an attribute whose key is known when this is compiled and
 * whose value is short and ASCII costs a few stores. Whatever is otherwise takes the long way (span_sink_str_slowly and its kin), as
 * JSON always does. */
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
    size_t short_max;                     /* longest value that is written at once: SPAN_SINK_SHORT or 0 */
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

/* ---- the long way, of anything ---- */

void span_sink_begin_slowly(struct span_sink *sink, const struct span_head *head);
void span_sink_str_slowly(struct span_sink *sink, struct str key, struct str value);
void span_sink_int_slowly(struct span_sink *sink, struct str key, int64_t value);
#define SPAN_SINK_PARTS 4
void span_sink_joined_slowly(struct span_sink *sink, struct str key, const struct str parts[SPAN_SINK_PARTS]);
void span_sink_list(struct span_sink *sink, struct str key, struct str value);
/* `failed`: the span's status is an error; `message` may be empty. */
void span_sink_end_slowly(struct span_sink *sink, bool failed, struct str message);

/* ---- the short way ---- */

#define SPAN_SINK_SHORT ((size_t)80)      /* with a key of SPAN_SINK_KEY_MAX all lengths take one byte */
#define SPAN_SINK_KEY_MAX ((size_t)40)
#define SPAN_SINK_ROOM ((size_t)4352)     /* for a span's head and two dozens of attributes, the most that it has, all as long as may be */
#define SPAN_SINK_INLINE static inline __attribute__((always_inline))

/* A span that is being written. The address of a pen goes to nobody but the functions below, which are part of their caller: what
 * is called with one has to have it put down before (span_pen_down), and then taken up again. */
struct span_pen {
    char *at;
    uint64_t high;
    size_t short_max;                     /* 0: `at` is the sink's alone */
};

SPAN_SINK_INLINE struct span_pen span_pen_up(const struct span_sink *sink)
{
    return (struct span_pen){.at = sink->at, .high = sink->high, .short_max = sink->short_max};
}

SPAN_SINK_INLINE void span_pen_down(struct span_sink *sink, struct span_pen pen)
{
    sink->at = pen.at;
    sink->high = pen.high;
}

SPAN_SINK_INLINE char *span_put_16(char *out, uint16_t bytes)
{
    uint16_t wire = htole16(bytes);
    memcpy(out, &wire, sizeof(wire));
    return out + sizeof(wire);
}

SPAN_SINK_INLINE char *span_put_64(char *out, uint64_t bytes)
{
    memcpy(out, &bytes, sizeof(bytes));
    return out + sizeof(bytes);
}

/* A tag and a length or a small number behind it. */
#define SPAN_PAIR(tag, value) ((uint16_t)((uint8_t)(tag) | (unsigned)(value) << 8))

/* Longer than SPAN_SINK_SHORT it does not get here; in halves that overlap. */
SPAN_SINK_INLINE char *span_copy(char *out, struct str text, uint64_t *high)
{
    const char *from = text.data;
    size_t len = text.len;
    if (len >= 8) {
        uint64_t last = swar_load64(from + len - 8);
        for (size_t i = 0; i + 8 < len; i += 8) {
            uint64_t word = swar_load64(from + i);
            span_put_64(out + i, word);
            *high |= word;
        }
        span_put_64(out + len - 8, last);
        *high |= last;
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + len - 4, &last, 4);
        *high |= first | last;
    } else if (len != 0) {
        unsigned char first = (unsigned char)from[0], middle = (unsigned char)from[len / 2], last = (unsigned char)from[len - 1];
        out[0] = (char)first;
        out[len / 2] = (char)middle;
        out[len - 1] = (char)last;
        *high |= first | middle | last;
    }
    return out + len;
}

/* KeyValue{key = 1, value = 2: AnyValue} as member 9, ready but for three lengths or two and a number: how it begins for the key,
 * which is a literal, and a value of member `tag`. */
#define SPAN_KEY_OF(key, tag) \
    ({ \
        static const struct __attribute__((packed)) { \
            char head[SPAN_KEY_AT], name[sizeof(key) - 1], tail[4]; \
        } span_key = {{PUT_BYTES_TAG(9), 0, PUT_BYTES_TAG(1), sizeof(key) - 1}, key, {PUT_BYTES_TAG(2), 0, tag, 0}}; \
        _Static_assert(sizeof(key) - 1 <= SPAN_SINK_KEY_MAX, "all lengths take one byte"); \
        str_of((const char *)&span_key, sizeof(span_key)); \
    })
#define SPAN_KEY(key) SPAN_KEY_OF(key, PUT_BYTES_TAG(1))
#define SPAN_INT_KEY(key) SPAN_KEY_OF(key, 3 << 3)
#define SPAN_KEY_AT 4

/* The key alone. */
static inline struct str span_key_name(struct str key)
{
    return str_of(key.data + SPAN_KEY_AT, key.len - SPAN_KEY_AT - 4);
}

/* Gives where the text stands. */
SPAN_SINK_INLINE char *span_put_key(char *out, struct str key, size_t len)
{
    memcpy(out, key.data, key.len);
    out[1] = (char)(key.len + len - 2);
    out[key.len - 3] = (char)(len + 2);
    out[key.len - 1] = (char)len;
    return out + key.len;
}

/* An attribute; left out when it is empty. `key` is a SPAN_KEY. */
SPAN_SINK_INLINE void span_str(struct span_sink *sink, struct span_pen *pen, struct str key, struct str value)
{
    if (__builtin_expect(value.len - 1 >= pen->short_max, 0)) {
        if (value.len == 0)
            return;
        span_pen_down(sink, *pen);
        span_sink_str_slowly(sink, span_key_name(key), value);
        *pen = span_pen_up(sink);
        return;
    }
    pen->at = span_copy(span_put_key(pen->at, key, value.len), value, &pen->high);
}

/* Below 2^14, as most are, without a loop. */
SPAN_SINK_INLINE char *span_put_varint(char *out, uint64_t value)
{
    if (value < 0x80) {
        *out = (char)value;
        return out + 1;
    }
    if (value < 0x4000)
        return span_put_16(out, (uint16_t)((value & 0x7f) | 0x80 | value >> 7 << 8));
    return put_varint(out, value);
}

/* `key` is a SPAN_INT_KEY. */
SPAN_SINK_INLINE void span_int(struct span_sink *sink, struct span_pen *pen, struct str key, int64_t value)
{
    if (__builtin_expect(pen->short_max == 0, 0)) {
        span_pen_down(sink, *pen);
        span_sink_int_slowly(sink, span_key_name(key), value);
        *pen = span_pen_up(sink);
        return;
    }
    char *start = pen->at;
    memcpy(start, key.data, key.len);
    char *number = start + key.len - 1, *end = span_put_varint(number, (uint64_t)value);
    number[-2] = (char)(end - number + 1);
    start[1] = (char)(end - start - 2);
    pen->at = end;
}

/* One text of several. */
SPAN_SINK_INLINE void span_joined(struct span_sink *sink, struct span_pen *pen, struct str key, const struct str parts[SPAN_SINK_PARTS])
{
    size_t len = parts[0].len + parts[1].len + parts[2].len + parts[3].len;
    if (__builtin_expect(len - 1 >= pen->short_max, 0)) {
        const struct str copies[SPAN_SINK_PARTS] = {parts[0], parts[1], parts[2], parts[3]};
        span_pen_down(sink, *pen);
        span_sink_joined_slowly(sink, span_key_name(key), copies);
        *pen = span_pen_up(sink);
        return;
    }
    char *at = span_put_key(pen->at, key, len);
    at = span_copy(at, parts[0], &pen->high);
    at = span_copy(at, parts[1], &pen->high);
    if (parts[2].len != 0)
        at = span_copy(span_copy(at, parts[2], &pen->high), parts[3], &pen->high);
    pen->at = at;
}

/* The tag, two bytes for the length, which most spans need, and what has the same length in each. */
SPAN_SINK_INLINE char *span_put_head(char *at, const struct span_head *head)
{
    *at = PUT_BYTES_TAG(2);
    at = span_put_16(at + 3, SPAN_PAIR(PUT_BYTES_TAG(1), TRACE_ID_SIZE));
    memcpy(at, head->trace_id, TRACE_ID_SIZE);
    at = span_put_16(at + TRACE_ID_SIZE, SPAN_PAIR(PUT_BYTES_TAG(2), SPAN_ID_SIZE));
    at = span_put_64(at, htobe64(head->id));
    at = span_put_16(at, SPAN_PAIR(6 << 3, head->kind));
    *at++ = 7 << 3 | 1;
    at = span_put_64(at, htole64((uint64_t)head->began));
    *at++ = 8 << 3 | 1;
    at = span_put_64(at, htole64((uint64_t)head->ended));
    if (head->parent == 0)
        return at;
    at = span_put_16(at, SPAN_PAIR(PUT_BYTES_TAG(4), SPAN_ID_SIZE));
    return span_put_64(at, htobe64(head->parent));
}

/* "GET" or "GET api@file". */
SPAN_SINK_INLINE char *span_put_name(char *at, const struct span_head *head, uint64_t *high)
{
    size_t of = head->name_of.len;
    at = span_copy(span_put_16(at, SPAN_PAIR(PUT_BYTES_TAG(5), head->name.len + (of != 0) + of)), head->name, high);
    if (of == 0)
        return at;
    *at = ' ';
    return span_copy(at + 1, head->name_of, high);
}

SPAN_SINK_INLINE struct span_pen span_begin(struct span_sink *sink, const struct span_head *head)
{
    struct span_pen pen = span_pen_up(sink);
    size_t longest = head->name.len | head->name_of.len;      /* below 64 where neither is longer than that */
    if (__builtin_expect(longest >= 64 || pen.short_max == 0 || head->trace_state.len != 0 ||
                         (size_t)(sink->end - pen.at) < SPAN_SINK_ROOM, 0)) {
        struct span_head copy = *head;
        span_sink_begin_slowly(sink, &copy);
        return span_pen_up(sink);
    }
    sink->span = (size_t)(pen.at - sink->out->data);
    pen.at = span_put_name(span_put_head(pen.at, head), head, &pen.high);
    return pen;
}

SPAN_SINK_INLINE void span_end(struct span_sink *sink, struct span_pen pen, bool failed, struct str message)
{
    span_pen_down(sink, pen);
    if (__builtin_expect(failed || pen.short_max == 0, 0)) {
        span_sink_end_slowly(sink, failed, message);
        return;
    }
    char *start = sink->out->data + sink->span;
    size_t len = (size_t)(pen.at - start) - 3;
    if (__builtin_expect(len - 0x80 < 0x4000 - 0x80, 1))
        span_put_16(start + 1, (uint16_t)((len & 0x7f) | 0x80 | len >> 7 << 8));
    else
        span_sink_end_slowly(sink, false, STR_NONE);
}

#endif
