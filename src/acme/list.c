/* What people see of managed certificates: of this process, or of a storage that another one works with. */
#include <stdlib.h>

#include "acme/managed.h"
#include "base/vec.h"

const char *acme_progress_name(enum acme_progress progress)
{
    static const char *const names[] = {
        [ACME_WAITING] = "waiting", [ACME_ORDERING] = "ordering", [ACME_ISSUED] = "issued", [ACME_COVERED] = "covered"};
    return names[progress];
}

static int by_resolver_and_name(const void *a, const void *b)
{
    const struct acme_entry *left = a, *right = b;
    int order = str_compare(left->resolver, right->resolver);
    return order != 0 ? order : str_compare(left->names.items[0], right->names.items[0]);
}

static struct acme_entries finish(struct acme_entries entries)
{
    if (entries.count > 1)
        qsort(entries.items, entries.count, sizeof(*entries.items), by_resolver_and_name);
    return entries;
}

static const char *const key_texts[KEY_KINDS] = {[KEY_ECDSA] = "ECDSA", [KEY_ED25519] = "Ed25519", [KEY_RSA] = "RSA"};

static void add_certificate(struct acme_entry *entry, const struct certificate *certificate, struct arena *arena)
{
    entry->issuer = arena_str(arena, certificate->issuer);
    entry->serial = arena_str(arena, certificate->serial);
    entry->key = str_from(key_texts[certificate->kind]);
    entry->not_before = certificate->not_before;
    entry->not_after = certificate->not_after;
    entry->progress = ACME_ISSUED;
}

/* ---- of this process ---- */

static enum acme_progress progress_of(const struct managed *managed)
{
    if (order_is_under_way(managed) || managed->holds_lock)
        return ACME_ORDERING;
    if (managed->certificate != NULL)
        return ACME_ISSUED;
    return managed->wanted && managed_due(managed) > manage_now() ? ACME_COVERED : ACME_WAITING;
}

static void describe(const struct managed *managed, struct acme_entry *entry, struct arena *arena)
{
    const struct resolver *resolver = managed->resolver;
    int64_t due = managed_due(managed), ready_at = 0, until = managed->backoff.until;
    entry->names = names_copy(&managed->names, arena);
    entry->resolver = arena_str(arena, resolver->name);
    if (resolver->config != NULL) {
        struct str first = authority_directory(resolver, ACCOUNT_FIRST);
        entry->ca = arena_str(arena, managed->authority != NULL ? str_from(managed->authority) : first);
        authority_choose(managed, &ready_at);
    }
    if (managed->certificate != NULL)
        add_certificate(entry, managed->certificate, arena);
    entry->progress = progress_of(managed);
    entry->wanted = managed->wanted;
    entry->on_demand = managed->on_demand;
    entry->renew_at = due == INT64_MAX ? 0 : due;
    entry->failures = managed->backoff.failures;
    entry->failure = arena_str(arena, str_from(managed->failure));
    entry->hint = arena_str(arena, str_from(managed->hint));
    entry->failed_at = managed->failed_at;
    until = ready_at > until ? ready_at : until;
    if (managed->failure != NULL)
        entry->next_try = until / TIME_S > due ? until / TIME_S : due == INT64_MAX ? 0 : due;
}

struct acme_entries acme_list(struct arena *arena)
{
    struct acme_entries entries = {0};
    size_t count = 0;
    if (manager.loop == NULL)
        return entries;
    LIST_FOREACH(&manager.resolvers, it)
        LIST_FOREACH(&container_of(it, struct resolver, link)->managed, at)
            count++;
    entries.items = arena_array(arena, struct acme_entry, count);
    LIST_FOREACH(&manager.resolvers, it)
        LIST_FOREACH(&container_of(it, struct resolver, link)->managed, at)
            describe(container_of(at, struct managed, link), &entries.items[entries.count++], arena);
    return finish(entries);
}

/* ---- of a storage ---- */

struct stored_list {
    VEC(struct acme_entry) entries;
    struct arena *arena;
};

static void add_stored_certificate(struct stored_list *list, struct str resolver, const struct acme_config *config,
                                   const struct state_certificate *stored)
{
    const char *why;
    struct certificate *certificate = certificate_parse(stored->chain, stored->key, resolver, &why);
    if (certificate == NULL)
        return;
    uint64_t draw;
    memcpy(&draw, certificate->sha256, sizeof(draw));
    struct acme_entry entry = {
        .names = names_copy(&stored->names, list->arena),
        .resolver = arena_str(list->arena, resolver),
        .ca = arena_str(list->arena, str_empty(stored->authority) ? config->ca_server : stored->authority),
        .wanted = stored->unwanted_since == 0 && !stored->on_demand,
        .on_demand = stored->on_demand,
        .renew_at = schedule_renewal(certificate->not_before, certificate->not_after, (struct renewal_window){0}, draw),
    };
    add_certificate(&entry, certificate, list->arena);
    certificate_unref(certificate);
    VEC_PUSH(&list->entries, entry);
}

static void add_problem(struct stored_list *list, size_t first, struct str resolver, const struct acme_config *config,
                        const struct state_problem *problem)
{
    struct acme_entry *entry = NULL;
    for (size_t i = first; entry == NULL && i < list->entries.count; i++)
        if (names_equal(&list->entries.items[i].names, &problem->names))
            entry = &list->entries.items[i];
    if (entry == NULL) {
        VEC_PUSH(&list->entries, (struct acme_entry){.names = names_copy(&problem->names, list->arena),
                                                     .resolver = arena_str(list->arena, resolver),
                                                     .ca = arena_str(list->arena, config->ca_server),
                                                     .wanted = true});
        entry = &list->entries.items[list->entries.count - 1];
    }
    entry->failures = problem->failures;
    entry->failure = arena_str(list->arena, problem->text);
    entry->hint = arena_str(list->arena, problem->hint);
    entry->failed_at = problem->failed_at;
    entry->next_try = problem->next_try;
}

static void mark_orders(struct stored_list *list, size_t first, const struct state *state)
{
    for (size_t i = first; i < list->entries.count; i++)
        if (state_order_of(state, &list->entries.items[i].names) != NULL)
            list->entries.items[i].progress = ACME_ORDERING;
}

static void read_stored(struct stored_list *list, struct str resolver, const struct acme_config *config, struct diag *diag)
{
    struct storage *storage = storage_new(config->storage, resolver);
    struct text why;
    size_t first = list->entries.count;
    text_init(&why, 4096);
    if (!storage_read(storage, &why))
        diag_error(diag, node_span(node_get(config->origin, S("storage"))), "%s", text_c(&why));
    const struct state *state = storage_state(storage);
    for (size_t i = 0; i < state->certificates.count; i++)
        add_stored_certificate(list, resolver, config, state->certificates.items[i]);
    for (size_t i = 0; i < state->problems.count; i++)
        add_problem(list, first, resolver, config, state->problems.items[i]);
    mark_orders(list, first, state);
    text_release(&why);
    storage_free(storage);
}

struct acme_entries acme_list_stored(const struct model *model, struct arena *arena, struct diag *diag)
{
    struct stored_list list = {.arena = arena};
    const struct objects *resolvers = &model->config.certificates_resolvers;
    for (size_t i = 0; i < resolvers->count; i++) {
        const struct resolver_config *resolver = resolvers->items[i].value;
        if (resolver->acme != NULL)
            read_stored(&list, resolvers->items[i].name, resolver->acme, diag);
    }
    if (model->config.automatic_https != NULL)
        read_stored(&list, (struct str)RESOLVER_AUTOMATIC, manage_automatic_config(model, arena), diag);
    struct acme_entries entries = {.items = arena_array(arena, struct acme_entry, list.entries.count)};
    for (; entries.count < list.entries.count; entries.count++)
        entries.items[entries.count] = list.entries.items[entries.count];
    VEC_RELEASE(&list.entries);
    return finish(entries);
}
