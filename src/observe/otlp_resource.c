#include "observe/otlp_resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/version.h"
#include "observe/otlp_put.h"

/* KeyValue{key = 1, value = 2: AnyValue{string = 1, bool = 2, int = 3, array = 5}}, ArrayValue{values = 1},
 * InstrumentationScope{name = 1, version = 2} */

#define PAIR_ROOM 64                  /* tags and lengths of a pair */

/* All lengths are known before, so nothing is moved. */
static char *begin_pair(char *out, unsigned field, struct str key, size_t value_size)
{
    size_t any = put_varint_size(value_size) + 1 + value_size;
    *out++ = PUT_BYTES_TAG(field);
    out = put_varint(out, 1 + put_varint_size(key.len) + key.len + any);
    out = put_bytes(out, 1, key);
    *out++ = PUT_BYTES_TAG(2);
    return put_varint(out, value_size);
}

static size_t str_size(struct str value)
{
    return 1 + put_varint_size(value.len) + value.len;
}

/* What no reader of protobuf takes as a string would cost the whole batch: U+FFFD stands for each byte that is no UTF-8. */
static __attribute__((noinline)) struct str cleaned(struct str text, struct text *room)
{
    text_init(room, 3 * text.len);
    for (size_t i = 0, len; i < text.len; i += len != 0 ? len : 1) {
        len = utf8_sequence(str_from_index(text, i));
        text_add(room, len != 0 ? str_of(text.data + i, len) : S("\xef\xbf\xbd"));
    }
    return text_str(room);
}

static void put_clean(struct text *out, unsigned field, struct str key, struct str value, bool listed)
{
    size_t size = str_size(value);
    if (!text_reserve(out, PAIR_ROOM + key.len + value.len))
        return;
    char *start = out->data + out->len, *end = start;
    if (listed) {
        size_t array = 1 + put_varint_size(size) + size;
        end = begin_pair(end, field, key, 1 + put_varint_size(array) + array);
        *end++ = PUT_BYTES_TAG(5);
        end = put_varint(end, array);
        *end++ = PUT_BYTES_TAG(1);
        end = put_varint(end, size);
    } else {
        end = begin_pair(end, field, key, size);
    }
    end = put_bytes(end, 1, value);
    out->len += (size_t)(end - start);
}

static void put_any(struct text *out, unsigned field, struct str key, struct str value, bool listed)
{
    struct text room;
    if (put_is_utf8(value)) {
        put_clean(out, field, key, value, listed);
        return;
    }
    put_clean(out, field, key, cleaned(value, &room), listed);
    text_release(&room);
}

void otlp_put_str(struct text *out, unsigned field, struct str key, struct str value)
{
    put_any(out, field, key, value, false);
}

void otlp_put_list(struct text *out, unsigned field, struct str key, struct str value)
{
    put_any(out, field, key, value, true);
}

void otlp_put_int(struct text *out, unsigned field, struct str key, int64_t value)
{
    if (!text_reserve(out, PAIR_ROOM + key.len))
        return;
    char *start = out->data + out->len;
    char *end = begin_pair(start, field, key, 1 + put_varint_size((uint64_t)value));
    *end++ = 3 << 3;
    end = put_varint(end, (uint64_t)value);
    out->len += (size_t)(end - start);
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

void otlp_json_list(struct json *json, struct str key, struct str value)
{
    json_pair(json, key);
    json_member_object(json, "arrayValue");
    json_member_array(json, "values");
    json_open_object(json);
    json_member_str(json, "stringValue", value);
    for (int i = 0; i < 5; i++)
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
