/* Extensions are built as structures, never as the library's configuration texts: a name goes into a certificate as it is,
 * whatever characters it holds. */
#include "tls/make.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "net/addr.h"

#define COMMON_NAME_MAX 64
#define SERIAL_BYTES 16
#define HOUR 3600
#define DAY ((int64_t)24 * HOUR)
#define DEFAULT_LIFETIME (365 * DAY)
#define CHALLENGE_LIFETIME (7 * DAY)

EVP_PKEY *make_key(enum key_type type)
{
    ERR_clear_error();
    switch (type) {
    case KEY_TYPE_EC256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case KEY_TYPE_EC384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case KEY_TYPE_RSA2048:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    case KEY_TYPE_RSA4096:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
    case KEY_TYPE_RSA8192:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)8192);
    }
    return NULL;
}

/* Ed25519 hashes by itself. */
static const EVP_MD *digest_of(EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

/* ---- names ---- */

static GENERAL_NAME *make_general_name(struct str text)
{
    struct ip ip;
    bool address = ip_parse(text, &ip);
    size_t length = address ? (ip_is_v4(&ip) ? 4 : 16) : text.len;
    const void *data = address ? (const void *)(ip.bytes + 16 - length) : text.data;
    ASN1_STRING *value = ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (value == NULL || name == NULL || ASN1_STRING_set(value, data, (int)length) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, address ? GEN_IPADD : GEN_DNS, value);
    return name;
}

static GENERAL_NAMES *make_general_names(const struct strs *names)
{
    GENERAL_NAMES *made = GENERAL_NAMES_new();
    for (size_t i = 0; made != NULL && i < names->count; i++) {
        GENERAL_NAME *name = make_general_name(names->items[i]);
        if (name != NULL && sk_GENERAL_NAME_push(made, name) > 0)
            continue;
        GENERAL_NAME_free(name);
        GENERAL_NAMES_free(made);
        return NULL;
    }
    return made;
}

static bool set_common_name(X509_NAME *subject, struct str name)
{
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)name.data, (int)name.len,
                                      -1, 0) == 1;
}

/* ---- requests ---- */

static bool add_names_to_request(X509_REQ *request, const struct strs *names)
{
    GENERAL_NAMES *general_names = make_general_names(names);
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    bool good = general_names != NULL &&
                X509V3_add1_i2d(&extensions, NID_subject_alt_name, general_names, 0, X509V3_ADD_DEFAULT) == 1 &&
                X509_REQ_add_extensions(request, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    GENERAL_NAMES_free(general_names);
    return good;
}

static bool fill_request(X509_REQ *request, EVP_PKEY *key, const struct strs *names, bool common_name)
{
    if (common_name && names->count != 0 && names->items[0].len <= COMMON_NAME_MAX &&
        !set_common_name(X509_REQ_get_subject_name(request), names->items[0]))
        return false;
    return X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(request, key) == 1 &&
           add_names_to_request(request, names) && X509_REQ_sign(request, key, digest_of(key)) > 0;
}

struct str make_request(EVP_PKEY *key, const struct strs *names, bool common_name, struct arena *arena)
{
    ERR_clear_error();
    X509_REQ *request = X509_REQ_new();
    unsigned char *der = NULL;
    struct str made = STR_NONE;
    if (request != NULL && fill_request(request, key, names, common_name)) {
        int length = i2d_X509_REQ(request, &der);
        if (length > 0)
            made = arena_str(arena, str_of((const char *)der, (size_t)length));
    }
    OPENSSL_free(der);
    X509_REQ_free(request);
    ERR_clear_error();
    return made;
}

/* ---- certificates ---- */

/* `value` is freed; NULL: it could not be made. */
static bool add_octets(X509 *certificate, int nid, ASN1_OCTET_STRING *value)
{
    bool good = value != NULL && X509_add1_ext_i2d(certificate, nid, value, 0, X509V3_ADD_DEFAULT) == 1;
    ASN1_OCTET_STRING_free(value);
    return good;
}

static bool add_basic_constraints(X509 *certificate, const struct certificate_recipe *recipe)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    bool good = constraints != NULL;
    if (good)
        constraints->ca = recipe->authority ? 0xff : 0;
    if (good && recipe->authority && recipe->path_length >= 0) {
        constraints->pathlen = ASN1_INTEGER_new();
        good = constraints->pathlen != NULL && ASN1_INTEGER_set(constraints->pathlen, recipe->path_length) == 1;
    }
    good = good && X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
    BASIC_CONSTRAINTS_free(constraints);
    return good;
}

/* Bits of RFC 5280 4.2.1.3. */
static bool add_key_usage(X509 *certificate, EVP_PKEY *key, bool authority)
{
    enum { DIGITAL_SIGNATURE = 0, KEY_ENCIPHERMENT = 2, KEY_CERT_SIGN = 5, CRL_SIGN = 6 };
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool good = usage != NULL;
    if (authority)
        good = good && ASN1_BIT_STRING_set_bit(usage, KEY_CERT_SIGN, 1) == 1 && ASN1_BIT_STRING_set_bit(usage, CRL_SIGN, 1) == 1;
    else
        good = good && ASN1_BIT_STRING_set_bit(usage, DIGITAL_SIGNATURE, 1) == 1;
    if (!authority && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        good = good && ASN1_BIT_STRING_set_bit(usage, KEY_ENCIPHERMENT, 1) == 1;
    good = good && X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(usage);
    return good;
}

static bool add_server_usage(X509 *certificate)
{
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    bool good = usage != NULL && sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth)) > 0 &&
                X509_add1_ext_i2d(certificate, NID_ext_key_usage, usage, 0, X509V3_ADD_DEFAULT) == 1;
    EXTENDED_KEY_USAGE_free(usage);
    return good;
}

/* The key's SHA-1, as RFC 5280 4.2.1.2 proposes: a name for it, no protection. */
static ASN1_OCTET_STRING *key_identifier(X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    ASN1_OCTET_STRING *made = ASN1_OCTET_STRING_new();
    if (made != NULL && X509_pubkey_digest(certificate, EVP_sha1(), digest, &length) == 1 &&
        ASN1_OCTET_STRING_set(made, digest, (int)length) == 1)
        return made;
    ASN1_OCTET_STRING_free(made);
    return NULL;
}

static bool add_authority_key(X509 *certificate, X509 *issuer)
{
    const ASN1_OCTET_STRING *subject_key = X509_get0_subject_key_id(issuer);
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool good = authority != NULL;
    if (good) {
        authority->keyid = subject_key != NULL ? ASN1_OCTET_STRING_dup(subject_key) : key_identifier(issuer);
        good = authority->keyid != NULL &&
               X509_add1_ext_i2d(certificate, NID_authority_key_identifier, authority, 0, X509V3_ADD_DEFAULT) == 1;
    }
    AUTHORITY_KEYID_free(authority);
    return good;
}

/* Critical where the subject is empty (RFC 5280 4.2.1.6). */
static bool add_names(X509 *certificate, const struct certificate_recipe *recipe)
{
    if (recipe->names.count == 0)
        return true;
    GENERAL_NAMES *names = make_general_names(&recipe->names);
    int critical = X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
    bool good = names != NULL && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, critical, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return good;
}

/* The extension's value is itself the DER of an OCTET STRING (RFC 8737 3). */
static bool add_acme_identifier(X509 *certificate, const uint8_t *digest)
{
    unsigned char der[2 + 32] = {V_ASN1_OCTET_STRING, 32};
    if (digest == NULL)
        return true;
    memcpy(der + 2, digest, 32);
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    bool good = object != NULL && value != NULL && ASN1_OCTET_STRING_set(value, der, sizeof(der)) == 1;
    good = good && (extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value)) != NULL &&
           X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return good;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    /* Positive, and never so short that its length tells anything. */
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool fill(X509 *certificate, const struct certificate_recipe *recipe, EVP_PKEY *key, X509 *issuer)
{
    struct str name = str_from(recipe->common_name);
    if (name.len != 0 && !set_common_name(X509_get_subject_name(certificate), str_first(name, COMMON_NAME_MAX)))
        return false;
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), recipe->not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), recipe->not_after) != NULL &&
           X509_set_pubkey(certificate, key) == 1 && add_basic_constraints(certificate, recipe) &&
           add_key_usage(certificate, key, recipe->authority) && (recipe->authority || add_server_usage(certificate)) &&
           add_octets(certificate, NID_subject_key_identifier, key_identifier(certificate)) &&
           (issuer == certificate || add_authority_key(certificate, issuer)) && add_names(certificate, recipe) &&
           add_acme_identifier(certificate, recipe->acme_digest);
}

X509 *make_certificate(const struct certificate_recipe *recipe, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    ERR_clear_error();
    X509 *certificate = X509_new();
    EVP_PKEY *signer = issuer_key != NULL ? issuer_key : key;
    if (certificate != NULL && fill(certificate, recipe, key, issuer != NULL ? issuer : certificate) &&
        X509_sign(certificate, signer, digest_of(signer)) > 0)
        return certificate;
    X509_free(certificate);
    ERR_clear_error();
    return NULL;
}

/* ---- ready to be served ---- */

static struct certificate *make_self_signed(const struct certificate_recipe *recipe, struct str source)
{
    EVP_PKEY *key = make_key(KEY_TYPE_EC256);
    X509 *leaf = key != NULL ? make_certificate(recipe, key, NULL, NULL) : NULL;
    return certificate_new(leaf, NULL, key, source);
}

struct certificate *make_default_certificate(void)
{
    struct str name = S("portico.invalid");
    int64_t now = time(NULL);
    struct certificate_recipe recipe = {.common_name = "Portico default certificate", .names = {.items = &name, .count = 1},
                                        .not_before = now - HOUR, .not_after = now + DEFAULT_LIFETIME};
    return make_self_signed(&recipe, S("default"));
}

struct certificate *make_challenge_certificate(struct str name, const uint8_t digest[32])
{
    int64_t now = time(NULL);
    struct certificate_recipe recipe = {.common_name = "ACME challenge", .names = {.items = &name, .count = 1},
                                        .not_before = now - HOUR, .not_after = now + CHALLENGE_LIFETIME, .acme_digest = digest};
    return make_self_signed(&recipe, S("challenge"));
}
