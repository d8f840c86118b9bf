/* "host[:port]" (RFC 3986 3.2), with the few bytes that a host on this side of the world has. */
#include "http/uri.h"

#include <arpa/inet.h>

#define HOST_MAX 255

enum { NAME = 1, UPPER = 2, FUTURE = 4 };

static const uint8_t classes[256] = {
    ['0' ... '9'] = NAME, ['a' ... 'z'] = NAME, ['A' ... 'Z'] = NAME | UPPER,
    ['-'] = NAME, ['.'] = NAME, ['_'] = NAME, ['~'] = NAME,
    ['!'] = FUTURE, ['$'] = FUTURE, ['&'] = FUTURE, ['\''] = FUTURE, ['('] = FUTURE, [')'] = FUTURE, ['*'] = FUTURE, ['+'] = FUTURE,
    [','] = FUTURE, [';'] = FUTURE, ['='] = FUTURE, [':'] = FUTURE,
};

/* Length of the host name at the start; *ret_classes gets what its bytes are. */
static size_t name_len(struct str text, uint8_t *ret_classes)
{
    uint8_t seen = 0;
    size_t len = 0;
    for (; len < text.len; len++) {
        uint8_t class = classes[(unsigned char)text.data[len]];
        if ((class & NAME) == 0)
            break;
        seen |= class;
    }
    *ret_classes = seen;
    return len;
}

/* "v1F.anything": an address of a kind that is not known yet (RFC 3986 3.2.2, IPvFuture). */
static bool is_future_address(struct str text)
{
    ptrdiff_t dot = str_find_char(text, '.', 0);
    if (dot < 2 || (size_t)dot + 1 == text.len || ascii_lower(text.data[0]) != 'v')
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (i < (size_t)dot ? ascii_hex(text.data[i]) < 0 : classes[(unsigned char)text.data[i]] == 0)
            return false;
    return true;
}

/* Length of "[address]" at the start with a valid IPv6 address or an IPvFuture inside, or 0. */
static size_t bracketed_len(struct str text)
{
    ptrdiff_t close = str_find_char(text, ']', 0);
    if (close > 0 && is_future_address(str_of(text.data + 1, (size_t)close - 1)))
        return (size_t)close + 1;
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    if (close < 3 || close > INET6_ADDRSTRLEN)
        return 0;
    memcpy(address, text.data + 1, (size_t)close - 1);
    address[close - 1] = '\0';
    return inet_pton(AF_INET6, address, &binary) == 1 ? (size_t)close + 1 : 0;
}

/* "" or ":" and up to five digits. */
static bool read_port(struct str text, uint16_t *ret_port)
{
    unsigned port = 0;
    if (text.len != 0 && (text.data[0] != ':' || text.len > 6))
        return false;
    for (size_t i = 1; i < text.len; i++) {
        if (!ascii_digit(text.data[i]))
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

bool uri_split_authority(struct arena *arena, struct str authority, struct str *ret_host, uint16_t *ret_port)
{
    if (authority.len == 0)
        return false;
    uint8_t seen = UPPER;
    bool bracketed = authority.data[0] == '[';
    size_t len = bracketed ? bracketed_len(authority) : name_len(authority, &seen);
    if (len == 0 || len > HOST_MAX ||
        !read_port(str_of(authority.data + len, authority.len - len), ret_port))
        return false;
    struct str host = str_first(authority, len);
    if (host.data[len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.data[host.len - 1] == '.' || host.data[0] == '.')
        return false;
    *ret_host = (seen & UPPER) != 0 ? arena_lower(arena, host) : host;
    return ret_host->data != NULL;
}
