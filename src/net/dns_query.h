/* One question to DNS servers, and the bytes of the answer: for the files that make something of them. Private to net/dns*.c. */
#ifndef NET_DNS_QUERY_H
#define NET_DNS_QUERY_H

#include "net/dns.h"
#include "net/dns_message.h"

#define DNS_LITERAL_TTL (365 * 24 * 3600 * TIME_S)
#define DNS_FAILURE_TTL (2 * TIME_S)
#define DNS_NOT_A_NAME "the name is not a host name"
#define DNS_CLOSED "the resolver is closed"
#define DNS_MALFORMED "its answer is malformed"
#define DNS_LOOP "its aliases lead too far"

/* NOTHING: the server has answered, and there is none. `bytes`: the answer, if it is FOUND; `error` else. */
enum dns_outcome { DNS_FOUND, DNS_NOTHING, DNS_FAILED };
typedef void (*dns_bytes_callback)(void *owner, enum dns_outcome outcome, struct str bytes, const char *error);

/* Exactly this name, lower case or not; the callback comes once, perhaps before this returns. */
void dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_bytes_callback done, void *owner);
/* As a C string of the caller's; false: no host name. */
bool dns_copy_name(struct str name, char copy[DNS_NAME_SIZE]);
/* dns_exact.c: addresses of a name, of servers that were named. */
void dns_resolve_exactly(struct dns *dns, const char *name, enum dns_family families, dns_callback done, void *owner);

/* Seconds to ns, at least one of them. */
static inline int64_t dns_ttl(uint32_t seconds)
{
    return (seconds == 0 ? 1 : seconds) * TIME_S;
}

#endif
