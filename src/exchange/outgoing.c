#include "exchange/outgoing.h"

#include "base/copy.h"
#include "exchange/error_page.h"
#include "exchange/forwarded.h"
#include "exchange/graph.h"
#include "exchange/service.h"
#include "exchange/spool.h"

void outgoing_drop(struct exchange *x)
{
    if (x->outgoing != NULL && x->outgoing->body != NULL)
        spool_release(x->outgoing->body);
    x->outgoing = NULL;
}

struct outgoing *outgoing_begin(struct exchange *x, uint32_t field_count)
{
    struct outgoing *outgoing = arena_alloc(&x->arena, sizeof(*outgoing));
    outgoing_drop(x);
    if (outgoing == NULL)
        return NULL;
    *outgoing = (struct outgoing){.request = *exchange_request(x), .passes_trailers = true, .passes_hints = true};
    fields_init(&outgoing->request.fields, &x->arena, field_count);
    return x->outgoing = outgoing;
}

static void add_via(struct exchange *x, struct fields *fields, enum http_version version)
{
    struct str own = version < HTTP_1_1 ? S("1.0 portico") : version < HTTP_2 ? S("1.1 portico") : S("2.0 portico");
    struct str before = fields_joined(fields, FIELD_VIA, &x->arena);
    fields_set(fields, FIELD_VIA,
               before.len != 0 ? arena_printf(&x->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(own)) : own);
}

/* Host and Content-Length stay: a protocol writes its own from authority and body_length, and passes over them. */
void outgoing_prepare(struct exchange *x)
{
    struct request *request = x->outgoing != NULL ? &x->outgoing->request : exchange_request(x);
    bool *prepared = x->outgoing != NULL ? &x->outgoing->prepared : &x->hop_stripped;
    if (*prepared)
        return;
    *prepared = true;
    if (x->outgoing == NULL)
        fields_remove_hop_by_hop(&request->fields, true);
    if (!x->entry->passes_forwarding)
        forwarded_add(x, request);
    if (x->entry->adds_via)
        add_via(x, &request->fields, request->version);
}

/* Filters and a body that was held after the request was made may have changed how long its body is. */
static const struct request *settle_body(struct exchange *x)
{
    struct outgoing *outgoing = x->outgoing;
    const struct request *request = exchange_request(x);
    if (outgoing == NULL)
        return request;
    if (!outgoing->own_body) {
        outgoing->request.has_body = request->has_body;
        outgoing->request.body_length = request->body_length;
    }
    return &outgoing->request;
}

/* As this server wants it, in the arena. Without the memory for it: NULL. */
static __attribute__((noinline)) const struct request *readdress(struct exchange *x, const struct request *request, bool own_host)
{
    struct request *copy = arena_alloc(&x->arena, sizeof(*copy));
    if (copy == NULL)
        return NULL;
    *copy = *request;
    if (own_host)
        copy->authority = x->server->authority;
    if (x->server->base_path.len != 0)
        copy->path = arena_concat(&x->arena, x->server->base_path, request->path);
    return copy;
}

const struct request *outgoing_address(struct exchange *x)
{
    const struct request *request = settle_body(x);
    const bool own_host = x->service != NULL && !x->service->pass_host_header;
    if (__builtin_expect(x->server->base_path.len == 0 && !own_host, 1))
        return request;
    return readdress(x, request, own_host);
}

/* One is enough: repeated ones say the same, and writers pass over them anyway. It is mostly among the last. */
static inline void drop_length(struct fields *fields)
{
    if (!fields_has(fields, FIELD_CONTENT_LENGTH))
        return;
    for (struct field *field = fields->items + fields->count; field-- > fields->items;) {
        if (field->id == FIELD_CONTENT_LENGTH) {
            field->name = STR_NONE;
            break;
        }
    }
    fields->present[FIELD_CONTENT_LENGTH >> 6] &= ~(UINT64_C(1) << (FIELD_CONTENT_LENGTH & 63));
}

void outgoing_take_response(struct exchange *x)
{
    x->response = x->upstream.response;
    x->upstream_status = x->response.status;
    struct fields *fields = &x->response.fields;
    struct str upgrade = x->response.status == 101 ? fields_value(fields, FIELD_UPGRADE) : STR_NONE;
    fields_remove_hop_by_hop(fields, false);
    drop_length(fields);
    if (upgrade.len != 0)
        fields_add_id(fields, FIELD_UPGRADE, upgrade);
    if (x->entry->adds_via)
        add_via(x, fields, x->response.version);
}

void outgoing_carry(struct exchange *x, const struct field *field)
{
    if (x->carried == NULL) {
        x->carried = arena_alloc(&x->arena, sizeof(*x->carried));
        if (x->carried == NULL)
            return;
        fields_init(x->carried, &x->arena, 8);
    }
    if (field->id != FIELD_OTHER)
        fields_add_id(x->carried, field->id, field->value);
    else
        fields_add(x->carried, field->name, field->value);
}

/* The type that was carried goes before what a file's name says of it; a server's own word before what was carried. */
static __attribute__((noinline)) void add_carried(struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    FIELDS_FOREACH(x->carried, field) {
        if (field->id == FIELD_CONTENT_TYPE && x->answered_here)
            fields_set(fields, FIELD_CONTENT_TYPE, field->value);
        else if (field->id == FIELD_SET_COOKIE || fields_find_name(fields, field->name) == NULL)
            fields_add(fields, field->name, field->value);
    }
}

/* Server, which stands in the line that was made for all. */
static void add_server(struct exchange *x)
{
    struct str line = x->router != NULL && x->router->extras->server_line.len != 0 ? x->router->extras->server_line : x->entry->server_line;
    if (line.len == 0 || fields_has(&x->response.fields, FIELD_SERVER))
        return;
    x->response.lines = x->response.lines.len != 0 ? arena_concat(&x->arena, x->response.lines, line) : line;
}

#define ID_NAME "X-Request-Id: "

/* "X-Request-Id: ...\r\n" of a request that no server was sent. The id was checked, or made here. */
static struct str make_id_line(struct exchange *x)
{
    size_t name = sizeof(ID_NAME) - 1, len = name + x->request_id.len + 2;
    char *line = arena_alloc(&x->arena, len);
    if (line == NULL)
        return STR_NONE;
    memcpy(line, ID_NAME, name);
    copy_short(line + name, x->request_id);
    memcpy(line + len - 2, "\r\n", 2);
    return str_of(line, len);
}

void outgoing_finish_response(struct exchange *x)
{
    struct fields *fields = &x->response.fields;
    bool pass = x->entry->passes_forwarding;
    if (__builtin_expect(x->carried != NULL, 0))
        add_carried(x);
    if (!pass && x->request_id.len != 0 && fields_find(fields, FIELD_X_REQUEST_ID) == NULL) {
        /* The line that the server was sent serves again. */
        x->response.lines = x->request_id_line.len != 0 ? x->request_id_line : make_id_line(x);
    }
    add_server(x);
    if (x->answered_here && x->response.reason.len == 0 && error_page_style(x) == ERROR_PAGES_CLASSIC)
        x->response.reason = error_classic_reason(x->response.status);
}
