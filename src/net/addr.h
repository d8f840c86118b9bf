/* Addresses: of sockets, of hosts, of networks. Pure: no look-ups (see net/dns.h).
 *
 * struct ip holds IPv4 as IPv4-mapped IPv6 in 16 bytes, so comparing and masking know one form. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/option.h"

struct ip {
    uint8_t bytes[16];
};

struct network {
    struct ip base;
    uint8_t bits;          /* of 128 */
};
struct networks {
    struct network *items;
    size_t count;
};

/* A socket address of any of our families. */
struct addr {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

#define IP_TEXT_SIZE 46
bool ip_parse(struct str text, struct ip *ret_ip);            /* "10.0.0.1", "::1", "[::1]" */
/* As text without a port ("10.0.0.1", "::1"); gives the length; `out` has IP_TEXT_SIZE bytes. */
size_t ip_format(const struct ip *ip, char *out);
bool ip_is_v4(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
/* The first `bits` bits (of an IPv6 address) kept, the rest zero. */
struct ip ip_mask(const struct ip *ip, unsigned bits);

bool network_parse(struct str text, struct network *ret_network);   /* "10.0.0.0/8", "::1", "fe80::/10" */
/* An IPv6 network that spans the IPv4-mapped addresses ("::/0") has no IPv4 address, as people expect. */
bool network_has(const struct network *network, const struct ip *ip);
bool networks_have(const struct networks *networks, const struct ip *ip);
/* Parses what option_check has accepted; others are left out. */
struct networks networks_from(const struct strs *texts, struct arena *arena);
/* option_check for addresses and networks. */
const char *network_check(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);

/* Of a socket's peer; families other than IP give "::". port 0 then. */
struct ip addr_ip(const struct addr *addr);
uint16_t addr_port(const struct addr *addr);
void addr_from_ip(const struct ip *ip, uint16_t port, struct addr *ret_addr);
bool addr_unix(struct str path, struct addr *ret_addr);   /* false when too long */
/* "10.0.0.1", "::1", "10.0.0.1:80", "[::1]:80": an address to connect from, port 0 where none is said. */
bool addr_parse_local(struct str text, struct addr *ret_addr);
/* "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock". */
struct str addr_format(const struct addr *addr, struct arena *arena);

/* An entrypoint's address: "[host]:port[/tcp|/udp]" or "unix:/path". The host is an IP address or "localhost"
 * (127.0.0.1); empty or "[::]": all addresses, IPv4 too; "0.0.0.0": all of IPv4. option_check form beside it. */
bool addr_parse_listen(struct str text, struct addr *ret_addr, bool *ret_udp);
const char *addr_check_listen(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);

#endif
