/* Responses as fields for nghttp2. A head is framed as soon as it is submitted, so nothing of it is copied: names and values are
 * views, the list lies on the stack. Values are checked as HTTP/1's writer checks them; names are written in lower case. */
#include "http/date.h"
#include "http/token.h"
#include "proto/h1/chunked.h"
#include "proto/h2/serving.h"

#define LIST_ON_STACK 48
#define LINE_MIN 5                /* "a: " and the line's end */
#define ID_NAME_LASTS (8 * TIME_S)
#define OWN_FIELDS 3              /* :status, date, content-length */

/* What HTTP/2 has no use for (RFC 9113 8.2.2), and Content-Length, which is written from the response's own. */
static const uint64_t passed_over = FIELD_BIT(CONNECTION) | FIELD_BIT(KEEP_ALIVE) | FIELD_BIT(PROXY_CONNECTION) |
                                    FIELD_BIT(TRANSFER_ENCODING) | FIELD_BIT(UPGRADE) | FIELD_BIT(CONTENT_LENGTH);

static const struct str priority_name = STR("priority");

struct list_of_fields {
    nghttp2_nv *items;
    size_t count;
    struct h2_stream *own;
    uint8_t flags;                /* of all */
};

static void add(struct list_of_fields *list, struct str name, struct str value, uint8_t flags)
{
    list->items[list->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.data,
                                              .namelen = name.len,
                                              .value = (uint8_t *)(uintptr_t)value.data,
                                              .valuelen = value.len,
                                              .flags = list->flags | flags};
}

/* The name in lower case; data NULL when it is no name. */
static struct str lower_name(struct arena *arena, struct str name)
{
    bool good = name.len != 0, lower = true;
    for (size_t i = 0; i < name.len; i++) {
        good &= token_char[(unsigned char)name.data[i]];
        lower &= !(name.data[i] >= 'A' && name.data[i] <= 'Z');
    }
    if (!good)
        return STR_NONE;
    return lower ? name : arena_lower(arena, name);
}

/* A value that HTTP/1's parser read and that still stands where it was read was checked by it. */
static bool value_is_good(const struct field *field)
{
    if (field->verbatim && field->value.data == field->name.data + field->name.len + 2)
        return true;
    return token_is_field_value(field->value);
}

/* An id is another in each response: it would only drive others out of the table that both sides keep. One of them goes into it
 * now and then, so that the others need not spell the name. */
static uint8_t id_flags(struct h2_server *server)
{
    int64_t now = server->sock.loop->now;
    if (now < server->id_named_until)
        return NGHTTP2_NV_FLAG_NO_INDEX;
    server->id_named_until = now + ID_NAME_LASTS;
    return NGHTTP2_NV_FLAG_NONE;
}

static void add_field(struct list_of_fields *list, enum field_id id, struct str name, struct str value)
{
    uint8_t flags = id == FIELD_X_REQUEST_ID ? id_flags(list->own->server) : NGHTTP2_NV_FLAG_NONE;
    struct str lower = id != FIELD_OTHER ? field_name(id) : lower_name(list->own->stream->arena, name);
    if (lower.data != NULL)
        add(list, lower, value, flags);
}

static void add_fields(struct list_of_fields *list, const struct fields *fields)
{
    struct h2_stream *own = list->own;
    FIELDS_FOREACH(fields, field) {
        if ((passed_over >> field->id & 1) != 0 || !value_is_good(field) || (own->tunnel && h2_connect_drops(field)))
            continue;
        if (field->id == FIELD_OTHER && str_equal_nocase(field->name, priority_name))
            h2_priority_response(own, field->value);
        add_field(list, (enum field_id)field->id, field->name, field->value);
    }
}

/* Ready lines, "Name: value\r\n" each. */
static void add_lines(struct list_of_fields *list, struct str lines)
{
    while (lines.len != 0) {
        ptrdiff_t colon = str_find_char(lines, ':', 0), end = str_find_char(lines, '\r', 0);
        if (colon < 0 || end < colon + 2)
            return;
        struct str name = str_first(lines, (size_t)colon);
        add_field(list, field_identify(name.data, name.len), name,
                  str_of(lines.data + colon + 2, (size_t)(end - colon - 2)));
        lines = str_from_index(lines, (size_t)end + 2);
    }
}

static struct str number_text(char *end, uint64_t value)
{
    char *at = end;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return str_of(at, (size_t)(end - at));
}

/* As HTTP/1: never for 1xx and 204, and for 304 only where it tells something. */
static bool tells_length(const struct response *response)
{
    if (response->status == 304)
        return response->body_length > 0;
    return !status_is_bodiless(response->status) && response->body_length >= 0;
}

static int submit(struct h2_stream *own, const struct list_of_fields *list, bool final, bool end)
{
    nghttp2_session *session = own->server->session;
    if (!final)
        return nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, own->id, NULL, list->items, list->count, NULL);
    return nghttp2_submit_response(session, own->id, list->items, list->count, end ? NULL : &h2_stream_body);
}

enum status h2_response_send(struct h2_stream *own, const struct response *response, bool end)
{
    nghttp2_nv stack[LIST_ON_STACK];
    char length[24];
    size_t max = response->fields.count + response->lines.len / LINE_MIN + OWN_FIELDS;
    struct list_of_fields list = {.items = stack, .own = own,
                                  .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
    if (max > LIST_ON_STACK)
        list.items = arena_alloc(own->stream->arena, max * sizeof(*list.items));
    if (list.items == NULL)
        return STATUS_OUT_OF_MEMORY;
    int status = own->tunnel && response->status == 101 ? 200 : response->status; /* the tunnel is open (RFC 8441 5) */
    char code[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    add(&list, S(":status"), str_of(code, 3), 0);
    if (status >= 200 && !fields_has(&response->fields, FIELD_DATE))
        add(&list, field_name(FIELD_DATE), str_of(own->server->sock.loop->date, HTTP_DATE_LEN), 0);
    add_fields(&list, &response->fields);
    add_lines(&list, response->lines);
    if (tells_length(response))
        add(&list, field_name(FIELD_CONTENT_LENGTH),
            number_text(length + sizeof(length), (uint64_t)response->body_length), 0);
    if (submit(own, &list, status >= 200, end) != 0)
        return STATUS_OVERLOADED;
    return h2_session_frame_head(own->server, own->id) ? STATUS_OK : STATUS_CLIENT_ABORTED;
}

/* They wait for the body's last frame, so they are copied. */
bool h2_response_trailers(struct h2_stream *own, const struct fields *trailers)
{
    if (trailers == NULL || trailers->count == 0)
        return false;
    struct list_of_fields list = {.own = own};
    list.items = arena_alloc(own->stream->arena, trailers->count * sizeof(*list.items));
    if (list.items == NULL)
        return false;
    FIELDS_FOREACH(trailers, field)
        if (h1_trailer_is_allowed(field->name) && value_is_good(field))
            add_field(&list, (enum field_id)field->id, field->name, field->value);
    return list.count != 0 && nghttp2_submit_trailer(own->server->session, own->id, list.items, list.count) == 0;
}
