#include "admin/explain_tls.h"

#include <time.h>

#include "acme/manager.h"
#include "admin/certs_list.h"
#include "tls/make.h"
#include "tls/store.h"

struct looking {
    const struct graph *graph;
    const struct entry *entry;
    struct str host;
    int64_t now;
    struct arena *arena;
    struct way_tls *way;
};

static struct str until(struct looking *looking, int64_t not_after)
{
    struct tm tm;
    char day[16] = "?", span[CERTS_SPAN_SIZE];
    time_t seconds = (time_t)not_after;
    if (gmtime_r(&seconds, &tm) != NULL)
        strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    certs_span(looking->now, not_after, span);
    return not_after > looking->now ? arena_printf(looking->arena, "until %s (%s)", day, span)
                                    : arena_printf(looking->arena, "which ended %s (%s)", day, span);
}

static void tell_certificate(struct looking *looking, struct str subject, struct str issuer, int64_t not_after)
{
    looking->way->certificate = arena_printf(looking->arena, "%.*s of %.*s, %.*s", STR_ARGS(subject), STR_ARGS(issuer),
                                             STR_ARGS(until(looking, not_after)));
}

/* A name or the wildcard that covers it. */
static bool covers(const struct strs *names, struct str host)
{
    ptrdiff_t dot = str_find_char(host, '.', 0);
    for (size_t i = 0; i < names->count; i++) {
        struct str name = names->items[i];
        if (str_equal(name, host))
            return true;
        if (dot > 0 && str_starts(name, S("*.")) &&
            str_equal(str_from_index(name, 1), str_from_index(host, (size_t)dot)))
            return true;
    }
    return false;
}

/* By the same rules as handshakes: a store of the configuration's files. */
static bool find_file(struct looking *looking)
{
    const struct graph *graph = looking->graph;
    struct certificate *fallback = make_default_certificate();
    struct store_item *items = arena_array(looking->arena, struct store_item, graph->certificate_count + 1);
    if (fallback == NULL)
        return false;
    for (unsigned i = 0; i < graph->certificate_count; i++)
        items[i].certificate = graph->certificates[i];
    struct tls_store *store = store_new(items, graph->certificate_count, NULL, 0, fallback);
    const struct certificate *found = store_find_name(store, looking->host, looking->now);
    if (found != NULL) {
        tell_certificate(looking, found->subject, found->issuer, found->not_after);
        looking->way->source = arena_printf(looking->arena, "%.*s names it", STR_ARGS(found->source));
    }
    store_unref(store);
    certificate_unref(fallback);
    return found != NULL;
}

static bool find_stored(struct looking *looking)
{
    struct diag diag;
    diag_init(&diag, looking->arena);
    struct acme_entries entries = acme_list_stored(looking->graph->model, looking->arena, &diag);
    diag_release(&diag);
    for (size_t i = 0; i < entries.count; i++) {
        const struct acme_entry *entry = &entries.items[i];
        if (entry->not_after <= looking->now || !covers(&entry->names, looking->host))
            continue;
        tell_certificate(looking, arena_printf(looking->arena, "CN=%.*s", STR_ARGS(entry->names.items[0])), entry->issuer,
                         entry->not_after);
        looking->way->source = arena_printf(looking->arena, "the resolver '%.*s' got it", STR_ARGS(entry->resolver));
        return true;
    }
    return false;
}

/* Files come before what resolvers get; a name that is asked of one and is not there yet gets the default certificate. */
static bool find_wanted(struct looking *looking)
{
    const struct graph *graph = looking->graph;
    for (unsigned i = 0; i < graph->want_count; i++) {
        const struct certificate_want *want = &graph->wants[i];
        if (!covers(&want->names, looking->host))
            continue;
        const struct str local = RESOLVER_LOCAL, automatic = RESOLVER_AUTOMATIC;
        if (str_equal(want->resolver, local)) {
            looking->way->source = S("the CA of this machine makes it ('portico trust' makes browsers believe it)");
            return true;
        }
        struct str name = str_equal(want->resolver, automatic) ? S("automatic HTTPS") : want->resolver;
        looking->way->source = arena_printf(
            looking->arena, "%.*s is asked for it when the proxy runs; until it is there the default one is shown", STR_ARGS(name));
        return true;
    }
    return false;
}

static void find_default(struct looking *looking, const struct tls_policy *policy)
{
    const struct graph *graph = looking->graph;
    const char *nobody = looking->host.len != 0 ? "no certificate names it" : "no name is asked for";
    struct way_tls *way = looking->way;
    if (looking->entry->tls->on_demand) {
        way->source = S("it is got at the first handshake, if the question URL permits");
    } else if (policy->sni_strict) {
        way->refused = true;
        way->source = arena_printf(looking->arena, "%s, and sniStrict is on", nobody);
    } else if (graph->default_certificate != NULL) {
        const struct certificate *found = graph->default_certificate;
        tell_certificate(looking, found->subject, found->issuer, found->not_after);
        way->source = arena_printf(looking->arena, "the default one, since %s", nobody);
    } else {
        way->source = arena_printf(looking->arena, "the default one, signed by itself, since %s", nobody);
    }
}

void explain_tls(const struct graph *graph, const struct entry *entry, struct str host, int64_t now, struct arena *arena,
                 struct way_tls *ret)
{
    struct looking looking = {.graph = graph, .entry = entry, .host = host, .now = now, .arena = arena, .way = ret};
    *ret = (struct way_tls){.asked = true, .spoken = entry->tls != NULL};
    if (entry->tls == NULL)
        return;
    const struct tls_policy *policy = entry_policy(entry->tls, host);
    ret->options = policy->name;
    if (!find_file(&looking) && !find_stored(&looking) && !find_wanted(&looking))
        find_default(&looking, policy);
}
