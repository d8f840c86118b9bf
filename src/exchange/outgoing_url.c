#include "exchange/outgoing_url.h"

static const struct {
    struct str start, scheme;
    uint16_t port;
    bool secure;
} schemes[] = {
    {STR("http://"), STR("http"), 80, false},  {STR("https://"), STR("https"), 443, true}, {STR("h2c://"), STR("h2c"), 80, false},
    {STR("grpc://"), STR("h2c"), 80, false},   {STR("grpcs://"), STR("https"), 443, true},
};
#define SCHEME_COUNT (sizeof(schemes) / sizeof(schemes[0]))

/* "unix:/path" or "unix:/path:/uri". */
static bool parse_unix(struct str rest, size_t start, struct outgoing_url *url)
{
    struct str path = str_from_index(rest, 5);
    ptrdiff_t colon = str_find_char(path, ':', 0);
    url->unix_socket = true;
    url->host = colon >= 0 ? str_first(path, (size_t)colon) : path;
    url->authority = S("localhost");
    url->uri = colon >= 0 ? str_from_index(path, (size_t)colon + 1) : STR_NONE;
    url->origin = str_first(url->text, start + 5 + url->host.len);
    return url->host.len != 0;
}

static bool parse_host(struct str authority, uint16_t usual_port, struct outgoing_url *url)
{
    ptrdiff_t colon = str_find_last_char(authority, ':'), bracket = str_find_last_char(authority, ']');
    uint64_t port = usual_port;
    url->host = url->authority = authority;
    if (colon > bracket) {
        if (!str_to_u64(str_from_index(authority, (size_t)colon + 1), &port) || port == 0 || port > 65535)
            return false;
        url->host = str_first(authority, (size_t)colon);
        url->port = str_from_index(authority, (size_t)colon + 1);
        if (port == usual_port)
            url->authority = url->host;
    } else {
        url->port = usual_port == 443 ? S("443") : S("80");
    }
    url->port_number = (uint16_t)port;
    return url->host.len != 0;
}

bool outgoing_url_parse(struct str text, struct outgoing_url *ret_url)
{
    size_t i = 0;
    while (i < SCHEME_COUNT && !str_starts_nocase(text, schemes[i].start))
        i++;
    if (i == SCHEME_COUNT)
        return false;
    size_t start = schemes[i].start.len, end = 0;
    struct str rest = str_from_index(text, start);
    *ret_url = (struct outgoing_url){.text = text, .scheme = schemes[i].scheme, .secure = schemes[i].secure};
    if (str_starts_nocase(rest, S("unix:")))
        return parse_unix(rest, start, ret_url);
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    ret_url->uri = str_from_index(rest, end);
    ret_url->origin = str_first(text, start + end);
    return parse_host(str_first(rest, end), schemes[i].port, ret_url);
}
