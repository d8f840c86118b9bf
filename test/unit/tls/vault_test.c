#include "tls/vault.h"

#include <stdlib.h>

#include "forge.h"
#include "test.h"

#define LATER (FORGE_NOW + 90 * FORGE_DAY)

/* Two workers whose loops are turned by hand, and one that is the control thread's. */
struct house {
    struct worker *workers;
};

static struct house house_open(void)
{
    struct house house = {.workers = calloc(3, sizeof(struct worker))};
    for (unsigned i = 0; i < 3; i++)
        assert_true(worker_init(&house.workers[i], i));
    vault_start(house.workers, 2);
    return house;
}

static void turn(struct house *house)
{
    for (unsigned i = 0; i < 2; i++)
        loop_turn(&house->workers[i].loop, 0);
}

static void house_close(struct house *house)
{
    turn(house);
    vault_stop();
    for (unsigned i = 0; i < 3; i++)
        worker_release(&house->workers[i]);
    free(house->workers);
}

static struct certificate *found(struct worker *worker, const char *name)
{
    return store_find_name(vault_of(worker), str_from(name), FORGE_NOW);
}

TEST(vault_gives_workers_a_store_from_the_start_and_the_published_one_with_its_message)
{
    struct house house = house_open();
    struct certificate *certificate = forge_served(KEY_TYPE_EC256, "a.example", LATER);
    assert_non_null(vault_of(&house.workers[0]));
    assert_non_null(store_fallback(vault_of(&house.workers[0])));
    vault_set(VAULT_FILES, &certificate, 1);
    vault_publish();
    assert_null(found(&house.workers[0], "a.example"));
    assert_ptr_equal(found(&house.workers[2], "a.example"), certificate);
    assert_ptr_equal(found(NULL, "a.example"), certificate);
    turn(&house);
    assert_ptr_equal(found(&house.workers[0], "a.example"), certificate);
    assert_ptr_equal(found(&house.workers[1], "a.example"), certificate);
    certificate_unref(certificate);
    house_close(&house);
}

TEST(vault_makes_no_new_store_when_nothing_changed)
{
    struct house house = house_open();
    struct certificate *certificate = forge_served(KEY_TYPE_EC256, "a.example", LATER);
    vault_set(VAULT_ACME, &certificate, 1);
    vault_set_default(certificate);
    vault_publish();
    struct tls_store *store = vault_of(NULL);
    vault_set(VAULT_ACME, &certificate, 1);
    vault_set(VAULT_LOCAL, NULL, 0);
    vault_set_default(certificate);
    vault_set_challenge(S("a.example"), NULL);
    vault_publish();
    assert_ptr_equal(vault_of(NULL), store);
    vault_set(VAULT_ACME, NULL, 0);
    vault_publish();
    assert_ptr_not_equal(vault_of(NULL), store);
    assert_null(found(NULL, "a.example"));
    certificate_unref(certificate);
    house_close(&house);
}

TEST(vault_prefers_files_to_the_local_ca)
{
    struct house house = house_open();
    struct certificate *file = forge_served(KEY_TYPE_EC256, "a.example", LATER);
    struct certificate *local = forge_served(KEY_TYPE_EC256, "a.example", LATER + FORGE_DAY);
    vault_set(VAULT_LOCAL, &local, 1);
    vault_set(VAULT_FILES, &file, 1);
    vault_publish();
    assert_ptr_equal(found(NULL, "a.example"), file);
    vault_set(VAULT_FILES, NULL, 0);
    vault_publish();
    assert_ptr_equal(found(NULL, "a.example"), local);
    certificate_unref(file);
    certificate_unref(local);
    house_close(&house);
}

TEST(vault_serves_challenges_until_they_are_over)
{
    struct house house = house_open();
    uint8_t digest[32] = {0};
    struct certificate *answer = make_challenge_certificate(S("a.example"), digest);
    vault_set_challenge(S("a.example"), answer);
    vault_publish();
    turn(&house);
    assert_ptr_equal(store_challenge(vault_of(&house.workers[1]), S("a.example")), answer);
    vault_set_challenge(S("a.example"), NULL);
    vault_publish();
    turn(&house);
    assert_null(store_challenge(vault_of(&house.workers[1]), S("a.example")));
    certificate_unref(answer);
    house_close(&house);
}

TEST(vault_default_is_the_chosen_one_or_the_generated_one)
{
    struct house house = house_open();
    struct certificate *chosen = forge_served(KEY_TYPE_EC256, "a.example", LATER);
    struct certificate *generated = store_fallback(vault_of(NULL));
    vault_set_default(chosen);
    vault_publish();
    assert_ptr_equal(store_fallback(vault_of(NULL)), chosen);
    vault_set_default(NULL);
    vault_publish();
    assert_ptr_equal(store_fallback(vault_of(NULL)), generated);
    certificate_unref(chosen);
    house_close(&house);
}
