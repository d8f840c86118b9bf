/* A server's URL taken apart: what may stand there is decided here and nowhere else. */
#include "upstream/server.h"

#define WHAT_IS_READ "use http://host[:port], https://..., h2c://... or unix:/path"

static const char *parse_unix(struct str path, struct server_url *parts)
{
    struct addr ignored;
    if (path.len < 2 || path.data[0] != '/')
        return "names no socket: use unix:/path";
    if (!addr_unix(path, &ignored))
        return "names a socket whose path is longer than the system allows";
    *parts = (struct server_url){.scheme = S("http"), .authority = S("localhost"), .host = path,
                                 .port = 80, .unix_socket = true};
    return NULL;
}

static bool is_host_byte(char c)
{
    return ascii_digit(c) || ascii_alpha(c) || c == '-' || c == '.' || c == '_' || c == ':';
}

static const char *parse_port(struct str text, struct server_url *parts)
{
    uint64_t port;
    if (!str_to_u64(text, &port) || port == 0 || port > 65535)
        return "has a port that is not between 1 and 65535";
    parts->port = (uint16_t)port;
    return NULL;
}

static const char *parse_authority(struct str authority, struct server_url *parts)
{
    struct ip ip;
    struct str host = authority;
    ptrdiff_t colon = str_find_last_char(authority, ':');
    ptrdiff_t bracket = str_find_last_char(authority, ']');
    parts->authority = authority;
    parts->port = parts->secure ? 443 : 80;
    if (colon > bracket) {
        const char *why = parse_port(str_from_index(authority, (size_t)colon + 1), parts);
        if (why != NULL)
            return why;
        host = str_first(authority, (size_t)colon);
    }
    if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        host = str_of(host.data + 1, host.len - 2);
        if (!ip_parse(host, &ip) || ip_is_v4(&ip))
            return "has brackets around what is not an IPv6 address";
    } else if (str_find_char(host, ':', 0) >= 0) {
        return "has an IPv6 address without brackets";
    }
    if (str_empty(host))
        return "names no host";
    if (host.len > 253)
        return "has a host that is longer than a name can be";
    for (size_t i = 0; i < host.len; i++)
        if (!is_host_byte(host.data[i]))
            return "has a character that no host name has";
    parts->host = host;
    return NULL;
}

static const char *parse_path(struct str path, struct server_url *parts)
{
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if (c == '?' || c == '#')
            return "has a query or a fragment, which no server can have";
        if (c <= ' ' || c >= 127)
            return "has a character that must be percent-encoded";
    }
    while (path.len != 0 && path.data[path.len - 1] == '/')
        path.len--;
    parts->path = path;
    return NULL;
}

/* What follows "scheme://"; data NULL when it is none of ours. */
static struct str take_scheme(struct str url, struct server_url *parts)
{
    static const struct str schemes[] = {STR("http"), STR("https"), STR("h2c")};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct str scheme = schemes[i];
        if (!str_starts_nocase(url, scheme) || !str_starts(str_from_index(url, scheme.len), S("://")))
            continue;
        parts->scheme = scheme;
        parts->secure = i == 1;
        parts->h2c = i == 2;
        return str_of(url.data + scheme.len + 3, url.len - scheme.len - 3);
    }
    return STR_NONE;
}

const char *server_url_parse(struct str url, struct server_url *ret_parts)
{
    *ret_parts = (struct server_url){.scheme = STR("http")};
    if (str_starts_nocase(url, S("unix://")))
        return parse_unix(str_from_index(url, 7), ret_parts);
    if (str_starts_nocase(url, S("unix:")))
        return parse_unix(str_from_index(url, 5), ret_parts);
    if (str_starts_nocase(url, S("http+unix://")))
        return parse_unix(str_from_index(url, 12), ret_parts);
    struct str rest = take_scheme(url, ret_parts);
    if (rest.data == NULL)
        return "is not the URL of a server: " WHAT_IS_READ;
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?' && rest.data[end] != '#')
        end++;
    const char *why = parse_authority(str_first(rest, end), ret_parts);
    return why != NULL ? why : parse_path(str_from_index(rest, end), ret_parts);
}

const char *server_url_check(struct str url, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct server_url ignored;
    return server_url_parse(url, &ignored);
}

struct str server_url_origin(struct str url)
{
    struct server_url parts;
    if (server_url_parse(url, &parts) != NULL || parts.unix_socket)
        return url;
    return str_of(url.data, (size_t)(parts.authority.data + parts.authority.len - url.data));
}
