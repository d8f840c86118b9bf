#include "admin/certs_list.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const key_texts[KEY_KINDS] = {[KEY_ECDSA] = "ECDSA", [KEY_ED25519] = "Ed25519", [KEY_RSA] = "RSA"};

/* What people call the resolvers that automatic HTTPS brings along. */
static struct str resolver_text(struct str resolver)
{
    if (str_equal(resolver, (struct str)RESOLVER_LOCAL))
        return S("the local CA");
    return str_equal(resolver, (struct str)RESOLVER_AUTOMATIC) ? S("automatic HTTPS") : resolver;
}

static struct cert_row row_of_file(const struct certificate *certificate)
{
    return (struct cert_row){.names = certificate->names,
                             .issuer = certificate->issuer,
                             .serial = certificate->serial,
                             .key = str_from(key_texts[certificate->kind]),
                             .not_before = certificate->not_before,
                             .not_after = certificate->not_after,
                             .source = certificate->source,
                             .state = "file"};
}

static struct cert_row row_of_entry(const struct acme_entry *entry)
{
    return (struct cert_row){.names = entry->names,
                             .issuer = entry->issuer,
                             .serial = entry->serial,
                             .key = entry->key,
                             .not_before = entry->not_before,
                             .not_after = entry->not_after,
                             .renew_at = entry->renew_at,
                             .source = resolver_text(entry->resolver),
                             .state = acme_progress_name(entry->progress),
                             .problem = entry->failure,
                             .hint = entry->hint,
                             .next_try = entry->next_try};
}

static bool has_name(const struct strs *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return true;
    return false;
}

static bool has_all(const struct strs *names, const struct strs *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!has_name(names, wanted->items[i]))
            return false;
    return true;
}

static bool file_covers(const struct graph *graph, const struct strs *wanted)
{
    for (unsigned i = 0; i < graph->certificate_count; i++) {
        bool all = true;
        for (size_t j = 0; all && j < wanted->count; j++)
            all = certificate_covers(graph->certificates[i], wanted->items[j]);
        if (all)
            return true;
    }
    return false;
}

/* A certificate that is there, of whatever resolver, wildcards included. */
static bool entry_covers(const struct acme_entry *entry, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.', 0);
    if (entry->not_after == 0)
        return false;
    for (size_t i = 0; i < entry->names.count; i++) {
        struct str own = entry->names.items[i];
        if (str_equal(own, name) ||
            (dot > 0 && str_starts(own, S("*.")) && str_equal(str_from_index(own, 1), str_from_index(name, (size_t)dot))))
            return true;
    }
    return false;
}

static bool is_covered(const struct acme_entries *entries, struct str name)
{
    for (size_t i = 0; i < entries->count; i++)
        if (entry_covers(&entries->items[i], name))
            return true;
    return false;
}

/* Asked for, and nothing is known of it: it is got when the proxy runs. */
static bool is_missing(const struct graph *graph, const struct acme_entries *entries, const struct certificate_want *want)
{
    bool all = true;
    for (size_t i = 0; i < entries->count; i++)
        if (str_equal(entries->items[i].resolver, want->resolver) && has_all(&entries->items[i].names, &want->names))
            return false;
    for (size_t i = 0; all && i < want->names.count; i++)
        all = is_covered(entries, want->names.items[i]);
    return !all && !file_covers(graph, &want->names);
}

static int by_name(const void *a, const void *b)
{
    const struct cert_row *one = a, *other = b;
    struct str first = one->names.count != 0 ? one->names.items[0] : STR_NONE;
    struct str second = other->names.count != 0 ? other->names.items[0] : STR_NONE;
    int order = str_compare(first, second);
    return order != 0 ? order : str_compare(one->source, other->source);
}

/* A local CA's certificates are in the memory of the process that made them. */
static bool is_local(const struct graph *graph, struct str resolver)
{
    const struct objects *resolvers = &graph->model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++)
        if (str_equal(resolvers->items[i].name, resolver))
            return ((const struct resolver_config *)resolvers->items[i].value)->local_ca != NULL;
    return str_equal(resolver, (struct str)RESOLVER_LOCAL);
}

static struct cert_row row_of_want(const struct graph *graph, const struct certificate_want *want)
{
    return (struct cert_row){.names = want->names,
                             .source = resolver_text(want->resolver),
                             .state = is_local(graph, want->resolver) ? "memory" : "missing"};
}

struct cert_rows certs_collect(const struct graph *graph, const struct acme_entries *entries, const struct cert_rows *more,
                               int64_t now, struct arena *arena)
{
    size_t max = graph->certificate_count + entries->count + graph->want_count + more->count + 1;
    struct cert_rows rows = {.items = arena_array(arena, struct cert_row, max)};
    for (unsigned i = 0; i < graph->certificate_count; i++)
        rows.items[rows.count++] = row_of_file(graph->certificates[i]);
    if (graph->default_certificate != NULL)
        rows.items[rows.count++] = row_of_file(graph->default_certificate);
    for (size_t i = 0; i < entries->count; i++)
        rows.items[rows.count++] = row_of_entry(&entries->items[i]);
    for (unsigned i = 0; i < graph->want_count; i++)
        if (is_missing(graph, entries, &graph->wants[i]))
            rows.items[rows.count++] = row_of_want(graph, &graph->wants[i]);
    for (size_t i = 0; i < more->count; i++)
        rows.items[rows.count++] = more->items[i];
    for (size_t i = 0; i < rows.count; i++)
        rows.any_expired = rows.any_expired || (rows.items[i].not_after != 0 && rows.items[i].not_after <= now);
    if (rows.count != 0)
        qsort(rows.items, rows.count, sizeof(rows.items[0]), by_name);
    return rows;
}

void certs_span(int64_t from, int64_t to, char *out)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    int64_t distance = to > from ? to - from : from - to;
    size_t unit = 0;
    while (unit < 3 && distance < 2 * units[unit].seconds)
        unit++;
    long long count = distance / units[unit].seconds;
    const char *plural = count == 1 ? "" : "s";
    if (to >= from)
        snprintf(out, CERTS_SPAN_SIZE, "in %lld %s%s", count, units[unit].name, plural);
    else
        snprintf(out, CERTS_SPAN_SIZE, "%lld %s%s ago", count, units[unit].name, plural);
}
