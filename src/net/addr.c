#include "net/addr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stddef.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* ---- ip ---- */

static struct ip ip_from_v4(const void *four_bytes)
{
    struct ip ip;
    memcpy(ip.bytes, v4_prefix, 12);
    memcpy(ip.bytes + 12, four_bytes, 4);
    return ip;
}

bool ip_parse(struct str text, struct ip *ret_ip)
{
    char copy[IP_TEXT_SIZE];
    bool bracketed = text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']';
    if (bracketed)
        text = str_of(text.data + 1, text.len - 2);
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    if (memchr(copy, ':', text.len) != NULL)
        return inet_pton(AF_INET6, copy, ret_ip->bytes) == 1;
    uint8_t v4[4];
    if (bracketed || inet_pton(AF_INET, copy, v4) != 1)
        return false;
    *ret_ip = ip_from_v4(v4);
    return true;
}

/* Every byte in digits, with a dot behind them: an address is asked for with each request. */
static struct {
    char text[4];
    uint8_t len;
} dotted[256];

__attribute__((constructor)) static void fill_dotted(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char *out = dotted[byte].text;
        if (byte >= 100)
            *out++ = (char)('0' + byte / 100);
        if (byte >= 10)
            *out++ = (char)('0' + byte / 10 % 10);
        *out++ = (char)('0' + byte % 10);
        *out++ = '.';
        dotted[byte].len = (uint8_t)(out - dotted[byte].text);
    }
}

static inline char *put_dotted(char *out, uint8_t byte)
{
    memcpy(out, dotted[byte].text, sizeof(dotted[byte].text));
    return out + dotted[byte].len;
}

size_t ip_format(const struct ip *ip, char *out)
{
    if (!ip_is_v4(ip)) {
        inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_SIZE);
        return strlen(out);
    }
    char *at = out;
    for (int i = 12; i < 16; i++)
        at = put_dotted(at, ip->bytes[i]);
    *--at = '\0';
    return (size_t)(at - out);
}

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->bytes, v4_prefix, 12) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const struct ip v6_loopback = {.bytes = {[15] = 1}};
    return ip_is_v4(ip) ? ip->bytes[12] == 127 : ip_equal(ip, &v6_loopback);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return memcmp(a->bytes, b->bytes, 16) == 0;
}

struct ip ip_mask(const struct ip *ip, unsigned bits)
{
    struct ip masked = {0};
    unsigned whole = bits / 8, part = bits % 8;
    memcpy(masked.bytes, ip->bytes, whole);
    if (part != 0)
        masked.bytes[whole] = (uint8_t)(ip->bytes[whole] & (0xff << (8 - part)));
    return masked;
}

/* ---- networks ---- */

enum network_fault { NETWORK_GOOD, NETWORK_BAD_ADDRESS, NETWORK_BAD_BITS };

static enum network_fault parse_network(struct str text, struct network *ret_network)
{
    ptrdiff_t slash = str_find_char(text, '/', 0);
    struct str address = slash < 0 ? text : str_first(text, (size_t)slash);
    struct ip ip;
    if (!ip_parse(address, &ip))
        return NETWORK_BAD_ADDRESS;
    /* How it is written decides what its bits count: "::ffff:10.0.0.0/104" is IPv6. */
    uint64_t width = memchr(address.data, ':', address.len) != NULL ? 128 : 32;
    uint64_t bits = width;
    if (slash >= 0 && (!str_to_u64(str_from_index(text, (size_t)slash + 1), &bits) || bits > width))
        return NETWORK_BAD_BITS;
    ret_network->bits = (uint8_t)(128 - width + bits);
    ret_network->base = ip_mask(&ip, ret_network->bits);
    return NETWORK_GOOD;
}

bool network_parse(struct str text, struct network *ret_network)
{
    return parse_network(text, ret_network) == NETWORK_GOOD;
}

/* The bits in which two halves of an address differ, the first bit highest. */
static uint64_t half_difference(const struct ip *a, const struct ip *b, unsigned half)
{
    uint64_t x, y;
    memcpy(&x, a->bytes + 8 * half, 8);
    memcpy(&y, b->bytes + 8 * half, 8);
    return be64toh(x ^ y);
}

bool network_has(const struct network *network, const struct ip *ip)
{
    unsigned bits = network->bits;
    if (bits < 96 && ip_is_v4(ip))
        return false;
    uint64_t high = half_difference(&network->base, ip, 0);
    if (bits <= 64)
        return bits == 0 || high >> (64 - bits) == 0;
    return high == 0 && half_difference(&network->base, ip, 1) >> (128 - bits) == 0;
}

bool networks_have(const struct networks *networks, const struct ip *ip)
{
    for (size_t i = 0; i < networks->count; i++) {
        if (network_has(&networks->items[i], ip))
            return true;
    }
    return false;
}

struct networks networks_from(const struct strs *texts, struct arena *arena)
{
    struct networks networks = {.items = arena_array(arena, struct network, texts->count)};
    for (size_t i = 0; i < texts->count && networks.items != NULL; i++) {
        if (network_parse(texts->items[i], &networks.items[networks.count]))
            networks.count++;
    }
    return networks;
}

const char *network_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct network network;
    switch (parse_network(text, &network)) {
    case NETWORK_GOOD:
        return NULL;
    case NETWORK_BAD_BITS:
        *ret_offset = (size_t)str_find_char(text, '/', 0) + 1;
        *ret_length = text.len - *ret_offset;
        return str_find_char(text, ':', 0) >= 0 ? "has a prefix length that is not 0 to 128"
                                                : "has a prefix length that is not 0 to 32";
    case NETWORK_BAD_ADDRESS:
        break;
    }
    return "is not an IP address or a network such as 10.0.0.0/8";
}

/* ---- socket addresses ---- */

struct ip addr_ip(const struct addr *addr)
{
    struct ip ip = {0};
    if (addr->any.sa_family == AF_INET)
        return ip_from_v4(&addr->v4.sin_addr);
    if (addr->any.sa_family == AF_INET6)
        memcpy(ip.bytes, &addr->v6.sin6_addr, 16);
    return ip;
}

uint16_t addr_port(const struct addr *addr)
{
    if (addr->any.sa_family == AF_INET)
        return ntohs(addr->v4.sin_port);
    return addr->any.sa_family == AF_INET6 ? ntohs(addr->v6.sin6_port) : 0;
}

void addr_from_ip(const struct ip *ip, uint16_t port, struct addr *ret_addr)
{
    if (ip_is_v4(ip)) {
        ret_addr->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&ret_addr->v4.sin_addr, ip->bytes + 12, 4);
        ret_addr->len = sizeof(ret_addr->v4);
        return;
    }
    ret_addr->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&ret_addr->v6.sin6_addr, ip->bytes, 16);
    ret_addr->len = sizeof(ret_addr->v6);
}

bool addr_parse_local(struct str text, struct addr *ret_addr)
{
    struct ip ip;
    uint64_t port = 0;
    ptrdiff_t colon = str_find_last_char(text, ':');
    if (!ip_parse(text, &ip)) {
        if (colon < 0 || !str_to_u64(str_from_index(text, (size_t)colon + 1), &port) || port > 65535 ||
            !ip_parse(str_first(text, (size_t)colon), &ip))
            return false;
    }
    addr_from_ip(&ip, (uint16_t)port, ret_addr);
    return true;
}

bool addr_unix(struct str path, struct addr *ret_addr)
{
    if (path.len == 0 || path.len >= sizeof(ret_addr->un.sun_path) ||
        memchr(path.data, '\0', path.len) != NULL)
        return false;
    ret_addr->un = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_addr->un.sun_path, path.data, path.len);
    ret_addr->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return true;
}

struct str addr_format(const struct addr *addr, struct arena *arena)
{
    char text[IP_TEXT_SIZE];
    if (addr->any.sa_family == AF_UNIX) {
        /* An accepted peer has no name: its length ends before the path. */
        size_t start = offsetof(struct sockaddr_un, sun_path);
        size_t room = addr->len > start ? addr->len - start : 0;
        return arena_printf(arena, "unix:%.*s", (int)room, addr->un.sun_path);
    }
    struct ip ip = addr_ip(addr);
    ip_format(&ip, text);
    return arena_printf(arena, ip_is_v4(&ip) ? "%s:%u" : "[%s]:%u", text, addr_port(addr));
}

/* ---- what entrypoints listen on ---- */

/* A fault of a part of the text, for the caret. */
struct fault {
    const char *message;
    struct str part;
};

static bool parse_host(struct str host, struct ip *ret_ip)
{
    *ret_ip = (struct ip){0};
    if (str_empty(host))
        return true;
    if (str_equal_nocase(host, S("localhost")))
        return ip_parse(S("127.0.0.1"), ret_ip);
    return ip_parse(host, ret_ip);
}

/* Cuts "/tcp" or "/udp" off. */
static struct fault cut_protocol(struct str *text, bool *ret_udp)
{
    ptrdiff_t slash = str_find_char(*text, '/', 0);
    *ret_udp = false;
    if (slash < 0)
        return (struct fault){0};
    struct str protocol = str_from_index(*text, (size_t)slash + 1);
    *text = str_first(*text, (size_t)slash);
    *ret_udp = str_equal_nocase(protocol, S("udp"));
    if (*ret_udp || str_equal_nocase(protocol, S("tcp")))
        return (struct fault){0};
    return (struct fault){"has a protocol that is neither tcp nor udp", protocol};
}

static struct fault parse_host_and_port(struct str text, struct addr *ret_addr)
{
    ptrdiff_t colon = str_find_last_char(text, ':');
    if (colon < 0)
        return (struct fault){"has no port: write ':80' or '127.0.0.1:80'", text};
    struct str host = str_first(text, (size_t)colon), port_text = str_from_index(text, (size_t)colon + 1);
    struct ip ip;
    uint64_t port;
    /* "::1" would otherwise be the host ":" and the port 1. */
    if (str_find_char(host, ':', 0) >= 0 && host.data[0] != '[')
        return (struct fault){"is an IPv6 address without brackets: write '[::1]:80'", text};
    if (!parse_host(host, &ip))
        return (struct fault){"has a host that is neither an IP address nor 'localhost'", host};
    if (str_empty(port_text))
        return (struct fault){"has no port: write ':80' or '127.0.0.1:80'", text};
    if (!str_to_u64(port_text, &port) || port > UINT16_MAX)
        return (struct fault){"has a port that is not 0 to 65535", port_text};
    addr_from_ip(&ip, (uint16_t)port, ret_addr);
    return (struct fault){0};
}

static struct fault parse_listen(struct str text, struct addr *ret_addr, bool *ret_udp)
{
    *ret_udp = false;
    if (str_starts(text, S("unix:"))) {
        struct str path = str_from_index(text, 5);
        if (!addr_unix(path, ret_addr))
            return (struct fault){"has a socket path that is empty or longer than 107 bytes", path};
        return (struct fault){0};
    }
    struct fault fault = cut_protocol(&text, ret_udp);
    return fault.message != NULL ? fault : parse_host_and_port(text, ret_addr);
}

bool addr_parse_listen(struct str text, struct addr *ret_addr, bool *ret_udp)
{
    return parse_listen(text, ret_addr, ret_udp).message == NULL;
}

const char *addr_check_listen(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    struct addr addr;
    bool udp;
    struct fault fault = parse_listen(text, &addr, &udp);
    if (fault.message != NULL && fault.part.len > 0) {
        *ret_offset = (size_t)(fault.part.data - text.data);
        *ret_length = fault.part.len;
    }
    return fault.message;
}
