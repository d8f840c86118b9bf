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
SPAN_SINK_INLINE void add_authority(struct span_sink *sink, struct span_pen *pen, struct str authority, bool secure)
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
    span_str(sink, pen, SPAN_KEY("server.address"), authority);
    span_int(sink, pen, SPAN_INT_KEY("server.port"), (int64_t)port);
}

SPAN_SINK_INLINE void add_method(const struct reading *reading, struct span_pen *pen)
{
    struct str method = reading->record->texts[SPAN_METHOD];
    if (__builtin_expect(reading->record->known_method, 1)) {
        span_str(reading->sink, pen, SPAN_KEY("http.request.method"), method);
        return;
    }
    span_str(reading->sink, pen, SPAN_KEY("http.request.method"), S("_OTHER"));
    span_str(reading->sink, pen, SPAN_KEY("http.request.method_original"), method);
}

/* A method that is nobody's would make as many names as clients think of. */
SPAN_SINK_INLINE struct str method_name(const struct reading *reading)
{
    return reading->record->known_method ? reading->record->texts[SPAN_METHOD] : S("HTTP");
}

SPAN_SINK_INLINE void add_scheme(struct span_sink *sink, struct span_pen *pen, bool secure)
{
    if (secure)
        span_str(sink, pen, SPAN_KEY("url.scheme"), S("https"));
    else
        span_str(sink, pen, SPAN_KEY("url.scheme"), S("http"));
}

SPAN_SINK_INLINE void add_status(struct span_sink *sink, struct span_pen *pen, int status)
{
    if (status != 0)
        span_int(sink, pen, SPAN_INT_KEY("http.response.status_code"), status);
}

/* What went wrong, by our reason if we have one, else by the status. */
static __attribute__((noinline)) void add_error(struct span_sink *sink, enum status reason, int status)
{
    char digits[16];
    struct str type = reason != STATUS_OK ? str_from(status_reason(reason)) :
                                            str_of(digits, (size_t)snprintf(digits, sizeof(digits), "%d", status));
    span_sink_str_slowly(sink, S("error.type"), type);
}

SPAN_SINK_INLINE struct span_head head_of(const struct reading *reading, unsigned number, unsigned parent)
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

SPAN_SINK_INLINE void add_version(struct span_sink *sink, struct span_pen *pen, enum http_version version)
{
    const struct str key = SPAN_KEY("network.protocol.version");
    switch (version) {
    case HTTP_1_1:
        span_str(sink, pen, key, S("1.1"));
        break;
    case HTTP_1_0:
        span_str(sink, pen, key, S("1.0"));
        break;
    case HTTP_2:
        span_str(sink, pen, key, S("2"));
        break;
    case HTTP_3:
        span_str(sink, pen, key, S("3"));
        break;
    }
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

SPAN_SINK_INLINE void add_request(const struct reading *reading, struct span_pen *pen)
{
    const struct span_record *record = reading->record;
    struct span_sink *sink = reading->sink;
    const struct str *texts = record->texts;
    span_str(sink, pen, SPAN_KEY("entry_point"), texts[SPAN_ENTRYPOINT]);
    add_method(reading, pen);
    span_str(sink, pen, SPAN_KEY("url.path"), texts[SPAN_PATH]);
    if (reading->query.len != 0)
        span_str(sink, pen, SPAN_KEY("url.query"), reading->query);
    add_scheme(sink, pen, record->secure);
    add_authority(sink, pen, texts[SPAN_AUTHORITY], record->secure);
    span_str(sink, pen, SPAN_KEY("client.address"), texts[SPAN_CLIENT]);
    if (texts[SPAN_PEER].len != 0) {
        span_str(sink, pen, SPAN_KEY("network.peer.address"), texts[SPAN_PEER]);
        span_int(sink, pen, SPAN_INT_KEY("network.peer.port"), record->peer_port);
    }
    add_version(sink, pen, (enum http_version)record->version);
    span_str(sink, pen, SPAN_KEY("user_agent.original"), texts[SPAN_USER_AGENT]);
    span_str(sink, pen, SPAN_KEY("portico.request_id"), texts[SPAN_REQUEST_ID]);
    if (record->request_bytes != 0)
        span_int(sink, pen, SPAN_INT_KEY("http.request.body.size"), (int64_t)record->request_bytes);
    if (record->response_bytes != 0)
        span_int(sink, pen, SPAN_INT_KEY("http.response.body.size"), (int64_t)record->response_bytes);
}

/* Where no spans of their own tell of them. */
SPAN_SINK_INLINE void add_way(const struct reading *reading, struct span_pen *pen)
{
    span_str(reading->sink, pen, SPAN_KEY("traefik.router.name"), reading->record->texts[SPAN_ROUTER]);
    span_str(reading->sink, pen, SPAN_KEY("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
}

/* What few requests have to tell; the pen is down. What a client does wrong is no error of the server's (semantic conventions,
 * "Status"). */
static __attribute__((noinline)) void add_more(const struct reading *reading, bool failed)
{
    const struct span_record *record = reading->record;
    enum status reason = (enum status)record->reason;
    if (failed)
        add_error(reading->sink, reason, record->status);
    if (reason != STATUS_OK)
        span_sink_str_slowly(reading->sink, S("portico.reason"), str_from(status_reason(reason)));
    add_fields(reading);
}

static struct str message_of(enum status reason, struct str detail)
{
    return reason == STATUS_OK ? STR_NONE : detail.len != 0 ? detail : str_from(status_text(reason));
}

static void add_server(const struct reading *reading)
{
    const struct span_record *record = reading->record;
    struct span_sink *sink = reading->sink;
    struct span_head head = head_of(reading, SPAN_NUMBER_SERVER, SPAN_NUMBER_SERVER);
    head.parent = record->parent;
    head.name = method_name(reading);
    head.name_of = record->texts[SPAN_ROUTER];
    head.kind = SPAN_SERVER_KIND;
    head.began = record->began + record->wall_offset;
    bool failed = record->status >= 500;
    struct span_pen pen = span_begin(sink, &head);
    add_request(reading, &pen);
    if (record->routed == 0)
        add_way(reading, &pen);
    add_status(sink, &pen, record->status);
    if (__builtin_expect(failed || record->reason != STATUS_OK || record->field_count != 0, 0)) {
        span_pen_down(sink, pen);
        add_more(reading, failed);
        pen = span_pen_up(sink);
    }
    span_end(sink, pen, failed, failed ? message_of((enum status)record->reason, record->texts[SPAN_DETAIL]) : STR_NONE);
}

static void add_router(const struct reading *reading)
{
    struct span_head head = head_of(reading, SPAN_NUMBER_ROUTER, SPAN_NUMBER_SERVER);
    head.name = S("Router");
    head.name_of = reading->record->texts[SPAN_ROUTER];
    head.began = reading->record->routed + reading->record->wall_offset;
    struct span_pen pen = span_begin(reading->sink, &head);
    span_str(reading->sink, &pen, SPAN_KEY("traefik.router.name"), reading->record->texts[SPAN_ROUTER]);
    span_str(reading->sink, &pen, SPAN_KEY("http.route"), reading->record->texts[SPAN_RULE]);
    span_str(reading->sink, &pen, SPAN_KEY("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
    span_end(reading->sink, pen, false, STR_NONE);
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
    struct span_pen pen = span_begin(reading->sink, &head);
    span_str(reading->sink, &pen, SPAN_KEY("traefik.middleware.name"), held->name);
    span_str(reading->sink, &pen, SPAN_KEY("portico.middleware.type"), held->type);
    span_end(reading->sink, pen, false, STR_NONE);
}

static void add_service(const struct reading *reading)
{
    struct span_head head = head_of(reading, SPAN_NUMBER_SERVICE, SPAN_NUMBER_ROUTER);
    head.name = S("Service");
    head.name_of = reading->record->texts[SPAN_SERVICE];
    head.began = reading->record->admitted + reading->record->wall_offset;
    struct span_pen pen = span_begin(reading->sink, &head);
    span_str(reading->sink, &pen, SPAN_KEY("traefik.service.name"), reading->record->texts[SPAN_SERVICE]);
    span_end(reading->sink, pen, false, STR_NONE);
}

SPAN_SINK_INLINE void add_asked(const struct reading *reading, struct span_pen *pen, const struct span_attempt *attempt)
{
    struct span_sink *sink = reading->sink;
    bool asks = reading->query.len != 0 && reading->record->same_query;
    struct str path = attempt->path.len != 0 ? attempt->path : reading->record->texts[SPAN_PATH];
    const struct str url[SPAN_SINK_PARTS] = {attempt->url, path, asks ? S("?") : STR_NONE, asks ? reading->query : STR_NONE};
    add_method(reading, pen);
    span_joined(sink, pen, SPAN_KEY("url.full"), url);
    add_scheme(sink, pen, attempt->secure);
    span_str(sink, pen, SPAN_KEY("server.address"), attempt->host);
    if (attempt->port != 0)
        span_int(sink, pen, SPAN_INT_KEY("server.port"), attempt->port);
}

static void add_attempt(const struct reading *reading, unsigned index)
{
    const struct span_record *record = reading->record;
    const struct span_attempt *attempt = &record->attempts[index];
    struct span_sink *sink = reading->sink;
    enum status reason = (enum status)attempt->reason;
    unsigned parent = record->admitted != 0 ? SPAN_NUMBER_SERVICE : SPAN_NUMBER_SERVER;
    struct span_head head = head_of(reading, SPAN_NUMBER_ATTEMPT + index, parent);
    bool failed = reason != STATUS_OK || attempt->status >= 400;
    head.name = method_name(reading);
    head.kind = SPAN_CLIENT_KIND;
    head.began = attempt->began + record->wall_offset;
    head.ended = attempt->ended + record->wall_offset;
    struct span_pen pen = span_begin(sink, &head);
    add_asked(reading, &pen, attempt);
    add_status(sink, &pen, attempt->status);
    if (index != 0)
        span_int(sink, &pen, SPAN_INT_KEY("http.request.resend_count"), index);
    if (__builtin_expect(failed, 0)) {
        span_pen_down(sink, pen);
        add_error(sink, reason, attempt->status);
        pen = span_pen_up(sink);
    }
    span_end(sink, pen, failed, failed ? message_of(reason, attempt->detail) : STR_NONE);
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
