#include "observe/span_encode.h"

#include <stdio.h>

#include "base/status.h"
#include "observe/tracer.h"

/* A record on its way into a sink. */
struct reading {
    const struct tracer *tracer;
    const struct span_record *record;
    struct str query;                     /* redacted */
    struct span_sink *sink;
};

/* ---- parts of several spans ---- */

static bool is_safe(const struct strs *safe, struct str name)
{
    for (size_t i = 0; i < safe->count; i++)
        if (str_equal(safe->items[i], name))
            return true;
    return false;
}

void span_redact_query(const struct strs *safe, struct str query, struct text *out)
{
    struct str pair;
    for (bool first = true; str_split(&query, '&', &pair); first = false) {
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        struct str name = equals >= 0 ? str_first(pair, (size_t)equals) : pair;
        if (!first)
            text_add_char(out, '&');
        if (equals < 0 || is_safe(safe, name)) {
            text_add(out, pair);
            continue;
        }
        text_add(out, name);
        text_add(out, S("=REDACTED"));
    }
}

/* "site.example:8080", "[::1]:8080" or either without the port: of a request that was read, so the port is digits. */
static void add_authority(struct span_sink *sink, struct str authority, bool secure)
{
    uint64_t port = 0;
    size_t at = authority.len, scale = 1;
    if (authority.len == 0)
        return;
    for (; at != 0 && ascii_digit(authority.data[at - 1]); scale = scale < 100000 ? scale * 10 : 0)
        port += (uint64_t)(authority.data[--at] - '0') * scale;
    bool has_port = at != 0 && authority.data[at - 1] == ':';
    if (has_port)
        authority = str_first(authority, at - 1);
    if (!has_port || scale == 1 || port > 65535)
        port = secure ? 443 : 80;
    if (authority.len > 2 && authority.data[0] == '[' && authority.data[authority.len - 1] == ']')
        authority = str_of(authority.data + 1, authority.len - 2);
    span_sink_str(sink, S("server.address"), authority);
    span_sink_int(sink, S("server.port"), (int64_t)port);
}

static void add_method(const struct reading *reading)
{
    const struct span_record *record = reading->record;
    span_sink_str(reading->sink, S("http.request.method"), record->known_method ? reading->record->texts[SPAN_METHOD] : S("_OTHER"));
    if (!record->known_method)
        span_sink_str(reading->sink, S("http.request.method_original"), reading->record->texts[SPAN_METHOD]);
}

/* A method that is nobody's would make as many names as clients think of. */
static struct str method_name(const struct reading *reading)
{
    return reading->record->known_method ? reading->record->texts[SPAN_METHOD] : S("HTTP");
}

static void add_status(struct span_sink *sink, int status)
{
    if (status != 0)
        span_sink_int(sink, S("http.response.status_code"), status);
}

/* What went wrong, by our reason if we have one, else by the status. */
static void add_error(struct span_sink *sink, enum status reason, int status)
{
    char digits[16];
    struct str type = reason != STATUS_OK ? str_from(status_reason(reason)) :
                                            str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%d", status));
    span_sink_str(sink, S("error.type"), type);
}

static struct span_head head_of(const struct reading *reading, unsigned number, unsigned parent)
{
    const struct span_record *record = reading->record;
    return (struct span_head){.trace_id = record->trace_id,
                              .trace_state = reading->record->texts[SPAN_TRACE_STATE],
                              .id = span_record_id(record->span_base, number),
                              .parent = span_record_id(record->span_base, parent),
                              .kind = SPAN_INTERNAL,
                              .ended = record->ended + record->wall_offset};
}

/* ---- the spans ---- */

static struct str version_text(enum http_version version)
{
    switch (version) {
    case HTTP_1_0:
        return S("1.0");
    case HTTP_2:
        return S("2");
    case HTTP_3:
        return S("3");
    case HTTP_1_1:
        break;
    }
    return S("1.1");
}

static void add_fields(const struct reading *reading)
{
    const struct tracer *tracer = reading->tracer;
    struct text *key = &reading->sink->scratch;
    for (unsigned i = 0; i < reading->record->field_count; i++) {
        const struct span_field *field = &reading->record->fields[i];
        struct str name = (field->response ? tracer->response_headers : tracer->request_headers).items[field->index];
        text_clear(key);
        text_add(key, field->response ? S("http.response.header.") : S("http.request.header."));
        for (size_t at = 0; at < name.len; at++)
            text_add_char(key, ascii_lower(name.data[at]));
        span_sink_list(reading->sink, text_str(key), field->value);
    }
}

static void add_request(const struct reading *reading)
{
    const struct span_record *record = reading->record;
    struct span_sink *sink = reading->sink;
    const struct str *texts = record->texts;
    span_sink_str(sink, S("entry_point"), texts[SPAN_ENTRYPOINT]);
    add_method(reading);
    span_sink_str(sink, S("url.path"), texts[SPAN_PATH]);
    span_sink_str(sink, S("url.query"), reading->query);
    span_sink_str(sink, S("url.scheme"), record->secure ? S("https") : S("http"));
    add_authority(sink, texts[SPAN_AUTHORITY], record->secure);
    span_sink_str(sink, S("client.address"), texts[SPAN_CLIENT]);
    if (texts[SPAN_PEER].len != 0) {
        span_sink_str(sink, S("network.peer.address"), texts[SPAN_PEER]);
        span_sink_int(sink, S("network.peer.port"), record->peer_port);
    }
    span_sink_str(sink, S("network.protocol.version"), version_text((enum http_version)record->version));
    span_sink_str(sink, S("user_agent.original"), texts[SPAN_USER_AGENT]);
    span_sink_str(sink, S("portico.request_id"), texts[SPAN_REQUEST_ID]);
    if (record->request_bytes != 0)
        span_sink_int(sink, S("http.request.body.size"), (int64_t)record->request_bytes);
    if (record->response_bytes != 0)
        span_sink_int(sink, S("http.response.body.size"), (int64_t)record->response_bytes);
}

/* Where no spans of their own tell of them. */
static void add_way(const struct reading *reading)
{
    span_sink_str(reading->sink, S("traefik.router.name"), reading->record->texts[SPAN_ROUTER]);
    span_sink_str(reading->sink, S("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
}

/* What a client does wrong is no error of the server's (semantic conventions, "Status"). */
static void add_server(const struct reading *reading)
{
    const struct span_record *record = reading->record;
    struct span_sink *sink = reading->sink;
    enum status reason = (enum status)record->reason;
    struct span_head head = head_of(reading, SPAN_NUMBER_SERVER, SPAN_NUMBER_SERVER);
    head.parent = record->parent;
    head.name = method_name(reading);
    head.name_of = reading->record->texts[SPAN_ROUTER];
    head.kind = SPAN_SERVER_KIND;
    head.began = record->began + record->wall_offset;
    bool failed = record->status >= 500;
    span_sink_begin(sink, &head);
    add_request(reading);
    if (record->routed == 0)
        add_way(reading);
    add_status(sink, record->status);
    if (failed)
        add_error(sink, reason, record->status);
    if (reason != STATUS_OK)
        span_sink_str(sink, S("portico.reason"), str_from(status_reason(reason)));
    struct str detail = reading->record->texts[SPAN_DETAIL];
    add_fields(reading);
    span_sink_end(sink, failed, reason == STATUS_OK ? STR_NONE : detail.len != 0 ? detail : str_from(status_text(reason)));
}

static void add_router(const struct reading *reading)
{
    struct span_head head = head_of(reading, SPAN_NUMBER_ROUTER, SPAN_NUMBER_SERVER);
    head.name = S("Router");
    head.name_of = reading->record->texts[SPAN_ROUTER];
    head.began = reading->record->routed + reading->record->wall_offset;
    span_sink_begin(reading->sink, &head);
    span_sink_str(reading->sink, S("traefik.router.name"), reading->record->texts[SPAN_ROUTER]);
    span_sink_str(reading->sink, S("http.route"), reading->record->texts[SPAN_RULE]);
    span_sink_str(reading->sink, S("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
    span_sink_end(reading->sink, false, STR_NONE);
}

static void add_held(const struct reading *reading, unsigned index)
{
    const struct span_held *held = &reading->record->held[index];
    int64_t offset = reading->record->wall_offset;
    struct span_head head = head_of(reading, SPAN_NUMBER_HELD + index, SPAN_NUMBER_ROUTER);
    head.name = S("Middleware");
    head.name_of = held->name;
    head.began = held->began + offset;
    head.ended = held->ended + offset;
    span_sink_begin(reading->sink, &head);
    span_sink_str(reading->sink, S("traefik.middleware.name"), held->name);
    span_sink_str(reading->sink, S("portico.middleware.type"), held->type);
    span_sink_end(reading->sink, false, STR_NONE);
}

static void add_service(const struct reading *reading)
{
    struct span_head head = head_of(reading, SPAN_NUMBER_SERVICE, SPAN_NUMBER_ROUTER);
    head.name = S("Service");
    head.name_of = reading->record->texts[SPAN_SERVICE];
    head.began = reading->record->admitted + reading->record->wall_offset;
    span_sink_begin(reading->sink, &head);
    span_sink_str(reading->sink, S("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
    span_sink_end(reading->sink, false, STR_NONE);
}

static void add_attempt(const struct reading *reading, unsigned index)
{
    const struct span_record *record = reading->record;
    const struct span_attempt *attempt = &record->attempts[index];
    struct span_sink *sink = reading->sink;
    enum status reason = (enum status)attempt->reason;
    bool asks = record->same_query && reading->query.len != 0;
    struct str path = attempt->path.len != 0 ? attempt->path : record->texts[SPAN_PATH];
    const struct str url[SPAN_SINK_PARTS] = {attempt->url, path, asks ? S("?") : STR_NONE, asks ? reading->query : STR_NONE};
    unsigned parent = record->admitted != 0 ? SPAN_NUMBER_SERVICE : SPAN_NUMBER_SERVER;
    struct span_head head = head_of(reading, SPAN_NUMBER_ATTEMPT + index, parent);
    bool failed = reason != STATUS_OK || attempt->status >= 400;
    head.name = method_name(reading);
    head.kind = SPAN_CLIENT_KIND;
    head.began = attempt->began + record->wall_offset;
    head.ended = attempt->ended + record->wall_offset;
    span_sink_begin(sink, &head);
    add_method(reading);
    span_sink_joined(sink, S("url.full"), url);
    span_sink_str(sink, S("url.scheme"), attempt->secure ? S("https") : S("http"));
    span_sink_str(sink, S("server.address"), attempt->host);
    if (attempt->port != 0)
        span_sink_int(sink, S("server.port"), attempt->port);
    add_status(sink, attempt->status);
    if (index != 0)
        span_sink_int(sink, S("http.request.resend_count"), index);
    if (failed)
        add_error(sink, reason, attempt->status);
    span_sink_end(sink, failed, reason == STATUS_OK ? STR_NONE : attempt->detail.len != 0 ? attempt->detail : str_from(status_text(reason)));
}

static void add_spans(const struct reading *reading)
{
    const struct span_record *record = reading->record;
    add_server(reading);
    if (record->routed != 0)
        add_router(reading);
    for (unsigned i = 0; i < record->held_count; i++)
        add_held(reading, i);
    if (record->admitted != 0)
        add_service(reading);
    for (unsigned i = 0; i < record->attempt_count; i++)
        add_attempt(reading, i);
}

/* Texts are taken for ASCII and looked at while they are copied; where one is not, all is written a second time. */
void span_encode(struct span_sink *sink, const struct tracer *tracer, const struct span_record *record)
{
    struct reading reading = {.tracer = tracer, .record = record, .query = STR_NONE, .sink = sink};
    if (record->texts[SPAN_QUERY].len != 0) {
        text_clear(&sink->query);
        span_redact_query(&tracer->safe_query, record->texts[SPAN_QUERY], &sink->query);
        reading.query = text_str(&sink->query);
    }
    span_sink_expect_ascii(sink);
    add_spans(&reading);
    if (__builtin_expect(!span_sink_was_ascii(sink), 0)) {
        span_sink_rewind(sink);
        add_spans(&reading);
    }
}
