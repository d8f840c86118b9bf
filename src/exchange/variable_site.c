/* What the site says of itself, and the host as it was asked for. */
#include "exchange/graph.h"
#include "exchange/variable.h"
#include "exchange/visit.h"

static struct str first_name(const struct exchange *x)
{
    const struct site *site = x->visit != NULL ? x->visit->site : NULL;
    if (site == NULL || site->config->names.count == 0)
        return S("");
    struct str name = site->config->names.items[0];
    return str_starts(name, S(".")) ? str_from_index(name, 1) : name;
}

static struct str server_name(struct exchange *x, struct str argument)
{
    return first_name(x);
}

static struct str host(struct exchange *x, struct str argument)
{
    struct str name = exchange_request(x)->host;
    return name.len != 0 ? name : first_name(x);
}

/* What of the authority follows its host. */
static struct str port_part(const struct exchange *x)
{
    struct str authority = x->stream.request.authority;
    ptrdiff_t colon = str_find_last_char(authority, ':'), bracket = str_find_last_char(authority, ']');
    return colon > bracket ? str_from_index(authority, (size_t)colon) : STR_NONE;
}

static struct str request_port(struct exchange *x, struct str argument)
{
    struct str part = port_part(x);
    return part.len > 1 ? str_from_index(part, 1) : S("");
}

static struct str is_request_port(struct exchange *x, struct str argument)
{
    return port_part(x).len > 1 ? S(":") : S("");
}

static struct str proxy_protocol_addr(struct exchange *x, struct str argument)
{
    const struct client_greeting *said = client_proxied(x->stream.client);
    char *text = said != NULL ? arena_alloc(&x->arena, IP_TEXT_SIZE) : NULL;
    return text != NULL ? str_of(text, ip_format(&said->peer, text)) : S("");
}

static struct str proxy_protocol_port(struct exchange *x, struct str argument)
{
    const struct client_greeting *said = client_proxied(x->stream.client);
    return said != NULL ? arena_printf(&x->arena, "%u", said->peer_port) : S("");
}

static struct str http2(struct exchange *x, struct str argument)
{
    if (exchange_request(x)->version != HTTP_2)
        return S("");
    return x->stream.client->tls ? S("h2") : S("h2c");
}

static struct str http3(struct exchange *x, struct str argument)
{
    return exchange_request(x)->version == HTTP_3 ? S("h3") : S("");
}

#define READS(function, dotted, words) \
    static const struct variable_type function##_type = { \
        .name = #function, .alias = dotted, .help = words, .is_volatile = true, .get = function}; \
    REGISTER(variable_type, function##_type)

READS(host, "request.host",
      "The host that the client asked for: of the request line, else of Host, else the site's name; in lower case, without a port.");
READS(server_name, "site.name", "The first name of the site that took the request.");
READS(request_port, "request.port", "The port that the client named beside the host.");
READS(is_request_port, "request.port.mark", "\":\" where the client named a port, else nothing.");
READS(proxy_protocol_addr, "proxyProtocol.address", "The client's address of the PROXY header.");
READS(proxy_protocol_port, "proxyProtocol.port", "The client's port of the PROXY header.");
READS(http2, "request.http2", "\"h2\" or, without TLS, \"h2c\" where HTTP/2 is spoken, else nothing.");
READS(http3, "request.http3", "\"h3\" where HTTP/3 is spoken, else nothing.");
