#include "observe/span_encode.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/status.h"
#include "base/utf8.h"
#include "base/version.h"
#include "test.h"

/* ---- a record of a request ---- */

struct sheet {
    struct tracer tracer;
    _Alignas(8) char bytes[65536];
    size_t used;
    struct span_record *record;
    struct text out;
};

static char *put(char *out, const char *text)
{
    return mempcpy(out, text, strlen(text));
}

static const char *const texts[SPAN_TEXT_COUNT] = {
    [SPAN_METHOD] = "GET",       [SPAN_PATH] = "/p",           [SPAN_QUERY] = "a=1&b=2",      [SPAN_AUTHORITY] = "site.example:8080",
    [SPAN_CLIENT] = "192.0.2.1", [SPAN_PEER] = "192.0.2.2",    [SPAN_USER_AGENT] = "te\xffst", [SPAN_TRACE_STATE] = "k=v",
    [SPAN_REQUEST_ID] = "id",    [SPAN_ENTRYPOINT] = "web",    [SPAN_ROUTER] = "main@file",   [SPAN_RULE] = "PathPrefix(`/`)",
    [SPAN_SERVICE] = "app@file", [SPAN_DETAIL] = "",
};

/* One middleware, one failed attempt and one that went well, one captured field. */
static void add_record_of(struct sheet *sheet, const char *const *words)
{
    struct span_record *record = sheet->record = (struct span_record *)(void *)(sheet->bytes + sheet->used);
    memset(record, 0, sizeof(*record));
    memset(record->trace_id, 0x11, TRACE_ID_SIZE);
    record->parent = UINT64_C(0x2222222222222222);
    record->known_method = record->same_query = true;
    record->span_base = 5;
    record->wall_offset = 1000;
    record->began = record->routed = 10;
    record->admitted = 20;
    record->ended = 90;
    record->status = 200;
    record->peer_port = 4711;
    record->version = HTTP_1_1;
    record->held_count = record->field_count = 1;
    record->attempt_count = 2;
    struct span_held *held = (struct span_held *)(record + 1);
    struct span_attempt *attempts = (struct span_attempt *)(held + 1);
    struct span_field *field = (struct span_field *)(attempts + 2);
    char *out = (char *)(field + 1);
    for (int i = 0; i < SPAN_TEXT_COUNT; i++) {
        record->texts[i] = (uint32_t)strlen(words[i]);
        out = put(out, words[i]);
    }
    *field = (struct span_field){.value = 3, .index = 0};
    out = put(out, "one");
    *held = (struct span_held){.began = 10, .ended = 20, .name = 4, .type = 7};
    out = put(out, "auth" "addAuth");
    attempts[0] = (struct span_attempt){.began = 20, .ended = 30, .url = 15, .host_at = 7, .host = 8, .port = 80, .detail = 4, .reason = STATUS_UPSTREAM_REFUSED};
    out = put(out, "http://10.0.0.1" "why!");
    attempts[1] = (struct span_attempt){.began = 30, .ended = 80, .url = 20, .host_at = 8, .host = 8, .port = 444, .secure = true, .path = 3, .status = 200};
    out = put(out, "https://10.0.0.2:444" "/v2");
    record->size = (uint32_t)((size_t)(out - (char *)record) + 7) & ~7U;
    sheet->used += record->size;
}

static void add_record(struct sheet *sheet)
{
    add_record_of(sheet, texts);
}

static void sheet_init(struct sheet *sheet)
{
    static struct strmap_item attributes[] = {{STR("team"), STR("edge")}};
    static struct str headers[] = {STR("X-Tenant")}, safe[] = {STR("b")};
    *sheet = (struct sheet){.tracer = {.service_name = S("portico"),
                                       .resource_attributes = {.items = attributes, .count = 1},
                                       .request_headers = {.items = headers, .count = 1},
                                       .safe_query = {.items = safe, .count = 1}}};
    text_init(&sheet->out, 1 << 20);
}

static struct str encode(struct sheet *sheet, enum otlp_encoding encoding)
{
    text_clear(&sheet->out);
    span_encode(&sheet->tracer, str_of(sheet->bytes, sheet->used), encoding, &sheet->out);
    return text_str(&sheet->out);
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
    add_record(&sheet);
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
    text_release(&sheet.out);
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
            sheet.used = 0;
            add_record_of(&sheet, some);
            struct str request = encode(&sheet, OTLP_PROTOBUF), server = span_at(request, 0), service = span_at(request, 3);
            assert_str_equal(text_of(server, "url.path"), str_from(some[SPAN_PATH]));
            assert_str_equal(text_of(server, "portico.request_id"), str_from(some[SPAN_REQUEST_ID]));
            assert_str_equal(text_of(service, "traefik.service.name"), str_from(some[SPAN_SERVICE]));
            assert_int_equal(member(service, 5, 0, NULL).len, len + strlen("Service "));
            assert_int_equal(int_of(span_at(request, 5), "server.port"), 444);
            assert_null(span_at(request, 6).data);
        }
    }
    text_release(&sheet.out);
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
        sheet.used = 0;
        add_record_of(&sheet, some);
        struct str server = span_at(encode(&sheet, OTLP_PROTOBUF), 0);
        assert_str_equal(text_of(server, "server.address"), str_from(table[i].address));
        assert_int_equal(int_of(server, "server.port"), table[i].port);
    }
    text_release(&sheet.out);
}

TEST(without_detail_tries_hang_below_the_servers_span_which_names_the_way)
{
    struct sheet sheet;
    sheet_init(&sheet);
    add_record(&sheet);
    sheet.record->routed = sheet.record->admitted = 0;
    struct str request = encode(&sheet, OTLP_PROTOBUF), server = span_at(request, 0), first = span_at(request, 2);
    assert_str_equal(text_of(server, "traefik.router.name"), S("main@file"));
    assert_str_equal(text_of(server, "traefik.service.name"), S("app@file"));
    assert_str_equal(text_of(first, "error.type"), S("upstream_refused"));
    assert_str_equal(member(first, 4, 0, NULL), member(server, 2, 0, NULL));
    text_release(&sheet.out);
}

TEST(each_attempt_becomes_a_client_span_with_its_outcome)
{
    struct sheet sheet;
    sheet_init(&sheet);
    add_record(&sheet);
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
    text_release(&sheet.out);
}

TEST(the_resource_says_who_tells)
{
    struct sheet sheet;
    sheet_init(&sheet);
    add_record(&sheet);
    struct str resource = member(member(encode(&sheet, OTLP_PROTOBUF), 1, 0, NULL), 1, 0, NULL);
    assert_str_equal(member(attribute(resource, 1, "service.name"), 1, 0, NULL), S("portico"));
    assert_str_equal(member(attribute(resource, 1, "team"), 1, 0, NULL), S("edge"));
    assert_str_equal(member(attribute(resource, 1, "service.version"), 1, 0, NULL), S(PORTICO_VERSION));
    text_release(&sheet.out);
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
    add_record(&sheet);
    add_record(&sheet);
    struct str text = encode(&sheet, OTLP_JSON);
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
    text_release(&sheet.out);
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
