/* Names lead to slices of one array of candidates, sorted when the store is made: the first that fits is the one. */
#include "tls/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"

struct candidate {
    const char *name;                   /* what it was sorted by; the certificate's memory */
    size_t name_len;
    struct store_item *item;
};

struct candidates {
    const struct candidate *first;
    size_t count;
};

struct tls_store {
    _Atomic unsigned refs;
    struct store_item *items;           /* each certificate once */
    size_t count;
    struct candidate *candidates;
    struct candidates *slices;          /* one for each name; the values of `names` */
    struct map names;
    struct store_challenge *challenges;
    size_t challenge_count;
    struct map by_challenge;
    struct certificate *fallback;
};

/* ---- making one ---- */

/* Where two items hold the same certificate, the preferred one stays. */
static void take_items(struct tls_store *store, const struct store_item *items, size_t count)
{
    struct map known;
    map_init(&known, false);
    store->items = memory_alloc((count + 1) * sizeof(*store->items));
    for (size_t i = 0; i < count; i++) {
        struct str print = str_of((const char *)items[i].certificate->sha256, sizeof(items[i].certificate->sha256));
        struct store_item *same = map_get(&known, print);
        if (same != NULL) {
            same->preference = items[i].preference < same->preference ? items[i].preference : same->preference;
            continue;
        }
        struct store_item *item = &store->items[store->count++];
        *item = (struct store_item){.certificate = certificate_ref(items[i].certificate), .preference = items[i].preference};
        map_put(&known, print, item);
    }
    map_release(&known);
}

/* By name; then the preferred source, then the kind of key, then the one that lasts longest. */
static int compare_candidates(const void *one, const void *other)
{
    const struct candidate *a = one, *b = other;
    const struct certificate *of_a = a->item->certificate, *of_b = b->item->certificate;
    int order = str_compare(str_of(a->name, a->name_len), str_of(b->name, b->name_len));
    if (order != 0)
        return order;
    if (a->item->preference != b->item->preference)
        return a->item->preference < b->item->preference ? -1 : 1;
    if (of_a->kind != of_b->kind)
        return of_a->kind < of_b->kind ? -1 : 1;
    if (of_a->not_after != of_b->not_after)
        return of_a->not_after > of_b->not_after ? -1 : 1;
    return memcmp(of_a->sha256, of_b->sha256, sizeof(of_a->sha256));
}

static size_t list_candidates(struct tls_store *store)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < store->count; i++)
        count += store->items[i].certificate->names.count;
    store->candidates = memory_alloc((count + 1) * sizeof(*store->candidates));
    for (size_t i = 0; i < store->count; i++) {
        const struct strs *names = &store->items[i].certificate->names;
        if (store->items[i].preference == STORE_LISTED)
            continue;
        for (size_t j = 0; j < names->count; j++)
            store->candidates[at++] = (struct candidate){
                .name = names->items[j].data, .name_len = names->items[j].len, .item = &store->items[i]};
    }
    qsort(store->candidates, at, sizeof(*store->candidates), compare_candidates);
    return at;
}

static void index_names(struct tls_store *store)
{
    size_t count = list_candidates(store), slices = 0;
    store->slices = memory_alloc((count + 1) * sizeof(*store->slices));
    for (size_t i = 0; i < count; i++) {
        const struct candidate *candidate = &store->candidates[i];
        struct str name = str_of(candidate->name, candidate->name_len);
        struct candidates *former = slices != 0 ? &store->slices[slices - 1] : NULL;
        if (former != NULL && str_equal(name, str_of(former->first->name, former->first->name_len))) {
            former->count++;
            continue;
        }
        store->slices[slices] = (struct candidates){.first = candidate, .count = 1};
        map_put(&store->names, name, &store->slices[slices++]);
    }
}

static void take_challenges(struct tls_store *store, const struct store_challenge *challenges, size_t count)
{
    store->challenge_count = count;
    store->challenges = memory_alloc((count + 1) * sizeof(*store->challenges));
    for (size_t i = 0; i < count; i++) {
        struct str name = str_of(memory_copy_text(challenges[i].name.data, challenges[i].name.len), challenges[i].name.len);
        store->challenges[i] = (struct store_challenge){.name = name, .certificate = certificate_ref(challenges[i].certificate)};
        map_put(&store->by_challenge, name, store->challenges[i].certificate);
    }
}

struct tls_store *store_new(const struct store_item *items, size_t count, const struct store_challenge *challenges,
                            size_t challenge_count, struct certificate *fallback)
{
    assert(fallback != NULL);
    struct tls_store *store = memory_zalloc(sizeof(*store));
    atomic_init(&store->refs, 1);
    map_init(&store->names, false);
    map_init(&store->by_challenge, true);
    store->fallback = certificate_ref(fallback);
    take_items(store, items, count);
    index_names(store);
    take_challenges(store, challenges, challenge_count);
    return store;
}

struct tls_store *store_ref(struct tls_store *store)
{
    atomic_fetch_add_explicit(&store->refs, 1, memory_order_relaxed);
    return store;
}

void store_unref(struct tls_store *store)
{
    if (store == NULL || atomic_fetch_sub_explicit(&store->refs, 1, memory_order_acq_rel) != 1)
        return;
    map_release(&store->names);
    map_release(&store->by_challenge);
    for (size_t i = 0; i < store->count; i++)
        certificate_unref(store->items[i].certificate);
    for (size_t i = 0; i < store->challenge_count; i++) {
        free((void *)(uintptr_t)store->challenges[i].name.data);
        certificate_unref(store->challenges[i].certificate);
    }
    certificate_unref(store->fallback);
    free(store->items);
    free(store->candidates);
    free(store->slices);
    free(store->challenges);
    free(store);
}

/* ---- looking up ---- */

/* How well a certificate serves; lower is better. */
enum fit { FIT_GOOD, FIT_OUT_OF_DATE, FIT_UNVERIFIABLE, FIT_NONE };

struct found {
    struct certificate *certificate;
    enum fit fit;
};

static bool can_verify(const struct hello *hello, enum key_kind kind)
{
    switch (kind) {
    case KEY_ECDSA:
        return hello->ecdsa;
    case KEY_ED25519:
        return hello->ed25519;
    case KEY_RSA:
    case KEY_KINDS:
        break;
    }
    return hello->rsa;
}

static enum fit fit_of(const struct certificate *certificate, const struct hello *hello, int64_t now)
{
    if (hello != NULL && !can_verify(hello, certificate->kind))
        return FIT_UNVERIFIABLE;
    return now < certificate->not_before || now > certificate->not_after ? FIT_OUT_OF_DATE : FIT_GOOD;
}

struct certificate *certificate_choose(struct certificate *const *certificates, unsigned count, const struct hello *hello, int64_t now)
{
    struct found best = {.fit = FIT_NONE};
    for (unsigned i = 0; i < count; i++) {
        enum fit fit = fit_of(certificates[i], hello, now);
        if (fit < best.fit || (fit == best.fit && certificates[i]->kind < best.certificate->kind))
            best = (struct found){.certificate = certificates[i], .fit = fit};
    }
    return best.certificate;
}

static void look_up(const struct tls_store *store, struct str key, const struct hello *hello, int64_t now, struct found *best)
{
    const struct candidates *slice = map_get(&store->names, key);
    for (size_t i = 0; slice != NULL && i < slice->count && best->fit != FIT_GOOD; i++) {
        struct certificate *certificate = slice->first[i].item->certificate;
        enum fit fit = fit_of(certificate, hello, now);
        if (fit < best->fit)
            *best = (struct found){.certificate = certificate, .fit = fit};
    }
}

/* `hello` NULL: every kind of key will do. */
static struct certificate *find(const struct tls_store *store, struct str name, const struct hello *hello, int64_t now)
{
    struct found best = {.fit = FIT_NONE};
    char wildcard[HELLO_NAME_MAX + 1];
    if (name.len == 0 || name.len > HELLO_NAME_MAX)
        return NULL;
    look_up(store, name, hello, now, &best);
    ptrdiff_t dot = best.fit != FIT_GOOD ? str_find_char(name, '.', 0) : -1;
    if (dot > 0) {
        size_t length = name.len - (size_t)dot;
        wildcard[0] = '*';
        memcpy(wildcard + 1, name.data + dot, length);
        look_up(store, str_of(wildcard, length + 1), hello, now, &best);
    }
    return best.certificate;
}

struct certificate *store_find(const struct tls_store *store, const struct hello *hello, int64_t now)
{
    return find(store, hello_name(hello), hello, now);
}

struct certificate *store_find_name(const struct tls_store *store, struct str name, int64_t now)
{
    return find(store, name, NULL, now);
}

struct certificate *store_challenge(const struct tls_store *store, struct str name)
{
    return map_get(&store->by_challenge, name);
}

struct certificate *store_fallback(const struct tls_store *store)
{
    return store->fallback;
}

const struct store_item *store_items(const struct tls_store *store, size_t *ret_count)
{
    *ret_count = store->count;
    return store->items;
}
