/* Owns the sources' certificates and the newest store. A store is made only when one of them changed, and each worker gets a
 * reference by message; the former store goes at the end of that worker's turn, so what was borrowed from it is good till then. */
#include "tls/vault.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/vec.h"
#include "tls/make.h"

struct certificate_list {
    struct certificate **items;
    size_t count;
};

static struct vault {
    struct worker *workers;
    unsigned worker_count;
    struct certificate_list sources[VAULT_SOURCES];
    struct certificate *generated;      /* made at start */
    struct certificate *chosen;         /* served instead of that; NULL: none was set */
    VEC(struct store_challenge) challenges;
    struct tls_store *first;            /* what a worker has before the first message */
    struct tls_store *newest;
    bool changed;
} vault;

/* ---- to the workers ---- */

struct update {
    struct message message;
    struct deferred free_later;
    struct worker *worker;
    struct tls_store *store;            /* the new one, then the former one; a reference */
};

static void finish_update(struct deferred *deferred)
{
    struct update *update = container_of(deferred, struct update, free_later);
    store_unref(update->store);
    free(update);
}

static void deliver(struct message *message)
{
    struct update *update = container_of(message, struct update, message);
    struct tls_store *former = update->worker->certificates;
    update->worker->certificates = update->store;
    update->store = former;
    loop_defer_free(&update->worker->loop, &update->free_later);
}

static void send(struct worker *worker, struct tls_store *store)
{
    struct update *update = memory_alloc(sizeof(*update));
    *update = (struct update){.message = {.deliver = deliver}, .free_later = {.run = finish_update}, .worker = worker,
                              .store = store_ref(store)};
    loop_post(&worker->loop, &update->message);
}

/* ---- the store ---- */

static struct tls_store *make_store(void)
{
    VEC(struct store_item) items = {0};
    for (int source = 0; source < VAULT_SOURCES; source++)
        for (size_t i = 0; i < vault.sources[source].count; i++)
            VEC_PUSH(&items, (struct store_item){.certificate = vault.sources[source].items[i], .preference = source});
    struct certificate *fallback = vault.chosen != NULL ? vault.chosen : vault.generated;
    struct tls_store *store =
        store_new(items.items, items.count, vault.challenges.items, vault.challenges.count, fallback);
    VEC_RELEASE(&items);
    return store;
}

void vault_publish(void)
{
    if (!vault.changed)
        return;
    vault.changed = false;
    struct tls_store *former = vault.newest;
    vault.newest = make_store();
    store_unref(former);
    for (unsigned i = 0; i < vault.worker_count; i++)
        send(&vault.workers[i], vault.newest);
}

struct tls_store *vault_of(struct worker *worker)
{
    bool of_worker = worker != NULL && worker >= vault.workers && worker < vault.workers + vault.worker_count;
    if (!of_worker)
        return vault.newest;
    return worker->certificates != NULL ? worker->certificates : vault.first;
}

/* ---- life ---- */

void vault_start(struct worker *workers, unsigned count)
{
    assert(vault.newest == NULL);
    vault = (struct vault){.workers = workers, .worker_count = count, .generated = make_default_certificate()};
    assert(vault.generated != NULL);
    vault.first = make_store();
    vault.newest = store_ref(vault.first);
}

static void set_list(struct certificate_list *list, struct certificate *const *certificates, size_t count)
{
    struct certificate_list former = *list;
    list->count = count;
    list->items = count != 0 ? memory_alloc(count * sizeof(*list->items)) : NULL;
    for (size_t i = 0; i < count; i++)
        list->items[i] = certificate_ref(certificates[i]);
    for (size_t i = 0; i < former.count; i++)
        certificate_unref(former.items[i]);
    free(former.items);
}

static void remove_challenge(size_t at)
{
    struct store_challenge challenge = vault.challenges.items[at];
    vault.challenges.items[at] = vault.challenges.items[--vault.challenges.count];
    free((void *)(uintptr_t)challenge.name.data);
    certificate_unref(challenge.certificate);
}

void vault_stop(void)
{
    for (int source = 0; source < VAULT_SOURCES; source++)
        set_list(&vault.sources[source], NULL, 0);
    while (vault.challenges.count != 0)
        remove_challenge(0);
    VEC_RELEASE(&vault.challenges);
    for (unsigned i = 0; i < vault.worker_count; i++) {
        store_unref(vault.workers[i].certificates);
        vault.workers[i].certificates = NULL;
    }
    certificate_unref(vault.generated);
    certificate_unref(vault.chosen);
    store_unref(vault.first);
    store_unref(vault.newest);
    vault = (struct vault){0};
}

/* ---- what is in it ---- */

/* The chain counts: a file may be mended that lacked an intermediate certificate. */
static bool is_same(const struct certificate *one, const struct certificate *other)
{
    if (one == other)
        return true;
    int length = sk_X509_num(one->chain);
    if (memcmp(one->sha256, other->sha256, sizeof(one->sha256)) != 0 || length != sk_X509_num(other->chain))
        return false;
    for (int i = 0; i < length; i++)
        if (X509_cmp(sk_X509_value(one->chain, i), sk_X509_value(other->chain, i)) != 0)
            return false;
    return true;
}

void vault_set(enum vault_source source, struct certificate *const *certificates, size_t count)
{
    struct certificate_list *list = &vault.sources[source];
    bool same = list->count == count;
    for (size_t i = 0; same && i < count; i++)
        same = is_same(list->items[i], certificates[i]);
    if (same)
        return;
    set_list(list, certificates, count);
    vault.changed = true;
}

void vault_set_default(struct certificate *certificate)
{
    if (certificate == vault.chosen || (certificate != NULL && vault.chosen != NULL && is_same(certificate, vault.chosen)))
        return;
    certificate_unref(vault.chosen);
    vault.chosen = certificate != NULL ? certificate_ref(certificate) : NULL;
    vault.changed = true;
}

void vault_set_challenge(struct str name, struct certificate *certificate)
{
    for (size_t i = 0; i < vault.challenges.count; i++) {
        if (!str_equal_nocase(vault.challenges.items[i].name, name))
            continue;
        remove_challenge(i);
        vault.changed = true;
        break;
    }
    if (certificate == NULL)
        return;
    struct str copy = str_of(memory_copy_text(name.data, name.len), name.len);
    VEC_PUSH(&vault.challenges, (struct store_challenge){.name = copy, .certificate = certificate_ref(certificate)});
    vault.changed = true;
}
