/* The PROXY protocol as a receiver reads it. Refuses what is not a whole, well-formed header. */
#include "proto/proxyproto/proxyproto.h"

#include <arpa/inet.h>

#define V1_MAX 107                /* with CRLF */
#define V2_PREFIX 16
#define V2_MAX 4096

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static void set_inet(struct sockaddr_storage *storage, const void *address, uint16_t port)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = port};
    memcpy(&inet.sin_addr, address, sizeof(inet.sin_addr));
    memcpy(storage, &inet, sizeof(inet));
}

static void set_inet6(struct sockaddr_storage *storage, const void *address, uint16_t port)
{
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6, .sin6_port = port};
    memcpy(&inet6.sin6_addr, address, sizeof(inet6.sin6_addr));
    memcpy(storage, &inet6, sizeof(inet6));
}

/* The next word up to one space, or the last one; false when there is none or it is empty. */
static bool next_word(struct str *rest, struct str *ret_word)
{
    return rest->data != NULL && str_split(rest, ' ', ret_word) && ret_word->len != 0;
}

/* A decimal port without leading zeros, as the format asks for. */
static bool read_port(struct str text, uint16_t *ret_port)
{
    uint64_t port;
    if (!str_to_u64(text, &port) || port > UINT16_MAX || (text.len > 1 && text.data[0] == '0'))
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

static bool read_address(struct str text, int family, struct str port_text, struct sockaddr_storage *ret)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[sizeof(struct in6_addr)];
    uint16_t port;
    if (text.len >= sizeof(address) || !read_port(port_text, &port))
        return false;
    memcpy(address, text.data, text.len);
    address[text.len] = '\0';
    if (inet_pton(family, address, binary) != 1)
        return false;
    if (family == AF_INET)
        set_inet(ret, binary, port);
    else
        set_inet6(ret, binary, port);
    return true;
}

/* "PROXY TCP4 source destination sport dport" without its CRLF. */
static bool read_v1_line(struct str line, struct proxyproto *header)
{
    struct str rest = line, word, source, destination, source_port, destination_port;
    if (!next_word(&rest, &word) || !next_word(&rest, &word))
        return false;
    if (str_equal(word, S("UNKNOWN"))) {
        header->local = true;
        return true;
    }
    if (!str_equal(word, S("TCP4")) && !str_equal(word, S("TCP6")))
        return false;
    int family = str_equal(word, S("TCP4")) ? AF_INET : AF_INET6;
    return next_word(&rest, &source) && next_word(&rest, &destination) &&
           next_word(&rest, &source_port) && next_word(&rest, &destination_port) &&
           rest.data == NULL && read_address(source, family, source_port, &header->source) &&
           read_address(destination, family, destination_port, &header->destination);
}

static enum status parse_v1(struct str bytes, struct proxyproto *header, size_t *ret_length)
{
    struct str there = str_first(bytes, V1_MAX);
    ptrdiff_t end = str_find_char(there, '\r', 0);
    size_t len = end >= 0 ? (size_t)end : there.len;
    if (memchr(there.data, '\0', len) != NULL || memchr(there.data, '\n', len) != NULL)
        return STATUS_BAD_PROXY_HEADER;
    if (end < 0 || len + 1 >= there.len)
        return there.len < V1_MAX ? STATUS_AGAIN : STATUS_BAD_PROXY_HEADER;
    if (there.data[len + 1] != '\n' || !read_v1_line(str_first(there, len), header))
        return STATUS_BAD_PROXY_HEADER;
    *ret_length = len + 2;
    return STATUS_OK;
}

static uint16_t load_port(const char *at)
{
    uint16_t port;
    memcpy(&port, at, sizeof(port));
    return port;
}

/* The addresses of a PROXY command, and what is behind them. */
static bool read_v2_addresses(struct str block, unsigned family, struct proxyproto *header)
{
    static const uint8_t lengths[] = {0, 12, 36, 216};
    const char *at = block.data;
    if (family >= sizeof(lengths)) {
        header->local = true;
        return true;
    }
    if (block.len < lengths[family])
        return false;
    header->tlvs = str_from_index(block, lengths[family]);
    switch (family) {
    case 1:
        set_inet(&header->source, at, load_port(at + 8));
        set_inet(&header->destination, at + 4, load_port(at + 10));
        return true;
    case 2:
        set_inet6(&header->source, at, load_port(at + 32));
        set_inet6(&header->destination, at + 16, load_port(at + 34));
        return true;
    default:                                  /* AF_UNSPEC; AF_UNIX: nothing that an address could be made of */
        return true;
    }
}

static enum status parse_v2(struct str bytes, struct proxyproto *header, size_t *ret_length)
{
    if (bytes.len < V2_PREFIX)
        return STATUS_AGAIN;
    const unsigned char *prefix = (const unsigned char *)bytes.data;
    unsigned version = prefix[12] >> 4, command = prefix[12] & 15;
    unsigned family = prefix[13] >> 4, transport = prefix[13] & 15;
    size_t len = (size_t)prefix[14] << 8 | prefix[15];
    if (version != 2 || command > 1 || V2_PREFIX + len > V2_MAX)
        return STATUS_BAD_PROXY_HEADER;
    if (bytes.len < V2_PREFIX + len)
        return STATUS_AGAIN;
    header->local = command == 0 || transport > 2;
    if (!header->local && !read_v2_addresses(str_of(bytes.data + V2_PREFIX, len), family, header))
        return STATUS_BAD_PROXY_HEADER;
    *ret_length = V2_PREFIX + len;
    return STATUS_OK;
}

struct str proxyproto_tlv(struct str tlvs, unsigned type)
{
    while (tlvs.len >= 3) {
        const unsigned char *at = (const unsigned char *)tlvs.data;
        size_t len = (size_t)at[1] << 8 | at[2];
        if (tlvs.len - 3 < len)
            break;
        if (at[0] == type)
            return str_of(tlvs.data + 3, len);
        tlvs = str_from_index(tlvs, 3 + len);
    }
    return STR_NONE;
}

/* Whether the bytes begin like `start`, as far as they go. */
static bool begins(struct str bytes, struct str start)
{
    size_t len = bytes.len < start.len ? bytes.len : start.len;
    return len == 0 || memcmp(bytes.data, start.data, len) == 0;
}

static bool begins_alike(struct str bytes, const char *signature, size_t len)
{
    return memcmp(bytes.data, signature, bytes.len < len ? bytes.len : len) == 0;
}

bool proxyproto_may_begin(struct str bytes)
{
    return begins_alike(bytes, v2_signature, sizeof(v2_signature)) || begins_alike(bytes, "PROXY ", 6);
}

enum status proxyproto_parse(struct str bytes, struct proxyproto *ret_header, size_t *ret_length)
{
    *ret_header = (struct proxyproto){.source.ss_family = AF_UNSPEC};
    ret_header->destination.ss_family = AF_UNSPEC;
    if (bytes.len == 0)
        return STATUS_AGAIN;
    if (begins(bytes, str_of(v2_signature, sizeof(v2_signature))))
        return parse_v2(bytes, ret_header, ret_length);
    if (begins(bytes, S("PROXY ")))
        return parse_v1(bytes, ret_header, ret_length);
    return STATUS_BAD_PROXY_HEADER;
}
