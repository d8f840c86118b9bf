/* Signatures are checked by OpenSSL, not by the library that made them. */
#include "test.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "acme/jws.h"
#include "base/base64.h"

/* RFC 7515 A.3. */
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
static const struct str jwk = STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
                                  "\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\",\"key_ops\":[\"verify\"]}");

static struct str decoded(struct arena *arena, const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    assert_true(json_is_string(text));
    char *out = arena_alloc(arena, BASE64_DECODED_SIZE(json_string_length(text)));
    size_t len;
    assert_true(base64_decode(BASE64_URL, str_of(json_string_value(text), json_string_length(text)), out, &len));
    return str_of(out, len);
}

static json_t *parsed(struct str text)
{
    json_t *object = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

static struct str signed_part(struct arena *arena, const json_t *jws)
{
    return arena_printf(arena, "%s.%s", json_string_value(json_object_get(jws, "protected")),
                        json_string_value(json_object_get(jws, "payload")));
}

static bool verifies(EVP_PKEY *key, struct str bytes, struct str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                                 (const unsigned char *)bytes.data, bytes.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

/* JWS writes r and s side by side (RFC 7518 3.4), OpenSSL wants them in DER. */
static struct str der_signature(struct arena *arena, struct str raw)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    assert_int_equal(raw.len, 64);
    ECDSA_SIG_set0(pair, BN_bin2bn((const unsigned char *)raw.data, 32, NULL),
                   BN_bin2bn((const unsigned char *)raw.data + 32, 32, NULL));
    int len = i2d_ECDSA_SIG(pair, &der);
    struct str text = arena_str(arena, str_of((const char *)der, (size_t)len));
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return text;
}

static EVP_PKEY *openssl_key(const struct acme_key *key, struct arena *arena)
{
    struct str der = acme_key_der(key, arena);
    const unsigned char *at = (const unsigned char *)der.data;
    EVP_PKEY *evp = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    assert_non_null(evp);
    return evp;
}

static struct acme_key *rsa_key(struct arena *arena, int bits)
{
    EVP_PKEY *evp = EVP_RSA_gen((unsigned)bits);
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(evp, &der);
    struct acme_key *key = acme_key_from_der(arena_str(arena, str_of((const char *)der, (size_t)len)));
    OPENSSL_free(der);
    EVP_PKEY_free(evp);
    return key;
}

static void check_header(struct arena *arena, const json_t *jws, const char *algorithm, const char *kid)
{
    struct str text = decoded(arena, jws, "protected");
    json_t *header = parsed(text);
    assert_string_equal(json_string_value(json_object_get(header, "alg")), algorithm);
    assert_string_equal(json_string_value(json_object_get(header, "nonce")), "n-1");
    assert_string_equal(json_string_value(json_object_get(header, "url")), "https://ca.example/x");
    assert_int_equal(json_object_get(header, "jwk") == NULL, kid != NULL);
    if (kid != NULL)
        assert_string_equal(json_string_value(json_object_get(header, "kid")), kid);
    else
        assert_null(json_object_get(json_object_get(header, "jwk"), "d"));
    json_decref(header);
}

TEST(jws_of_an_elliptic_key_is_verified_by_openssl)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_key *key = acme_key_from_jwk(jwk);
    EVP_PKEY *evp = openssl_key(key, &arena);
    json_t *jws = parsed(acme_sign(key, S("https://ca.example/acct/1"), S("n-1"), S("https://ca.example/x"), S("{\"a\":1}"), &arena));
    check_header(&arena, jws, "ES256", "https://ca.example/acct/1");
    assert_str_equal(decoded(&arena, jws, "payload"), S("{\"a\":1}"));
    struct str signature = der_signature(&arena, decoded(&arena, jws, "signature"));
    assert_true(verifies(evp, signed_part(&arena, jws), signature));
    assert_false(verifies(evp, S("something else"), signature));
    json_decref(jws);
    EVP_PKEY_free(evp);
    acme_key_free(key);
    arena_release(&arena);
}

TEST(jws_of_an_rsa_key_in_pkcs1_is_verified_by_openssl_and_carries_the_public_key_alone)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_key *key = rsa_key(&arena, 2048);
    assert_non_null(key);
    assert_int_equal(acme_key_kind(key), ACME_KEY_RS256);
    EVP_PKEY *evp = openssl_key(key, &arena);
    json_t *jws = parsed(acme_sign(key, STR_NONE, S("n-1"), S("https://ca.example/x"), STR_NONE, &arena));
    check_header(&arena, jws, "RS256", NULL);
    assert_string_equal(json_string_value(json_object_get(jws, "payload")), "");
    assert_true(verifies(evp, signed_part(&arena, jws), decoded(&arena, jws, "signature")));
    json_decref(jws);
    EVP_PKEY_free(evp);
    acme_key_free(key);
    arena_release(&arena);
}

TEST(a_thumbprint_is_the_digest_of_the_canonical_public_key)
{
    static const char canonical[] = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}";
    struct arena arena;
    uint8_t digest[32];
    char text[BASE64_ENCODED_SIZE(32)];
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_key *key = acme_key_from_jwk(jwk);
    acme_digest(str_from(canonical), digest);
    size_t len = base64_encode(BASE64_URL, str_of((const char *)digest, 32), text);
    assert_str_equal(acme_key_thumbprint(key), str_of(text, len));
    struct str authorization = acme_key_authorization(key, S("token"), &arena);
    assert_str_equal(authorization, arena_printf(&arena, "token.%.*s", (int)len, text));
    acme_digest(authorization, digest);
    len = base64_encode(BASE64_URL, str_of((const char *)digest, 32), text);
    assert_str_equal(acme_dns_value(authorization, &arena), str_of(text, len));
    acme_key_free(key);
    arena_release(&arena);
}

TEST(a_digest_is_sha_256)
{
    static const uint8_t of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                     0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t digest[32];
    acme_digest(S("abc"), digest);
    assert_memory_equal(digest, of_abc, sizeof(digest));
}

TEST(keys_come_back_from_json_and_from_der_as_they_were)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_key *keys[] = {acme_key_new(ACME_KEY_ES256), rsa_key(&arena, 2048)};
    for (size_t i = 0; i < 2; i++) {
        struct acme_key *json = acme_key_from_jwk(acme_key_jwk(keys[i], &arena));
        struct acme_key *der = acme_key_from_der(acme_key_der(keys[i], &arena));
        assert_str_equal(acme_key_jwk(json, &arena), acme_key_jwk(keys[i], &arena));
        assert_str_equal(acme_key_jwk(der, &arena), acme_key_jwk(keys[i], &arena));
        assert_str_equal(acme_key_thumbprint(der), acme_key_thumbprint(keys[i]));
        acme_key_free(json);
        acme_key_free(der);
        acme_key_free(keys[i]);
    }
    arena_release(&arena);
}

TEST(what_is_no_usable_private_key_is_refused)
{
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    assert_null(acme_key_from_jwk(STR_NONE));
    assert_null(acme_key_from_jwk(S("{}")));
    assert_null(acme_key_from_jwk(S("[1]")));
    assert_null(acme_key_from_jwk(S("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}")));
    assert_null(acme_key_from_jwk(S("{\"kty\":\"oct\",\"k\":\"AAAA\",\"d\":\"AAAA\"}")));
    assert_null(acme_key_from_der(STR_NONE));
    assert_null(acme_key_from_der(S("0\x03\x02\x01\x05")));
    assert_null(rsa_key(&arena, 1024));
    arena_release(&arena);
}

TEST(an_external_account_binding_is_an_hmac_over_the_public_key)
{
    struct arena arena;
    unsigned char expected[32];
    unsigned len;
    char secret[33] = "0123456789abcdef0123456789abcde~";
    char encoded[64];
    arena_init(&arena, ARENA_UNLIMITED);
    struct acme_key *key = acme_key_from_jwk(jwk);
    size_t encoded_len = base64_encode(BASE64_STANDARD, str_of(secret, 32), encoded);
    struct str text = acme_sign_binding(key, S("kid-1"), str_of(encoded, encoded_len), S("https://ca.example/acct"), &arena);
    json_t *jws = parsed(text);
    struct str bytes = signed_part(&arena, jws);
    HMAC(EVP_sha256(), secret, 32, (const unsigned char *)bytes.data, bytes.len, expected, &len);
    assert_str_equal(decoded(&arena, jws, "signature"), str_of((const char *)expected, len));
    assert_str_equal(decoded(&arena, jws, "payload"), S("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\"}"));
    assert_str_equal(decoded(&arena, jws, "protected"),
                     S("{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"https://ca.example/acct\"}"));
    assert_true(str_empty(acme_sign_binding(key, S("kid-1"), S("not base64!"), S("https://ca.example/acct"), &arena)));
    assert_true(str_empty(acme_sign_binding(key, S("kid-1"), S("abcd"), S("https://ca.example/acct"), &arena)));
    json_decref(jws);
    acme_key_free(key);
    arena_release(&arena);
}
