/* A value for each address: of the smallest network or range that has it. */
#include "exchange/text_template.h"
#include "exchange/variable_kind.h"
#include "variable/address_table.h"

struct geo_options {
    const struct node *origin;
    struct str source, fallback;
    struct strmap networks;
    struct strs proxies;
    bool proxy_recursive, is_volatile;
};

struct geo_state {
    const struct text_template *source;      /* NULL: the client's address */
    struct address_table v4, v6;
    struct str fallback;
    struct networks proxies;
    bool recursive;
};

static const struct option geo_options[] = {
    OPTION(STR, struct geo_options, source, .help = "The address; a template. None: the client's."),
    OPTION(STRMAP, struct geo_options, networks,
           .help = "Networks (10.0.0.0/8), addresses and ranges (10.0.0.1-10.0.0.9), each with its value; the smallest counts."),
    OPTION_NAMED(STR, struct geo_options, fallback, "default", .help = "The value of all other addresses."),
    OPTION(STRS, struct geo_options, proxies, .check = network_check,
           .help = "Networks of proxies: for an address of these, what their X-Forwarded-For ends with counts."),
    OPTION_NAMED(BOOL, struct geo_options, proxy_recursive, "proxyRecursive",
                 .help = "The last address of X-Forwarded-For that is not one of the proxies counts."),
    OPTION_NAMED(BOOL, struct geo_options, is_volatile, "volatile", .help = "It is looked up anew each time it is asked for."),
};
static const struct option_table geo_table =
    OPTION_TABLE(struct geo_options, geo_options, .summary = "A value for each address: by networks and ranges.");

static bool add_networks(struct geo_state *state, const struct geo_options *options, struct compile *compile)
{
    const struct node *item = node_get(options->origin, S("networks"));
    bool good = true;
    item = node_first(item);
    for (size_t i = 0; i < options->networks.count; i++, item = item != NULL ? item->next : NULL) {
        struct str text = options->networks.items[i].name, *value = arena_new(compile->arena, struct str);
        struct ip first, last;
        *value = options->networks.items[i].value.data != NULL ? options->networks.items[i].value : S("");
        if (address_range_parse(text, &first, &last)) {
            address_table_add(ip_is_v4(&first) && ip_is_v4(&last) ? &state->v4 : &state->v6, &first, &last, value);
            continue;
        }
        diag_error(compile->diag, item != NULL ? item->key_span : SPAN_NONE, "'%.*s' is neither a network nor a range of addresses",
                   STR_ARGS(text));
        good = false;
    }
    return good;
}

static bool settle(struct address_table *table, const struct geo_options *options, struct compile *compile)
{
    struct address_range one, other;
    char texts[4][IP_TEXT_SIZE];
    if (address_table_settle(table, &one, &other))
        return true;
    const struct ip *ips[] = {&one.first, &one.last, &other.first, &other.last};
    int lengths[4];
    for (size_t i = 0; i < 4; i++)
        lengths[i] = (int)ip_format(ips[i], texts[i]);
    diag_error(compile->diag, node_span(node_get(options->origin, S("networks"))), "range \"%.*s-%.*s\" overlaps \"%.*s-%.*s\"",
               lengths[0], texts[0], lengths[1], texts[1], lengths[2], texts[2], lengths[3], texts[3]);
    return false;
}

static bool compile_geo(const void *from, void *to, struct compile *compile)
{
    const struct geo_options *options = from;
    struct geo_state *state = to;
    bool good = add_networks(state, options, compile) && settle(&state->v4, options, compile) && settle(&state->v6, options, compile);
    state->fallback = options->fallback.data != NULL ? options->fallback : S("");
    state->proxies = networks_from(&options->proxies, compile->arena);
    state->recursive = options->proxy_recursive;
    if (options->source.len == 0)
        return good;
    state->source = text_template_new(options->source, compile, node_span(node_get(options->origin, S("source"))));
    return good && state->source != NULL;
}

/* Of what has no address, such as a unix socket, people know this one. */
static struct ip no_address(void)
{
    struct ip ip;
    bool good = ip_parse(S("255.255.255.255"), &ip);
    return good ? ip : (struct ip){0};
}

static struct ip source_address(const struct geo_state *state, struct exchange *x)
{
    struct ip ip;
    if (state->source != NULL)
        return ip_parse(text_template_text(state->source, x), &ip) ? ip : no_address();
    bool is_unix = x->stream.client->unix_socket && ip_equal(&x->client_ip, &x->stream.client->peer);
    return is_unix ? no_address() : x->client_ip;
}

/* "10.0.0.1", "10.0.0.1:80", "[::1]:80". */
static bool parse_forwarded(struct str text, struct ip *ret_ip)
{
    if (ip_parse(text, ret_ip))
        return true;
    ptrdiff_t colon = str_find_last_char(text, ':');
    return colon > 0 && ip_parse(str_first(text, (size_t)colon), ret_ip);
}

static void ask_proxies(const struct geo_state *state, struct exchange *x, struct ip *ip)
{
    struct str list = fields_joined(&exchange_request(x)->fields, FIELD_X_FORWARDED_FOR, &x->arena);
    while (list.len != 0 && networks_have(&state->proxies, ip)) {
        ptrdiff_t comma = str_find_last_char(list, ',');
        struct ip named;
        if (!parse_forwarded(str_trim(str_from_index(list, (size_t)(comma + 1))), &named))
            return;
        *ip = named;
        if (!state->recursive)
            return;
        list = str_first(list, comma > 0 ? (size_t)comma : 0);
    }
}

static struct str get(const void *from, struct exchange *x)
{
    const struct geo_state *state = from;
    struct ip ip = source_address(state, x);
    if (state->proxies.count != 0)
        ask_proxies(state, x, &ip);
    const struct str *value = address_table_find(ip_is_v4(&ip) ? &state->v4 : &state->v6, &ip);
    return value != NULL ? *value : state->fallback;
}

static bool is_volatile(const void *options)
{
    return ((const struct geo_options *)options)->is_volatile;
}

static void destroy(void *from)
{
    struct geo_state *state = from;
    address_table_release(&state->v4);
    address_table_release(&state->v6);
}

static const struct variable_kind geo_kind = {
    .choice = {.name = "geo", .summary = "A value for each address: by networks and ranges.", .table = &geo_table},
    .state_size = sizeof(struct geo_state),
    .compile = compile_geo,
    .get = get,
    .is_volatile = is_volatile,
    .destroy = destroy,
};
REGISTER(variable_kind, geo_kind);
