/* Answers made of questions to servers that were named: a name's addresses and its services. Follows aliases that a server has left
 * to whoever asks. */
#include "net/dns_query.h"

#include <stdlib.h>

#include "base/memory.h"

#define HOPS_MAX 16

/* What the answers to one name say so far. */
struct search {
    struct dns *dns;
    char name[DNS_NAME_SIZE];         /* the one that is asked for now */
    char alias[DNS_NAME_SIZE];        /* where it leads; empty: nowhere */
    enum dns_family families;         /* 0: services */
    uint32_t ttl;                     /* the smallest */
    unsigned pending, hops;
    enum dns_outcome outcome;
    const char *error;
    struct dns_answer answer;
    struct dns_services services;
    dns_callback done;
    dns_services_callback services_done;
    void *owner;
};

static void ask(struct search *search);

/* ---- what is said ---- */

/* IPv4 first, whichever answer comes first; else as the server has ordered them. */
static void take_address(struct search *search, const struct ip *ip)
{
    struct dns_answer *answer = &search->answer;
    size_t at = answer->count;
    if (at == sizeof(answer->addresses) / sizeof(answer->addresses[0])) {
        if (!ip_is_v4(ip) || ip_is_v4(&answer->addresses[at - 1]))
            return;
        at = --answer->count;      /* many of IPv6 that came earlier leave room */
    }
    for (; ip_is_v4(ip) && at != 0 && !ip_is_v4(&answer->addresses[at - 1]); at--)
        answer->addresses[at] = answer->addresses[at - 1];
    answer->addresses[at] = *ip;
    answer->count++;
}

static void take_service(struct search *search, const struct dns_record *record)
{
    struct dns_services *services = &search->services;
    if (services->count == DNS_SERVICES_MAX || record->target[0] == '\0')      /* ".": it is decidedly not offered */
        return;
    struct dns_service *service = &services->items[services->count++];
    memcpy(service->target, record->target, sizeof(service->target));
    service->priority = record->priority;
    service->weight = record->weight;
    service->port = record->port;
}

/* Addresses count whatever name they stand at: servers write the alias in many ways. Of aliases the last of their chain.
 * False: it is malformed. */
static bool take_records(struct search *search, struct str bytes, enum dns_type type)
{
    struct dns_reader reader;
    struct dns_record record;
    if (!dns_reader_begin(&reader, bytes))
        return false;
    while (dns_reader_next(&reader, &record)) {
        if (record.type != DNS_CNAME && record.type != type)
            continue;
        search->ttl = record.ttl < search->ttl ? record.ttl : search->ttl;
        if (record.type == DNS_SRV)
            take_service(search, &record);
        else if (record.type != DNS_CNAME)
            take_address(search, &record.ip);
        else
            memcpy(search->alias, record.target, sizeof(search->alias));
    }
    return !reader.broken;
}

/* ---- the end ---- */

static void finish_addresses(struct search *search)
{
    struct dns_answer answer = search->answer;
    answer.ttl = search->outcome == DNS_FOUND ? dns_ttl(search->ttl) : DNS_FAILURE_TTL;
    if (search->outcome != DNS_FOUND)
        answer.count = 0;
    answer.nothing = search->outcome == DNS_NOTHING;
    answer.error = answer.count == 0 ? search->error : NULL;
    search->done(search->owner, &answer);
}

static void finish_services(struct search *search)
{
    struct dns_services *services = &search->services;
    services->ttl = search->outcome == DNS_FOUND ? dns_ttl(search->ttl) : DNS_FAILURE_TTL;
    if (search->outcome != DNS_FOUND)
        services->count = 0;
    services->nothing = search->outcome == DNS_NOTHING;
    services->error = services->count == 0 ? search->error : NULL;
    search->services_done(search->owner, services);
}

static void finish(struct search *search)
{
    if (search->families != 0)
        finish_addresses(search);
    else
        finish_services(search);
    free(search);
}

/* All answers to one name are there. */
static void settle(struct search *search)
{
    bool found = search->answer.count != 0 || search->services.count != 0;
    if (found || search->outcome != DNS_FOUND) {
        finish(search);
    } else if (search->alias[0] == '\0') {
        search->outcome = DNS_NOTHING;
        search->error = search->families != 0 ? "the name has no address" : "the name has no service";
        finish(search);
    } else if (++search->hops > HOPS_MAX) {
        search->outcome = DNS_FAILED;
        search->error = DNS_LOOP;
        finish(search);
    } else {
        memcpy(search->name, search->alias, sizeof(search->name));
        search->alias[0] = '\0';
        ask(search);
    }
}

/* ---- the questions ---- */

/* An empty answer of one family says nothing of the other; a failure is the whole's, and an answer that cannot be read is one: it
 * must not pass for the word that there is nothing. */
static void take_answer(struct search *search, enum dns_outcome outcome, struct str bytes, const char *error, enum dns_type type)
{
    if (outcome == DNS_FOUND && !take_records(search, bytes, type)) {
        outcome = DNS_FAILED;
        error = DNS_MALFORMED;
    }
    if (outcome == DNS_FAILED && search->outcome != DNS_FAILED) {
        search->outcome = DNS_FAILED;
        search->error = error;
    }
    if (--search->pending == 0)
        settle(search);
}

static void on_v4(void *owner, enum dns_outcome outcome, struct str bytes, const char *error)
{
    take_answer(owner, outcome, bytes, error, DNS_A);
}

static void on_v6(void *owner, enum dns_outcome outcome, struct str bytes, const char *error)
{
    take_answer(owner, outcome, bytes, error, DNS_AAAA);
}

static void on_services(void *owner, enum dns_outcome outcome, struct str bytes, const char *error)
{
    take_answer(owner, outcome, bytes, error, DNS_SRV);
}

/* One more is pending than was asked, so that answers that come at once do not end it in the middle. */
static void ask(struct search *search)
{
    search->outcome = DNS_FOUND;
    search->pending = 1;
    if (search->families == 0) {
        search->pending++;
        dns_ask(search->dns, search->name, DNS_SRV, on_services, search);
    }
    if ((search->families & DNS_V4) != 0) {
        search->pending++;
        dns_ask(search->dns, search->name, DNS_A, on_v4, search);
    }
    if ((search->families & DNS_V6) != 0) {
        search->pending++;
        dns_ask(search->dns, search->name, DNS_AAAA, on_v6, search);
    }
    if (--search->pending == 0)
        settle(search);
}

static struct search *new_search(struct dns *dns, const char *name, void *owner)
{
    struct search *search = memory_zalloc(sizeof(*search));
    search->dns = dns;
    search->owner = owner;
    search->ttl = INT32_MAX;
    memcpy(search->name, name, strlen(name) + 1);
    return search;
}

void dns_resolve_exactly(struct dns *dns, const char *name, enum dns_family families, dns_callback done, void *owner)
{
    struct search *search = new_search(dns, name, owner);
    search->families = families;
    search->done = done;
    ask(search);
}

void dns_find_services(struct dns *dns, struct str name, dns_services_callback done, void *owner)
{
    char copy[DNS_NAME_SIZE];
    if (!dns_copy_name(name, copy)) {
        static const struct dns_services none = {.nothing = true, .error = DNS_NOT_A_NAME};
        done(owner, &none);
        return;
    }
    struct search *search = new_search(dns, copy, owner);
    search->services_done = done;
    ask(search);
}
