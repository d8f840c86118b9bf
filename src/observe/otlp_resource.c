#include "observe/otlp_resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* KeyValue{key = 1, value = 2: AnyValue{string = 1, bool = 2, int = 3}}, InstrumentationScope{name = 1, version = 2} */

#define BYTES_TAG(field) ((uint64_t)(field) << 3 | 2)

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

/* All lengths are known before, so nothing is moved. */
static void begin_pair(struct text *out, unsigned field, struct str key, size_t value_size)
{
    size_t any = varint_size(value_size) + 1 + value_size;
    protobuf_varint(out, BYTES_TAG(field));
    protobuf_varint(out, 1 + varint_size(key.len) + key.len + any);
    protobuf_varint(out, BYTES_TAG(1));
    protobuf_varint(out, key.len);
    text_add(out, key);
    protobuf_varint(out, BYTES_TAG(2));
    protobuf_varint(out, value_size);
}

void otlp_put_str(struct text *out, unsigned field, struct str key, struct str value)
{
    begin_pair(out, field, key, 1 + varint_size(value.len) + value.len);
    protobuf_varint(out, BYTES_TAG(1));
    protobuf_varint(out, value.len);
    text_add(out, value);
}

void otlp_put_int(struct text *out, unsigned field, struct str key, int64_t value)
{
    begin_pair(out, field, key, 1 + varint_size((uint64_t)value));
    protobuf_varint(out, 3 << 3);
    protobuf_varint(out, (uint64_t)value);
}

static void json_pair(struct json *json, struct str key)
{
    json_open_object(json);
    json_member_str(json, "key", key);
    json_member_object(json, "value");
}

void otlp_json_str(struct json *json, struct str key, struct str value)
{
    json_pair(json, key);
    json_member_str(json, "stringValue", value);
    json_end(json);
    json_end(json);
}

/* 64-bit integers are strings in ProtoJSON. */
void otlp_json_int(struct json *json, struct str key, int64_t value)
{
    char digits[24];
    json_pair(json, key);
    json_member_str(json, "intValue", str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, value)));
    json_end(json);
    json_end(json);
}

/* ---- who tells ---- */

struct sink {
    struct text *out;
    unsigned field;
    struct json *json;                /* NULL: protobuf */
    const struct strmap *attributes;
};

static void add(struct sink *sink, struct str key, struct str value)
{
    if (sink->json != NULL)
        otlp_json_str(sink->json, key, value);
    else
        otlp_put_str(sink->out, sink->field, key, value);
}

static bool is_given(const struct sink *sink, struct str key)
{
    for (size_t i = 0; i < sink->attributes->count; i++)
        if (str_equal(sink->attributes->items[i].name, key))
            return true;
    return false;
}

static void add_own(struct sink *sink, struct str key, struct str value)
{
    if (value.len != 0 && !is_given(sink, key))
        add(sink, key, value);
}

static void add_all(struct sink *sink, struct str service_name)
{
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    add_own(sink, S("service.name"), service_name);
    add_own(sink, S("service.version"), S(PORTICO_VERSION));
    add_own(sink, S("telemetry.sdk.name"), S("portico"));
    add_own(sink, S("telemetry.sdk.language"), S("c"));
    add_own(sink, S("telemetry.sdk.version"), S(PORTICO_VERSION));
    add_own(sink, S("host.name"), str_from(host));
    if (!is_given(sink, S("process.pid"))) {
        if (sink->json != NULL)
            otlp_json_int(sink->json, S("process.pid"), getpid());
        else
            otlp_put_int(sink->out, sink->field, S("process.pid"), getpid());
    }
    for (size_t i = 0; i < sink->attributes->count; i++)
        add(sink, sink->attributes->items[i].name, sink->attributes->items[i].value);
}

void otlp_put_resource(struct text *out, unsigned field, struct str service_name, const struct strmap *attributes)
{
    struct sink sink = {.out = out, .field = 1, .attributes = attributes};
    size_t mark = protobuf_open(out, field);
    add_all(&sink, service_name);
    protobuf_close(out, mark);
}

void otlp_json_resource(struct json *json, struct str service_name, const struct strmap *attributes)
{
    struct sink sink = {.json = json, .attributes = attributes};
    json_member_object(json, "resource");
    json_member_array(json, "attributes");
    add_all(&sink, service_name);
    json_end(json);
    json_end(json);
}

void otlp_put_scope(struct text *out, unsigned field)
{
    size_t mark = protobuf_open(out, field);
    protobuf_str(out, 1, S("portico"));
    protobuf_str(out, 2, S(PORTICO_VERSION));
    protobuf_close(out, mark);
}

void otlp_json_scope(struct json *json)
{
    json_member_object(json, "scope");
    json_member_str(json, "name", S("portico"));
    json_member_str(json, "version", S(PORTICO_VERSION));
    json_end(json);
}
