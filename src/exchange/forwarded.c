#include "exchange/forwarded.h"

#include "base/copy.h"
#include "exchange/graph.h"

#define BIT(id) (UINT64_C(1) << FIELD_##id)
_Static_assert(FIELD_COUNT <= 64, "a set of fields is one word");
static const uint64_t own_fields = BIT(X_REQUEST_ID) | BIT(X_FORWARDED_FOR) | BIT(X_REAL_IP) | BIT(X_FORWARDED_HOST) | BIT(X_FORWARDED_PORT) |
                                   BIT(X_FORWARDED_PROTO) | BIT(X_FORWARDED_SERVER);

#define ID_SIZE 32      /* of an id that is ours */

/* What ends the line before and says how it was asked, in room for a copy of fixed size: no port was named, so it is the scheme's. */
struct scheme_lines {
    char text[64];
    size_t len;
};
#define PORT_PART(port) "\r\nX-Forwarded-Port: " port "\r\n"
#define PROTO_LINE(proto) "X-Forwarded-Proto: " proto "\r\n"
#define SCHEME_LINES(port, proto) {PORT_PART(port) PROTO_LINE(proto), sizeof(PORT_PART(port) PROTO_LINE(proto)) - 1}

static bool asks_for_websocket(const struct exchange *x)
{
    struct str upgrade = x->stream.request.upgrade;
    return upgrade.len != 0 && str_equal_nocase(upgrade, S("websocket"));
}

/* Fields of ours are laid out as ready lines, which a writer copies at once. Names and values here need no checking: they
 * are ours or were read from a checked head. */
static inline char *put(char *out, struct str text)
{
    return mempcpy(out, text.data, text.len);
}

/* An address that exchange_peer_text or exchange_client_text wrote: its room is CLIENT_TEXT_SIZE or, if that is too little,
 * IP_TEXT_SIZE, so copies of fixed size will do. */
static inline char *put_address(char *out, struct str address)
{
    memcpy(out, address.data, CLIENT_TEXT_SIZE);
    if (address.len > CLIENT_TEXT_SIZE)
        memcpy(out + CLIENT_TEXT_SIZE, address.data + CLIENT_TEXT_SIZE, IP_TEXT_SIZE - CLIENT_TEXT_SIZE);
    return out + address.len;
}

/* Mostly none of the fields is there yet, the id is of our making, and the client named no port. */
static inline bool is_usual(const struct exchange *x, const struct fields *fields, struct str peer)
{
    return (fields->present[0] & own_fields) == 0 && peer.len != 0 && x->request_id.len == ID_SIZE && x->original_authority.len != 0 &&
           x->stream.request.host.len == x->original_authority.len &&
           x->stream.request.authority.data == x->original_authority.data;
}

static void add_usual(struct exchange *x, struct request *request, struct str peer)
{
    static const struct scheme_lines schemes[] = {SCHEME_LINES("80", "http"), SCHEME_LINES("443", "https"), SCHEME_LINES("80", "ws"),
                                                  SCHEME_LINES("443", "wss")};
    const struct scheme_lines *scheme = &schemes[2 * asks_for_websocket(x) + x->stream.client->tls];
    struct str host = x->original_authority, by = x->graph->forwarded_by;
    char *start = arena_alloc(&x->arena, 2 * IP_TEXT_SIZE + host.len + by.len + 256);
    if (start == NULL)
        return;
    char *out = COPY_LITERAL(start, "X-Request-Id: ");
    memcpy(out, x->request_id.data, ID_SIZE);
    x->request_id_line = str_of(start, (size_t)(out + ID_SIZE + 2 - start));
    out = put_address(COPY_LITERAL(out + ID_SIZE, "\r\nX-Forwarded-For: "), peer);
    out = put_address(COPY_LITERAL(out, "\r\nX-Real-Ip: "), peer);
    out = put(COPY_LITERAL(out, "\r\nX-Forwarded-Host: "), host);
    memcpy(out, scheme->text, sizeof(scheme->text));
    out = put(out + scheme->len, by);
    request->lines = str_of(start, (size_t)(out - start));
}

static struct str forwarded_port(const struct exchange *x)
{
    struct str authority = x->original_authority;
    ptrdiff_t colon = str_find_last_char(authority, ':');
    if (colon > 0 && str_find_char(authority, ']', (size_t)colon) < 0)
        return str_from_index(authority, (size_t)colon + 1);
    return exchange_is_secure(x) ? S("443") : S("80");
}

struct lines {
    const struct fields *fields;
    char *next;
};

/* Whatever is there already stays: a trusted peer sent it, or a middleware set it. */
static inline void add_line(struct lines *lines, enum field_id id, struct str start, struct str value)
{
    if (value.len == 0 || fields_has(lines->fields, id))
        return;
    lines->next = put(put(put(lines->next, start), value), S("\r\n"));
}

/* X-Forwarded-Proto as the client asked for it here. */
static struct str forwarded_proto(const struct exchange *x)
{
    if (asks_for_websocket(x))
        return x->stream.client->tls ? S("wss") : S("ws");
    return x->stream.client->tls ? S("https") : S("http");
}

static __attribute__((noinline)) void add_others(struct exchange *x, struct request *request, struct str peer)
{
    struct fields *fields = &request->fields;
    struct str port = forwarded_port(x), before = STR_NONE, by = x->graph->forwarded_by;
    struct str real = peer;
    if (peer.len != 0 && !ip_equal(&x->client_ip, &x->stream.client->peer))
        real = exchange_client_text(x);
    if (fields_has(fields, FIELD_X_FORWARDED_FOR) && peer.len != 0) {
        before = fields_joined(fields, FIELD_X_FORWARDED_FOR, &x->arena);
        if (before.len != 0)
            fields_set(fields, FIELD_X_FORWARDED_FOR,
                       arena_printf(&x->arena, "%.*s, %.*s", STR_ARGS(before), STR_ARGS(peer)));
    }
    size_t room = 2 * IP_TEXT_SIZE + x->original_authority.len + port.len + by.len + x->request_id.len + 256;
    char *start = arena_alloc(&x->arena, room);
    if (start == NULL)
        return;
    struct lines lines = {.fields = fields, .next = start};
    add_line(&lines, FIELD_X_REQUEST_ID, S("X-Request-Id: "), x->request_id);
    x->request_id_line = str_of(start, (size_t)(lines.next - start));
    add_line(&lines, FIELD_X_FORWARDED_FOR, S("X-Forwarded-For: "), peer);
    add_line(&lines, FIELD_X_REAL_IP, S("X-Real-Ip: "), real);
    add_line(&lines, FIELD_X_FORWARDED_HOST, S("X-Forwarded-Host: "), x->original_authority);
    add_line(&lines, FIELD_X_FORWARDED_PORT, S("X-Forwarded-Port: "), port);
    add_line(&lines, FIELD_X_FORWARDED_PROTO, S("X-Forwarded-Proto: "), forwarded_proto(x));
    if (!fields_has(fields, FIELD_X_FORWARDED_SERVER))
        lines.next = put(lines.next, by);
    request->lines = str_of(start, (size_t)(lines.next - start));
}

void forwarded_add(struct exchange *x, struct request *request)
{
    struct str peer = x->stream.client->unix_socket ? STR_NONE : exchange_peer_text(x);
    if (__builtin_expect(is_usual(x, &request->fields, peer) && ip_equal(&x->client_ip, &x->stream.client->peer), 1))
        add_usual(x, request, peer);
    else
        add_others(x, request, peer);
}
