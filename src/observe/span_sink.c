#include "observe/span_sink.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"

#define ROOM_MORE ((size_t)16384)     /* made at a time: most requests' spans fit */

/* ---- room ---- */

/* What is written becomes the text's. */
static void settle(struct span_sink *sink)
{
    if (sink->at != NULL)
        sink->out->len = (size_t)(sink->at - sink->out->data);
    sink->at = sink->end = NULL;
}

/* Room for `size` bytes behind sink->at; false on overflow: then nothing is written at once any more. */
static bool make_room(struct span_sink *sink, size_t size)
{
    if ((size_t)(sink->end - sink->at) >= size)
        return true;
    settle(sink);
    if (!text_reserve(sink->out, size < ROOM_MORE ? ROOM_MORE : size)) {
        sink->short_max = 0;
        return false;
    }
    sink->at = sink->out->data + sink->out->len;
    sink->end = sink->out->data + sink->out->capacity;
    return true;
}

/* ---- the frame ---- */

#define TEXT_MAX ((size_t)1 << 20)
#define LENGTH_SIZE 3                 /* left for a length: enough and no more for what is sent under load */

/* ExportTraceServiceRequest{resource_spans = 1: ResourceSpans{scope_spans = 2: ScopeSpans{spans = 2, ..., scope = 1}, resource = 1}},
 * in this order, since resource and scope are written last. */
static const char frame_head[] = {PUT_BYTES_TAG(1), 0, 0, 0, PUT_BYTES_TAG(2), 0, 0, 0};
#define RESOURCE_SPANS_AT (1 + LENGTH_SIZE)
#define SCOPE_SPANS_AT (2 * RESOURCE_SPANS_AT)

void span_sink_init(struct span_sink *sink)
{
    *sink = (struct span_sink){.out = NULL};
    text_init(&sink->query, TEXT_MAX);
    text_init(&sink->scratch, TEXT_MAX);
}

void span_sink_release(struct span_sink *sink)
{
    text_release(&sink->query);
    text_release(&sink->scratch);
}

void span_sink_open(struct span_sink *sink, enum otlp_encoding encoding, struct text *out)
{
    sink->out = out;
    sink->at = sink->end = NULL;
    sink->as_json = encoding == OTLP_JSON;
    if (!sink->as_json) {
        text_add(out, str_of(frame_head, sizeof(frame_head)));
        return;
    }
    sink->json = (struct json){.out = out};
    json_open_object(&sink->json);
    json_member_array(&sink->json, "resourceSpans");
    json_open_object(&sink->json);
    json_member_array(&sink->json, "scopeSpans");
    json_open_object(&sink->json);
    json_member_array(&sink->json, "spans");
}

/* A length of another size than was left for it moves what it is of, which then is short. */
static void put_length(struct text *out, size_t body_at)
{
    char bytes[10];
    size_t len = out->len - body_at, size = (size_t)(put_varint(bytes, len) - bytes);
    if (!text_reserve(out, size))
        return;
    if (size != LENGTH_SIZE)
        memmove(out->data + body_at - LENGTH_SIZE + size, out->data + body_at, len);
    memcpy(out->data + body_at - LENGTH_SIZE, bytes, size);
    out->len += size - LENGTH_SIZE;
}

static void close_json(struct json *json, struct str service_name, const struct strmap *resource_attributes)
{
    json_end(json);
    otlp_json_scope(json);
    json_end(json);
    json_end(json);
    otlp_json_resource(json, service_name, resource_attributes);
    for (int i = 0; i < 3; i++)
        json_end(json);
}

void span_sink_close(struct span_sink *sink, struct str service_name, const struct strmap *resource_attributes)
{
    if (sink->as_json) {
        close_json(&sink->json, service_name, resource_attributes);
        return;
    }
    settle(sink);
    otlp_put_scope(sink->out, 1);
    put_length(sink->out, SCOPE_SPANS_AT);
    otlp_put_resource(sink->out, 1, service_name, resource_attributes);
    put_length(sink->out, RESOURCE_SPANS_AT);
}

void span_sink_expect_ascii(struct span_sink *sink)
{
    sink->start = span_sink_size(sink);
    sink->short_max = sink->as_json ? 0 : SPAN_SINK_SHORT;
    sink->high = 0;
}

void span_sink_rewind(struct span_sink *sink)
{
    settle(sink);
    sink->out->len = sink->start;
    sink->short_max = 0;
    sink->high = 0;
}

/* ---- a span's head ---- */

static void member_hex(struct json *json, const char *key, const uint8_t *bytes, size_t size)
{
    char digits[2 * TRACE_ID_SIZE];
    json_member_str(json, key, str_of(digits, hex_encode(str_of((const char *)bytes, size), digits)));
}

static void member_time(struct json *json, const char *key, int64_t ns)
{
    char digits[24];
    json_member_str(json, key, str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, ns)));
}

static void json_name(struct json *json, const struct span_head *head)
{
    struct text name;
    text_init(&name, head->name.len + head->name_of.len + 1);
    text_add(&name, head->name);
    if (head->name_of.len != 0)
        text_add_char(&name, ' ');
    text_add(&name, head->name_of);
    json_member_str(json, "name", text_str(&name));
    text_release(&name);
}

static void begin_json(struct json *json, const struct span_head *head)
{
    uint8_t id[SPAN_ID_SIZE];
    json_open_object(json);
    member_hex(json, "traceId", head->trace_id, TRACE_ID_SIZE);
    span_id_write(head->id, id);
    member_hex(json, "spanId", id, SPAN_ID_SIZE);
    if (head->trace_state.len != 0)
        json_member_str(json, "traceState", head->trace_state);
    span_id_write(head->parent, id);
    if (head->parent != 0)
        member_hex(json, "parentSpanId", id, SPAN_ID_SIZE);
    json_name(json, head);
    json_member_int(json, "kind", head->kind);
    member_time(json, "startTimeUnixNano", head->began);
    member_time(json, "endTimeUnixNano", head->ended);
    json_member_array(json, "attributes");
}

/* What is no UTF-8 no reader takes. */
static struct str utf8_or_none(struct str text)
{
    return put_is_utf8(text) ? text : STR_NONE;
}

#define NAME_ROOM ((size_t)32)        /* tags and lengths around names and the trace's state */

static char *put_name(char *out, struct str name, struct str of)
{
    out = copy_short(put_head(out, 5, name.len + (of.len != 0) + of.len), name);
    if (of.len != 0)
        *out++ = ' ';
    return copy_short(out, of);
}

static void begin_protobuf(struct span_sink *sink, const struct span_head *head)
{
    struct str of = utf8_or_none(head->name_of);
    if (!make_room(sink, SPAN_SINK_ROOM + NAME_ROOM + head->trace_state.len + head->name.len + of.len))
        return;
    char *at = sink->at;
    sink->span = (size_t)(at - sink->out->data);
    at = put_name(span_put_head(at, head), head->name, of);
    if (head->trace_state.len != 0)
        at = put_bytes(at, 3, head->trace_state);
    sink->at = at;
}

void span_sink_begin_slowly(struct span_sink *sink, const struct span_head *head)
{
    if (sink->as_json)
        begin_json(&sink->json, head);
    else
        begin_protobuf(sink, head);
}

/* ---- its attributes and its end ---- */

void span_sink_str_slowly(struct span_sink *sink, struct str key, struct str value)
{
    settle(sink);
    if (sink->as_json) {
        otlp_json_str(&sink->json, key, value);
        return;
    }
    otlp_put_str(sink->out, 9, key, value);
    make_room(sink, SPAN_SINK_ROOM);
}

void span_sink_joined_slowly(struct span_sink *sink, struct str key, const struct str parts[SPAN_SINK_PARTS])
{
    text_clear(&sink->scratch);
    for (unsigned i = 0; i < SPAN_SINK_PARTS; i++)
        text_add(&sink->scratch, parts[i]);
    if (sink->scratch.len != 0)
        span_sink_str_slowly(sink, key, text_str(&sink->scratch));
}

void span_sink_list(struct span_sink *sink, struct str key, struct str value)
{
    settle(sink);
    if (sink->as_json) {
        otlp_json_list(&sink->json, key, value);
        return;
    }
    otlp_put_list(sink->out, 9, key, value);
    make_room(sink, SPAN_SINK_ROOM);
}

void span_sink_int_slowly(struct span_sink *sink, struct str key, int64_t value)
{
    settle(sink);
    if (sink->as_json) {
        otlp_json_int(&sink->json, key, value);
        return;
    }
    otlp_put_int(sink->out, 9, key, value);
    make_room(sink, SPAN_SINK_ROOM);
}

#define STATUS_CODE_ERROR 2

static void end_json(struct json *json, bool failed, struct str message)
{
    json_end(json);
    if (failed) {
        json_member_object(json, "status");
        json_member_int(json, "code", STATUS_CODE_ERROR);
        if (message.len != 0)
            json_member_str(json, "message", message);
        json_end(json);
    }
    json_end(json);
}

static void add_failure(struct span_sink *sink, struct str message)
{
    settle(sink);
    size_t mark = protobuf_open(sink->out, 15);
    protobuf_str(sink->out, 2, utf8_or_none(message));
    protobuf_uint(sink->out, 3, STATUS_CODE_ERROR);
    protobuf_close(sink->out, mark);
}

/* A length of another size than was left for it moves the span. */
static void end_protobuf(struct span_sink *sink)
{
    if (!make_room(sink, 8))
        return;
    char *start = sink->out->data + sink->span, *body = start + 3;
    size_t len = (size_t)(sink->at - body);
    unsigned size = put_varint_size(len);
    if (size == 2) {
        start[1] = (char)(len | 0x80);
        start[2] = (char)(len >> 7);
        return;
    }
    memmove(start + 1 + size, body, len);
    put_varint(start + 1, len);
    sink->at = start + 1 + size + len;
}

void span_sink_end_slowly(struct span_sink *sink, bool failed, struct str message)
{
    if (sink->as_json) {
        end_json(&sink->json, failed, message);
        return;
    }
    if (failed)
        add_failure(sink, message);
    end_protobuf(sink);
}
