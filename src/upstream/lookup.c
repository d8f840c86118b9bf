#include "upstream/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"
#include "net/dns.h"
#include "upstream/connect.h"
#include "upstream/pool.h"

#define NAMES_MAX 4096            /* that a worker remembers; then it begins anew with those that nobody waits for forgotten */

/* One set of DNS servers. */
struct asker {
    struct list link;
    struct dns *dns;
    char *servers;
};

struct known_name {
    char *key;                    /* "servers|name|46" */
    struct list waiting;          /* struct lookup */
    struct ip addresses[LOOKUP_ADDRESSES_MAX];
    unsigned count;
    int64_t holds_until;          /* monotonic ns */
    int64_t valid;
    struct loop *loop;
    bool no_v4, no_v6, asking;
};

struct lookups {
    struct map by_key;            /* struct known_name */
    struct list askers;
};

static struct lookups *lookups_of(struct worker *worker)
{
    struct upstream_pools *pools = worker->upstreams;
    if (pools->lookups == NULL) {
        pools->lookups = memory_zalloc(sizeof(*pools->lookups));
        map_init(&pools->lookups->by_key, false);
        list_init(&pools->lookups->askers);
    }
    return pools->lookups;
}

static void free_name(struct known_name *known)
{
    free(known->key);
    free(known);
}

/* Those that are being asked for stay. */
static void forget_quiet_ones(struct lookups *lookups)
{
    struct map kept;
    map_init(&kept, false);
    for (uint32_t i = 0; i < lookups->by_key.count; i++) {
        struct known_name *known = lookups->by_key.items[i].value;
        if (known->asking)
            map_put(&kept, lookups->by_key.items[i].key, known);
        else
            free_name(known);
    }
    map_release(&lookups->by_key);
    lookups->by_key = kept;
}

static struct asker *asker_for(struct lookups *lookups, struct loop *loop, struct str servers)
{
    LIST_FOREACH(&lookups->askers, link) {
        struct asker *asker = container_of(link, struct asker, link);
        if (str_equal(str_from(asker->servers), servers))
            return asker;
    }
    struct dns *dns = dns_new(loop);
    if (dns == NULL)
        return NULL;
    if (servers.len != 0 && !dns_use_servers(dns, servers)) {
        dns_free(dns);
        return NULL;
    }
    struct asker *asker = memory_zalloc(sizeof(*asker));
    asker->dns = dns;
    asker->servers = memory_copy_text(servers.data, servers.len);
    list_append(&lookups->askers, &asker->link);
    return asker;
}

static void take_answer(struct known_name *known, const struct dns_answer *answer)
{
    known->count = 0;
    for (size_t i = 0; i < answer->count && known->count < LOOKUP_ADDRESSES_MAX; i++) {
        bool v4 = ip_is_v4(&answer->addresses[i]);
        if (v4 ? !known->no_v4 : !known->no_v6)
            known->addresses[known->count++] = answer->addresses[i];
    }
    int64_t holds = answer->count != 0 && known->valid != 0 ? known->valid : answer->ttl;
    known->holds_until = known->loop->now + holds;
}

static void on_answer(void *owner, const struct dns_answer *answer)
{
    struct known_name *known = owner;
    struct list *link;
    known->asking = false;
    take_answer(known, answer);
    while ((link = list_pop(&known->waiting)) != NULL) {
        struct lookup *lookup = container_of(link, struct lookup, link);
        list_init(&lookup->link);
        lookup->done(lookup, known->addresses, known->count);
    }
}

static struct known_name *name_for(struct worker *worker, const struct lookup_rule *rule, struct str name)
{
    struct lookups *lookups = lookups_of(worker);
    char key[512];
    int length = snprintf(key, sizeof(key), "%.*s|%.*s|%d%d", STR_ARGS(rule->servers), STR_ARGS(name), rule->no_v4, rule->no_v6);
    if (length < 0 || (size_t)length >= sizeof(key))
        return NULL;
    struct known_name *known = map_get(&lookups->by_key, str_of(key, (size_t)length));
    if (known != NULL)
        return known;
    if (lookups->by_key.live >= NAMES_MAX)
        forget_quiet_ones(lookups);
    known = memory_zalloc(sizeof(*known));
    *known = (struct known_name){.key = memory_copy_text(key, (size_t)length),
                                 .valid = rule->valid,
                                 .loop = &worker->loop,
                                 .no_v4 = rule->no_v4,
                                 .no_v6 = rule->no_v6};
    list_init(&known->waiting);
    map_put(&lookups->by_key, str_of(known->key, (size_t)length), known);
    return known;
}

enum status lookup_begin(struct worker *worker, const struct lookup_rule *rule, struct str name, struct lookup *lookup,
                         struct ip *addresses, unsigned *ret_count)
{
    list_init(&lookup->link);
    if (worker->upstreams == NULL)
        pool_of(worker, 0);
    struct known_name *known = name_for(worker, rule, name);
    if (known == NULL)
        return STATUS_OVERLOADED;
    if (!known->asking && known->holds_until <= worker->loop.now) {
        struct asker *asker = asker_for(worker->upstreams->lookups, &worker->loop, rule->servers);
        if (asker == NULL)
            return STATUS_OVERLOADED;
        known->asking = true;
        dns_resolve(asker->dns, name, on_answer, known);
    }
    if (known->asking) {
        list_append(&known->waiting, &lookup->link);
        return STATUS_AGAIN;
    }
    memcpy(addresses, known->addresses, known->count * sizeof(addresses[0]));
    *ret_count = known->count;
    return STATUS_OK;
}

void lookup_cancel(struct lookup *lookup)
{
    list_remove(&lookup->link);
    list_init(&lookup->link);
}

void lookup_forget_all(struct upstream_pools *pools)
{
    struct lookups *lookups = pools->lookups;
    struct list *link;
    if (lookups == NULL)
        return;
    /* Whoever waits hears that there is nothing. */
    while ((link = list_pop(&lookups->askers)) != NULL) {
        struct asker *asker = container_of(link, struct asker, link);
        dns_free(asker->dns);
        free(asker->servers);
        free(asker);
    }
    for (uint32_t i = 0; i < lookups->by_key.count; i++)
        free_name(lookups->by_key.items[i].value);
    map_release(&lookups->by_key);
    free(lookups);
    pools->lookups = NULL;
}
