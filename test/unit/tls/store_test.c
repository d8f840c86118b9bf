#include "tls/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "forge.h"
#include "test.h"

#define SOON (FORGE_NOW + 10 * FORGE_DAY)
#define LATER (FORGE_NOW + 90 * FORGE_DAY)
#define EXPIRED (FORGE_NOW - 1)

/* A store of up to eight certificates, which it then owns. */
struct shop {
    struct store_item items[8];
    size_t count;
    struct certificate *fallback;
    struct tls_store *store;
};

static struct certificate *add(struct shop *shop, int preference, struct certificate *certificate)
{
    shop->items[shop->count++] = (struct store_item){.certificate = certificate, .preference = preference};
    return certificate;
}

static void open_shop(struct shop *shop)
{
    shop->fallback = make_default_certificate();
    shop->store = store_new(shop->items, shop->count, NULL, 0, shop->fallback);
    for (size_t i = 0; i < shop->count; i++)
        certificate_unref(shop->items[i].certificate);
    certificate_unref(shop->fallback);
}

static struct hello asking(const char *name, bool ecdsa, bool rsa, bool ed25519)
{
    struct hello hello = {.ecdsa = ecdsa, .rsa = rsa, .ed25519 = ed25519, .name_len = (uint32_t)strlen(name)};
    memcpy(hello.name, name, strlen(name));
    return hello;
}

static struct certificate *find(const struct shop *shop, const char *name)
{
    struct hello hello = asking(name, true, true, true);
    return store_find(shop->store, &hello, FORGE_NOW);
}

TEST(store_finds_exact_names_before_wildcards_and_nothing_for_others)
{
    struct shop shop = {0};
    struct certificate *wild = add(&shop, 0, forge_served(KEY_TYPE_EC256, "*.a.example,10.0.0.1", LATER));
    struct certificate *exact = add(&shop, 2, forge_served(KEY_TYPE_EC256, "b.a.example", SOON));
    open_shop(&shop);
    assert_ptr_equal(find(&shop, "b.a.example"), exact);
    assert_ptr_equal(find(&shop, "c.a.example"), wild);
    assert_ptr_equal(find(&shop, "10.0.0.1"), wild);
    assert_null(find(&shop, "a.example"));
    assert_null(find(&shop, "x.c.a.example"));
    assert_null(find(&shop, ""));
    assert_null(find(&shop, "."));
    assert_ptr_equal(store_find_name(shop.store, S("*.a.example"), FORGE_NOW), wild);
    assert_ptr_equal(store_fallback(shop.store), shop.fallback);
    store_unref(shop.store);
}

TEST(store_serves_the_kind_of_key_that_the_client_verifies)
{
    struct shop shop = {0};
    struct certificate *rsa = add(&shop, 0, forge_served(KEY_TYPE_RSA2048, "a.example", LATER));
    struct certificate *ed25519 = add(&shop, 0, forge_served_ed25519("a.example", LATER));
    struct certificate *ecdsa = add(&shop, 0, forge_served(KEY_TYPE_EC256, "a.example", SOON));
    open_shop(&shop);
    struct {
        struct hello hello;
        struct certificate *expected;
    } cases[] = {{asking("a.example", true, true, true), ecdsa}, {asking("a.example", false, true, false), rsa},
                 {asking("a.example", false, true, true), ed25519}, {asking("a.example", false, false, false), ecdsa}};
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(store_find(shop.store, &cases[i].hello, FORGE_NOW), cases[i].expected);
    store_unref(shop.store);
}

TEST(store_prefers_files_to_acme_whatever_the_key_and_then_what_lasts_longest)
{
    struct shop shop = {0};
    add(&shop, 1, forge_served(KEY_TYPE_EC256, "a.example,b.example", LATER));
    struct certificate *longest = add(&shop, 1, forge_served(KEY_TYPE_EC256, "b.example", LATER + FORGE_DAY));
    struct certificate *file = add(&shop, 0, forge_served(KEY_TYPE_RSA2048, "a.example", SOON));
    open_shop(&shop);
    assert_ptr_equal(find(&shop, "a.example"), file);
    assert_ptr_equal(find(&shop, "b.example"), longest);
    struct hello no_rsa = asking("a.example", true, false, false);
    assert_ptr_equal(store_find(shop.store, &no_rsa, FORGE_NOW), shop.items[0].certificate);
    store_unref(shop.store);
}

TEST(store_serves_what_has_expired_only_where_nothing_else_is)
{
    struct shop shop = {0};
    struct certificate *expired = add(&shop, 0, forge_served(KEY_TYPE_EC256, "a.example,x.b.example,c.example", EXPIRED));
    struct certificate *valid = add(&shop, 2, forge_served(KEY_TYPE_EC256, "a.example,*.b.example", LATER));
    open_shop(&shop);
    assert_ptr_equal(find(&shop, "a.example"), valid);
    assert_ptr_equal(find(&shop, "x.b.example"), valid);
    assert_ptr_equal(find(&shop, "c.example"), expired);
    store_unref(shop.store);
}

TEST(store_lists_each_certificate_once_with_its_best_preference)
{
    struct shop shop = {0};
    struct certificate *twice = add(&shop, 2, forge_served(KEY_TYPE_EC256, "a.example", LATER));
    add(&shop, 0, certificate_ref(twice));
    open_shop(&shop);
    size_t count;
    const struct store_item *items = store_items(shop.store, &count);
    assert_int_equal(count, 1);
    assert_int_equal(items[0].preference, 0);
    store_unref(shop.store);
}

TEST(store_keeps_challenges_apart_from_names)
{
    uint8_t digest[32] = {0};
    struct certificate *fallback = make_default_certificate(), *answer = make_challenge_certificate(S("a.example"), digest);
    char name[] = "A.example";
    struct store_challenge challenge = {.name = str_from(name), .certificate = answer};
    struct tls_store *store = store_new(NULL, 0, &challenge, 1, fallback);
    name[0] = 'x';
    assert_ptr_equal(store_challenge(store, S("a.example")), answer);
    assert_null(store_challenge(store, S("b.example")));
    assert_null(store_find_name(store, S("a.example"), FORGE_NOW));
    certificate_unref(fallback);
    certificate_unref(answer);
    store_unref(store);
}

TEST(store_of_five_hundred_finds_each)
{
    enum { MANY = 500 };
    static struct store_item items[MANY];
    char name[64];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "h%d.example,*.w%d.example", i, i);
        items[i].certificate = forge_served(KEY_TYPE_EC256, name, LATER);
    }
    struct tls_store *store = store_new(items, MANY, NULL, 0, items[0].certificate);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "h%d.example", i);
        assert_ptr_equal(store_find_name(store, str_from(name), FORGE_NOW), items[i].certificate);
        snprintf(name, sizeof(name), "x.w%d.example", i);
        assert_ptr_equal(store_find_name(store, str_from(name), FORGE_NOW), items[i].certificate);
        certificate_unref(items[i].certificate);
    }
    store_unref(store);
}
