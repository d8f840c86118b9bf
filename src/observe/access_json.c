/* The access log's lines as JSON, with Traefik's names. What is not known of a request is left out. Room is made once for
 * the longest that a line can become. */
#include "base/time.h"
#include "base/utf8.h"
#include "observe/access_put.h"
#include "observe/access_rules.h"

#define ESCAPED 6                   /* bytes that one can become: \u001f */
#define REDACTED_MAX 12             /* bytes that one of the query can become: "=" is shown as "=REDACTED", behind a separator */
#define HEADER_MAX 32               /* what a header field needs besides its name and value */
#define FIXED_MAX ((size_t)2688)    /* names, numbers, times and punctuation of all members but the headers */

#define MEMBER(name) STR(",\"" name "\":")

struct line {
    char *at;
    const struct access_format *format;
    const struct access_record *record;
};

static void put_text(struct line *line, struct str s)
{
    line->at = put(line->at, s);
}

static void put_one(struct line *line, char c)
{
    line->at = put_char(line->at, c);
}

static char *put_escape(char *out, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt", digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    *out++ = '\\';
    if (found != NULL)
        return put_char(out, to[found - from]);
    out = put(out, S("u00"));
    out = put_char(out, digits[(unsigned char)c >> 4]);
    return put_char(out, digits[c & 15]);
}

static void put_escaped(struct line *line, struct str s)
{
    char *out = line->at;
    for (size_t i = 0, length; i < s.len; i += length) {
        length = utf8_sequence(str_from_index(s, i));
        if (length == 0) {
            out = put(out, S("\xef\xbf\xbd"));
            length = 1;
        } else if ((unsigned char)s.data[i] < 0x20 || s.data[i] == '"' || s.data[i] == '\\') {
            out = put_escape(out, s.data[i]);
        } else {
            out = put(out, str_of(s.data + i, length));
        }
    }
    line->at = out;
}

/* The inside of a JSON string. */
static void put_inside(struct line *line, struct str s)
{
    if (put_if_plain(line->at, s))
        line->at += s.len;
    else
        put_escaped(line, s);
}

static void put_quoted(struct line *line, struct str s)
{
    put_one(line, '"');
    put_inside(line, s);
    put_one(line, '"');
}

static void put_u64(struct line *line, uint64_t value)
{
    line->at = digits_put(line->at, value);
}

/* ---- client and request ---- */

static void put_client(struct line *line)
{
    const bool *kept = line->format->kept;
    const struct access_record *record = line->record;
    if (kept[ACCESS_ClientAddr]) {
        bool v6 = str_find_char(record->client_ip, ':', 0) >= 0;
        put_text(line, v6 ? S(",\"ClientAddr\":\"[") : S(",\"ClientAddr\":\""));
        put_text(line, record->client_ip);
        put_text(line, v6 ? S("]:") : S(":"));
        put_u64(line, record->client->peer_port);
        put_one(line, '"');
    }
    if (kept[ACCESS_ClientHost]) {
        put_text(line, S(",\"ClientHost\":"));
        put_quoted(line, record->client_ip);
    }
    if (kept[ACCESS_ClientPort]) {
        put_text(line, S(",\"ClientPort\":\""));
        put_u64(line, record->client->peer_port);
        put_one(line, '"');
    }
    if (kept[ACCESS_ClientUsername]) {
        put_text(line, S(",\"ClientUsername\":"));
        put_quoted(line, record->user.len != 0 ? record->user : S("-"));
    }
}

static void put_target(struct line *line)
{
    struct access_target target;
    struct str piece;
    access_target_begin(&target, line->format, line->record);
    while (access_target_next(&target, &piece))
        put_inside(line, piece);
}

static void put_path_and_line(struct line *line)
{
    if (line->format->kept[ACCESS_RequestPath]) {
        put_text(line, S(",\"RequestPath\":\""));
        put_target(line);
        put_one(line, '"');
    }
    if (line->format->kept[ACCESS_RequestLine]) {
        put_text(line, S(",\"RequestLine\":\""));
        put_inside(line, line->record->method_name);
        put_one(line, ' ');
        put_target(line);
        put_one(line, ' ');
        put_text(line, line->record->protocol);
        put_one(line, '"');
    }
}

/* Where the port's colon is, or -1. */
static ptrdiff_t colon_of(struct str authority)
{
    ptrdiff_t colon = str_find_last_char(authority, ':');
    return colon >= 0 && str_find_char(authority, ']', (size_t)colon) < 0 ? colon : -1;
}

struct text_member {
    enum access_field field;
    struct str name, value;
};

/* Those that are kept; empty ones only where `empty_too`. */
static void put_texts(struct line *line, const struct text_member *members, size_t count, bool empty_too)
{
    for (size_t i = 0; i < count; i++) {
        if (!line->format->kept[members[i].field] || (members[i].value.len == 0 && !empty_too))
            continue;
        put_text(line, members[i].name);
        put_quoted(line, members[i].value);
    }
}

static void put_request(struct line *line)
{
    const struct access_record *record = line->record;
    struct str authority = record->authority;
    ptrdiff_t colon = colon_of(authority);
    const struct text_member members[] = {
        {ACCESS_RequestAddr, MEMBER("RequestAddr"), authority},
        {ACCESS_RequestHost, MEMBER("RequestHost"), colon >= 0 ? str_first(authority, (size_t)colon) : authority},
        {ACCESS_RequestPort, MEMBER("RequestPort"), colon >= 0 ? str_from_index(authority, (size_t)colon + 1) : S("-")},
        {ACCESS_RequestMethod, MEMBER("RequestMethod"), record->method_name},
        {ACCESS_RequestProtocol, MEMBER("RequestProtocol"), record->protocol},
        {ACCESS_RequestScheme, MEMBER("RequestScheme"), record->scheme},
        {ACCESS_entryPointName, MEMBER("entryPointName"), record->entrypoint},
        {ACCESS_RequestID, MEMBER("RequestID"), record->request_id},
    };
    put_texts(line, members, sizeof(members) / sizeof(members[0]), true);
    put_path_and_line(line);
}

/* Where requests are traced. */
static void put_trace(struct line *line)
{
    const struct access_record *record = line->record;
    if (record->trace_id.len == 0)
        return;
    const struct text_member members[] = {
        {ACCESS_TraceId, MEMBER("TraceId"), record->trace_id},
        {ACCESS_SpanId, MEMBER("SpanId"), record->span_id},
    };
    put_texts(line, members, sizeof(members) / sizeof(members[0]), false);
}

/* Members of requests that came over TLS alone: the others pay one comparison. */
static void put_tls(struct line *line)
{
    const struct access_record *record = line->record;
    if (record->tls_version.len == 0)
        return;
    const struct text_member members[] = {
        {ACCESS_TLSVersion, MEMBER("TLSVersion"), record->tls_version},
        {ACCESS_TLSCipher, MEMBER("TLSCipher"), record->tls_cipher},
        {ACCESS_TLSClientSubject, MEMBER("TLSClientSubject"), record->tls_client_subject},
    };
    put_texts(line, members, sizeof(members) / sizeof(members[0]), false);
}

/* ---- where it went ---- */

static struct str authority_of(struct str url)
{
    ptrdiff_t at = str_find(url, S("://"));
    struct str rest = at >= 0 ? str_from_index(url, (size_t)at + 3) : url;
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    return slash >= 0 ? str_first(rest, (size_t)slash) : rest;
}

static const char *detail_of(const struct access_record *record)
{
    return record->reason_detail != NULL ? record->reason_detail : status_text(record->reason);
}

static void put_route(struct line *line)
{
    const struct access_record *record = line->record;
    bool failed = record->reason != STATUS_OK;
    const struct text_member members[] = {
        {ACCESS_RouterName, MEMBER("RouterName"), record->router},
        {ACCESS_ServiceName, MEMBER("ServiceName"), record->service},
        {ACCESS_ServiceURL, MEMBER("ServiceURL"), record->server_url},
        {ACCESS_ServiceAddr, MEMBER("ServiceAddr"), authority_of(record->server_url)},
        {ACCESS_reason, MEMBER("reason"), failed ? str_from(status_reason(record->reason)) : STR_NONE},
        {ACCESS_reasonDetail, MEMBER("reasonDetail"), failed ? str_from(detail_of(record)) : STR_NONE},
    };
    put_texts(line, members, sizeof(members) / sizeof(members[0]), false);
}

/* ---- measures ---- */

struct number_member {
    enum access_field field;
    struct str name;
    uint64_t value;
};

static void put_numbers(struct line *line, const struct number_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!line->format->kept[members[i].field])
            continue;
        put_text(line, members[i].name);
        put_u64(line, members[i].value);
    }
}

static void put_status_line(struct line *line, enum access_field field, struct str name, int status)
{
    struct str reason = http_reason(status);
    if (!line->format->kept[field])
        return;
    put_text(line, name);
    put_one(line, '"');
    put_u64(line, (uint64_t)status);
    put_text(line, reason.len != 0 ? S(" ") : STR_NONE);
    put_text(line, reason);
    put_one(line, '"');
}

/* What compression saved, as Traefik has it: with four digits behind the point. */
static void put_ratio(struct line *line)
{
    uint64_t from = line->record->origin_bytes, to = line->record->response_bytes;
    if (!line->format->kept[ACCESS_GzipRatio] || to == 0 || from == to)
        return;
    put_text(line, S(",\"GzipRatio\":"));
    uint64_t fraction = (uint64_t)((double)(from % to) / (double)to * 10000);
    put_u64(line, from / to);
    put_one(line, '.');
    for (uint64_t digit = 1000; digit != 0; digit /= 10)
        put_one(line, (char)('0' + fraction / digit % 10));
}

/* What the server said; for an answer made here there is nothing of the kind. */
static void put_origin(struct line *line)
{
    const struct access_record *record = line->record;
    if (record->origin_status == 0)
        return;
    const struct number_member members[] = {
        {ACCESS_OriginDuration, MEMBER("OriginDuration"), (uint64_t)(record->connect + record->first_byte)},
        {ACCESS_OriginContentSize, MEMBER("OriginContentSize"), record->origin_bytes},
        {ACCESS_OriginStatus, MEMBER("OriginStatus"), (uint64_t)record->origin_status},
    };
    put_numbers(line, members, sizeof(members) / sizeof(members[0]));
    put_status_line(line, ACCESS_OriginStatusLine, S(",\"OriginStatusLine\":"), record->origin_status);
    put_ratio(line);
}

static void put_measures(struct line *line)
{
    const struct access_record *record = line->record;
    int64_t origin = record->connect + record->first_byte;
    const struct number_member members[] = {
        {ACCESS_Duration, MEMBER("Duration"), (uint64_t)record->total},
        {ACCESS_Overhead, MEMBER("Overhead"), (uint64_t)(record->total > origin ? record->total - origin : 0)},
        {ACCESS_QueueDuration, MEMBER("QueueDuration"), (uint64_t)record->queue},
        {ACCESS_ConnectDuration, MEMBER("ConnectDuration"), (uint64_t)record->connect},
        {ACCESS_FirstByteDuration, MEMBER("FirstByteDuration"), (uint64_t)record->first_byte},
        {ACCESS_RequestContentSize, MEMBER("RequestContentSize"), record->request_bytes},
        {ACCESS_DownstreamStatus, MEMBER("DownstreamStatus"), (uint64_t)record->status},
        {ACCESS_DownstreamContentSize, MEMBER("DownstreamContentSize"), record->response_bytes},
        {ACCESS_RequestCount, MEMBER("RequestCount"), record->number},
        {ACCESS_RetryAttempts, MEMBER("RetryAttempts"), record->attempts > 1 ? record->attempts - 1 : 0},
    };
    put_numbers(line, members, sizeof(members) / sizeof(members[0]));
    put_status_line(line, ACCESS_DownstreamStatusLine, S(",\"DownstreamStatusLine\":"), record->status);
    put_origin(line);
}

static void put_time(struct line *line, struct str name, int64_t wall, bool local)
{
    put_text(line, name);
    put_one(line, '"');
    line->at = access_put_time(line->at, wall, local);
    put_one(line, '"');
}

/* ---- header fields ---- */

/* As Go writes names, whatever the peer's spelling: a log is searched for "request_User-Agent". */
static void put_header_name(struct line *line, struct str prefix, struct str name)
{
    bool begins = true;
    put_text(line, prefix);
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.data[i]);
        put_one(line, begins && ascii_alpha(c) ? (char)(c - 0x20) : c);
        begins = c == '-';
    }
    put_text(line, S("\":\""));
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
static void put_values(struct line *line, const struct fields *fields, const struct field *first)
{
    put_inside(line, first->value);
    for (const struct field *it = first + 1; it < fields->items + fields->count; it++) {
        if (it->name.len == 0 || !same_name(it, first))
            continue;
        put_text(line, S(", "));
        put_inside(line, it->value);
    }
}

static void put_headers(struct line *line, const struct fields *fields, struct str prefix)
{
    const struct access_format *format = line->format;
    if (!format->headers_wanted || fields->items == NULL)
        return;
    FIELDS_FOREACH(fields, field) {
        int mode = access_rule_mode(&format->headers, field->name);
        if (mode == FIELD_MODE_DROP || came_before(fields, field))
            continue;
        put_header_name(line, prefix, field->name);
        if (mode == FIELD_MODE_REDACT)
            put_text(line, S("REDACTED"));
        else
            put_values(line, fields, field);
        put_one(line, '"');
    }
}

static size_t headers_room(const struct access_format *format, const struct fields *fields)
{
    size_t room = 0;
    if (!format->headers_wanted || fields->items == NULL)
        return 0;
    FIELDS_FOREACH(fields, field)
        room += HEADER_MAX + field->name.len + ESCAPED * field->value.len;
    return room;
}

/* ---- the line ---- */

static size_t room_for(const struct access_format *format, const struct access_record *record)
{
    size_t target = ESCAPED * record->path.len + REDACTED_MAX * record->query.len;
    size_t detail = record->reason != STATUS_OK ? strlen(detail_of(record)) : 0;
    size_t texts = 2 * record->client_ip.len + record->user.len + 2 * record->authority.len + 2 * record->method_name.len +
                   2 * record->protocol.len + record->scheme.len + record->entrypoint.len + record->request_id.len +
                   record->router.len + record->service.len + 2 * record->server_url.len +
                   record->tls_version.len + record->tls_cipher.len + record->tls_client_subject.len + detail;
    return FIXED_MAX + 2 * target + ESCAPED * texts + headers_room(format, &record->request->fields) +
           2 * headers_room(format, &record->response->fields);
}

/* The server's fields are those that went on to the client, with what middlewares made of them. */
void access_json_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    if (!text_reserve(out, room_for(format, record)))
        return;
    struct line line = {.at = out->data + out->len, .format = format, .record = record};
    put_text(&line, S("{\"level\":\"info\",\"msg\":\"\""));
    put_time(&line, S(",\"time\":"), record->began_wall + record->total, false);
    put_client(&line);
    put_request(&line);
    put_tls(&line);
    put_trace(&line);
    put_route(&line);
    put_measures(&line);
    if (format->kept[ACCESS_StartUTC])
        put_time(&line, S(",\"StartUTC\":"), record->began_wall, false);
    if (format->kept[ACCESS_StartLocal])
        put_time(&line, S(",\"StartLocal\":"), record->began_wall, true);
    put_headers(&line, &record->request->fields, S(",\"request_"));
    if (record->origin_status != 0)
        put_headers(&line, &record->response->fields, S(",\"origin_"));
    put_headers(&line, &record->response->fields, S(",\"downstream_"));
    put_one(&line, '}');
    put_one(&line, '\n');
    out->len = (size_t)(line.at - out->data);
}
