/* Heads to bytes. Fields that the parser read stand in the source as they will stand in the copy, mostly many
 * in one piece, so they are copied in stretches; what was added since is checked while it is copied. */
#include "proto/h1/write.h"

#include <assert.h>

#include "base/copy.h"
#include "base/digits.h"
#include "http/field_id.h"
#include "http/token.h"
#include "proto/h1/copy_value.h"

#define CONNECTION_MAX 64
#define REASON_MAX 40             /* of those that http_reason knows */
/* Whole words may be copied beyond what is meant. */
#define SLACK 32
/* Version, Host, Date, Upgrade, Content-Length or Transfer-Encoding, Connection, the last CRLF. */
#define FIXED_MAX (24 + 8 + 40 + 16 + 24 + DIGITS_MAX + 16 + CONNECTION_MAX + 2)

#define BIT(id) (UINT64_C(1) << FIELD_##id)
_Static_assert(FIELD_COUNT <= 64, "a set of fields is one word");
static const uint64_t framing_fields = BIT(CONTENT_LENGTH) | BIT(TRANSFER_ENCODING) | BIT(CONNECTION);

static inline char *put(char *out, struct str text)
{
    if (text.len != 0)
        memcpy(out, text.data, text.len);
    return out + text.len;
}

/* "Name: " of a field that was added; out itself when the name may not be written. */
static inline char *put_name(char *out, const struct field *field)
{
    const struct field_prefix *prefix = &field_prefixes[field->id];
    if (field->name.data == prefix->text) {
        memcpy(out, prefix->text, sizeof(prefix->text));
        return out + field->name.len + 2;
    }
    if (!token_is_valid(field->name))
        return out;
    return COPY_LITERAL(put(out, field->name), ": ");
}

static inline char *put_added(char *out, const struct field *field)
{
    char *value = put_name(out, field);
    if (value == out || !copy_value(value, field->value))
        return out;
    return COPY_LITERAL(value + field->value.len, "\r\n");
}

/* Whether the line still stands in the source as the parser read it: the value is the same view, neither
 * replaced nor shortened. */
static inline bool is_verbatim(const struct field *field)
{
    return field->verbatim && field->value.data == field->name.data + field->name.len + 2 &&
           memcmp(field->value.data + field->value.len, "\r\n", 2) == 0;
}

static char *put_fields(char *out, const struct fields *fields, uint64_t passed_over)
{
    const struct field *field = fields->items, *end = field + fields->count;
    const char *run = NULL, *run_end = NULL;
    for (; field < end; field++) {
        if (field->name.len == 0 || ((passed_over >> field->id) & 1) != 0)
            continue;
        if (is_verbatim(field)) {
            if (field->name.data != run_end) {
                out = put(out, str_of(run, (size_t)(run_end - run)));
                run = field->name.data;
            }
            run_end = field->value.data + field->value.len + 2;
            continue;
        }
        out = put(out, str_of(run, (size_t)(run_end - run)));
        run = run_end = NULL;
        out = put_added(out, field);
    }
    return put(out, str_of(run, (size_t)(run_end - run)));
}

static char *put_length(char *out, int64_t length)
{
    assert(length >= 0);
    out = COPY_LITERAL(out, "Content-Length: ");
    out = digits_put(out, (uint64_t)length);
    return COPY_LITERAL(out, "\r\n");
}

/* Framing, Connection and the empty line. */
static inline char *put_end(char *out, enum h1_framing framing, int64_t body_length, struct str connection)
{
    if (framing == H1_LENGTH)
        out = put_length(out, body_length);
    else if (framing == H1_CHUNKED)
        out = COPY_LITERAL(out, "Transfer-Encoding: chunked\r\n");
    if (connection.len != 0) {
        out = COPY_LITERAL(out, "Connection: ");
        out = put(out, connection);
        out = COPY_LITERAL(out, "\r\n");
    }
    return COPY_LITERAL(out, "\r\n");
}

static size_t fields_size(const struct fields *fields)
{
    size_t size = 0;
    const struct field *field = fields->items, *end = field + fields->count;
    for (; field < end; field++)
        size += field->name.len + field->value.len + 4;
    return size;
}

size_t h1_request_size(const struct request *request)
{
    /* A path that was rewritten may need encoding: three bytes for one. */
    return FIXED_MAX + SLACK + request->method_name.len + request->connection.len + request->authority.len +
           request->upgrade.len + request->lines.len + 3 * (request->path.len + request->query.len) +
           fields_size(&request->fields);
}

size_t h1_response_size(const struct response *response)
{
    return FIXED_MAX + SLACK + REASON_MAX + response->reason.len + response->lines.len + fields_size(&response->fields);
}

/* Length of "METHOD target" where it stands in the source as it is to be written, or 0. */
static size_t verbatim_line_len(const struct request *request)
{
    struct str method = request->method_name, target = request->target;
    if (request->path.data != target.data || target.data != method.data + method.len + 1)
        return 0;
    size_t len = request->path.len;
    if (request->query.data != NULL) {
        if (request->query.data != request->path.data + len + 1)
            return 0;
        len += 1 + request->query.len;
    }
    return len == target.len && method.data[method.len] == ' ' ? method.len + 1 + len : 0;
}

/* A path or query that may have been rewritten: what may not stand in a target is encoded. */
static char *put_target(char *out, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c > 0x20 && c < 0x7f && c != '#') {
            *out++ = (char)c;
        } else {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    return out;
}

/* "METHOD target"; out itself when the method is no token. */
static char *put_request_line(char *out, const struct request *request)
{
    size_t len = verbatim_line_len(request);
    if (len != 0)
        return copy_short(out, str_of(request->method_name.data, len));
    if (!token_is_valid(request->method_name))
        return out;
    out = put(out, request->method_name);
    *out++ = ' ';
    out = put_target(out, request->path);
    if (request->query.data != NULL) {
        *out++ = '?';
        out = put_target(out, request->query);
    }
    return out;
}

size_t h1_write_request(char *out, const struct request *request, enum h1_framing framing,
                        struct str connection)
{
    char *at = put_request_line(out, request);
    uint64_t passed_over = framing_fields | BIT(HOST);
    if (request->upgrade.len != 0)
        passed_over |= BIT(UPGRADE);
    if (at == out)
        return 0;
    at = COPY_LITERAL(at, " HTTP/1.1\r\n");
    if (request->as_http_1_0)
        at[-3] = '0';
    if (!request->no_host) {
        at = COPY_LITERAL(at, "Host: ");
        if (copy_value(at, request->authority))
            at += request->authority.len;
        at = COPY_LITERAL(at, "\r\n");
    }
    at = put_fields(at, &request->fields, passed_over);
    at = put(at, request->lines);
    if (request->upgrade.len != 0)
        at = put_added(at, &(struct field){.name = field_title(FIELD_UPGRADE),
                                           .value = request->upgrade,
                                           .id = FIELD_UPGRADE});
    at = put_end(at, framing, request->body_length, connection);
    return (size_t)(at - out);
}

static char *put_status_line(char *out, const struct response *response)
{
    int status = response->status;
    if (status == 200 && (response->reason.len == 0 || str_equal(response->reason, S("OK"))))
        return COPY_LITERAL(out, "HTTP/1.1 200 OK\r\n");
    assert(status >= 100 && status <= 999);
    out = COPY_LITERAL(out, "HTTP/1.1 ");
    struct str words = http_status_words(status);
    if (response->reason.len == 0 && words.len != 0) {
        out = copy_short(out, words);
    } else {
        out = digits_put(out, (uint64_t)status);
        *out++ = ' ';
        if (response->reason.len != 0 && copy_value(out, response->reason))
            out += response->reason.len;
        else
            out = put(out, http_reason(status));
    }
    return COPY_LITERAL(out, "\r\n");
}

/* Whether a head without a body tells how long it would be. */
static bool tells_length(const struct response *response)
{
    if (response->status == 304)
        return response->body_length > 0;
    return !status_is_bodiless(response->status) && response->body_length >= 0;
}

size_t h1_write_response(char *out, const struct response *response, enum h1_framing framing,
                         struct str connection, struct str date)
{
    char *at = put_status_line(out, response);
    if (response->status >= 200 && date.len != 0 && !fields_has(&response->fields, FIELD_DATE)) {
        at = COPY_LITERAL(at, "Date: ");
        at = put(at, date);
        at = COPY_LITERAL(at, "\r\n");
    }
    at = put_fields(at, &response->fields, framing_fields);
    at = copy_short(at, response->lines);
    if (framing == H1_NO_BODY && tells_length(response))
        framing = H1_LENGTH;
    at = put_end(at, framing, response->body_length, connection);
    return (size_t)(at - out);
}
