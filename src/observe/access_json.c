/* The access log's lines as JSON, with Traefik's names. What is not known of a request is left out. */
#include "base/time.h"
#include "observe/access_rules.h"

static void begin_member(struct text *out, struct str name)
{
    if (out->len != 0 && out->data[out->len - 1] != '{')
        text_add_char(out, ',');
    text_add_char(out, '"');
    text_add(out, name);
    text_add(out, S("\":"));
}

static void add_quoted(struct text *out, struct str value)
{
    text_add_char(out, '"');
    text_add_json(out, value);
    text_add_char(out, '"');
}

static void add_text(struct text *out, struct str name, struct str value)
{
    begin_member(out, name);
    add_quoted(out, value);
}

static void add_number(struct text *out, struct str name, uint64_t value)
{
    begin_member(out, name);
    text_add_u64(out, value);
}

static void add_time(struct text *out, struct str name, int64_t wall, bool local)
{
    begin_member(out, name);
    if (!text_reserve(out, ACCESS_TIME_SIZE + 2))
        return;
    char *end = out->data + out->len;
    *end++ = '"';
    end = access_put_time(end, wall, local);
    *end++ = '"';
    out->len = (size_t)(end - out->data);
}

static struct str authority_of(struct str url)
{
    ptrdiff_t at = str_find(url, S("://"));
    struct str rest = at >= 0 ? str_from_index(url, (size_t)at + 3) : url;
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    return slash >= 0 ? str_first(rest, (size_t)slash) : rest;
}

/* Where the port's colon is, or -1. */
static ptrdiff_t colon_of(struct str authority)
{
    ptrdiff_t colon = str_find_last_char(authority, ':');
    return colon >= 0 && str_find_char(authority, ']', (size_t)colon) < 0 ? colon : -1;
}

static void add_client(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kept[ACCESS_ClientAddr]) {
        bool v6 = str_find_char(record->client_ip, ':', 0) >= 0;
        begin_member(out, S("ClientAddr"));
        text_add(out, v6 ? S("\"[") : S("\""));
        text_add(out, record->client_ip);
        text_add(out, v6 ? S("]:") : S(":"));
        text_add_u64(out, record->client->peer_port);
        text_add_char(out, '"');
    }
    if (format->kept[ACCESS_ClientHost])
        add_text(out, S("ClientHost"), record->client_ip);
    if (format->kept[ACCESS_ClientPort]) {
        begin_member(out, S("ClientPort"));
        text_add_char(out, '"');
        text_add_u64(out, record->client->peer_port);
        text_add_char(out, '"');
    }
    if (format->kept[ACCESS_ClientUsername])
        add_text(out, S("ClientUsername"), record->user.len != 0 ? record->user : S("-"));
}

static void add_target(const struct access_format *format, const struct access_record *record, struct text *out)
{
    struct access_target target;
    struct str piece;
    access_target_begin(&target, format, record);
    while (access_target_next(&target, &piece))
        text_add_json(out, piece);
}

static void add_path_and_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kept[ACCESS_RequestPath]) {
        begin_member(out, S("RequestPath"));
        text_add_char(out, '"');
        add_target(format, record, out);
        text_add_char(out, '"');
    }
    if (format->kept[ACCESS_RequestLine]) {
        begin_member(out, S("RequestLine"));
        text_add_char(out, '"');
        text_add_json(out, record->method_name);
        text_add_char(out, ' ');
        add_target(format, record, out);
        text_add_char(out, ' ');
        text_add(out, record->protocol);
        text_add_char(out, '"');
    }
}

static void add_request(const struct access_format *format, const struct access_record *record, struct text *out)
{
    struct str authority = record->authority;
    ptrdiff_t colon = colon_of(authority);
    const struct {
        enum access_field field;
        struct str name, value;
    } texts[] = {{ACCESS_RequestAddr, S("RequestAddr"), authority},
                 {ACCESS_RequestHost, S("RequestHost"), colon >= 0 ? str_first(authority, (size_t)colon) : authority},
                 {ACCESS_RequestPort, S("RequestPort"), colon >= 0 ? str_from_index(authority, (size_t)colon + 1) : S("-")},
                 {ACCESS_RequestMethod, S("RequestMethod"), record->method_name},
                 {ACCESS_RequestProtocol, S("RequestProtocol"), record->protocol},
                 {ACCESS_RequestScheme, S("RequestScheme"), record->scheme},
                 {ACCESS_entryPointName, S("entryPointName"), record->entrypoint},
                 {ACCESS_RequestID, S("RequestID"), record->request_id}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (format->kept[texts[i].field])
            add_text(out, texts[i].name, texts[i].value);
    add_path_and_line(format, record, out);
}

static void add_route(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kept[ACCESS_RouterName] && record->router.len != 0)
        add_text(out, S("RouterName"), record->router);
    if (format->kept[ACCESS_ServiceName] && record->service.len != 0)
        add_text(out, S("ServiceName"), record->service);
    if (format->kept[ACCESS_ServiceURL] && record->server_url.len != 0)
        add_text(out, S("ServiceURL"), record->server_url);
    if (format->kept[ACCESS_ServiceAddr] && record->server_url.len != 0)
        add_text(out, S("ServiceAddr"), authority_of(record->server_url));
    if (format->kept[ACCESS_reason] && record->reason != STATUS_OK)
        add_text(out, S("reason"), str_from(status_reason(record->reason)));
    if (format->kept[ACCESS_reasonDetail] && record->reason != STATUS_OK)
        add_text(out, S("reasonDetail"),
                 str_from(record->reason_detail != NULL ? record->reason_detail : status_text(record->reason)));
}

static void add_status_line(struct text *out, struct str name, int status)
{
    struct str reason = http_reason(status);
    begin_member(out, name);
    text_add_char(out, '"');
    text_add_u64(out, (uint64_t)status);
    text_add(out, reason.len != 0 ? S(" ") : STR_NONE);
    text_add(out, reason);
    text_add_char(out, '"');
}

/* What the server said; for an answer made here there is nothing of the kind. */
static void add_origin(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (record->origin_status == 0)
        return;
    if (format->kept[ACCESS_OriginDuration])
        add_number(out, S("OriginDuration"), (uint64_t)(record->connect + record->first_byte));
    if (format->kept[ACCESS_OriginContentSize])
        add_number(out, S("OriginContentSize"), record->origin_bytes);
    if (format->kept[ACCESS_OriginStatus])
        add_number(out, S("OriginStatus"), (uint64_t)record->origin_status);
    if (format->kept[ACCESS_OriginStatusLine])
        add_status_line(out, S("OriginStatusLine"), record->origin_status);
    if (!format->kept[ACCESS_GzipRatio] || record->response_bytes == 0 || record->origin_bytes == record->response_bytes)
        return;
    begin_member(out, S("GzipRatio"));
    text_addf(out, "%.4f", (double)record->origin_bytes / (double)record->response_bytes);
}

static void add_measures(const struct access_format *format, const struct access_record *record, struct text *out)
{
    int64_t origin = record->connect + record->first_byte;
    const struct {
        enum access_field field;
        struct str name;
        uint64_t value;
    } numbers[] = {{ACCESS_Duration, S("Duration"), (uint64_t)record->total},
                   {ACCESS_Overhead, S("Overhead"), (uint64_t)(record->total > origin ? record->total - origin : 0)},
                   {ACCESS_QueueDuration, S("QueueDuration"), (uint64_t)record->queue},
                   {ACCESS_ConnectDuration, S("ConnectDuration"), (uint64_t)record->connect},
                   {ACCESS_FirstByteDuration, S("FirstByteDuration"), (uint64_t)record->first_byte},
                   {ACCESS_RequestContentSize, S("RequestContentSize"), record->request_bytes},
                   {ACCESS_DownstreamStatus, S("DownstreamStatus"), (uint64_t)record->status},
                   {ACCESS_DownstreamContentSize, S("DownstreamContentSize"), record->response_bytes},
                   {ACCESS_RequestCount, S("RequestCount"), record->number},
                   {ACCESS_RetryAttempts, S("RetryAttempts"), record->attempts > 1 ? record->attempts - 1 : 0}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (format->kept[numbers[i].field])
            add_number(out, numbers[i].name, numbers[i].value);
    if (format->kept[ACCESS_DownstreamStatusLine])
        add_status_line(out, S("DownstreamStatusLine"), record->status);
    add_origin(format, record, out);
}

/* ---- header fields ---- */

/* As Go writes names, whatever the peer's spelling: a log is searched for "request_User-Agent". */
static void begin_header(struct text *out, struct str prefix, struct str name)
{
    begin_member(out, prefix);
    if (out->overflow)
        return;
    out->len -= 2;      /* into the quotes again */
    bool begins = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.data[i]);
        text_add_char(out, begins && ascii_alpha(c) ? (char)(c - 0x20) : c);
        begins = c == '-';
    }
    text_add(out, S("\":"));
}

static bool same_name(const struct field *a, const struct field *b)
{
    return a->id == b->id && (a->id != FIELD_OTHER || str_equal_nocase(a->name, b->name));
}

static bool came_before(const struct fields *fields, const struct field *field)
{
    for (const struct field *it = fields->items; it < field; it++)
        if (it->name.len != 0 && same_name(it, field))
            return true;
    return false;
}

/* The values of all fields of that name: a member that stands twice is read by nobody. */
static void add_values(const struct fields *fields, const struct field *first, struct text *out)
{
    text_add_char(out, '"');
    text_add_json(out, first->value);
    for (const struct field *it = first + 1; it < fields->items + fields->count; it++) {
        if (it->name.len == 0 || !same_name(it, first))
            continue;
        text_add(out, S(", "));
        text_add_json(out, it->value);
    }
    text_add_char(out, '"');
}

static void add_headers(const struct access_format *format, const struct fields *fields, struct str prefix, struct text *out)
{
    if (!format->headers_wanted || fields->items == NULL)
        return;
    FIELDS_FOREACH(fields, field) {
        int mode = access_rule_mode(&format->headers, field->name);
        if (mode == FIELD_MODE_DROP || came_before(fields, field))
            continue;
        begin_header(out, prefix, field->name);
        if (mode == FIELD_MODE_REDACT)
            add_quoted(out, S("REDACTED"));
        else
            add_values(fields, field, out);
    }
}

/* The server's fields are those that went on to the client, with what middlewares made of them. */
static void add_all_headers(const struct access_format *format, const struct access_record *record, struct text *out)
{
    add_headers(format, &record->request->fields, S("request_"), out);
    if (record->origin_status != 0)
        add_headers(format, &record->response->fields, S("origin_"), out);
    add_headers(format, &record->response->fields, S("downstream_"), out);
}

void access_json_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    text_add_char(out, '{');
    add_client(format, record, out);
    add_request(format, record, out);
    add_route(format, record, out);
    add_measures(format, record, out);
    if (format->kept[ACCESS_StartUTC])
        add_time(out, S("StartUTC"), record->began_wall, false);
    if (format->kept[ACCESS_StartLocal])
        add_time(out, S("StartLocal"), record->began_wall, true);
    add_all_headers(format, record, out);
    add_text(out, S("level"), S("info"));
    add_text(out, S("msg"), STR_NONE);
    add_time(out, S("time"), record->began_wall + record->total, false);
    text_add_char(out, '}');
}
