/* Names to addresses on a loop, by c-ares, with the records' TTL.
 *
 * Of the system's servers names are asked as everybody does here: /etc/hosts is honoured, and the search domains. Of servers that are
 * named (dns_use_servers) exactly this name is asked for, and aliases are followed where the server did not; a failure of either
 * family is the name's, so that half an answer is not taken for the whole.
 * Threading: one resolver per loop, used on its thread. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/arena.h"
#include "net/addr.h"
#include "net/loop.h"

struct dns;

struct dns_answer {
    struct ip addresses[16];
    size_t count;              /* 0: failed; `error` says why */
    int64_t ttl;               /* ns, the smallest of the records, at least 1 s; a literal's: a year; after a failure:
                                * when to ask again */
    bool nothing;              /* the servers have answered: there is no such name, or it has no address */
    const char *error;         /* a literal, for people */
};
typedef void (*dns_callback)(void *owner, const struct dns_answer *answer);

/* With the system's servers and search domains (resolv.conf, followed when it changes). NULL: no memory, or
 * resolv.conf cannot be read. */
struct dns *dns_new(struct loop *loop);
/* Not from within a callback. */
void dns_free(struct dns *dns);
/* Other servers than the system's: "10.0.0.53,[fd00::53]:5353". False: not understood. Not while a query is under
 * way. */
bool dns_use_servers(struct dns *dns, struct str servers);
/* An option_check: one such server. */
const char *dns_check_server(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length);
/* IPv4 and IPv6 addresses, the ones that this host reaches best first (RFC 6724). A name is tried for some 10 s
 * per server. The callback comes once, perhaps before this returns (literal addresses always); never after
 * dns_free, which reports a failure to all. */
void dns_resolve(struct dns *dns, struct str name, dns_callback done, void *owner);
/* The same for some families alone. */
enum dns_family { DNS_V4 = 1, DNS_V6 = 2, DNS_BOTH = 3 };
void dns_resolve_families(struct dns *dns, struct str name, enum dns_family families, dns_callback done, void *owner);

struct dns_texts {
    const struct str *items;   /* one for each record, its strings joined; valid in the callback alone */
    size_t count;              /* 0: none; `error` says why */
    const char *error;         /* a literal, for people */
};
typedef void (*dns_texts_callback)(void *owner, const struct dns_texts *answer);
/* TXT records of exactly this name (no search domains, no /etc/hosts; aliases are followed by the server). The callback
 * comes as with dns_resolve. */
void dns_find_texts(struct dns *dns, struct str name, dns_texts_callback done, void *owner);


#define DNS_SERVICES_MAX 64
struct dns_services {
    struct dns_service {
        char target[256];
        uint16_t priority, weight, port;
    } items[DNS_SERVICES_MAX];
    size_t count;              /* 0: none; `error` says why */
    int64_t ttl;               /* as above */
    bool nothing;              /* as above */
    const char *error;         /* a literal, for people */
};
typedef void (*dns_services_callback)(void *owner, const struct dns_services *answer);
/* SRV records (RFC 2782) of exactly this name; aliases are followed. The callback comes as with dns_resolve; the answer is valid in
 * it alone. */
void dns_find_services(struct dns *dns, struct str name, dns_services_callback done, void *owner);

#endif
