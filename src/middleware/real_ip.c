/* Believes what a trusted peer's field says of whose request it is. Once: a request whose address was replaced keeps it. */
#include <netdb.h>

#include "base/vec.h"
#include "exchange/middleware.h"
#include "http/token.h"

struct real_ip {
    const struct node *origin;
    struct strs from;
    struct str header;
    bool recursive, proxy_protocol;
};

struct real_ip_state {
    struct networks from;
    bool from_unix;
    enum field_id field;
    bool whole_list; /* of all lines of the field, the last one first */
};

/* Who is believed to have sent the request; becomes another with each entry of a list that is trusted. */
struct believed {
    struct ip ip;
    uint16_t port;
    bool is_unix;
};

static const char *check_from(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct network network;
    if (str_equal(text, S("unix:")) || network_parse(text, &network))
        return NULL;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && c != '.' && c != '-' && c != '_')
            return "is no address, no network, no host's name and not 'unix:'";
    }
    return text.len != 0 ? NULL : "is empty";
}

static const char *check_header(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return token_is_valid(text) ? NULL : "is not a header field's name";
}

static const struct option real_ip_options[] = {
    OPTION(STRS, struct real_ip, from, .required = true, .check = check_from,
           .help = "Who is trusted: addresses, networks (CIDR), hosts' names (looked up once), 'unix:'."),
    OPTION(STR, struct real_ip, header, .fallback = "X-Real-Ip", .check = check_header,
           .help = "The field that has the client's address: of X-Forwarded-For's list the last."),
    OPTION_NAMED(BOOL, struct real_ip, proxy_protocol, "proxyProtocol",
                 .help = "The address is that of the connection's PROXY header, not a field's."),
    OPTION(BOOL, struct real_ip, recursive,
           .help = "Where the address that was found is trusted as well, the one before it counts, and so on."),
};
static const struct option_table real_ip_table =
    OPTION_TABLE(struct real_ip, real_ip_options, .summary = "Takes the client's address from a trusted peer's field.");

/* --- compiling --- */

typedef VEC(struct network) network_list;

static void add_host(network_list *list, struct str name, struct span span, struct compile *compile)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(arena_str(compile->arena, name).data, NULL, &hints, &found);
    if (error != 0) {
        diag_error(compile->diag, span, "host not found: '%.*s': %s", STR_ARGS(name), gai_strerror(error));
        return;
    }
    for (const struct addrinfo *it = found; it != NULL; it = it->ai_next) {
        struct addr addr = {.len = it->ai_addrlen};
        if (it->ai_addrlen > sizeof(struct sockaddr_in6))
            continue;
        memcpy(&addr.any, it->ai_addr, it->ai_addrlen);
        VEC_PUSH(list, ((struct network){.base = addr_ip(&addr), .bits = 128}));
    }
    freeaddrinfo(found);
}

static void add_trusted(struct real_ip_state *state, network_list *list, struct str text, struct span span,
                        struct compile *compile)
{
    struct network network;
    if (str_equal(text, S("unix:")))
        state->from_unix = true;
    else if (network_parse(text, &network))
        VEC_PUSH(list, network);
    else if (compile->lenient)
        diag_error(compile->diag, span, "'%.*s' is no address or network: names are not looked up for labels", STR_ARGS(text));
    else
        add_host(list, text, span, compile);
}

static bool compile(struct middleware *m, struct compile *compile)
{
    const struct real_ip *options = m->options;
    struct real_ip_state *state = m->state;
    const struct node *nodes = node_get(options->origin, S("from"));
    size_t errors = compile->diag->errors;
    network_list list = {0};
    for (size_t i = 0; i < options->from.count; i++)
        add_trusted(state, &list, options->from.items[i], node_span(node_at(nodes, i)), compile);
    state->from.items = arena_array(compile->arena, struct network, list.count);
    state->from.count = list.count;
    if (list.count != 0)
        memcpy(state->from.items, list.items, list.count * sizeof(list.items[0]));
    VEC_RELEASE(&list);
    state->field = field_identify(options->header.data, options->header.len);
    state->whole_list = state->field == FIELD_X_FORWARDED_FOR;
    return compile->diag->errors == errors;
}

/* --- a request --- */

static bool is_trusted(const struct real_ip_state *state, const struct believed *believed)
{
    return believed->is_unix ? state->from_unix : networks_have(&state->from, &believed->ip);
}

/* "10.0.0.1", "10.0.0.1:80", "::1", "[::1]:80". */
static bool parse_entry(struct str text, struct believed *ret_believed)
{
    struct believed believed = {0};
    if (!ip_parse(text, &believed.ip)) {
        ptrdiff_t colon = str_find_last_char(text, ':');
        uint64_t port;
        if (colon <= 0 || !str_to_u64(str_from_index(text, (size_t)colon + 1), &port) || port == 0 || port > UINT16_MAX ||
            !ip_parse(str_first(text, (size_t)colon), &believed.ip))
            return false;
        believed.port = (uint16_t)port;
    }
    *ret_believed = believed;
    return true;
}

static bool is_between(char c)
{
    return c == ' ' || c == ',';
}

/* Takes the last entry off a list; empty when there is none. */
static struct str take_last(struct str *list)
{
    size_t end = list->len;
    while (end > 0 && is_between(list->data[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && !is_between(list->data[start - 1]))
        start--;
    struct str last = str_of(list->data + start, end - start);
    *list = str_first(*list, start);
    return last;
}

enum reading {
    READING_NOTHING, /* who sent it is not trusted, or the last entry is no address */
    READING_ENDED,   /* an address was found, and whatever stands before it is not to be believed */
    READING_ON,      /* all of the list was used: what came before may go on */
};

static enum reading read_list(const struct real_ip_state *state, bool recursive, struct str list, struct believed *believed)
{
    bool any = false;
    do {
        if (!is_trusted(state, believed) || !parse_entry(take_last(&list), believed))
            return any ? READING_ENDED : READING_NOTHING;
        any = true;
    } while (recursive && list.len != 0);
    return READING_ON;
}

/* The lines of a field from the last to the first, as one list. */
static bool read_lines(const struct real_ip_state *state, bool recursive, const struct fields *fields,
                       struct believed *believed)
{
    bool any = false;
    for (uint32_t i = fields->count; i-- > 0;) {
        const struct field *field = &fields->items[i];
        if (field->name.len == 0 || field->id != state->field)
            continue;
        enum reading reading = read_list(state, recursive, field->value, believed);
        any |= reading != READING_NOTHING;
        if (reading != READING_ON || !recursive)
            break;
    }
    return any;
}

static bool read_proxied(const struct real_ip_state *state, const struct client *client, struct believed *believed)
{
    const struct client_greeting *said = client_proxied(client);
    if (said == NULL || !is_trusted(state, believed))
        return false;
    *believed = (struct believed){.ip = said->peer, .port = said->peer_port};
    return true;
}

static bool find_client(const struct real_ip *options, const struct real_ip_state *state, const struct exchange *x,
                        struct believed *believed)
{
    const struct fields *fields = &x->stream.request.fields;
    if (options->proxy_protocol)
        return read_proxied(state, x->stream.client, believed);
    if (state->whole_list)
        return read_lines(state, options->recursive, fields, believed);
    struct str value = fields_value_name(fields, options->header);
    return value.data != NULL && read_list(state, options->recursive, value, believed) != READING_NOTHING;
}

static enum verdict on_request(struct exchange *x, struct middleware *m, void *own)
{
    const struct client *client = x->stream.client;
    struct believed believed = {.ip = client->peer, .port = client->peer_port, .is_unix = client->unix_socket};
    if (x->client_replaced || !find_client(m->options, m->state, x, &believed))
        return VERDICT_NEXT;
    x->client_replaced = true;
    x->client_ip = believed.ip;
    x->client_port = believed.port;
    x->client_text = STR_NONE;
    return VERDICT_NEXT;
}

static const struct middleware_type real_ip = {
    .choice = {.name = "realIp",
               .summary = "Takes the client's address from a trusted peer's field.",
               .table = &real_ip_table},
    .state_size = sizeof(struct real_ip_state),
    .compile = compile,
    .pure = true,
    .harmless = true,
    .on_request = on_request,
};
REGISTER(middleware_type, real_ip);
