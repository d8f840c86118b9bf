/* One served certificate: what PEM texts hold, put in order, with everything that look-ups and lists ask for made once. */
#include "tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/memory.h"
#include "net/addr.h"
#include "tls/pem.h"

/* ---- what it says ---- */

static bool is_dns_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_alpha(name.data[i]) && !ascii_digit(name.data[i]) && memchr("-_.*", name.data[i], 4) == NULL)
            return false;
    return name.len > 0;
}

/* Once, in lower case; what no client can ask for (a NUL in it, a space) is left out. */
static void add_name(struct certificate *certificate, struct str name)
{
    struct strs *names = &certificate->names;
    name = arena_lower(&certificate->arena, arena_str(&certificate->arena, name));
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->items[i], name))
            return;
    names->items[names->count++] = name;
}

static void add_address(struct certificate *certificate, const ASN1_OCTET_STRING *octets)
{
    struct ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
    char text[IP_TEXT_SIZE];
    int length = ASN1_STRING_length(octets);
    if (length != 4 && length != 16)
        return;
    memcpy(ip.bytes + 16 - length, ASN1_STRING_get0_data(octets), (size_t)length);
    add_name(certificate, str_of(text, ip_format(&ip, text)));
}

static struct str asn1_text(const ASN1_STRING *string)
{
    return str_of((const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static void read_common_name(struct certificate *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate->leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    certificate->names.items = arena_array(&certificate->arena, struct str, 1);
    if (at < 0)
        return;
    struct str name = asn1_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (is_dns_name(name))
        add_name(certificate, name);
}

/* The common name counts only without a subjectAltName (RFC 6125 6.4.4). */
static void read_names(struct certificate *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) {
        read_common_name(certificate);
        return;
    }
    int count = sk_GENERAL_NAME_num(names);
    certificate->names.items = arena_array(&certificate->arena, struct str, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && is_dns_name(asn1_text(name->d.dNSName)))
            add_name(certificate, asn1_text(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            add_address(certificate, name->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
}

static struct str name_text(struct arena *arena, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    return pem_take_text(bio, bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0, arena);
}

static int64_t unix_time(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

static struct str serial_text(struct arena *arena, const ASN1_INTEGER *serial)
{
    struct str bytes = asn1_text(serial);
    char *hex = arena_alloc(arena, HEX_ENCODED_SIZE(bytes.len));
    return str_of(hex, hex_encode(bytes, hex));
}

static bool read_kind(EVP_PKEY *key, enum key_kind *ret_kind)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        *ret_kind = KEY_ECDSA;
        return true;
    case EVP_PKEY_ED25519:
        *ret_kind = KEY_ED25519;
        return true;
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        *ret_kind = KEY_RSA;
        return true;
    default:
        return false;
    }
}

static void describe(struct certificate *certificate, struct str source)
{
    X509 *leaf = certificate->leaf;
    struct arena *arena = &certificate->arena;
    read_names(certificate);
    certificate->subject = name_text(arena, X509_get_subject_name(leaf));
    certificate->issuer = name_text(arena, X509_get_issuer_name(leaf));
    certificate->serial = serial_text(arena, X509_get0_serialNumber(leaf));
    certificate->source = arena_str(arena, source);
    certificate->not_before = unix_time(X509_get0_notBefore(leaf));
    certificate->not_after = unix_time(X509_get0_notAfter(leaf));
    X509_digest(leaf, EVP_sha256(), certificate->sha256, NULL);
    /* What the library works out at first use and keeps in the certificate is worked out here: workers then only read. */
    X509_check_purpose(leaf, -1, 0);
}

/* ---- life ---- */

struct certificate *certificate_new(X509 *leaf, STACK_OF(X509) *chain, EVP_PKEY *key, struct str source)
{
    struct certificate *certificate = memory_zalloc(sizeof(*certificate));
    atomic_init(&certificate->refs, 1);
    arena_init(&certificate->arena, ARENA_UNLIMITED);
    certificate->leaf = leaf;
    certificate->chain = chain != NULL ? chain : sk_X509_new_null();
    certificate->key = key;
    ERR_clear_error();
    if (leaf == NULL || key == NULL || X509_check_private_key(leaf, key) != 1 || !read_kind(key, &certificate->kind)) {
        ERR_clear_error();
        certificate_unref(certificate);
        return NULL;
    }
    describe(certificate, source);
    ERR_clear_error();
    return certificate;
}

struct certificate *certificate_ref(struct certificate *certificate)
{
    atomic_fetch_add_explicit(&certificate->refs, 1, memory_order_relaxed);
    return certificate;
}

void certificate_unref(struct certificate *certificate)
{
    if (certificate == NULL || atomic_fetch_sub_explicit(&certificate->refs, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(certificate->leaf);
    sk_X509_pop_free(certificate->chain, X509_free);
    EVP_PKEY_free(certificate->key);
    arena_release(&certificate->arena);
    free(certificate);
}

/* ---- out of PEM ---- */

/* The certificate that the key belongs to, taken out of `all`: the first one in files as they should be. */
static X509 *take_leaf(STACK_OF(X509) *all, EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_check_private_key(sk_X509_value(all, i), key) == 1)
            return sk_X509_delete(all, i);
    return NULL;
}

/* The one among `rest` that issued `subject`, taken out. */
static X509 *take_issuer(STACK_OF(X509) *rest, X509 *subject)
{
    for (int i = 0; i < sk_X509_num(rest); i++)
        if (X509_check_issued(sk_X509_value(rest, i), subject) == X509_V_OK)
            return sk_X509_delete(rest, i);
    return NULL;
}

/* Each behind the one that it issued; those that issued none of them last, as they were; copies of the leaf left out. */
static STACK_OF(X509) *sort_chain(X509 *leaf, STACK_OF(X509) *rest)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (int i = sk_X509_num(rest) - 1; i >= 0; i--)
        if (X509_cmp(sk_X509_value(rest, i), leaf) == 0)
            X509_free(sk_X509_delete(rest, i));
    X509 *next = leaf;
    while ((next = take_issuer(rest, next)) != NULL)
        sk_X509_push(chain, next);
    while (sk_X509_num(rest) != 0)
        sk_X509_push(chain, sk_X509_shift(rest));
    return chain;
}

static struct certificate *assemble(struct pem_parts *parts, struct str source, const char **ret_why)
{
    enum key_kind kind;
    if (parts->why != NULL)
        *ret_why = parts->why;
    else if (sk_X509_num(parts->certificates) == 0)
        *ret_why = "holds no certificate";
    else if (parts->key == NULL)
        *ret_why = "there is no private key";
    else if (!read_kind(parts->key, &kind))
        *ret_why = "the key is of a kind that browsers do not know: RSA, ECDSA or Ed25519 is needed";
    if (*ret_why != NULL)
        return NULL;
    X509 *leaf = take_leaf(parts->certificates, parts->key);
    if (leaf == NULL) {
        *ret_why = "the key does not belong to the certificate";
        return NULL;
    }
    EVP_PKEY *key = parts->key;
    parts->key = NULL;
    return certificate_new(leaf, sort_chain(leaf, parts->certificates), key, source);
}

struct certificate *certificate_parse(struct str chain_pem, struct str key_pem, struct str source, const char **ret_why)
{
    struct pem_parts parts;
    *ret_why = NULL;
    pem_parts_init(&parts);
    pem_parts_read(&parts, chain_pem);
    pem_parts_read(&parts, key_pem);
    struct certificate *certificate = assemble(&parts, source, ret_why);
    pem_parts_release(&parts);
    ERR_clear_error();
    return certificate;
}

/* ---- into PEM ---- */

struct str certificate_chain_pem(const struct certificate *certificate, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL && PEM_write_bio_X509(bio, certificate->leaf) == 1;
    for (int i = 0; good && i < sk_X509_num(certificate->chain); i++)
        good = PEM_write_bio_X509(bio, sk_X509_value(certificate->chain, i)) == 1;
    return pem_take_text(bio, good, arena);
}

struct str certificate_key_pem(const struct certificate *certificate, struct arena *arena)
{
    return pem_from_key(certificate->key, arena);
}

/* ---- questions ---- */

bool certificate_covers(const struct certificate *certificate, struct str name)
{
    ptrdiff_t dot = str_find_char(name, '.', 0);
    struct str rest = dot > 0 ? str_from_index(name, (size_t)dot) : STR_NONE;
    for (size_t i = 0; i < certificate->names.count; i++) {
        struct str held = certificate->names.items[i];
        if (str_equal(held, name))
            return true;
        if (rest.len > 1 && held.len == rest.len + 1 && held.data[0] == '*' && str_ends(held, rest))
            return true;
    }
    return false;
}

/* As in DER: the zero byte before a first bit that is set belongs to it. */
static struct str serial_der(X509 *leaf, unsigned char **ret_memory)
{
    unsigned char *der = NULL;
    int length = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &der);
    const unsigned char *content = der;
    long content_length;
    int tag, class;
    *ret_memory = der;
    if (length <= 0 || (ASN1_get_object(&content, &content_length, &tag, &class, length) & 0x80) != 0)
        return STR_NONE;
    return str_of((const char *)content, (size_t)content_length);
}

struct str certificate_ari_id(const struct certificate *certificate, struct arena *arena)
{
    unsigned char *memory;
    const ASN1_OCTET_STRING *authority = X509_get0_authority_key_id(certificate->leaf);
    struct str serial = serial_der(certificate->leaf, &memory), id = STR_NONE;
    if (authority != NULL && serial.len != 0) {
        struct str key_id = asn1_text(authority);
        char *text = arena_alloc(arena, BASE64_ENCODED_SIZE(key_id.len) + BASE64_ENCODED_SIZE(serial.len) + 1);
        size_t length = base64_encode(BASE64_URL, key_id, text);
        text[length++] = '.';
        length += base64_encode(BASE64_URL, serial, text + length);
        id = str_of(text, length);
    }
    OPENSSL_free(memory);
    ERR_clear_error();
    return id;
}
