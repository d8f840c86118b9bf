/* Response heads. A server is trusted little: what could be read in two ways ends with a refusal. */
#include "proto/h1/parse.h"

#include "proto/h1/framing.h"

#define STATUS_LINE_START 12      /* "HTTP/1.1 200" */

/* True while the bytes there can still become "HTTP/1.x NNN". */
static bool may_be_status_line(const char *at, size_t len)
{
    static const char pattern[] = "HTTP/1.v ddd";
    for (size_t i = 0; i < len && i < sizeof(pattern) - 1; i++) {
        bool fits = pattern[i] == 'v'   ? at[i] == '0' || at[i] == '1'
                    : pattern[i] == 'd' ? ascii_digit(at[i])
                                        : at[i] == pattern[i];
        if (!fits)
            return false;
    }
    return true;
}

static bool is_text(char c)
{
    return ((unsigned char)c >= 0x20 && c != 0x7f) || c == '\t';
}

/* What follows the status code: CRLF, or a space, the reason and CRLF. */
static enum status read_reason(struct h1_reader *reader, struct response *response)
{
    const char *at = reader->at, *reason = at;
    if (at < reader->end && *at == ' ') {
        reason = ++at;
        while (at < reader->end && is_text(*at))
            at++;
    }
    if (at == reader->end)
        return reader->at_end;
    if (*at != '\r')
        return STATUS_BAD_REQUEST_LINE;
    if (reader->end - at < 2)
        return reader->at_end;
    response->reason = str_of(reason, (size_t)(at - reason));
    reader->at = at + 2;
    return at[1] == '\n' ? STATUS_OK : STATUS_BAD_REQUEST_LINE;
}

static enum status read_status_line(struct h1_reader *reader, struct response *response)
{
    const char *at = reader->at;
    size_t len = (size_t)(reader->end - at);
    if (len >= 17 && memcmp(at, "HTTP/1.1 200 OK\r\n", 17) == 0) {
        response->version = HTTP_1_1;
        response->status = 200;
        response->reason = str_of(at + 13, 2);
        reader->at = at + 17;
        return STATUS_OK;
    }
    bool usual = len >= STATUS_LINE_START && memcmp(at, "HTTP/1.1 ", 9) == 0 &&
                 ascii_digit(at[9]) && ascii_digit(at[10]) && ascii_digit(at[11]);
    if (!usual && !may_be_status_line(at, len))
        return STATUS_BAD_REQUEST_LINE;
    if (len < STATUS_LINE_START)
        return reader->at_end;
    response->version = at[7] == '1' ? HTTP_1_1 : HTTP_1_0;
    response->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    reader->at = at + STATUS_LINE_START;
    return response->status >= 100 ? read_reason(reader, response) : STATUS_BAD_REQUEST_LINE;
}

/* The status line under its own limit; see read_request_line. */
static enum status read_limited_line(struct h1_reader *reader, const struct h1_limits *limits,
                                     struct response *response)
{
    const char *end = reader->end;
    enum status at_end = reader->at_end;
    size_t line_limit = (size_t)limits->line_bytes + 2;
    if ((size_t)(end - reader->at) > line_limit) {
        reader->end = reader->at + line_limit;
        reader->at_end = STATUS_TARGET_TOO_LONG;
    }
    enum status status = read_status_line(reader, response);
    reader->end = end;
    reader->at_end = at_end;
    return status;
}

/* What the fields announce, whether or not it will come: *ret_framing without a length is H1_UNTIL_CLOSE. */
static enum status read_announced(struct response *response, const struct h1_facts *facts,
                                  enum h1_framing *ret_framing)
{
    response->body_length = BODY_UNKNOWN;
    *ret_framing = H1_UNTIL_CLOSE;
    if (facts->count[H1_SLOT_CODING] != 0) {
        if (facts->count[H1_SLOT_LENGTH] != 0 || response->version < HTTP_1_1)
            return STATUS_BAD_LENGTH;
        *ret_framing = H1_CHUNKED;
        return h1_check_coding(&response->fields, facts);
    }
    if (facts->count[H1_SLOT_LENGTH] != 0) {
        *ret_framing = H1_LENGTH;
        return h1_read_length(&response->fields, facts, true, &response->body_length);
    }
    return STATUS_OK;
}

/* RFC 9112 6.3. */
static enum status settle(struct response *response, const struct h1_facts *facts,
                          enum method request_method, struct h1_head *head)
{
    enum h1_framing announced;
    enum status status = read_announced(response, facts, &announced);
    unsigned options = h1_connection_options(&response->fields, facts);
    head->keep_alive = h1_keeps_alive(response->version, options);
    head->framing = announced;
    if (status_is_bodiless(response->status)) {
        /* A server that announces a body here may well send it, and it would be taken for the next head. */
        if (response->status != 304 && (announced == H1_CHUNKED || response->body_length > 0))
            head->keep_alive = false;
        if (response->status != 304 || announced != H1_LENGTH)
            response->body_length = BODY_NONE;
        head->framing = H1_NO_BODY;
    } else if (request_method == METHOD_HEAD) {
        head->framing = H1_NO_BODY;
    } else if (announced == H1_UNTIL_CLOSE) {
        head->keep_alive = false;
    }
    return status;
}

static enum status read_head(struct h1_reader *reader, const struct h1_limits *limits,
                             enum method request_method, struct response *response,
                             struct h1_head *head)
{
    struct h1_facts facts;
    memset(facts.count, 0, sizeof(facts.count));
    response->fields.count = 0;
    enum status status = read_limited_line(reader, limits, response);
    if (status == STATUS_OK)
        status = h1_read_lines(reader, limits, &response->fields, &facts);
    return status == STATUS_OK ? settle(response, &facts, request_method, head) : status;
}

/* The same refusals by the names that a server's faults have. */
static enum status as_upstream(enum status status)
{
    switch ((int)status) {
    case STATUS_OK:
    case STATUS_AGAIN:
    case STATUS_OUT_OF_MEMORY:
        return status;
    case STATUS_TARGET_TOO_LONG:
    case STATUS_FIELDS_TOO_LARGE:
    case STATUS_TOO_MANY_FIELDS:
        return STATUS_UPSTREAM_HEAD_TOO_LARGE;
    default:
        return STATUS_UPSTREAM_BAD_RESPONSE;
    }
}

enum status h1_parse_response(struct str bytes, const struct h1_limits *limits, enum method request_method,
                              struct response *response, struct h1_head *head)
{
    if (bytes.len == 0 || (head->seen != 0 && !h1_may_be_complete(bytes, limits, head)))
        return STATUS_AGAIN;
    struct h1_reader reader = h1_reader_over(bytes, limits);
    enum status status = read_head(&reader, limits, request_method, response, head);
    head->length = (size_t)(reader.at - bytes.data);
    return h1_suspend(bytes, head, as_upstream(status));
}
