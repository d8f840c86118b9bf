/* JSON goes in and comes out of libjose; the key is kept as the JWK that libjose signs with. Nothing of a private key is
 * left behind in memory of ours; what libjose and jansson free they wipe or not. */
#include "acme/jws.h"

#include <assert.h>
#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
#include <jose/openssl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/secret.h"

#define DIGEST_SIZE 32
#define DIGEST_TEXT 43              /* base64url of it */
#define KEY_JSON_MAX 16384

struct acme_key {
    json_t *jwk;                    /* private, the key's own members alone */
    const char *algorithm;
    enum acme_key_kind kind;
    char thumbprint[DIGEST_TEXT + 1];
};

/* libjose writes what it does not like to stderr unless it is told where else to put it; we say it ourselves. */
static void say_nothing(void *unused, const char *file, int line, uint64_t error, const char *format, va_list arguments)
{
}

static jose_cfg_t *quiet(void)
{
    jose_cfg_t *settings = jose_cfg();
    assert(settings != NULL);
    jose_cfg_set_err_func(settings, say_nothing, NULL);
    return settings;
}

/* ---- making and reading ---- */

/* How a key of this type signs; NULL: not with us. */
static const char *algorithm_of(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return bits >= 2048 && bits <= 8192 ? "RS256" : NULL;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return NULL;
    char curve[32] = "";
    size_t len;
    EVP_PKEY_get_group_name(key, curve, sizeof(curve), &len);
    if (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "P-256") == 0)
        return "ES256";
    return strcmp(curve, "secp384r1") == 0 || strcmp(curve, "P-384") == 0 ? "ES384" : NULL;
}

/* Takes `jwk` over; NULL when it is no private key of a kind that is known. */
static struct acme_key *key_of(json_t *jwk, const EVP_PKEY *key)
{
    const char *algorithm = key != NULL ? algorithm_of(key) : NULL;
    jose_cfg_auto_t *settings = quiet();
    json_t *thumbprint = NULL;
    if (algorithm == NULL || json_object_get(jwk, "d") == NULL ||
        (thumbprint = jose_jwk_thp(settings, jwk, "S256")) == NULL) {
        json_decref(jwk);
        return NULL;
    }
    struct acme_key *made = memory_zalloc(sizeof(*made));
    /* What else it says (alg, key_ops) might forbid libjose to sign. */
    json_object_del(jwk, "alg");
    json_object_del(jwk, "use");
    json_object_del(jwk, "key_ops");
    json_object_del(jwk, "kid");
    made->jwk = jwk;
    made->algorithm = algorithm;
    made->kind = algorithm[0] == 'R' ? ACME_KEY_RS256 : ACME_KEY_ES256;
    assert(json_string_length(thumbprint) == DIGEST_TEXT);
    memcpy(made->thumbprint, json_string_value(thumbprint), DIGEST_TEXT);
    json_decref(thumbprint);
    return made;
}

static struct acme_key *key_from_evp(EVP_PKEY *key)
{
    jose_cfg_auto_t *settings = quiet();
    bool known = key != NULL && algorithm_of(key) != NULL;
    json_t *jwk = known ? jose_openssl_jwk_from_EVP_PKEY(settings, key) : NULL;
    struct acme_key *made = jwk != NULL ? key_of(jwk, key) : NULL;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return made;
}

struct acme_key *acme_key_new(enum acme_key_kind kind)
{
    return key_from_evp(kind == ACME_KEY_ES256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(4096));
}

struct acme_key *acme_key_from_jwk(struct str json)
{
    if (json.len == 0 || json.len > KEY_JSON_MAX)
        return NULL;
    jose_cfg_auto_t *settings = quiet();
    json_t *jwk = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    EVP_PKEY *key = jwk != NULL ? jose_openssl_jwk_to_EVP_PKEY(settings, jwk) : NULL;
    struct acme_key *made = key_of(jwk, key);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return made;
}

struct acme_key *acme_key_from_der(struct str der)
{
    const unsigned char *at = (const unsigned char *)der.data;
    if (der.len == 0 || der.len > KEY_JSON_MAX)
        return NULL;
    return key_from_evp(d2i_AutoPrivateKey(NULL, &at, (long)der.len));
}

void acme_key_free(struct acme_key *key)
{
    if (key == NULL)
        return;
    json_decref(key->jwk);
    secret_wipe(key, sizeof(*key));
    free(key);
}

enum acme_key_kind acme_key_kind(const struct acme_key *key)
{
    return key->kind;
}

/* `json` as text in the arena; the heap's copy is wiped. */
static struct str dump(const json_t *json, struct arena *arena)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        return STR_NONE;
    struct str copy = arena_str(arena, str_from(text));
    secret_wipe(text, strlen(text));
    free(text);
    return copy;
}

struct str acme_key_jwk(const struct acme_key *key, struct arena *arena)
{
    return dump(key->jwk, arena);
}

struct str acme_key_der(const struct acme_key *key, struct arena *arena)
{
    unsigned char *der = NULL;
    jose_cfg_auto_t *settings = quiet();
    EVP_PKEY *evp = jose_openssl_jwk_to_EVP_PKEY(settings, key->jwk);
    int len = evp != NULL ? i2d_PrivateKey(evp, &der) : 0;
    struct str copy = len > 0 ? arena_str(arena, str_of((const char *)der, (size_t)len)) : STR_NONE;
    if (len > 0)
        OPENSSL_clear_free(der, (size_t)len);
    EVP_PKEY_free(evp);
    ERR_clear_error();
    return copy;
}

struct str acme_key_thumbprint(const struct acme_key *key)
{
    return str_of(key->thumbprint, DIGEST_TEXT);
}

/* ---- signing ---- */

static json_t *text_json(struct str text)
{
    return json_stringn(text.data != NULL ? text.data : "", text.len);
}

/* The public key, its own members alone (RFC 7517). */
static json_t *public_key(const struct acme_key *key)
{
    static const char *const members[] = {"kty", "crv", "x", "y", "n", "e"};
    json_t *jwk = json_object();
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(key->jwk, members[i]);
        if (value != NULL)
            json_object_set(jwk, members[i], value);
    }
    return jwk;
}

/* Takes `header` over. A flattened JWS (RFC 7515 7.2.2), or empty. */
static struct str sign(const json_t *jwk, json_t *header, struct str payload, struct arena *arena)
{
    jose_cfg_auto_t *settings = quiet();
    json_t *encoded = jose_b64_enc(payload.data != NULL ? payload.data : "", payload.len);
    json_t *jws = json_pack("{s:o}", "payload", encoded);
    json_t *signature = json_pack("{s:o}", "protected", header);
    bool made = jws != NULL && signature != NULL && jose_jws_sig(settings, jws, signature, jwk);
    struct str text = made ? dump(jws, arena) : STR_NONE;
    json_decref(signature);
    json_decref(jws);
    ERR_clear_error();
    return text;
}

struct str acme_sign(const struct acme_key *key, struct str kid, struct str nonce, struct str url, struct str payload,
                     struct arena *arena)
{
    json_t *header = json_pack("{s:s, s:o}", "alg", key->algorithm, "url", text_json(url));
    if (nonce.len != 0)
        json_object_set_new(header, "nonce", text_json(nonce));
    if (kid.len != 0)
        json_object_set_new(header, "kid", text_json(kid));
    else
        json_object_set_new(header, "jwk", public_key(key));
    return sign(key->jwk, header, payload, arena);
}

/* The secret that the CA gave, in the one spelling that a JWK knows. */
static bool read_secret(struct str hmac, struct arena *arena, struct str *ret_encoded)
{
    char *bytes = arena_alloc(arena, BASE64_DECODED_SIZE(hmac.len));
    size_t len;
    if (!base64_decode(BASE64_URL, hmac, bytes, &len) && !base64_decode(BASE64_STANDARD, hmac, bytes, &len))
        return false;
    char *out = arena_alloc(arena, BASE64_ENCODED_SIZE(len));
    *ret_encoded = str_of(out, base64_encode(BASE64_URL, str_of(bytes, len), out));
    secret_wipe(bytes, len);
    return len != 0;
}

struct str acme_sign_binding(const struct acme_key *key, struct str eab_kid, struct str hmac, struct str url,
                             struct arena *arena)
{
    struct str secret;
    if (!read_secret(str_trim_space(hmac), arena, &secret))
        return STR_NONE;
    json_t *jwk = json_pack("{s:s, s:o}", "kty", "oct", "k", text_json(secret));
    json_t *header = json_pack("{s:s, s:o, s:o}", "alg", "HS256", "kid", text_json(eab_kid), "url", text_json(url));
    json_t *public = public_key(key);
    struct str text = sign(jwk, header, dump(public, arena), arena);
    json_decref(public);
    json_decref(jwk);
    return text;
}

/* ---- challenges ---- */

struct str acme_key_authorization(const struct acme_key *key, struct str token, struct arena *arena)
{
    return arena_printf(arena, "%.*s.%s", STR_ARGS(token), key->thumbprint);
}

void acme_digest(struct str key_authorization, uint8_t ret_digest[32])
{
    size_t len;
    int done = EVP_Q_digest(NULL, "SHA256", NULL, key_authorization.data, key_authorization.len, ret_digest, &len);
    assert(done == 1 && len == DIGEST_SIZE);
}

struct str acme_dns_value(struct str key_authorization, struct arena *arena)
{
    uint8_t digest[DIGEST_SIZE];
    char *out = arena_alloc(arena, BASE64_ENCODED_SIZE(DIGEST_SIZE));
    acme_digest(key_authorization, digest);
    size_t len = base64_encode(BASE64_URL, str_of((const char *)digest, sizeof(digest)), out);
    return str_of(out, len);
}
