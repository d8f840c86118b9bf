/* The access log's lines as JSON, with Traefik's names. */
#include "observe/access_rules.h"

static void begin_member(struct text *out, const char *prefix, struct str name)
{
    if (out->data[out->len - 1] != '{')
        text_add_char(out, ',');
    text_add_char(out, '"');
    text_add(out, str_from(prefix));
    text_add_json(out, name);
    text_add(out, S("\":"));
}

static void add_text(struct text *out, const char *name, struct str value)
{
    begin_member(out, "", str_from(name));
    text_add_char(out, '"');
    text_add_json(out, value);
    text_add_char(out, '"');
}

static void add_number(struct text *out, const char *name, uint64_t value)
{
    begin_member(out, "", str_from(name));
    text_add_u64(out, value);
}

static void add_time(struct text *out, const char *name, int64_t wall, bool local)
{
    begin_member(out, "", str_from(name));
    text_add_char(out, '"');
    access_add_time(wall, local, out);
    text_add_char(out, '"');
}

static struct str without_scheme(struct str url)
{
    ptrdiff_t at = str_find(url, S("://"));
    struct str rest = at >= 0 ? str_from_index(url, (size_t)at + 3) : url;
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    return slash >= 0 ? str_first(rest, (size_t)slash) : rest;
}

static struct str port_of(struct str authority)
{
    ptrdiff_t colon = str_find_last_char(authority, ':');
    return colon >= 0 && str_find_char(authority, ']', (size_t)colon) < 0 ? str_from_index(authority, (size_t)colon + 1)
                                                                         : S("-");
}

static void add_client(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kept[ACCESS_ClientAddr]) {
        begin_member(out, "", S("ClientAddr"));
        bool v6 = str_find_char(record->client_ip, ':', 0) >= 0;
        text_addf(out, v6 ? "\"[%.*s]:%u\"" : "\"%.*s:%u\"", STR_ARGS(record->client_ip), record->client->peer_port);
    }
    if (format->kept[ACCESS_ClientHost])
        add_text(out, "ClientHost", record->client_ip);
    if (format->kept[ACCESS_ClientPort]) {
        begin_member(out, "", S("ClientPort"));
        text_addf(out, "\"%u\"", record->client->peer_port);
    }
    if (format->kept[ACCESS_ClientUsername])
        add_text(out, "ClientUsername", record->user.len != 0 ? record->user : S("-"));
}

static void add_request(const struct access_format *format, const struct access_record *record, struct text *out)
{
    ptrdiff_t colon = str_find_last_char(record->authority, ':');
    bool has_port = !str_equal(port_of(record->authority), S("-"));
    const struct {
        enum access_field field;
        const char *name;
        struct str value;
    } texts[] = {{ACCESS_RequestAddr, "RequestAddr", record->authority},
                 {ACCESS_RequestHost, "RequestHost", has_port ? str_first(record->authority, (size_t)colon) : record->authority},
                 {ACCESS_RequestPort, "RequestPort", port_of(record->authority)},
                 {ACCESS_RequestMethod, "RequestMethod", record->method_name},
                 {ACCESS_RequestProtocol, "RequestProtocol", record->protocol},
                 {ACCESS_RequestScheme, "RequestScheme", record->scheme},
                 {ACCESS_entryPointName, "entryPointName", record->entrypoint},
                 {ACCESS_RequestID, "RequestID", record->request_id}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (format->kept[texts[i].field])
            add_text(out, texts[i].name, texts[i].value);
    struct text target;
    text_init(&target, (size_t)1 << 20);
    access_add_target(format, record, &target);
    if (format->kept[ACCESS_RequestPath])
        add_text(out, "RequestPath", text_str(&target));
    if (format->kept[ACCESS_RequestLine]) {
        begin_member(out, "", S("RequestLine"));
        text_add_char(out, '"');
        text_add_json(out, record->method_name);
        text_add_char(out, ' ');
        text_add_json(out, text_str(&target));
        text_add_char(out, ' ');
        text_add(out, record->protocol);
        text_add_char(out, '"');
    }
    text_release(&target);
}

static void add_route(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (format->kept[ACCESS_RouterName] && record->router.len != 0)
        add_text(out, "RouterName", record->router);
    if (format->kept[ACCESS_ServiceName] && record->service.len != 0)
        add_text(out, "ServiceName", record->service);
    if (format->kept[ACCESS_ServiceURL] && record->server_url.len != 0)
        add_text(out, "ServiceURL", record->server_url);
    if (format->kept[ACCESS_ServiceAddr] && record->server_url.len != 0)
        add_text(out, "ServiceAddr", without_scheme(record->server_url));
    if (format->kept[ACCESS_Reason] && record->reason != STATUS_OK)
        add_text(out, "Reason", str_from(status_reason(record->reason)));
    if (format->kept[ACCESS_ReasonDetail] && record->reason != STATUS_OK)
        add_text(out, "ReasonDetail",
                 str_from(record->reason_detail != NULL ? record->reason_detail : status_text(record->reason)));
}

static void add_measures(const struct access_format *format, const struct access_record *record, struct text *out)
{
    int64_t origin = record->connect + record->first_byte;
    const struct {
        enum access_field field;
        const char *name;
        uint64_t value;
    } numbers[] = {{ACCESS_Duration, "Duration", (uint64_t)record->total},
                   {ACCESS_OriginDuration, "OriginDuration", (uint64_t)origin},
                   {ACCESS_Overhead, "Overhead", (uint64_t)(record->total > origin ? record->total - origin : 0)},
                   {ACCESS_QueueDuration, "QueueDuration", (uint64_t)record->queue},
                   {ACCESS_ConnectDuration, "ConnectDuration", (uint64_t)record->connect},
                   {ACCESS_FirstByteDuration, "FirstByteDuration", (uint64_t)record->first_byte},
                   {ACCESS_RequestContentSize, "RequestContentSize", record->request_bytes},
                   {ACCESS_OriginContentSize, "OriginContentSize", record->origin_bytes},
                   {ACCESS_OriginStatus, "OriginStatus", (uint64_t)record->origin_status},
                   {ACCESS_DownstreamStatus, "DownstreamStatus", (uint64_t)record->status},
                   {ACCESS_DownstreamContentSize, "DownstreamContentSize", record->response_bytes},
                   {ACCESS_RequestCount, "RequestCount", record->number},
                   {ACCESS_RetryAttempts, "RetryAttempts", record->attempts > 1 ? record->attempts - 1 : 0}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (format->kept[numbers[i].field])
            add_number(out, numbers[i].name, numbers[i].value);
}

static void add_headers(const struct access_format *format, const struct fields *fields, const char *prefix,
                        struct text *out)
{
    if (fields->items == NULL || (format->headers.default_mode == FIELD_MODE_DROP && format->headers.count == 0))
        return;
    FIELDS_FOREACH(fields, field) {
        int mode = access_rule_mode(&format->headers, field->name);
        if (mode == FIELD_MODE_DROP)
            continue;
        begin_member(out, prefix, field->name);
        text_add_char(out, '"');
        text_add_json(out, mode == FIELD_MODE_REDACT ? S("REDACTED") : field->value);
        text_add_char(out, '"');
    }
}

void access_json_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    text_add_char(out, '{');
    add_client(format, record, out);
    add_request(format, record, out);
    add_route(format, record, out);
    add_measures(format, record, out);
    if (format->kept[ACCESS_StartUTC])
        add_time(out, "StartUTC", record->began_wall, false);
    if (format->kept[ACCESS_StartLocal])
        add_time(out, "StartLocal", record->began_wall, true);
    add_headers(format, &record->request->fields, "request_", out);
    add_headers(format, &record->response->fields, record->origin_status != 0 ? "origin_" : "downstream_", out);
    add_text(out, "level", S("info"));
    add_text(out, "msg", S(""));
    add_time(out, "time", record->began_wall + record->total, false);
    text_add_char(out, '}');
}
