#include "observe/span_sink.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "observe/otlp_put.h"

/* ExportTraceServiceRequest{resource_spans = 1: ResourceSpans{resource = 1, scope_spans = 2: ScopeSpans{scope = 1, spans = 2}}} */
void span_sink_open(struct span_sink *sink, const struct tracer *tracer, enum otlp_encoding encoding, struct text *out)
{
    *sink = (struct span_sink){.out = out, .as_json = encoding == OTLP_JSON, .json = {.out = out}};
    if (sink->as_json) {
        json_open_object(&sink->json);
        json_member_array(&sink->json, "resourceSpans");
        json_open_object(&sink->json);
        otlp_json_resource(&sink->json, tracer->service_name, &tracer->resource_attributes);
        json_member_array(&sink->json, "scopeSpans");
        json_open_object(&sink->json);
        otlp_json_scope(&sink->json);
        json_member_array(&sink->json, "spans");
        return;
    }
    sink->marks[0] = protobuf_open(out, 1);
    otlp_put_resource(out, 1, tracer->service_name, &tracer->resource_attributes);
    sink->marks[1] = protobuf_open(out, 2);
    otlp_put_scope(out, 1);
}

void span_sink_close(struct span_sink *sink)
{
    if (sink->as_json) {
        for (int i = 0; i < 6; i++)
            json_end(&sink->json);
        return;
    }
    protobuf_close(sink->out, sink->marks[1]);
    protobuf_close(sink->out, sink->marks[0]);
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

#define HEAD_ROOM ((size_t)128)       /* ids, times, tags and lengths */

static char *put_id(char *out, unsigned field, uint64_t id)
{
    out = put_head(out, field, SPAN_ID_SIZE);
    span_id_write(id, (uint8_t *)out);
    return out + SPAN_ID_SIZE;
}

static char *put_name(char *out, struct str name, struct str of)
{
    out = put_text(put_head(out, 5, name.len + (of.len != 0) + of.len), name);
    if (of.len != 0)
        *out++ = ' ';
    return put_text(out, of);
}

static void begin_protobuf(struct text *out, const struct span_head *head)
{
    struct str of = utf8_or_none(head->name_of);
    if (!text_reserve(out, HEAD_ROOM + head->trace_state.len + head->name.len + of.len))
        return;
    char *at = out->data + out->len;
    at = put_bytes(at, 1, str_of((const char *)head->trace_id, TRACE_ID_SIZE));
    at = put_id(at, 2, head->id);
    if (head->trace_state.len != 0)
        at = put_bytes(at, 3, head->trace_state);
    if (head->parent != 0)
        at = put_id(at, 4, head->parent);
    at = put_name(at, head->name, of);
    *at++ = 6 << 3;
    *at++ = (char)head->kind;
    at = put_fixed64(at, 7, (uint64_t)head->began);
    at = put_fixed64(at, 8, (uint64_t)head->ended);
    out->len = (size_t)(at - out->data);
}

void span_sink_begin(struct span_sink *sink, const struct span_head *head)
{
    if (sink->as_json) {
        begin_json(&sink->json, head);
        return;
    }
    sink->marks[2] = protobuf_open(sink->out, 2);
    begin_protobuf(sink->out, head);
}

/* ---- its attributes and its end ---- */

void span_sink_str(struct span_sink *sink, struct str key, struct str value)
{
    if (value.len == 0)
        return;
    if (sink->as_json)
        otlp_json_str(&sink->json, key, value);
    else
        otlp_put_str(sink->out, 9, key, value);
}

void span_sink_list(struct span_sink *sink, struct str key, struct str value)
{
    if (sink->as_json)
        otlp_json_list(&sink->json, key, value);
    else
        otlp_put_list(sink->out, 9, key, value);
}

void span_sink_int(struct span_sink *sink, struct str key, int64_t value)
{
    if (sink->as_json)
        otlp_json_int(&sink->json, key, value);
    else
        otlp_put_int(sink->out, 9, key, value);
}

#define STATUS_CODE_ERROR 2

void span_sink_end(struct span_sink *sink, bool failed, struct str message)
{
    if (sink->as_json) {
        json_end(&sink->json);
        if (failed) {
            json_member_object(&sink->json, "status");
            json_member_int(&sink->json, "code", STATUS_CODE_ERROR);
            if (message.len != 0)
                json_member_str(&sink->json, "message", message);
            json_end(&sink->json);
        }
        json_end(&sink->json);
        return;
    }
    if (failed) {
        size_t mark = protobuf_open(sink->out, 15);
        protobuf_str(sink->out, 2, utf8_or_none(message));
        protobuf_uint(sink->out, 3, STATUS_CODE_ERROR);
        protobuf_close(sink->out, mark);
    }
    protobuf_close(sink->out, sink->marks[2]);
}
