#include "upstream/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/time.h"
#include "net/dns.h"

#define NOTHING_HOLDS TIME_S
#define KEY_SIZE 1024

/* One set of DNS servers. */
struct asker {
    struct list link;
    struct dns *dns;
    char *servers;
};

struct known_name {
    char *key;                    /* "servers|service|name|46" */
    struct lookups *lookups;
    struct asker *asker;
    struct list waiting;          /* struct lookup */
    struct lookup_place *places;  /* the last good ones */
    unsigned count;
    int64_t holds_until;          /* monotonic ns */
    struct lookup_rule rule;      /* but for its servers */
    bool asking, failed;
    const char *error;
    struct service_search *search;
};

/* The addresses of a service's targets are looked up as names of their own. */
struct service_target {
    struct lookup lookup;
    struct service_search *search;
    struct dns_service service;
};
struct service_search {
    struct known_name *known;
    struct lookup_rule rule;
    unsigned pending, count;
    bool failed;                  /* a target's address is not to be had */
    int64_t holds_until;
    struct lookup_place places[LOOKUP_PLACES_MAX];
    unsigned place_count;
    struct service_target targets[];
};

struct lookups {
    struct loop *loop;
    struct map by_key;            /* struct known_name */
    struct list askers;
    unsigned max;
    bool closing;
};

struct lookups *lookups_new(struct loop *loop, unsigned max)
{
    struct lookups *lookups = memory_zalloc(sizeof(*lookups));
    lookups->loop = loop;
    lookups->max = max;
    map_init(&lookups->by_key, false);
    list_init(&lookups->askers);
    return lookups;
}

/* ---- names ---- */

static void free_name(struct known_name *known)
{
    free(known->search);
    free(known->places);
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
        if (known == NULL)
            continue;
        if (known->asking)
            map_put(&kept, lookups->by_key.items[i].key, known);
        else
            free_name(known);
    }
    map_release(&lookups->by_key);
    lookups->by_key = kept;
}

static struct asker *asker_for(struct lookups *lookups, struct str servers)
{
    LIST_FOREACH(&lookups->askers, link) {
        struct asker *asker = container_of(link, struct asker, link);
        if (str_equal(str_from(asker->servers), servers))
            return asker;
    }
    struct dns *dns = dns_new(lookups->loop);
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

/* Servers of one rule differ in what they answer, and times in how long it holds. 0: too long. */
static size_t make_key(char key[KEY_SIZE], const struct lookup_rule *rule, struct str name, struct str service)
{
    int length = snprintf(key, KEY_SIZE, "%.*s|%.*s|%.*s|%d%d|%lld", STR_ARGS(rule->servers), STR_ARGS(service), STR_ARGS(name),
                          rule->no_v4, rule->no_v6, (long long)rule->valid);
    if (length < 0 || length >= KEY_SIZE)
        return 0;
    for (int i = 0; i < length; i++)
        if (key[i] >= 'A' && key[i] <= 'Z')
            key[i] = (char)(key[i] + ('a' - 'A'));
    return (size_t)length;
}

static struct known_name *name_for(struct lookups *lookups, const struct lookup_rule *rule, struct str name, struct str service)
{
    char key[KEY_SIZE];
    size_t length = make_key(key, rule, name, service);
    if (length == 0)
        return NULL;
    struct known_name *known = map_get(&lookups->by_key, str_of(key, length));
    if (known != NULL)
        return known;
    if (lookups->by_key.live >= lookups->max)
        forget_quiet_ones(lookups);
    known = memory_zalloc(sizeof(*known));
    *known = (struct known_name){.key = memory_copy_text(key, length), .lookups = lookups, .rule = *rule};
    known->rule.servers = STR_NONE;
    list_init(&known->waiting);
    map_put(&lookups->by_key, str_of(known->key, length), known);
    return known;
}

static struct lookup_answer answer_of(const struct known_name *known)
{
    bool good = !known->failed && known->count != 0;
    return (struct lookup_answer){.places = known->places,
                                  .count = known->failed ? 0 : known->count,
                                  .failed = known->failed,
                                  .holds_until = known->holds_until,
                                  .error = good ? NULL : known->error};
}

/* ---- answers ---- */

/* Who is told may ask anew, and be told of that then. */
static void tell(struct known_name *known)
{
    struct lookup_answer answer = answer_of(known);
    struct list waiting, *link;
    list_init(&waiting);
    known->asking = false;
    while ((link = list_pop(&known->waiting)) != NULL)
        list_append(&waiting, link);
    while ((link = list_pop(&waiting)) != NULL) {
        struct lookup *lookup = container_of(link, struct lookup, link);
        list_init(&lookup->link);
        lookup->done(lookup, &answer);
    }
}

static void settle_good(struct known_name *known, const struct lookup_place *places, unsigned count, int64_t holds_until)
{
    int64_t now = known->lookups->loop->now;
    known->failed = false;
    known->holds_until = known->rule.valid != 0 ? now + known->rule.valid : holds_until;
    free(known->places);
    known->places = memory_alloc((count + 1) * sizeof(*places));
    if (count != 0)
        memcpy(known->places, places, count * sizeof(*places));
    known->count = count;
    tell(known);
}

static void settle_bad(struct known_name *known, bool nothing, const char *error)
{
    int64_t now = known->lookups->loop->now;
    known->failed = !nothing;
    known->error = error;
    known->holds_until = nothing ? now + NOTHING_HOLDS : now;
    if (nothing)
        known->count = 0;
    tell(known);
}

static void on_addresses(void *owner, const struct dns_answer *answer)
{
    struct known_name *known = owner;
    struct lookup_place places[sizeof(answer->addresses) / sizeof(answer->addresses[0])];
    memset(places, 0, sizeof(places));
    for (size_t i = 0; i < answer->count; i++)
        places[i].ip = answer->addresses[i];
    if (answer->count != 0)
        settle_good(known, places, (unsigned)answer->count, known->lookups->loop->now + answer->ttl);
    else
        settle_bad(known, answer->nothing, answer->error);
}

/* ---- services ---- */

static void finish_search(struct known_name *known)
{
    struct service_search *search = known->search;
    known->search = NULL;
    if (search->place_count != 0)
        settle_good(known, search->places, search->place_count, search->holds_until);
    else
        settle_bad(known, !search->failed, "the service's hosts have no address");
    free(search);
}

static void take_target(struct service_target *target, const struct lookup_answer *answer)
{
    struct service_search *search = target->search;
    const struct dns_service *service = &target->service;
    search->failed |= answer->failed;
    if (answer->count != 0 && answer->holds_until < search->holds_until)
        search->holds_until = answer->holds_until;
    for (unsigned i = 0; i < answer->count && search->place_count < LOOKUP_PLACES_MAX; i++)
        search->places[search->place_count++] = (struct lookup_place){.ip = answer->places[i].ip,
                                                                      .port = service->port,
                                                                      .weight = service->weight != 0 ? service->weight : 1,
                                                                      .priority = service->priority};
}

static void on_target(struct lookup *lookup, const struct lookup_answer *answer)
{
    struct service_target *target = container_of(lookup, struct service_target, lookup);
    take_target(target, answer);
    if (--target->search->pending == 0)
        finish_search(target->search->known);
}

static void look_up_targets(struct known_name *known, const struct dns_services *services)
{
    struct service_search *search = memory_zalloc(sizeof(*search) + services->count * sizeof(search->targets[0]));
    known->search = search;
    search->known = known;
    search->rule = known->rule;
    search->rule.servers = str_from(known->asker->servers);
    search->holds_until = known->lookups->loop->now + services->ttl;
    search->pending = 1;
    for (size_t i = 0; i < services->count; i++) {
        struct service_target *target = &search->targets[i];
        struct lookup_answer answer = {.failed = true};
        *target = (struct service_target){.lookup.done = on_target, .search = search, .service = services->items[i]};
        enum status status =
            lookup_begin(known->lookups, &search->rule, str_from(services->items[i].target), STR_NONE, &target->lookup, &answer);
        if (status == STATUS_AGAIN)
            search->pending++;
        else
            take_target(target, &answer);
    }
    if (--search->pending == 0)
        finish_search(known);
}

static void on_services(void *owner, const struct dns_services *answer)
{
    struct known_name *known = owner;
    if (answer->count != 0)
        look_up_targets(known, answer);
    else
        settle_bad(known, answer->nothing, answer->error);
}

/* "http" of "example.net" stands at _http._tcp.example.net; a name with a dot is taken as it is. */
static void ask_for_service(struct known_name *known, struct str name, struct str service)
{
    char whole[KEY_SIZE];
    bool short_name = str_find_char(service, '.', 0) < 0;
    int length = snprintf(whole, sizeof(whole), "%s%.*s%s.%.*s", short_name ? "_" : "", STR_ARGS(service), short_name ? "._tcp" : "",
                          STR_ARGS(name));
    dns_find_services(known->asker->dns, str_of(whole, length > 0 && (size_t)length < sizeof(whole) ? (size_t)length : 0), on_services, known);
}

/* ---- asking ---- */

enum status lookup_begin(struct lookups *lookups, const struct lookup_rule *rule, struct str name, struct str service,
                         struct lookup *lookup, struct lookup_answer *ret_answer)
{
    list_init(&lookup->link);
    struct known_name *known = lookups->closing ? NULL : name_for(lookups, rule, name, service);
    if (known == NULL)
        return STATUS_OVERLOADED;
    if (!known->asking && known->holds_until <= lookups->loop->now) {
        known->asker = asker_for(lookups, rule->servers);
        if (known->asker == NULL)
            return STATUS_OVERLOADED;
        enum dns_family families = (rule->no_v4 ? 0U : DNS_V4) | (rule->no_v6 ? 0U : DNS_V6);
        known->asking = true;
        if (service.len != 0)
            ask_for_service(known, name, service);
        else
            dns_resolve_families(known->asker->dns, name, families, on_addresses, known);
        if (!known->asking) {         /* it came at once */
            *ret_answer = answer_of(known);
            return STATUS_OK;
        }
    }
    if (known->asking) {
        list_append(&known->waiting, &lookup->link);
        return STATUS_AGAIN;
    }
    *ret_answer = answer_of(known);
    return STATUS_OK;
}

void lookup_cancel(struct lookup *lookup)
{
    list_remove(&lookup->link);
    list_init(&lookup->link);
}

struct lookup_answer lookup_last(struct lookups *lookups, const struct lookup_rule *rule, struct str name, struct str service)
{
    char key[KEY_SIZE];
    size_t length = make_key(key, rule, name, service);
    const struct known_name *known = length != 0 ? map_get(&lookups->by_key, str_of(key, length)) : NULL;
    if (known == NULL)
        return (struct lookup_answer){.failed = true};
    return (struct lookup_answer){.places = known->places, .count = known->count, .holds_until = known->holds_until};
}

void lookups_free(struct lookups *lookups)
{
    struct list *link;
    if (lookups == NULL)
        return;
    lookups->closing = true;
    while ((link = list_pop(&lookups->askers)) != NULL) {
        struct asker *asker = container_of(link, struct asker, link);
        dns_free(asker->dns);
        free(asker->servers);
        free(asker);
    }
    for (uint32_t i = 0; i < lookups->by_key.count; i++)
        if (lookups->by_key.items[i].value != NULL)
            free_name(lookups->by_key.items[i].value);
    map_release(&lookups->by_key);
    free(lookups);
}
