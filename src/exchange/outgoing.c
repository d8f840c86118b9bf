#include "exchange/outgoing.h"

#include "exchange/graph.h"
#include "exchange/service.h"

static struct str ip_text(struct exchange *x, const struct ip *ip)
{
    char *text = arena_alloc(&x->arena, IP_TEXT_SIZE);
    return text != NULL ? str_of(text, ip_format(ip, text)) : STR_NONE;
}

static struct str forwarded_proto(const struct exchange *x)
{
    bool upgrade = x->stream.request.upgrade.len != 0 && str_equal_nocase(x->stream.request.upgrade, S("websocket"));
    if (x->stream.client->tls)
        return upgrade ? S("wss") : S("https");
    return upgrade ? S("ws") : S("http");
}

static struct str forwarded_port(const struct exchange *x)
{
    struct str authority = x->original_authority;
    ptrdiff_t colon = str_find_last_char(authority, ':');
    if (colon > 0 && str_find_char(authority, ']', (size_t)colon) < 0)
        return str_from_index(authority, (size_t)colon + 1);
    return str_equal(exchange_scheme(x), S("https")) ? S("443") : S("80");
}

static void set_unless_trusted(struct exchange *x, enum field_id id, struct str value)
{
    struct fields *fields = &exchange_request(x)->fields;
    if (value.len != 0 && !(x->forwarded_trusted && fields_has(fields, id) && fields_find(fields, id) != NULL))
        fields_set(fields, id, value);
}

/* Traefik's set: For grows by the peer; the others are kept from a trusted peer and otherwise ours. */
static void add_forwarding(struct exchange *x)
{
    struct fields *fields = &exchange_request(x)->fields;
    if (!x->stream.client->unix_socket) {
        struct str peer = ip_text(x, &x->stream.client->peer);
        struct str before = x->forwarded_trusted ? fields_joined(fields, FIELD_X_FORWARDED_FOR, &x->arena) : STR_NONE;
        if (before.len != 0)
            fields_set(fields, FIELD_X_FORWARDED_FOR,
                       arena_printf(&x->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(peer)));
        else
            fields_set(fields, FIELD_X_FORWARDED_FOR, peer);
        set_unless_trusted(x, FIELD_X_REAL_IP, ip_equal(&x->client_ip, &x->stream.client->peer) ? peer : ip_text(x, &x->client_ip));
    }
    set_unless_trusted(x, FIELD_X_FORWARDED_HOST, x->original_authority);
    set_unless_trusted(x, FIELD_X_FORWARDED_PORT, forwarded_port(x));
    set_unless_trusted(x, FIELD_X_FORWARDED_PROTO, forwarded_proto(x));
    set_unless_trusted(x, FIELD_X_FORWARDED_SERVER, x->graph->host_name);
}

static void add_via(struct exchange *x, struct fields *fields, enum http_version version)
{
    struct str own = version < HTTP_1_1 ? S("1.0 portico") : S("1.1 portico");
    struct str before = fields_joined(fields, FIELD_VIA, &x->arena);
    fields_set(fields, FIELD_VIA,
               before.len != 0 ? arena_printf(&x->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(own)) : own);
}

void outgoing_prepare(struct exchange *x)
{
    struct request *request = exchange_request(x);
    if (x->hop_stripped)
        return;
    x->hop_stripped = true;
    fields_remove_hop_by_hop(&request->fields, true);
    fields_remove(&request->fields, FIELD_HOST);
    fields_remove(&request->fields, FIELD_CONTENT_LENGTH);
    add_forwarding(x);
    if (x->entry->config->http.via)
        add_via(x, &request->fields, request->version);
}

const struct request *outgoing_address(struct exchange *x, struct request *copy)
{
    const struct request *request = exchange_request(x);
    bool own_host = x->service != NULL && !x->service->pass_host_header;
    if (x->server->base_path.len == 0 && !own_host)
        return request;
    *copy = *request;
    if (own_host)
        copy->authority = x->server->authority;
    if (x->server->base_path.len != 0)
        copy->path = arena_concat(&x->arena, x->server->base_path, request->path);
    return copy;
}

void outgoing_take_response(struct exchange *x)
{
    x->response = x->upstream.response;
    x->upstream_status = x->response.status;
    struct fields *fields = &x->response.fields;
    struct str upgrade = x->response.status == 101 ? fields_value(fields, FIELD_UPGRADE) : STR_NONE;
    fields_remove_hop_by_hop(fields, false);
    fields_remove(fields, FIELD_CONTENT_LENGTH);
    if (upgrade.len != 0)
        fields_add_id(fields, FIELD_UPGRADE, upgrade);
    if (x->entry->config->http.via)
        add_via(x, fields, x->response.version);
}

void outgoing_finish_response(struct exchange *x)
{
    if (x->request_id.len != 0 && fields_find(&x->response.fields, FIELD_X_REQUEST_ID) == NULL)
        fields_add_id(&x->response.fields, FIELD_X_REQUEST_ID, x->request_id);
}
