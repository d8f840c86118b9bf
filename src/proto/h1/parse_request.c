/* Request heads: the request line, then the field lines, then what they mean together. */
#include "proto/h1/parse.h"

#include "http/token.h"
#include "http/uri.h"
#include "proto/h1/framing.h"
#include "proto/h1/scan.h"
#include "proto/h1/target.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One empty line, which some clients send behind a body (RFC 9112 2.2). */
static enum status skip_empty_line(struct h1_reader *reader)
{
    if (reader->at == reader->end || *reader->at != '\r')
        return STATUS_OK;
    if (reader->end - reader->at < 2)
        return reader->at_end;
    if (reader->at[1] == '\n')
        reader->at += 2;
    return STATUS_OK;
}

/* The method and the space behind it. */
static enum status read_method(struct h1_reader *reader, struct request *request)
{
    const char *at = reader->at;
    if (reader->end - at >= 4 && memcmp(at, "GET ", 4) == 0) {
        request->method = METHOD_GET;
        request->method_name = str_of(at, 3);
        reader->at = at + 4;
        return STATUS_OK;
    }
    while (at < reader->end && token_char[(unsigned char)*at])
        at++;
    if (at == reader->end)
        return reader->at_end;
    request->method_name = str_of(reader->at, (size_t)(at - reader->at));
    request->method = method_identify(request->method_name);
    if (*at != ' ' || request->method_name.len == 0)
        return STATUS_BAD_REQUEST_LINE;
    reader->at = at + 1;
    return STATUS_OK;
}

/* As scan_target16, for fewer bytes; the end counts as a stop. */
static __attribute__((noinline)) uint32_t short_target_stops(const char *at, size_t len)
{
    char block[16] = {0};
    memcpy(block, at, len);
    return scan_target16(block) | 1u << len;
}

/* The bytes at `at` that are no plain target bytes, as a mask of 16. */
static inline uint32_t target_stops(const char *at, const char *end)
{
    return end - at >= 16 ? scan_target16(at) : short_target_stops(at, (size_t)(end - at));
}

/* Of a byte that may not be a plain one: the next to look at when it may stand here, itself when it ends the target or
 * spoils it, the end when more must come. Behind the first "?" browsers leave percent signs and backslashes as they
 * were typed; before it a percent sign begins two hex digits. */
static const char *pass_stop(const char *stop, const char *end, const char **question)
{
    if (stop == end)
        return stop;
    if (*stop == '?' && *question == NULL)
        *question = stop;
    if (*question != NULL)
        return *stop == '?' || *stop == '\\' || *stop == '%' ? stop + 1 : stop;
    if (*stop != '%')
        return stop;
    for (const char *digit = stop + 1; digit <= stop + 2; digit++) {
        if (digit == end)
            return end;
        if (ascii_hex(*digit) < 0)
            return stop;
    }
    return stop + 1;
}

/* Where the target ends; *ret_question is its first "?" or NULL. */
static inline const char *target_end(const char *at, const char *end, const char **ret_question)
{
    *ret_question = NULL;
    for (;; at += 16) {
        for (uint32_t stops = target_stops(at, end); stops != 0; stops &= stops - 1) {
            const char *stop = at + __builtin_ctz(stops);
            if (stop != end && *stop == ' ')
                return stop;
            const char *next = pass_stop(stop, end, ret_question);
            if (next != stop + 1)
                return next;
        }
    }
}

const char *h1_target_end(struct str text, const char **ret_question)
{
    const char *end = text.data + text.len, *stop = target_end(text.data, end, ret_question);
    /* Digits that would have to follow a last "%" are as good as bytes that may not stand here. */
    bool cut = stop == end && *ret_question == NULL &&
               ((text.len >= 1 && end[-1] == '%') || (text.len >= 2 && end[-2] == '%'));
    return cut ? end - 1 : stop;
}

/* The target and the space behind it. */
static enum status read_target(struct h1_reader *reader, struct request *request, const char **ret_question)
{
    const char *end = target_end(reader->at, reader->end, ret_question);
    if (end == reader->end)
        return reader->at_end;
    if (*end != ' ')
        return STATUS_BAD_TARGET;
    request->target = str_of(reader->at, (size_t)(end - reader->at));
    reader->at = end + 1;
    return request->target.len != 0 ? STATUS_OK : STATUS_BAD_REQUEST_LINE;
}

/* Says what is wrong with the version, or what the end of the bytes means within a good one. */
static enum status judge_version(const struct h1_reader *reader)
{
    static const char pattern[] = "HTTP/d.d\r\n";
    size_t there = smaller((size_t)(reader->end - reader->at), sizeof(pattern) - 1);
    for (size_t i = 0; i < there; i++)
        if (pattern[i] == 'd' ? !ascii_digit(reader->at[i]) : reader->at[i] != pattern[i])
            return STATUS_BAD_REQUEST_LINE;
    return there == sizeof(pattern) - 1 ? STATUS_BAD_VERSION : reader->at_end;
}

static enum status read_version(struct h1_reader *reader, struct request *request)
{
    if (reader->end - reader->at < 10)
        return judge_version(reader);
    if (memcmp(reader->at, "HTTP/1.1\r\n", 10) == 0)
        request->version = HTTP_1_1;
    else if (memcmp(reader->at, "HTTP/1.0\r\n", 10) == 0)
        request->version = HTTP_1_0;
    else
        return judge_version(reader);
    reader->at += 10;
    return STATUS_OK;
}

/* The request line may take line_bytes and its CRLF; the rest of the head is out of sight meanwhile. */
static enum status read_request_line(struct h1_reader *reader, const struct h1_limits *limits,
                                     struct request *request, const char **ret_question)
{
    const char *end = reader->end;
    enum status at_end = reader->at_end;
    size_t line_limit = (size_t)limits->line_bytes + 2;
    if ((size_t)(end - reader->at) > line_limit) {
        reader->end = reader->at + line_limit;
        reader->at_end = STATUS_TARGET_TOO_LONG;
    }
    enum status status = read_method(reader, request);
    if (status == STATUS_OK)
        status = read_target(reader, request, ret_question);
    if (status == STATUS_OK)
        status = read_version(reader, request);
    reader->end = end;
    reader->at_end = at_end;
    return status;
}

/* Takes "http://" or "https://" and the authority off an absolute form. */
static enum status split_absolute(struct request *request, struct str *rest)
{
    if (str_starts_nocase(*rest, S("http://")))
        request->scheme = S("http");
    else if (str_starts_nocase(*rest, S("https://")))
        request->scheme = S("https");
    else
        return STATUS_BAD_TARGET;
    *rest = str_from_index(*rest, request->scheme.len + 3);
    size_t len = 0;
    while (len < rest->len && rest->data[len] != '/' && rest->data[len] != '?')
        len++;
    if (len == 0)
        return STATUS_BAD_TARGET;
    request->authority = str_first(*rest, len);
    *rest = str_of(rest->data + len, rest->len - len);
    return STATUS_OK;
}

/* Path and query of the target, and the authority of an absolute form. `question` is the first "?". */
static enum status split_target(struct request *request, const char *question)
{
    struct str rest = request->target;
    if (rest.data[0] != '/') {
        if (request->method == METHOD_OPTIONS && str_equal(rest, S("*"))) {
            request->path = rest;
            return STATUS_OK;
        }
        enum status status = split_absolute(request, &rest);
        if (status != STATUS_OK)
            return status;
    }
    request->path = rest;
    if (question != NULL) {
        request->path.len = (size_t)(question - rest.data);
        request->query = str_of(question + 1, rest.len - request->path.len - 1);
    } else if (rest.len == 0 && request->method == METHOD_OPTIONS) {
        request->path = S("*");
    }
    if (request->path.len == 0)
        request->path = S("/");
    return STATUS_OK;
}

/* The quick way for most hosts: a short lower-case name and perhaps a port, of which `end` is far enough away
 * to look at 16 bytes. Others take the long way. */
static bool plain_host(struct str value, const char *end, struct str *ret_host)
{
    if (value.len == 0 || end - value.data < 16)
        return false;
    size_t len = (size_t)__builtin_ctz(scan_host16(value.data) | 1u << 15);
    if (len > value.len || len == 0 || value.data[0] == '.' || value.data[len - 1] == '.')
        return false;
    if (len != value.len) {
        size_t digits = value.len - len - 1;
        if (value.data[len] != ':' || digits == 0 || digits > 4)
            return false;
        for (size_t i = len + 1; i < value.len; i++)
            if (!ascii_digit(value.data[i]))
                return false;
    }
    *ret_host = str_first(value, len);
    return true;
}

static bool read_host(struct request *request, struct str value, const char *end)
{
    uint16_t port;
    return plain_host(value, end, &request->host) ||
           uri_split_authority(request->fields.arena, value, &request->host, &port);
}

/* Host and the target's authority (RFC 9112 3.2): exactly one Host in HTTP/1.1, at most one before; an
 * absolute form wins, and what goes on as Host is what was routed by. */
static enum status settle_host(struct request *request, const struct h1_facts *facts, const char *end)
{
    uint32_t count = facts->count[H1_SLOT_HOST];
    if (count > 1 || (count == 0 && request->version >= HTTP_1_1))
        return STATUS_BAD_HOST;
    struct str host = count != 0 ? facts->value[H1_SLOT_HOST] : STR_NONE;
    if (host.len != 0 && !read_host(request, host, end))
        return STATUS_BAD_HOST;
    if (request->authority.len == 0) {
        request->authority = host;
        return STATUS_OK;
    }
    if (!read_host(request, request->authority, end))
        return STATUS_BAD_TARGET;
    if (count == 1)
        fields_find(&request->fields, FIELD_HOST)->value = request->authority;
    return STATUS_OK;
}

static enum status settle_framing(struct request *request, const struct h1_facts *facts,
                                  struct h1_head *head)
{
    enum status status = STATUS_OK;
    if (facts->count[H1_SLOT_CODING] != 0) {
        if (facts->count[H1_SLOT_LENGTH] != 0)
            return STATUS_BAD_LENGTH;
        if (request->version < HTTP_1_1)
            return STATUS_BAD_REQUEST;
        if (facts->count[H1_SLOT_CODING] > 1)
            return STATUS_REPEATED_FIELD;
        status = h1_check_coding(&request->fields, facts);
        request->body_length = BODY_UNKNOWN;
        head->framing = H1_CHUNKED;
    } else if (facts->count[H1_SLOT_LENGTH] != 0) {
        status = h1_read_length(&request->fields, facts, false, &request->body_length);
        head->framing = H1_LENGTH;
    }
    request->has_body = head->framing != H1_NO_BODY;
    return status;
}

static enum status settle_expect(struct request *request, const struct h1_facts *facts)
{
    if (facts->count[H1_SLOT_EXPECT] == 0)
        return STATUS_OK;
    if (facts->count[H1_SLOT_EXPECT] > 1)
        return STATUS_REPEATED_FIELD;
    if (!H1_IS(facts->value[H1_SLOT_EXPECT], "100-continue"))
        return STATUS_EXPECTATION_FAILED;
    request->expects_continue = request->has_body && request->version >= HTTP_1_1;
    return STATUS_OK;
}

static void settle_upgrade(struct request *request, const struct h1_facts *facts, unsigned options)
{
    if (facts->count[H1_SLOT_UPGRADE] == 0 || (options & H1_OPTION_UPGRADE) == 0 ||
        request->version < HTTP_1_1)
        return;
    struct str protocols = fields_joined(&request->fields, FIELD_UPGRADE, request->fields.arena);
    if (!token_list_has(protocols, S("h2c")))
        request->upgrade = str_trim(protocols);
}

/* Everything that the lines say together. */
static enum status settle(struct request *request, const struct h1_facts *facts, const char *end,
                          struct h1_head *head)
{
    enum status status = settle_host(request, facts, end);
    if (status == STATUS_OK)
        status = settle_framing(request, facts, head);
    if (status == STATUS_OK)
        status = settle_expect(request, facts);
    unsigned options = h1_connection_options(&request->fields, facts);
    head->keep_alive = h1_keeps_alive(request->version, options);
    settle_upgrade(request, facts, options);
    return status;
}

static void reset(struct request *request, struct h1_head *head)
{
    request->authority = request->host = request->query = request->upgrade = STR_NONE;
    request->body_length = BODY_NONE;
    request->has_body = request->expects_continue = false;
    request->fields.count = 0;
    head->framing = H1_NO_BODY;
    head->keep_alive = false;
}

/* It is not done here. What names no host and port is not even asked for (RFC 9112 3.2.3). */
static enum status judge_connect(const struct request *request)
{
    struct str host;
    uint16_t port;
    bool named = uri_split_authority(request->fields.arena, request->target, &host, &port) && port != 0;
    return named ? STATUS_METHOD_NOT_IMPLEMENTED : STATUS_BAD_TARGET;
}

static enum status read_head(struct h1_reader *reader, const struct h1_limits *limits,
                             struct request *request, struct h1_head *head)
{
    const char *question = NULL;
    enum status status = skip_empty_line(reader);
    if (status == STATUS_OK)
        status = read_request_line(reader, limits, request, &question);
    if (status != STATUS_OK)
        return status;
    if (request->method == METHOD_CONNECT)
        return judge_connect(request);
    status = split_target(request, question);
    if (status != STATUS_OK)
        return status;
    struct h1_facts facts;
    memset(facts.count, 0, sizeof(facts.count));
    status = h1_read_lines(reader, limits, &request->fields, &facts);
    return status == STATUS_OK ? settle(request, &facts, reader->end, head) : status;
}

enum status h1_parse_request(struct str bytes, const struct h1_limits *limits, struct request *request,
                             struct h1_head *head)
{
    if (bytes.len == 0 || (head->seen != 0 && !h1_may_be_complete(bytes, limits, head)))
        return STATUS_AGAIN;
    reset(request, head);
    struct h1_reader reader = h1_reader_over(bytes, limits);
    enum status status = read_head(&reader, limits, request, head);
    head->length = (size_t)(reader.at - bytes.data);
    return h1_suspend(bytes, head, status);
}
