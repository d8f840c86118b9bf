/* Who is on the other side, and where it has come in. */
#include <unistd.h>

#include "base/version.h"
#include "exchange/graph.h"
#include "exchange/variable.h"

static struct str number(struct exchange *x, unsigned value)
{
    return arena_printf(&x->arena, "%u", value);
}

static bool is_unix(const struct exchange *x)
{
    return x->stream.client->unix_socket && ip_equal(&x->client_ip, &x->stream.client->peer);
}

static struct str remote_addr(struct exchange *x, struct str argument)
{
    return is_unix(x) ? S("unix:") : exchange_client_text(x);
}

static struct str remote_port(struct exchange *x, struct str argument)
{
    if (x->client_replaced)
        return x->client_port != 0 ? number(x, x->client_port) : S("");
    if (x->client_replaced)
        return x->client_port != 0 ? number(x, x->client_port) : S("");
    return is_unix(x) ? S("") : number(x, x->stream.client->peer_port);
}

static struct str binary_remote_addr(struct exchange *x, struct str argument)
{
    if (is_unix(x))
        return S("unix:");
    const char *bytes = (const char *)x->client_ip.bytes;
    return ip_is_v4(&x->client_ip) ? str_of(bytes + 12, 4) : str_of(bytes, 16);
}

static struct str peer_addr(struct exchange *x, struct str argument)
{
    return x->stream.client->unix_socket ? S("unix:") : exchange_peer_text(x);
}

static struct str peer_port(struct exchange *x, struct str argument)
{
    return x->stream.client->unix_socket ? S("") : number(x, x->stream.client->peer_port);
}

static struct str server_addr(struct exchange *x, struct str argument)
{
    struct client *client = x->stream.client;
    if (client->unix_socket)
        return x->entry->address_text;
    client_local(client);
    char *text = arena_alloc(&x->arena, IP_TEXT_SIZE);
    return text != NULL ? str_of(text, ip_format(&client->local, text)) : STR_NONE;
}

static struct str server_port(struct exchange *x, struct str argument)
{
    client_local(x->stream.client);
    return x->stream.client->unix_socket ? S("") : number(x, x->stream.client->local_port);
}

/* What a PROXY header says of where the client came to. */
static struct str proxied_server_addr(struct exchange *x, struct str argument)
{
    const struct client_greeting *said = client_proxied(x->stream.client);
    char *text = said != NULL ? arena_alloc(&x->arena, IP_TEXT_SIZE) : NULL;
    return text != NULL ? str_of(text, ip_format(&said->local, text)) : STR_NONE;
}

static struct str proxied_server_port(struct exchange *x, struct str argument)
{
    const struct client_greeting *said = client_proxied(x->stream.client);
    return said != NULL ? number(x, said->local_port) : STR_NONE;
}

static struct str entry_point(struct exchange *x, struct str argument)
{
    return x->entry != NULL ? x->entry->name : STR_NONE;
}

static char own_name[256];

__attribute__((constructor)) static void read_own_name(void)
{
    if (gethostname(own_name, sizeof(own_name) - 1) != 0)
        own_name[0] = '\0';
}

static struct str hostname(struct exchange *x, struct str argument)
{
    return str_from(own_name);
}

static struct str pid(struct exchange *x, struct str argument)
{
    return arena_printf(&x->arena, "%ld", (long)getpid());
}

static struct str version(struct exchange *x, struct str argument)
{
    return S(PORTICO_VERSION);
}

#define READS(function, text, dotted, words) \
    static const struct variable_type function##_type = {.name = text, .alias = dotted, .help = words, .get = function}; \
    REGISTER(variable_type, function##_type)
#define ASKS(function, text, dotted, words) \
    static const struct variable_type function##_type = {.name = text, .alias = dotted, .help = words, .is_volatile = true, .get = function}; \
    REGISTER(variable_type, function##_type)

ASKS(remote_addr, "remote_addr", "client.address", "The client's address, behind trusted proxies the one that they name.");
ASKS(remote_port, "remote_port", "client.port", "The client's port.");
ASKS(binary_remote_addr, "binary_remote_addr", "client.addressBytes", "The client's address as 4 or 16 bytes: for keys.");
READS(peer_addr, "realip_remote_addr", "peer.address", "The address of the connection's other end, whatever a trusted proxy says of its client.");
READS(peer_port, "realip_remote_port", "peer.port", "The port of the connection's other end.");
READS(server_addr, "server_addr", "entryPoint.address", "The address that the request came in at.");
READS(server_port, "server_port", "entryPoint.port", "The port that the request came in at.");
READS(proxied_server_addr, "proxy_protocol_server_addr", "proxyProtocol.serverAddress", "The address that the client came to, as the PROXY header says.");
READS(proxied_server_port, "proxy_protocol_server_port", "proxyProtocol.serverPort", "Its port.");
ASKS(entry_point, "entry_point", "entryPoint.name", "The entrypoint's name.");
ASKS(hostname, "hostname", "proxy.host", "This machine's name.");
READS(pid, "pid", "proxy.pid", "The process's number.");
ASKS(version, "nginx_version", "proxy.version", "This proxy's version.");
