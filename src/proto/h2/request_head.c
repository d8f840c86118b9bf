/* Request heads: fields as they come, each judged once, copied into the exchange's arena; then the request that they make.
 * What RFC 9113 calls malformed is answered, as what HTTP refuses in HTTP/1 too, and is spent from the client's budget like a reset. */
#include "base/swar.h"
#include "http/token.h"
#include "http/uri.h"
#include "proto/h1/chunked.h"
#include "proto/h1/copy_value.h"
#include "proto/h1/repair.h"
#include "proto/h1/target.h"
#include "proto/h2/serving.h"

#define METHOD_ROOM 8             /* before a path, so that "METHOD target" stands in one piece for HTTP/1 */
#define FIELD_COST 4              /* ": " and a line's end: what a field would take in HTTP/1 beside its bytes */
#define BOMB_FACTOR 4             /* a head so much larger than allowed is not a mistake */
#define BOMB_MIN ((uint32_t)262144)
#define HEADS_FACTOR 4            /* what a connection's heads may take together, in heads of the largest size */
#define HEADS_MIN ((uint64_t)4 << 20)
#define TRAILER_COUNT_MAX 128

static const struct str priority_name = STR("priority");

void h2_head_begin(struct h2_head *head, bool is_trailers)
{
    memset(head, 0, sizeof(*head));
    head->is_trailers = is_trailers;
}

static void fail(struct h2_head *head, enum status status)
{
    if (head->failure == STATUS_OK)
        head->failure = status;
}

/* RFC 9113 8.1.1: it may be answered, but nothing else. */
static void spoil(struct h2_head *head, enum status status)
{
    head->malformed = true;
    fail(head, status);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct str refuse_value(struct h2_head *head)
{
    spoil(head, head->regular_seen ? STATUS_BAD_FIELD : STATUS_BAD_REQUEST_LINE);
    return STR_NONE;
}

/* The value in the arena, `before` bytes of room in front of it and one behind. Data NULL: malformed, or no memory. */
static struct str keep_value(struct h2_stream *own, struct str value, size_t before)
{
    if (value.len != 0 && (is_blank(value.data[0]) || is_blank(value.data[value.len - 1])))
        return refuse_value(&own->head);      /* RFC 9113 8.2.1 */
    char *memory = arena_alloc(own->stream->arena, before + value.len + 1);
    if (memory == NULL) {
        fail(&own->head, STATUS_OUT_OF_MEMORY);
        return STR_NONE;
    }
    if (!copy_value(memory + before, value))
        return refuse_value(&own->head);
    return str_of(memory + before, value.len);
}

/* ---- pseudo-fields ---- */

static struct str *pseudo_place(struct h2_head *head, struct str name)
{
    static const struct str names[] = {STR(":method"), STR(":scheme"), STR(":authority"), STR(":path"), STR(":protocol")};
    struct str *const places[] = {&head->method, &head->scheme, &head->authority, &head->path, &head->protocol};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(names[i], name))
            return places[i];
    return NULL;
}

/* Each at most once, before all others, and only those that a request has (RFC 9113 8.3). */
static void take_pseudo(struct h2_stream *own, struct str name, struct str value)
{
    struct h2_head *head = &own->head;
    struct str *place = pseudo_place(head, name);
    if (place == NULL || place->data != NULL || head->regular_seen || head->is_trailers) {
        spoil(head, STATUS_H2_PROTOCOL);
        return;
    }
    /* The few bytes that methods and schemes have are mostly known ones. */
    if (place == &head->method && str_equal(value, S("GET")))
        *place = S("GET");
    else if (place == &head->scheme && str_equal(value, S("https")))
        *place = S("https");
    else
        *place = keep_value(own, value, place == &head->path ? METHOD_ROOM : 0);
}

/* ---- regular fields ---- */

static bool name_is_good(struct str name)
{
    bool good = name.len != 0;
    for (size_t i = 0; i < name.len; i++)
        good &= token_char[(unsigned char)name.data[i]] && !(name.data[i] >= 'A' && name.data[i] <= 'Z');
    return good;
}

/* Fields of one connection have no place here (RFC 9113 8.2.2); others are counted where more than one matters. */
static bool judge_known(struct h2_head *head, enum field_id id, struct str value)
{
    switch ((int)id) {
    case FIELD_CONNECTION:
    case FIELD_KEEP_ALIVE:
    case FIELD_PROXY_CONNECTION:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE:
        return false;
    case FIELD_TE:
        return str_equal_nocase(value, S("trailers"));
    case FIELD_COOKIE:
        head->cookies++;
        return true;
    case FIELD_CONTENT_LENGTH:
        head->lengths++;
        return true;
    case FIELD_HOST:
        head->hosts++;
        return true;
    case FIELD_EXPECT:
        head->expects++;
        return true;
    default:
        return true;
    }
}

static void add_field(struct h2_stream *own, enum field_id id, struct str name, struct str value)
{
    struct request *request = &own->stream->request;
    struct fields *fields = own->head.is_trailers ? &request->trailers : &request->fields;
    bool added = id != FIELD_OTHER ? fields_add_id(fields, id, value) : fields_add(fields, name, value);
    if (!added)
        fail(&own->head, STATUS_OUT_OF_MEMORY);
}

static void take_regular(struct h2_stream *own, struct str name, struct str value)
{
    struct h2_head *head = &own->head;
    enum field_id id = field_identify(name.data, name.len);
    bool known = id != FIELD_OTHER && str_equal(field_name(id), name);
    head->regular_seen = true;
    if ((!known && !name_is_good(name)) || (known && !judge_known(head, id, value))) {
        spoil(head, known ? STATUS_H2_PROTOCOL : STATUS_BAD_FIELD);
        return;
    }
    if (head->is_trailers && !h1_trailer_is_allowed(name))
        return;
    struct str kept = keep_value(own, value, 0);
    if (kept.data == NULL)
        return;
    struct str kept_name = name;
    if (!known) {
        kept_name = arena_str(own->stream->arena, name);
        head->has_priority = head->has_priority || str_equal(name, priority_name);
        if (kept_name.data == NULL) {
            fail(head, STATUS_OUT_OF_MEMORY);
            return;
        }
    }
    add_field(own, known ? id : FIELD_OTHER, kept_name, kept);
}

/* A few bytes that name what is in HPACK's table make heads of the largest size, and each is held until its exchange has ended:
 * a stream that finds no room any more was not processed, and may be asked again. */
static bool has_room(struct h2_stream *own, uint32_t cost)
{
    struct h2_server *server = own->server;
    uint64_t room = (uint64_t)server->settings->limits.head_bytes * HEADS_FACTOR;
    if ((own->facts & FACT_CLOSED) != 0)
        return false;
    if (server->heads + cost > (room > HEADS_MIN ? room : HEADS_MIN)) {
        own->reset_code = NGHTTP2_REFUSED_STREAM;
        h2_stream_close(own, STATUS_OVERLOADED);
        return false;
    }
    server->heads += cost;
    own->held += cost;
    return true;
}

/* What is beyond a limit is counted and dropped; nghttp2 must read on for the sake of its table. A head that goes far beyond
 * ends the connection, for reading it costs too. */
static bool within_limits(struct h2_stream *own, struct str name, struct str value)
{
    const struct h1_limits *limits = &own->server->settings->limits;
    struct h2_head *head = &own->head;
    uint32_t count_max = head->is_trailers ? TRAILER_COUNT_MAX : limits->field_count;
    uint32_t cost = (uint32_t)(name.len + value.len + FIELD_COST);
    head->bytes += cost;
    head->count += name.len == 0 || name.data[0] != ':';
    if (head->bytes <= limits->head_bytes && head->count <= count_max)
        return has_room(own, cost);
    fail(head, head->bytes > limits->head_bytes ? STATUS_FIELDS_TOO_LARGE : STATUS_TOO_MANY_FIELDS);
    uint32_t bomb = limits->head_bytes > BOMB_MIN / BOMB_FACTOR ? limits->head_bytes * BOMB_FACTOR : BOMB_MIN;
    if (head->bytes > bomb)
        h2_server_doom(own->server, NGHTTP2_ENHANCE_YOUR_CALM, STATUS_H2_FLOOD);
    return false;
}

void h2_head_field(struct h2_stream *own, struct str name, struct str value)
{
    if (!within_limits(own, name, value) || own->head.malformed)
        return;
    if (name.len != 0 && name.data[0] == ':')
        take_pseudo(own, name, value);
    else
        take_regular(own, name, value);
}

/* ---- what they say together ---- */

/* "METHOD target" in one piece where the room before the path allows it. */
static void place_method(struct request *request, struct str method, struct str path)
{
    request->method = method_identify(method);
    request->method_name = request->method != METHOD_OTHER ? method_text(request->method) : method;
    if (method.len + 1 > METHOD_ROOM || path.data == NULL)
        return;
    char *before = (char *)(uintptr_t)path.data - method.len - 1;      /* keep_value left the room there */
    memcpy(before, method.data, method.len);
    before[method.len] = ' ';
    request->method_name = str_of(before, method.len);
}

/* Path and query. */
static enum status settle_target(struct h2_stream *own)
{
    struct request *request = &own->stream->request;
    struct str path = own->head.path;
    const char *question = NULL, *end = path.data + path.len;
    request->target = request->path = path;
    if (path.len > own->server->settings->limits.line_bytes)
        return STATUS_TARGET_TOO_LONG;
    if (request->method == METHOD_OPTIONS && str_equal(path, S("*")))
        return STATUS_OK;
    if (path.data[0] == '/' && own->server->settings->limits.repair_targets && h1_target_end(path, &question) != end) {
        struct str repaired = h1_repair_target(path, own->stream->arena);
        if (repaired.data != NULL)
            request->target = request->path = path = repaired;
        end = path.data + path.len;
    }
    if (path.data[0] != '/' || h1_target_end(path, &question) != end)
        return STATUS_BAD_TARGET;
    if (question != NULL) {
        request->path.len = (size_t)(question - path.data);
        request->query = str_of(question + 1, (size_t)(end - question) - 1);
    }
    return STATUS_OK;
}

static enum status settle_scheme(struct h2_stream *own)
{
    struct request *request = &own->stream->request;
    if (str_equal_nocase(own->head.scheme, S("https")))
        request->scheme = S("https");
    else if (str_equal_nocase(own->head.scheme, S("http")))
        request->scheme = S("http");
    else
        return STATUS_BAD_TARGET;
    return STATUS_OK;
}

/* :authority, else Host; a Host beside it must say the same (RFC 9113 8.3.1). The request has the field then, as in HTTP/1. */
static enum status settle_host(struct h2_stream *own)
{
    struct request *request = &own->stream->request;
    struct h2_head *head = &own->head;
    struct str host = fields_value(&request->fields, FIELD_HOST);
    if (head->hosts > 1 || (host.len == 0 && head->authority.len == 0))
        return STATUS_BAD_HOST;
    if (head->authority.len == 0)
        head->authority = host;
    else if (head->hosts == 0 && !fields_add_id(&request->fields, FIELD_HOST, head->authority))
        return STATUS_OUT_OF_MEMORY;
    else if (head->hosts != 0 && !str_equal_nocase(host, head->authority))
        return STATUS_BAD_HOST;
    request->authority = head->authority;
    uint16_t port;
    return uri_split_authority(request->fields.arena, request->authority, &request->host, &port) ? STATUS_OK : STATUS_BAD_HOST;
}

static bool read_length(struct str text, int64_t *ret_length)
{
    uint64_t length;
    if (!str_to_u64(text, &length) || length > INT64_MAX)
        return false;
    *ret_length = (int64_t)length;
    return true;
}

static enum status settle_body(struct h2_stream *own, bool end)
{
    struct request *request = &own->stream->request;
    request->has_body = !end || own->head.lengths != 0;
    request->body_length = end ? BODY_NONE : BODY_UNKNOWN;
    if (own->head.lengths == 0)
        return STATUS_OK;
    if (own->head.lengths > 1 || !read_length(fields_value(&request->fields, FIELD_CONTENT_LENGTH), &request->body_length))
        return STATUS_BAD_LENGTH;
    if (end && request->body_length != 0)
        return own->head.malformed = true, STATUS_BAD_LENGTH;      /* RFC 9113 8.1.1 */
    own->in_left = request->body_length;
    return STATUS_OK;
}

static enum status settle_expect(struct h2_stream *own)
{
    struct request *request = &own->stream->request;
    if (own->head.expects == 0)
        return STATUS_OK;
    if (own->head.expects > 1)
        return STATUS_REPEATED_FIELD;
    if (!str_equal_nocase(fields_value(&request->fields, FIELD_EXPECT), S("100-continue")))
        return STATUS_EXPECTATION_FAILED;
    request->expects_continue = request->has_body;
    return STATUS_OK;
}

/* The crumbs of a cookie become one field (RFC 9113 8.2.3). */
static enum status join_cookies(struct fields *fields)
{
    size_t len = 0;
    struct field *first = NULL;
    FIELDS_FOREACH(fields, field)
        if (field->id == FIELD_COOKIE)
            len += field->value.len + 2;
    char *joined = arena_alloc(fields->arena, len), *out = joined;
    if (joined == NULL)
        return STATUS_OUT_OF_MEMORY;
    FIELDS_FOREACH(fields, field) {
        if (field->id != FIELD_COOKIE)
            continue;
        out = mempcpy(mempcpy(out, field->value.data, field->value.len), "; ", 2);
        if (first == NULL) {
            first = field;
        } else {
            field->name = STR_NONE;
            field->id = FIELD_OTHER;
        }
    }
    first->value = str_of(joined, len - 2);
    return STATUS_OK;
}

/* Pseudo-fields that must be there, or must not (RFC 9113 8.3.1, 8.5; RFC 8441 4). */
static void judge_pseudo(struct h2_head *head)
{
    bool is_connect = str_equal(head->method, S("CONNECT"));
    if (is_connect && head->protocol.data == NULL)
        fail(head, STATUS_METHOD_NOT_IMPLEMENTED);
    else if (head->method.data == NULL || head->scheme.len == 0 || head->path.len == 0 || (head->protocol.data != NULL && !is_connect))
        spoil(head, STATUS_H2_PROTOCOL);
    else if (!token_is_valid(head->method))
        spoil(head, STATUS_BAD_REQUEST_LINE);
}

static enum status settle(struct h2_stream *own, bool end)
{
    struct h2_head *head = &own->head;
    struct request *request = &own->stream->request;
    enum status status = settle_target(own);
    if (status == STATUS_OK)
        status = settle_scheme(own);
    if (status == STATUS_OK)
        status = settle_host(own);
    if (status == STATUS_OK)
        status = settle_body(own, end);
    if (status == STATUS_OK)
        status = settle_expect(own);
    if (status == STATUS_OK && head->cookies > 1)
        status = join_cookies(&request->fields);
    if (status == STATUS_OK && head->protocol.data != NULL)
        status = h2_connect_accept(own);
    return status;
}

/* What is known of a request that is refused: its host finds the site whose page it gets, the rest stands in logs. */
static void settle_refused(struct h2_stream *own)
{
    if (own->head.path.len != 0)
        settle_target(own);
    settle_host(own);
}

static void forget_body(struct request *request)
{
    request->has_body = request->expects_continue = false;
    request->body_length = BODY_NONE;
}

static void end_request(struct h2_stream *own, bool end)
{
    struct h2_head *head = &own->head;
    struct request *request = &own->stream->request;
    request->version = HTTP_2;
    /* What was dropped may have been what is missing: a head that is too large is answered as such. */
    if (head->failure == STATUS_OK)
        judge_pseudo(head);
    if (head->method.data != NULL && (head->failure == STATUS_OK || token_is_valid(head->method)))
        place_method(request, head->method, head->path);
    if (head->failure == STATUS_OK)
        head->failure = settle(own, end);
    else
        settle_refused(own);
    if (head->failure != STATUS_OK)
        forget_body(request);
    else if (head->has_priority)
        h2_priority_request(own);
    if (head->malformed)
        h2_session_count_reset(own->server);
    own->stream->failure = head->failure;
    own->head_delivered = true;
    h2_stream_note(own, FACT_HEAD);
    if (end)
        h2_stream_end(own);
}

void h2_head_end(struct h2_stream *own, bool end)
{
    if (!own->head.is_trailers)
        end_request(own, end);
    else if (own->head.malformed || !end)
        h2_stream_malformed(own, own->head.malformed ? own->head.failure : STATUS_H2_PROTOCOL);
    else if (own->head.failure != STATUS_OK)
        h2_stream_close(own, own->head.failure);
    else
        h2_stream_end(own);
}
