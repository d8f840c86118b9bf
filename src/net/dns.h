/* Names to addresses on a loop, by c-ares, with the records' TTL; /etc/hosts is honoured.
 * Threading: one resolver per loop, used on its thread. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/addr.h"
#include "net/loop.h"

struct dns;

struct dns_answer {
    struct ip addresses[16];
    size_t count;              /* 0: failed; `error` says why */
    int64_t ttl;               /* ns, the smallest of the records; at least 1 s */
    const char *error;
};
typedef void (*dns_callback)(void *owner, const struct dns_answer *answer);

struct dns *dns_new(struct loop *loop);
void dns_free(struct dns *dns);
/* The callback comes once, perhaps before this returns; never after dns_free, which reports a failure to all. */
void dns_resolve(struct dns *dns, struct str name, dns_callback done, void *owner);

#endif
