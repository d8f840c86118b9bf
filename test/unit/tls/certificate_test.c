#include "tls/certificate.h"

#include <openssl/pem.h>

#include "forge.h"
#include "test.h"
#include "tls/pem.h"

#define LATER (FORGE_NOW + 90 * FORGE_DAY)

/* A root, an intermediate and a leaf for "A.example,*.b.example,10.0.0.1,2001:db8::1" as PEM texts. */
struct family {
    struct arena arena;
    struct forged root, middle, leaf;
    struct str root_pem, middle_pem, leaf_pem, key_pem;
};

static struct family family(enum key_type type)
{
    struct family it;
    arena_init(&it.arena, ARENA_UNLIMITED);
    it.root = forge_authority("Root", NULL);
    it.middle = forge_authority("Middle", &it.root);
    it.leaf = forge_leaf(type, "A.example,*.b.example,10.0.0.1,2001:db8::1", &it.middle, LATER);
    it.root_pem = pem_from_certificate(it.root.certificate, &it.arena);
    it.middle_pem = pem_from_certificate(it.middle.certificate, &it.arena);
    it.leaf_pem = pem_from_certificate(it.leaf.certificate, &it.arena);
    it.key_pem = pem_from_key(it.leaf.key, &it.arena);
    return it;
}

static void family_release(struct family *it)
{
    forge_release(&it->root);
    forge_release(&it->middle);
    forge_release(&it->leaf);
    arena_release(&it->arena);
}

static struct str joined(struct family *it, struct str a, struct str b, struct str c)
{
    return arena_printf(&it->arena, "%.*s%.*s%.*s", STR_ARGS(a), STR_ARGS(b), STR_ARGS(c));
}

static struct certificate *parsed(struct str chain, struct str key)
{
    const char *why;
    struct certificate *certificate = certificate_parse(chain, key, S("file x.pem"), &why);
    if (certificate == NULL)
        fail_msg("%s", why);
    return certificate;
}

static void assert_chain(const struct certificate *certificate, const struct family *it)
{
    assert_int_equal(X509_cmp(certificate->leaf, it->leaf.certificate), 0);
    assert_int_equal(sk_X509_num(certificate->chain), 2);
    assert_int_equal(X509_cmp(sk_X509_value(certificate->chain, 0), it->middle.certificate), 0);
    assert_int_equal(X509_cmp(sk_X509_value(certificate->chain, 1), it->root.certificate), 0);
}

TEST(certificate_takes_an_ed25519_key)
{
    struct certificate *made = forge_served_ed25519("a.example", LATER);
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct certificate *certificate = parsed(certificate_chain_pem(made, &arena), certificate_key_pem(made, &arena));
    assert_int_equal(certificate->kind, KEY_ED25519);
    certificate_unref(certificate);
    certificate_unref(made);
    arena_release(&arena);
}

TEST(certificate_knows_its_names_times_and_people)
{
    struct family it = family(KEY_TYPE_EC256);
    struct certificate *certificate = parsed(joined(&it, it.leaf_pem, it.middle_pem, it.root_pem), it.key_pem);
    assert_chain(certificate, &it);
    assert_int_equal(certificate->names.count, 4);
    assert_str_equal(certificate->names.items[0], S("a.example"));
    assert_str_equal(certificate->names.items[1], S("*.b.example"));
    assert_str_equal(certificate->names.items[2], S("10.0.0.1"));
    assert_str_equal(certificate->names.items[3], S("2001:db8::1"));
    assert_int_equal(certificate->not_before, FORGE_NOW - FORGE_DAY);
    assert_int_equal(certificate->not_after, LATER);
    assert_str_equal(certificate->subject, S(""));
    assert_str_equal(certificate->issuer, S("CN=Middle"));
    assert_str_equal(certificate->source, S("file x.pem"));
    assert_int_equal(certificate->serial.len, 32);
    assert_int_equal(certificate->kind, KEY_ECDSA);
    certificate_unref(certificate);
    family_release(&it);
}

TEST(certificate_sorts_its_chain_whatever_the_order_of_the_file)
{
    struct family it = family(KEY_TYPE_EC256);
    struct str twice = joined(&it, it.leaf_pem, it.root_pem, it.leaf_pem);
    struct str orders[] = {joined(&it, it.leaf_pem, it.root_pem, it.middle_pem), joined(&it, it.root_pem, it.middle_pem, it.leaf_pem),
                           joined(&it, twice, it.middle_pem, STR_NONE)};
    for (size_t i = 0; i < 3; i++) {
        struct certificate *certificate = parsed(orders[i], it.key_pem);
        assert_chain(certificate, &it);
        certificate_unref(certificate);
    }
    family_release(&it);
}

static struct str traditional(EVP_PKEY *key, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    return pem_take_text(bio, PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1, arena);
}

TEST(certificate_takes_keys_of_all_kinds_and_formats_and_in_the_file_of_the_chain)
{
    static const struct {
        enum key_type type;
        enum key_kind kind;
        const char *label;
    } cases[] = {{KEY_TYPE_EC256, KEY_ECDSA, "-----BEGIN EC PRIVATE KEY"}, {KEY_TYPE_EC384, KEY_ECDSA, "-----BEGIN EC PRIVATE KEY"},
                 {KEY_TYPE_RSA2048, KEY_RSA, "-----BEGIN RSA PRIVATE KEY"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct family it = family(cases[i].type);
        struct str old = traditional(it.leaf.key, &it.arena);
        assert_true(str_starts(old, str_from(cases[i].label)));
        assert_true(str_starts(it.key_pem, S("-----BEGIN PRIVATE KEY")));
        struct str parameters = S("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
        struct certificate *all[] = {parsed(it.leaf_pem, it.key_pem), parsed(it.leaf_pem, old),
                                     parsed(joined(&it, parameters, old, it.leaf_pem), STR_NONE),
                                     parsed(joined(&it, it.leaf_pem, it.middle_pem, it.key_pem), STR_NONE)};
        for (size_t j = 0; j < 4; j++) {
            assert_int_equal(all[j]->kind, cases[i].kind);
            certificate_unref(all[j]);
        }
        family_release(&it);
    }
}

static void assert_refused(struct str chain, struct str key, const char *expected)
{
    const char *why;
    assert_null(certificate_parse(chain, key, S("x"), &why));
    assert_string_equal(why, expected);
}

TEST(certificate_that_cannot_be_used_says_why)
{
    struct family it = family(KEY_TYPE_EC256), other = family(KEY_TYPE_EC256);
    struct str none = STR_NONE, broken = str_first(it.leaf_pem, it.leaf_pem.len / 2);
    assert_refused(it.leaf_pem, other.key_pem, "the key does not belong to the certificate");
    assert_refused(none, it.key_pem, "holds no certificate");
    assert_refused(S("hello"), S("world"), "holds no certificate");
    assert_refused(it.leaf_pem, none, "there is no private key");
    assert_refused(broken, it.key_pem, "holds a PEM block that is broken off or damaged");
    assert_refused(S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), it.key_pem,
                   "holds a certificate that cannot be read");
    assert_refused(it.leaf_pem, S("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                   "holds a private key that cannot be read");
    BIO *bio = BIO_new(BIO_s_mem());
    char phrase[] = "secret";
    int good = PEM_write_bio_PKCS8PrivateKey(bio, it.leaf.key, EVP_aes_128_cbc(), phrase, 6, NULL, NULL);
    struct str encrypted = pem_take_text(bio, good == 1, &it.arena);
    assert_refused(it.leaf_pem, encrypted, "the key is encrypted: one without a pass phrase is needed");
    family_release(&it);
    family_release(&other);
}

TEST(certificate_that_has_expired_still_parses)
{
    struct forged leaf = forge_leaf(KEY_TYPE_EC256, "a.example", NULL, FORGE_NOW);
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct certificate *certificate = parsed(pem_from_certificate(leaf.certificate, &arena), pem_from_key(leaf.key, &arena));
    assert_int_equal(certificate->not_after, FORGE_NOW);
    certificate_unref(certificate);
    forge_release(&leaf);
    arena_release(&arena);
}

TEST(certificate_without_alternative_names_goes_by_its_common_name)
{
    EVP_PKEY *key = make_key(KEY_TYPE_EC256);
    struct certificate_recipe recipe = {.common_name = "Old.Example", .not_after = LATER};
    struct certificate *certificate = certificate_new(make_certificate(&recipe, key, NULL, NULL), NULL, key, S("x"));
    assert_int_equal(certificate->names.count, 1);
    assert_str_equal(certificate->names.items[0], S("old.example"));
    assert_str_equal(certificate->subject, S("CN=Old.Example"));
    certificate_unref(certificate);
}

TEST(certificate_goes_to_pem_and_back)
{
    struct family it = family(KEY_TYPE_EC256);
    struct certificate *one = parsed(joined(&it, it.leaf_pem, it.middle_pem, it.root_pem), it.key_pem);
    struct str chain = certificate_chain_pem(one, &it.arena), key = certificate_key_pem(one, &it.arena);
    struct certificate *other = parsed(chain, key);
    assert_chain(other, &it);
    assert_memory_equal(one->sha256, other->sha256, 32);
    certificate_unref(one);
    certificate_unref(other);
    family_release(&it);
}

TEST(certificate_covers_its_names_and_one_label_under_a_wildcard)
{
    struct certificate *certificate = forge_served(KEY_TYPE_EC256, "a.example,*.b.example,10.0.0.1", LATER);
    static const char *const covered[] = {"a.example", "x.b.example", "*.b.example", "10.0.0.1"};
    static const char *const others[] = {"b.example", "x.y.b.example", "*.a.example", "x.a.example", ".b.example", "", "b", "10.0.0.2"};
    for (size_t i = 0; i < sizeof(covered) / sizeof(covered[0]); i++)
        assert_true(certificate_covers(certificate, str_from(covered[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(certificate_covers(certificate, str_from(others[i])));
    certificate_unref(certificate);
}

/* The example of RFC 9773 4.1, whose certificate is in its appendix. */
static const char ari_example[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
    "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
    "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
    "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
    "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
    "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
    "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
    "-----END CERTIFICATE-----\n";

TEST(certificate_ari_id_is_that_of_the_example_in_the_standard)
{
    struct arena arena;
    struct pem_parts parts;
    arena_init(&arena, ARENA_UNLIMITED);
    pem_parts_init(&parts);
    pem_parts_read(&parts, str_from(ari_example));
    assert_int_equal(sk_X509_num(parts.certificates), 1);
    struct certificate shell = {.leaf = sk_X509_value(parts.certificates, 0)};
    assert_str_equal(certificate_ari_id(&shell, &arena), S("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
    pem_parts_release(&parts);
    struct certificate *none = forge_served(KEY_TYPE_EC256, "a.example", LATER);
    assert_str_equal(certificate_ari_id(none, &arena), S(""));
    certificate_unref(none);
    arena_release(&arena);
}
