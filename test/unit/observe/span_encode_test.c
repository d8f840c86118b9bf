#include "observe/span_encode.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/status.h"
#include "base/utf8.h"
#include "base/version.h"
#include "observe/tracer.h"
#include "test.h"

/* ---- a record of a request ---- */

struct sheet {
    struct tracer tracer;
    struct span_sink sink;
    struct span_record record;
    struct text out;
};

static const char *const texts[SPAN_TEXT_COUNT] = {
    [SPAN_METHOD] = "GET",       [SPAN_PATH] = "/p",           [SPAN_QUERY] = "a=1&b=2",      [SPAN_AUTHORITY] = "site.example:8080",
    [SPAN_CLIENT] = "192.0.2.1", [SPAN_PEER] = "192.0.2.2",    [SPAN_USER_AGENT] = "te\xffst", [SPAN_TRACE_STATE] = "k=v",
    [SPAN_REQUEST_ID] = "id",    [SPAN_ENTRYPOINT] = "web",    [SPAN_ROUTER] = "main@file",   [SPAN_RULE] = "PathPrefix(`/`)",
    [SPAN_SERVICE] = "app@file", [SPAN_DETAIL] = "",
};

static const struct span_held held = {.began = 10, .ended = 20, .name = STR("auth"), .type = STR("addAuth")};
static const struct span_field captured = {.value = STR("one"), .index = 0};
static const struct span_attempt attempts[] = {
    {.began = 20, .ended = 30, .url = STR("http://10.0.0.1"), .host = STR("10.0.0.1"), .port = 80, .detail = STR("why!"),
     .reason = STATUS_UPSTREAM_REFUSED},
    {.began = 30, .ended = 80, .url = STR("https://10.0.0.2:444"), .host = STR("10.0.0.2"), .port = 444, .secure = true,
     .path = STR("/v2"), .status = 200},
};

static void use_texts(struct sheet *sheet, const char *const *words)
{
    for (int i = 0; i < SPAN_TEXT_COUNT; i++)
        sheet->record.texts[i] = str_from(words[i]);
}

/* One middleware, one failed attempt and one that went well, one captured field. */
static void sheet_init(struct sheet *sheet)
{
    static struct strmap_item attributes[] = {{STR("team"), STR("edge")}};
    static struct str headers[] = {STR("X-Tenant")}, safe[] = {STR("b")};
    static const uint8_t trace_id[TRACE_ID_SIZE] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                                    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11};
    *sheet = (struct sheet){.tracer = {.service_name = S("portico"),
                                       .resource_attributes = {.items = attributes, .count = 1},
                                       .request_headers = {.items = headers, .count = 1},
                                       .safe_query = {.items = safe, .count = 1}},
                            .record = {.trace_id = trace_id,
                                       .parent = UINT64_C(0x2222222222222222),
                                       .span_base = 5,
                                       .wall_offset = 1000,
                                       .began = 10,
                                       .routed = 10,
                                       .admitted = 20,
                                       .ended = 90,
                                       .held = &held,
                                       .attempts = attempts,
                                       .fields = &captured,
                                       .held_count = 1,
                                       .attempt_count = 2,
                                       .field_count = 1,
                                       .status = 200,
                                       .peer_port = 4711,
                                       .version = HTTP_1_1,
                                       .known_method = true,
                                       .same_query = true}};
    use_texts(sheet, texts);
    span_sink_init(&sheet->sink);
    text_init(&sheet->out, 1 << 24);
}

static void sheet_release(struct sheet *sheet)
{
    span_sink_release(&sheet->sink);
    text_release(&sheet->out);
}

/* A message with the record so many times. */
static struct str encode_many(struct sheet *sheet, enum otlp_encoding encoding, unsigned times)
{
    text_clear(&sheet->out);
    span_sink_open(&sheet->sink, encoding, &sheet->out);
    while (times-- != 0)
        span_encode(&sheet->sink, &sheet->tracer, &sheet->record);
    span_sink_close(&sheet->sink, sheet->tracer.service_name, &sheet->tracer.resource_attributes);
    return text_str(&sheet->out);
}

static struct str encode(struct sheet *sheet, enum otlp_encoding encoding)
{
    return encode_many(sheet, encoding, 1);
}

/* ---- a small reader of protobuf ---- */

static uint64_t read_varint(struct str *rest)
{
    uint64_t value = 0;
    for (unsigned shift = 0; rest->len != 0; shift += 7) {
        unsigned char byte = (unsigned char)rest->data[0];
        *rest = str_from_index(*rest, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    fail_msg("a varint is cut off");
    return 0;
}

/* The next member; its bytes, or its number. */
static bool next_member(struct str *rest, unsigned *ret_field, struct str *ret_bytes, uint64_t *ret_number)
{
    if (rest->len == 0)
        return false;
    uint64_t tag = read_varint(rest);
    size_t size = 0;
    *ret_field = (unsigned)(tag >> 3);
    *ret_number = 0;
    if ((tag & 7) == 0) {
        *ret_number = read_varint(rest);
    } else {
        size = (tag & 7) == 1 ? 8 : (size_t)read_varint(rest);
        assert_true((tag & 7) == 1 || (tag & 7) == 2);
        assert_true(size <= rest->len);
        if ((tag & 7) == 1)
            memcpy(ret_number, rest->data, 8);
    }
    *ret_bytes = str_first(*rest, size);
    *rest = str_from_index(*rest, size);
    return true;
}

/* The index-th member `field` of a message; data NULL: there is none. */
static struct str member(struct str message, unsigned field, unsigned index, uint64_t *ret_number)
{
    unsigned found;
    struct str bytes;
    uint64_t number;
    while (next_member(&message, &found, &bytes, &number)) {
        if (found != field || index-- != 0)
            continue;
        if (ret_number != NULL)
            *ret_number = number;
        return bytes;
    }
    return STR_NONE;
}

static struct str span_at(struct str request, unsigned index)
{
    struct str resource = member(request, 1, 0, NULL), scope = member(resource, 2, 0, NULL);
    return member(scope, 2, index, NULL);
}

/* The AnyValue of an attribute in member `field`s of a message. */
static struct str attribute(struct str message, unsigned field, const char *key)
{
    struct str pair;
    for (unsigned i = 0; (pair = member(message, field, i, NULL)).data != NULL; i++)
        if (str_equal(member(pair, 1, 0, NULL), str_from(key)))
            return member(pair, 2, 0, NULL);
    return STR_NONE;
}

static struct str text_of(struct str span, const char *key)
{
    struct str value = member(attribute(span, 9, key), 1, 0, NULL);
    assert_true(utf8_valid(value));
    return value;
}

static int64_t int_of(struct str span, const char *key)
{
    uint64_t number = 0;
    member(attribute(span, 9, key), 3, 0, &number);
    return (int64_t)number;
}

static uint64_t number_of(struct str span, unsigned field)
{
    uint64_t number = 0;
    member(span, field, 0, &number);
    return number;
}

TEST(a_record_becomes_spans_in_protobuf)
{
    struct sheet sheet;
    sheet_init(&sheet);
    struct str request = encode(&sheet, OTLP_PROTOBUF), server = span_at(request, 0), router = span_at(request, 1);
    assert_str_equal(member(server, 5, 0, NULL), S("GET main@file"));
    assert_str_equal(member(server, 4, 0, NULL), S("\x22\x22\x22\x22\x22\x22\x22\x22"));
    assert_str_equal(member(server, 3, 0, NULL), S("k=v"));
    assert_int_equal(number_of(server, 6), 2);
    assert_int_equal(number_of(server, 7), 1010);
    assert_int_equal(number_of(server, 8), 1090);
    assert_str_equal(text_of(server, "url.query"), S("a=REDACTED&b=2"));
    assert_str_equal(text_of(server, "server.address"), S("site.example"));
    assert_int_equal(int_of(server, "server.port"), 8080);
    assert_str_equal(text_of(server, "user_agent.original"), S("te\xef\xbf\xbdst"));
    assert_int_equal(int_of(server, "http.response.status_code"), 200);
    assert_str_equal(member(router, 4, 0, NULL), member(server, 2, 0, NULL));
    assert_null(span_at(request, 6).data);
    sheet_release(&sheet);
}

/* Nothing that takes the long way: all texts are short and ASCII, and nothing failed. */
static void use_plain(struct sheet *sheet)
{
    const char *some[SPAN_TEXT_COUNT];
    memcpy(some, texts, sizeof(some));
    some[SPAN_TRACE_STATE] = "";
    some[SPAN_USER_AGENT] = "agent";
    use_texts(sheet, some);
    sheet->record.field_count = 0;
    sheet->record.attempts = &attempts[1];
    sheet->record.attempt_count = 1;
}

static void replace(struct str text, struct str what, struct str with)
{
    for (ptrdiff_t at; (at = str_find(text, what)) >= 0;)
        memcpy((char *)(uintptr_t)text.data + at, with.data, with.len);
}

/* A request id that is not ASCII makes all spans of its request go the long way. */
static void check_both_ways(struct sheet *quick, struct sheet *slow)
{
    slow->record = quick->record;
    quick->record.texts[SPAN_REQUEST_ID] = S("ab");
    slow->record.texts[SPAN_REQUEST_ID] = S("\xc3\xa9");
    struct str one = encode_many(quick, OTLP_PROTOBUF, 2), other = encode_many(slow, OTLP_PROTOBUF, 2);
    assert_str_equal(text_of(span_at(other, 0), "portico.request_id"), S("\xc3\xa9"));
    replace(other, S("\xc3\xa9"), S("ab"));
    assert_str_equal(one, other);
}

/* With texts of all lengths around which it is written otherwise. */
TEST(both_ways_of_writing_write_the_same)
{
    static const size_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 40, 62, 63, 64, 65, 79, 80, 81};
    static char text[100];
    struct sheet quick, slow;
    sheet_init(&quick);
    sheet_init(&slow);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('!' + i % 90);
    for (size_t i = 0; i < 4 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i / 4];
        use_plain(&quick);
        for (int at = 0; at < SPAN_TEXT_COUNT; at++)
            if (at != SPAN_AUTHORITY && at != SPAN_TRACE_STATE)
                quick.record.texts[at] = str_of(text + at, len);
        quick.record.routed = quick.record.admitted = i & 1 ? 10 : 0;
        quick.record.known_method = (i & 2) != 0;
        quick.record.request_bytes = (uint64_t)1 << len % 63;
        quick.record.response_bytes = len;
        check_both_ways(&quick, &slow);
    }
    sheet_release(&quick);
    sheet_release(&slow);
}

/* Lengths of one, two and three bytes, of values and of spans. */
TEST(texts_of_any_length_come_through)
{
    static char text[12000];
    struct sheet sheet;
    sheet_init(&sheet);
    memset(text, 'x', sizeof(text));
    for (size_t len = 1; len < sizeof(text); len = len < 300 ? len + 1 : len * 3 / 2) {
        const char *some[SPAN_TEXT_COUNT];
        memcpy(some, texts, sizeof(some));
        some[SPAN_PATH] = some[SPAN_USER_AGENT] = some[SPAN_SERVICE] = some[SPAN_ROUTER] = text + sizeof(text) - 1 - len;
        text[sizeof(text) - 1] = '\0';
        for (int ascii = 0; ascii < 2; ascii++) {
            some[SPAN_REQUEST_ID] = ascii != 0 ? "id" : "\xc3\xa9";
            use_texts(&sheet, some);
            struct str request = encode(&sheet, OTLP_PROTOBUF), server = span_at(request, 0), service = span_at(request, 3);
            assert_str_equal(text_of(server, "url.path"), str_from(some[SPAN_PATH]));
            assert_str_equal(text_of(server, "portico.request_id"), str_from(some[SPAN_REQUEST_ID]));
            assert_str_equal(text_of(service, "traefik.service.name"), str_from(some[SPAN_SERVICE]));
            assert_int_equal(member(service, 5, 0, NULL).len, len + strlen("Service "));
            assert_int_equal(int_of(span_at(request, 5), "server.port"), 444);
            assert_null(span_at(request, 6).data);
        }
    }
    sheet_release(&sheet);
}

/* The lengths around all of them have one byte up to four. */
TEST(messages_of_any_size_are_whole)
{
    static const unsigned counts[] = {0, 1, 3, 9, 100, 1800};
    struct sheet sheet;
    sheet_init(&sheet);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct str request = encode_many(&sheet, OTLP_PROTOBUF, counts[i]);
        struct str resource = member(member(request, 1, 0, NULL), 1, 0, NULL);
        assert_str_equal(member(attribute(resource, 1, "service.name"), 1, 0, NULL), S("portico"));
        assert_null(member(request, 1, 1, NULL).data);
        assert_null(span_at(request, 6 * counts[i]).data);
        if (counts[i] != 0)
            assert_int_equal(int_of(span_at(request, 6 * counts[i] - 1), "server.port"), 444);
    }
    sheet_release(&sheet);
}

TEST(authorities_are_taken_apart)
{
    static const struct {
        const char *authority, *address;
        int port;
    } table[] = {{"a.example", "a.example", 80}, {"a.example:8080", "a.example", 8080}, {"[::1]", "::1", 80}, {"[::1]:99", "::1", 99},
                 {"a.example:", "a.example", 80}, {"a.example:99999", "a.example", 80}, {"10.0.0.1", "10.0.0.1", 80},
                 {"1:65535", "1", 65535}, {"h:00000000000000000000080", "h", 80}, {"h:18446744073709551696", "h", 80}};
    struct sheet sheet;
    sheet_init(&sheet);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *some[SPAN_TEXT_COUNT];
        memcpy(some, texts, sizeof(some));
        some[SPAN_AUTHORITY] = table[i].authority;
        use_texts(&sheet, some);
        struct str server = span_at(encode(&sheet, OTLP_PROTOBUF), 0);
        assert_str_equal(text_of(server, "server.address"), str_from(table[i].address));
        assert_int_equal(int_of(server, "server.port"), table[i].port);
    }
    sheet_release(&sheet);
}

TEST(without_detail_tries_hang_below_the_servers_span_which_names_the_way)
{
    struct sheet sheet;
    sheet_init(&sheet);
    sheet.record.routed = sheet.record.admitted = 0;
    struct str request = encode(&sheet, OTLP_PROTOBUF), server = span_at(request, 0), first = span_at(request, 2);
    assert_str_equal(text_of(server, "traefik.router.name"), S("main@file"));
    assert_str_equal(text_of(server, "traefik.service.name"), S("app@file"));
    assert_str_equal(text_of(first, "error.type"), S("upstream_refused"));
    assert_str_equal(member(first, 4, 0, NULL), member(server, 2, 0, NULL));
    sheet_release(&sheet);
}

TEST(each_attempt_becomes_a_client_span_with_its_outcome)
{
    struct sheet sheet;
    sheet_init(&sheet);
    struct str request = encode(&sheet, OTLP_PROTOBUF), service = span_at(request, 3), first = span_at(request, 4),
               second = span_at(request, 5);
    assert_str_equal(member(service, 5, 0, NULL), S("Service app@file"));
    assert_str_equal(member(first, 4, 0, NULL), member(service, 2, 0, NULL));
    assert_str_equal(text_of(first, "error.type"), S("upstream_refused"));
    assert_str_equal(text_of(first, "url.full"), S("http://10.0.0.1/p?a=REDACTED&b=2"));
    assert_int_equal(int_of(first, "server.port"), 80);
    assert_str_equal(member(member(first, 15, 0, NULL), 2, 0, NULL), S("why!"));
    assert_int_equal(number_of(member(first, 15, 0, NULL), 3), 2);
    assert_str_equal(text_of(second, "url.full"), S("https://10.0.0.2:444/v2?a=REDACTED&b=2"));
    assert_int_equal(int_of(second, "server.port"), 444);
    assert_int_equal(int_of(second, "http.request.resend_count"), 1);
    assert_null(member(second, 15, 0, NULL).data);
    sheet_release(&sheet);
}

TEST(the_resource_says_who_tells)
{
    struct sheet sheet;
    sheet_init(&sheet);
    struct str resource = member(member(encode(&sheet, OTLP_PROTOBUF), 1, 0, NULL), 1, 0, NULL);
    assert_str_equal(member(attribute(resource, 1, "service.name"), 1, 0, NULL), S("portico"));
    assert_str_equal(member(attribute(resource, 1, "team"), 1, 0, NULL), S("edge"));
    assert_str_equal(member(attribute(resource, 1, "service.version"), 1, 0, NULL), S(PORTICO_VERSION));
    sheet_release(&sheet);
}

static const char *json_attribute(const json_t *span, const char *key)
{
    size_t i;
    json_t *it;
    json_array_foreach(json_object_get(span, "attributes"), i, it) {
        if (strcmp(json_string_value(json_object_get(it, "key")), key) != 0)
            continue;
        const json_t *value = json_object_get(it, "value"), *array = json_object_get(value, "arrayValue");
        const json_t *one = array != NULL ? json_array_get(json_object_get(array, "values"), 0) : value;
        const json_t *text = json_object_get(one, "stringValue");
        return json_string_value(text != NULL ? text : json_object_get(one, "intValue"));
    }
    return NULL;
}

TEST(a_record_becomes_the_same_spans_in_json)
{
    struct sheet sheet;
    sheet_init(&sheet);
    struct str text = encode_many(&sheet, OTLP_JSON, 2);
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_t *resource = json_array_get(json_object_get(root, "resourceSpans"), 0);
    json_t *spans = json_object_get(json_array_get(json_object_get(resource, "scopeSpans"), 0), "spans");
    assert_int_equal(json_array_size(spans), 12);
    const json_t *server = json_array_get(spans, 0), *first = json_array_get(spans, 4);
    assert_string_equal(json_string_value(json_object_get(server, "traceId")), "11111111111111111111111111111111");
    assert_string_equal(json_string_value(json_object_get(server, "parentSpanId")), "2222222222222222");
    assert_string_equal(json_string_value(json_object_get(server, "startTimeUnixNano")), "1010");
    assert_string_equal(json_attribute(server, "http.request.header.x-tenant"), "one");
    assert_string_equal(json_attribute(server, "network.peer.port"), "4711");
    assert_string_equal(json_attribute(first, "error.type"), "upstream_refused");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "status"), "code")), 2);
    assert_null(json_object_get(server, "status"));
    json_decref(root);
    sheet_release(&sheet);
}

TEST(all_values_of_a_query_but_the_safe_ones_are_hidden)
{
    static const char *const table[][2] = {
        {"a=1", "a=REDACTED"}, {"b=1", "b=1"},   {"a", "a"},          {"a=", "a=REDACTED"},   {"a=1=2&b==", "a=REDACTED&b=="},
        {"&&a=1&", "&&a=REDACTED&"}, {"=1", "=REDACTED"}, {"bb=1", "bb=REDACTED"}, {"a=1;b=2", "a=REDACTED"},
    };
    static struct str safe[] = {STR("b")};
    const struct strs list = {.items = safe, .count = 1};
    struct text out;
    text_init(&out, 1024);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        text_clear(&out);
        span_redact_query(&list, str_from(table[i][0]), &out);
        assert_str_equal(text_str(&out), str_from(table[i][1]));
    }
    text_release(&out);
}
