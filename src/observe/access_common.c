/* The formats that are lines of words: Traefik's common, generic CLF, and combined. Room is made once for the longest that a
 * line can become; everything then goes to where a pointer points. */
#include "base/copy.h"
#include "base/time.h"
#include "observe/access_put.h"
#include "observe/access_rules.h"

#define ESCAPED 4              /* bytes that one can become: \x1f */
#define REDACTED_MAX 12        /* bytes that one of the query can become: "=" is shown as "=REDACTED", behind a separator */
#define FIXED_MAX ((size_t)512) /* all that does not grow */

static char *put_escape(char *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
        return put_char(out, (char)c);
    out = put_char(out, '\\');
    if (c == '"' || c == '\\')
        return put_char(out, (char)c);
    out = put_char(out, 'x');
    out = put_char(out, digits[c >> 4]);
    return put_char(out, digits[c & 15]);
}

/* What stands in quotes: what could end them or the line, or move a terminal's cursor, is escaped as Apache does. */
static __attribute__((noinline)) char *put_with_escapes(char *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        out = put_escape(out, (unsigned char)s.data[i]);
    return out;
}

/* A function, and one that saves no registers: most lines have five such texts. */
static __attribute__((noinline)) char *put_escaped(char *out, struct str s)
{
    return put_if_plain(out, s) ? out + s.len : put_with_escapes(out, s);
}

static char *put_quoted(char *out, struct str s)
{
    out = put_char(out, '"');
    out = s.len != 0 ? put_escaped(out, s) : put_char(out, '-');
    return put_char(out, '"');
}

static char *put_or_dash(char *out, bool kept, struct str s)
{
    return kept && s.len != 0 ? put_escaped(out, s) : put_char(out, '-');
}

static char *put_time(char *out, const struct access_format *format, const struct access_record *record)
{
    if (format->kept[ACCESS_StartUTC])
        return access_put_clf_time(out, record->began_wall, false);
    if (format->kept[ACCESS_StartLocal])
        return access_put_clf_time(out, record->began_wall, true);
    return put_char(out, '-');
}

static char *put_request_line(char *out, const struct access_format *format, const struct access_record *record)
{
    out = format->kept[ACCESS_RequestMethod] ? copy_short(out, record->method_name) : put_char(out, '-');
    out = put_char(out, ' ');
    if (format->kept[ACCESS_RequestPath] && record->query.data == NULL) {
        out = put_escaped(out, record->path);
    } else if (format->kept[ACCESS_RequestPath]) {
        struct access_target target;
        struct str piece;
        access_target_begin(&target, format, record);
        while (access_target_next(&target, &piece))
            out = put_escaped(out, piece);
    } else {
        out = put_char(out, '-');
    }
    out = put_char(out, ' ');
    return format->kept[ACCESS_RequestProtocol] ? copy_short(out, record->protocol) : put_char(out, '-');
}

static struct str by_mode(int mode, struct str value)
{
    return mode == FIELD_MODE_KEEP || value.len == 0 ? value : mode == FIELD_MODE_REDACT ? S("REDACTED") : STR_NONE;
}

/* host - user [time] "line" status bytes "referer" "agent" */
static char *put_common(char *out, const struct access_format *format, const struct access_record *record, struct str referer,
                        struct str agent)
{
    out = format->kept[ACCESS_ClientHost] ? copy_short(out, record->client_ip) : put_char(out, '-');
    out = put(out, S(" - "));
    out = put_or_dash(out, format->kept[ACCESS_ClientUsername], record->user);
    out = put_char(out, ' ');
    out = put_time(out, format, record);
    out = put(out, S(" \""));
    out = put_request_line(out, format, record);
    out = put(out, S("\" "));
    out = format->kept[ACCESS_DownstreamStatus] ? digits_put(out, (uint64_t)record->status) : put_char(out, '-');
    out = put_char(out, ' ');
    out = format->kept[ACCESS_DownstreamContentSize] ? digits_put(out, record->response_bytes) : put_char(out, '-');
    out = put_char(out, ' ');
    out = put_quoted(out, referer);
    out = put_char(out, ' ');
    return put_quoted(out, agent);
}

/* Traefik's tail, and why the request did not go well, in a place where parsers of the former do not look. */
static char *put_tail(char *out, const struct access_format *format, const struct access_record *record, struct str detail)
{
    out = put_char(out, ' ');
    out = format->kept[ACCESS_RequestCount] ? digits_put(out, record->number) : put_char(out, '-');
    out = put_char(out, ' ');
    out = put_quoted(out, format->kept[ACCESS_RouterName] ? record->router : STR_NONE);
    out = put_char(out, ' ');
    out = put_quoted(out, format->kept[ACCESS_ServiceURL] ? record->server_url : STR_NONE);
    out = put_char(out, ' ');
    if (format->kept[ACCESS_Duration])
        out = put(digits_put(out, (uint64_t)(record->total / TIME_MS)), S("ms"));
    else
        out = put_char(out, '-');
    if (record->reason == STATUS_OK || !format->kept[ACCESS_reason])
        return out;
    out = put(out, S(" reason="));
    out = copy_short(out, str_from(status_reason(record->reason)));
    if (detail.len == 0 || !format->kept[ACCESS_reasonDetail])
        return out;
    out = put_escaped(put(out, S(" (")), detail);
    return put_char(out, ')');
}

void access_common_line(const struct access_format *format, const struct access_record *record, struct text *out)
{
    const struct fields *fields = &record->request->fields;
    struct str referer = by_mode(format->referer_mode, fields_value(fields, FIELD_REFERER));
    struct str agent = by_mode(format->agent_mode, fields_value(fields, FIELD_USER_AGENT));
    struct str detail = record->reason != STATUS_OK ? str_from(record->reason_detail) : STR_NONE;
    size_t longest = FIXED_MAX + REDACTED_MAX * record->query.len +
                     ESCAPED * (record->client_ip.len + record->user.len + record->method_name.len + record->path.len +
                                record->protocol.len + referer.len + agent.len + record->router.len + record->server_url.len +
                                detail.len);
    if (!text_reserve(out, longest))
        return;
    char *end = put_common(out->data + out->len, format, record, referer, agent);
    if (format->kind == ACCESS_COMMON)
        end = put_tail(end, format, record, detail);
    end = put_char(end, '\n');
    out->len = (size_t)(end - out->data);
}
