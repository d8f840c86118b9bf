/* GET /api/certificates[/{sha256}]: the certificates that are served. */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/traefik.h"
#include "base/hex.h"
#include "base/time.h"
#include "tls/vault.h"

#define SOON (30 * INT64_C(86400))    /* seconds before its end from which a certificate is a warning */

/* One of them, with what lists look at. */
struct shown {
    const struct certificate *certificate;
    struct str name;                  /* its common name: what lists are sorted by */
    struct str issuer_organization, issuer_name;
    const char *status;
};

/* ---- parts of X.509 ---- */

static struct str name_entry(const X509_NAME *name, int nid, struct arena *arena)
{
    unsigned char *utf8 = NULL;
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0)
        return STR_NONE;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len < 0)
        return STR_NONE;
    struct str text = arena_str(arena, str_of((const char *)utf8, (size_t)len));
    OPENSSL_free(utf8);
    return text;
}

static struct str hex(const void *bytes, size_t len, struct arena *arena)
{
    char *text = arena_alloc(arena, HEX_ENCODED_SIZE(len));
    return str_of(text, hex_encode(str_of(bytes, len), text));
}

static struct str serial_decimal(const X509 *leaf, struct arena *arena)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *digits = number != NULL ? BN_bn2dec(number) : NULL;
    struct str text = digits != NULL ? arena_str(arena, str_from(digits)) : STR_NONE;
    OPENSSL_free(digits);
    BN_free(number);
    return text;
}

static struct str public_key_fingerprint(const X509 *leaf, struct arena *arena)
{
    unsigned char *der = NULL, sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
    bool good = len > 0 && EVP_Digest(der, (size_t)len, sum, &sum_len, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return good ? hex(sum, sum_len, arena) : STR_NONE;
}

/* As Go calls them. */
static const char *signature_algorithm(const X509 *leaf)
{
    static const struct {
        int nid;
        const char *name;
    } names[] = {{NID_sha256WithRSAEncryption, "SHA256-RSA"}, {NID_sha384WithRSAEncryption, "SHA384-RSA"},
                 {NID_sha512WithRSAEncryption, "SHA512-RSA"}, {NID_sha1WithRSAEncryption, "SHA1-RSA"},
                 {NID_rsassaPss, "SHA256-RSAPSS"},            {NID_ecdsa_with_SHA256, "ECDSA-SHA256"},
                 {NID_ecdsa_with_SHA384, "ECDSA-SHA384"},     {NID_ecdsa_with_SHA512, "ECDSA-SHA512"},
                 {NID_ecdsa_with_SHA1, "ECDSA-SHA1"},         {NID_ED25519, "Ed25519"}};
    int nid = X509_get_signature_nid(leaf);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].nid == nid)
            return names[i].name;
    const char *name = OBJ_nid2sn(nid);
    return name != NULL ? name : "unknown";
}

static const char *status_of(const struct certificate *certificate, int64_t now)
{
    int64_t left = certificate->not_after - now;
    return left < 0 ? "expired" : left < SOON ? "warning" : "enabled";
}

/* ---- which there are ---- */

struct shown_list {
    struct shown *items;
    size_t count;
};

/* Several sources may have the same one. */
static void add(struct shown_list *list, struct map *seen, const struct certificate *certificate, int64_t now)
{
    struct shown *shown = &list->items[list->count];
    struct str key = str_of((const char *)certificate->sha256, sizeof(certificate->sha256));
    if (map_has(seen, key))
        return;
    map_put(seen, key, shown);
    *shown = (struct shown){.certificate = certificate, .status = status_of(certificate, now)};
    list->count++;
}

/* All that names lead to, and the configured default one; without their names. */
static struct shown_list collect(struct arena *arena)
{
    struct shown_list list = {.count = 0};
    struct map seen;
    const struct graph *graph = admin_self->graph;
    const struct tls_store *store = vault_of(admin_self->control);
    size_t count = 0;
    const struct store_item *items = store != NULL ? store_items(store, &count) : NULL;
    int64_t now = time_wall() / TIME_S;
    map_init(&seen, false);
    list.items = arena_array(arena, struct shown, count + 1);
    for (size_t i = 0; i < count; i++)
        add(&list, &seen, items[i].certificate, now);
    if (graph->default_certificate != NULL)
        add(&list, &seen, graph->default_certificate, now);
    map_release(&seen);
    return list;
}

static void read_names(struct shown *shown, struct arena *arena)
{
    const X509_NAME *issuer = X509_get_issuer_name(shown->certificate->leaf);
    shown->name = name_entry(X509_get_subject_name(shown->certificate->leaf), NID_commonName, arena);
    shown->issuer_organization = name_entry(issuer, NID_organizationName, arena);
    shown->issuer_name = name_entry(issuer, NID_commonName, arena);
}

void traefik_certificate_counts(struct json *json)
{
    struct arena arena;
    size_t warnings = 0, errors = 0;
    arena_init(&arena, ARENA_UNLIMITED);
    struct shown_list list = collect(&arena);
    for (size_t i = 0; i < list.count; i++) {
        warnings += list.items[i].status[0] == 'w';
        errors += list.items[i].status[0] == 'e' && list.items[i].status[1] == 'x';
    }
    arena_release(&arena);
    json_member_uint(json, "total", list.count);
    json_member_uint(json, "warnings", warnings);
    json_member_uint(json, "errors", errors);
}

/* ---- one ---- */

static void member_if(struct json *json, const char *key, struct str value)
{
    if (value.len != 0)
        json_member_str(json, key, value);
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void write_names(const struct certificate *certificate, struct arena *arena, struct json *json)
{
    struct str *names = arena_array(arena, struct str, certificate->names.count + 1);
    for (size_t i = 0; i < certificate->names.count; i++)
        names[i] = certificate->names.items[i];
    if (certificate->names.count != 0)
        qsort(names, certificate->names.count, sizeof(*names), compare_names);
    json_member_array(json, "sans");
    for (size_t i = 0; i < certificate->names.count; i++)
        json_str(json, names[i]);
    json_end(json);
}

static void write_key(const struct certificate *certificate, struct json *json)
{
    static const char *const kinds[KEY_KINDS] = {[KEY_ECDSA] = "ECDSA", [KEY_ED25519] = "Ed25519", [KEY_RSA] = "RSA"};
    json_member_text(json, "keyType", kinds[certificate->kind]);
    if (certificate->kind != KEY_ED25519)
        json_member_int(json, "keySize", EVP_PKEY_get_bits(certificate->key));
}

static void write_certificate(const void *thing, struct json *json)
{
    const struct shown *shown = thing;
    const struct certificate *certificate = shown->certificate;
    const X509 *leaf = certificate->leaf;
    const X509_NAME *issuer = X509_get_issuer_name(leaf), *subject = X509_get_subject_name(leaf);
    struct arena arena;
    arena_init(&arena, ARENA_UNLIMITED);
    struct str fingerprint = hex(certificate->sha256, sizeof(certificate->sha256), &arena);
    json_open_object(json);
    json_member_str(json, "name", fingerprint);
    write_names(certificate, &arena, json);
    json_member_time(json, "notAfter", certificate->not_after);
    json_member_time(json, "notBefore", certificate->not_before);
    json_member_str(json, "serialNumber", serial_decimal(leaf, &arena));
    json_member_str(json, "commonName", shown->name);
    member_if(json, "issuerOrg", shown->issuer_organization);
    member_if(json, "issuerCN", shown->issuer_name);
    member_if(json, "issuerCountry", name_entry(issuer, NID_countryName, &arena));
    member_if(json, "organization", name_entry(subject, NID_organizationName, &arena));
    member_if(json, "country", name_entry(subject, NID_countryName, &arena));
    json_member_str(json, "version", arena_printf(&arena, "v%ld", X509_get_version(leaf) + 1));
    write_key(certificate, json);
    json_member_text(json, "signatureAlgorithm", signature_algorithm(leaf));
    json_member_str(json, "certFingerprint", fingerprint);
    json_member_str(json, "publicKeyFingerprint", public_key_fingerprint(leaf, &arena));
    json_member_text(json, "status", shown->status);
    json_end(json);
    arena_release(&arena);
}

/* ---- lists ---- */

static struct str name_of(const void *thing)
{
    return ((const struct shown *)thing)->name;
}

static bool fits(const void *thing, const struct traefik_query *query)
{
    const struct shown *shown = thing;
    const struct strs *names = &shown->certificate->names;
    bool found = traefik_found(shown->name, query->search) || traefik_found(shown->issuer_organization, query->search) ||
                 traefik_found(shown->issuer_name, query->search);
    for (size_t i = 0; !found && i < names->count; i++)
        found = traefik_found(names->items[i], query->search);
    return found && traefik_status_fits(str_from(shown->status), query);
}

static bool key(const void *thing, struct str sort_by, struct traefik_key *ret_key)
{
    const struct shown *shown = thing;
    if (str_equal(sort_by, S("status")))
        ret_key->text = str_from(shown->status);
    else if (str_equal(sort_by, S("issuer")))
        ret_key->text = shown->issuer_organization.len != 0 ? shown->issuer_organization : shown->issuer_name;
    else if (str_equal(sort_by, S("validUntil")))
        ret_key->number = shown->certificate->not_after;
    else
        return false;
    return true;
}

static const struct traefik_kind certificates = {.name = name_of, .fits = fits, .key = key, .write = write_certificate};

static int by_name(const void *a, const void *b)
{
    return str_compare(name_of(*(const void *const *)a), name_of(*(const void *const *)b));
}

static bool list_certificates(struct admin_call *call)
{
    struct shown_list found = collect(&call->arena);
    const void **things = arena_alloc(&call->arena, (found.count + 1) * sizeof(*things));
    for (size_t i = 0; i < found.count; i++) {
        read_names(&found.items[i], &call->arena);
        things[i] = &found.items[i];
    }
    if (found.count != 0)
        qsort(things, found.count, sizeof(*things), by_name);
    return traefik_list(call, &certificates, things, found.count);
}

static bool show_certificate(struct admin_call *call)
{
    struct shown_list found = collect(&call->arena);
    for (size_t i = 0; i < found.count; i++) {
        const struct certificate *certificate = found.items[i].certificate;
        if (str_equal_nocase(hex(certificate->sha256, sizeof(certificate->sha256), &call->arena), call->parameters[0])) {
            read_names(&found.items[i], &call->arena);
            write_certificate(&found.items[i], &call->json);
            return true;
        }
    }
    return admin_refuse(call, 404, "certificate not found: %.*s", STR_ARGS(call->parameters[0]));
}

static const struct admin_route list = {
    .method = "GET",
    .path = "/api/certificates",
    .summary = "The certificates that are served (Traefik's form); search, status, sortBy, direction, page, per_page.",
    .answer = list_certificates};
REGISTER(admin_route, list);
static const struct admin_route one = {.method = "GET",
                                       .path = "/api/certificates/{fingerprint}",
                                       .summary = "One certificate by its SHA-256 fingerprint (Traefik's form).",
                                       .answer = show_certificate};
REGISTER(admin_route, one);
