#include "tls/make.h"

#include <openssl/x509v3.h>

#include "forge.h"
#include "test.h"

static struct strs names_of(struct str *items, size_t count)
{
    return (struct strs){.items = items, .count = count};
}

TEST(make_request_asks_for_names_and_addresses_and_is_signed)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str items[] = {S("a.example"), S("*.b.example"), S("10.0.0.1"), S("2001:db8::1")};
    struct strs names = names_of(items, 4);
    EVP_PKEY *key = make_key(KEY_TYPE_EC384);
    for (int common_name = 0; common_name < 2; common_name++) {
        struct str der = make_request(key, &names, common_name, &arena);
        const unsigned char *at = (const unsigned char *)der.data;
        X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
        assert_non_null(request);
        assert_int_equal(X509_REQ_verify(request, key), 1);
        assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), common_name);
        STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
        GENERAL_NAMES *asked = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
        assert_int_equal(sk_GENERAL_NAME_num(asked), 4);
        assert_int_equal(sk_GENERAL_NAME_value(asked, 1)->type, GEN_DNS);
        assert_int_equal(ASN1_STRING_length(sk_GENERAL_NAME_value(asked, 2)->d.iPAddress), 4);
        assert_int_equal(ASN1_STRING_length(sk_GENERAL_NAME_value(asked, 3)->d.iPAddress), 16);
        GENERAL_NAMES_free(asked);
        sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
        X509_REQ_free(request);
    }
    EVP_PKEY_free(key);
    arena_release(&arena);
}

TEST(make_request_leaves_a_name_that_is_too_long_out_of_the_subject)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str item = S("a-label-that-is-long.another-label-that-is-long.and-one-more-label.example");
    struct strs names = names_of(&item, 1);
    EVP_PKEY *key = make_key(KEY_TYPE_RSA2048);
    struct str der = make_request(key, &names, true, &arena);
    const unsigned char *at = (const unsigned char *)der.data;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    arena_release(&arena);
}

TEST(make_certificate_gives_a_leaf_that_its_authority_vouches_for)
{
    struct forged root = forge_authority("Root", NULL);
    struct forged leaf = forge_leaf(KEY_TYPE_RSA2048, "a.example", &root, FORGE_NOW + FORGE_DAY);
    assert_int_equal(X509_verify(leaf.certificate, root.key), 1);
    assert_int_equal(X509_check_issued(root.certificate, leaf.certificate), X509_V_OK);
    assert_int_equal(X509_get_key_usage(leaf.certificate), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_get_extended_key_usage(leaf.certificate), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(leaf.certificate), 0);
    assert_int_equal(X509_get_key_usage(root.certificate), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_check_ca(root.certificate), 1);
    assert_int_equal(X509_check_host(leaf.certificate, "a.example", 0, 0, NULL), 1);
    forge_release(&root);
    forge_release(&leaf);
}

TEST(make_default_certificate_is_good_now_and_new_each_time)
{
    struct certificate *one = make_default_certificate(), *other = make_default_certificate();
    assert_non_null(one);
    assert_str_equal(one->source, S("default"));
    assert_int_equal(X509_cmp_current_time(X509_get0_notBefore(one->leaf)), -1);
    assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(one->leaf)), 1);
    assert_memory_not_equal(one->sha256, other->sha256, 32);
    certificate_unref(one);
    certificate_unref(other);
}

TEST(make_challenge_certificate_holds_the_digest_in_a_critical_extension)
{
    uint8_t digest[32];
    for (size_t i = 0; i < 32; i++)
        digest[i] = (uint8_t)i;
    struct certificate *certificate = make_challenge_certificate(S("a.example"), digest);
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    int at = X509_get_ext_by_OBJ(certificate->leaf, object, -1);
    assert_true(at >= 0);
    X509_EXTENSION *extension = X509_get_ext(certificate->leaf, at);
    assert_int_equal(X509_EXTENSION_get_critical(extension), 1);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    assert_int_equal(ASN1_STRING_length(value), 34);
    assert_memory_equal(ASN1_STRING_get0_data(value), "\x04\x20", 2);
    assert_memory_equal(ASN1_STRING_get0_data(value) + 2, digest, 32);
    assert_int_equal(certificate->names.count, 1);
    assert_str_equal(certificate->names.items[0], S("a.example"));
    ASN1_OBJECT_free(object);
    certificate_unref(certificate);
}
