/* Owns one directory's CA. Everything is read and made under the directory's lock, so of two processes that start at once the
 * second finds what the first has made. */
#include "acme/local_ca.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "acme/ca_files.h"
#include "base/data_directory.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/time.h"
#include "tls/make.h"

#define HOUR ((int64_t)3600)
#define DAY (24 * HOUR)
#define ROOT_LIFETIME (3652 * DAY)
#define INTERMEDIATE_LIFETIME (365 * DAY)
/* Certificates begin a little earlier: clocks of clients may be late. */
#define BACKDATE HOUR

struct local_ca {
    struct arena arena;
    struct str directory, root_path;
    struct ca_pair root;            /* its key may be absent */
    struct ca_pair intermediate;
};

struct str local_ca_directory(struct str configured, struct arena *arena)
{
    return configured.len != 0 ? arena_str(arena, configured) : data_path("ca", arena);
}

static int64_t end_of(X509 *certificate)
{
    struct tm parts;
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 ? timegm(&parts) : 0;
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static void key_id(EVP_PKEY *key, char out[LOCAL_CA_ID_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0}, *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    if (length > 0)
        EVP_Digest(der, (size_t)length, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    out[hex_encode(str_of((const char *)digest, (LOCAL_CA_ID_SIZE - 1) / 2), out)] = '\0';
}

void local_ca_id(X509 *root, char out[LOCAL_CA_ID_SIZE])
{
    key_id(X509_get0_pubkey(root), out);
}

/* ---- the root ---- */

/* The name follows from the key: a root that is made anew for the same key is known where the former one was. */
static bool make_root(struct local_ca *ca, int64_t now, struct text *why)
{
    char id[LOCAL_CA_ID_SIZE], name[64];
    if (ca->root.key == NULL)
        ca->root.key = make_key(KEY_TYPE_EC256);
    if (ca->root.key == NULL) {
        text_addf(why, "the library could not make a key");
        return false;
    }
    key_id(ca->root.key, id);
    snprintf(name, sizeof(name), "Portico local CA %s", id);
    struct certificate_recipe recipe = {.common_name = name, .not_before = now - BACKDATE, .not_after = now + ROOT_LIFETIME,
                                        .authority = true, .path_length = 1};
    ca->root.certificate = make_certificate(&recipe, ca->root.key, NULL, NULL);
    if (ca->root.certificate == NULL) {
        text_addf(why, "the library could not make the root certificate");
        return false;
    }
    return ca_pair_write(ca->directory.data, "root", &ca->root, why);
}

static bool root_is_good(const struct local_ca *ca, int64_t now, struct text *why)
{
    X509 *root = ca->root.certificate;
    const char *path = ca->root_path.data;
    ERR_clear_error();
    bool authority = X509_check_ca(root) != 0, lasting = end_of(root) > now;
    bool fits = ca->root.key == NULL || X509_check_private_key(root, ca->root.key) == 1;
    ERR_clear_error();
    if (!authority)
        text_addf(why, "%s is no CA's certificate", path);
    else if (!fits)
        text_addf(why, "%s/root.key does not belong to %s", ca->directory.data, path);
    else if (!lasting)
        text_addf(why, "%s has expired: run 'portico untrust', remove %s, and run 'portico trust' for the new one", path,
                  ca->directory.data);
    return authority && fits && lasting;
}

static bool load_root(struct local_ca *ca, int64_t now, struct text *why)
{
    if (ca_pair_read(ca->directory.data, "root", &ca->root, why) == CA_REFUSED)
        return false;
    if (ca->root.certificate == NULL)
        return make_root(ca, now, why);
    return root_is_good(ca, now, why);
}

/* ---- the intermediate ---- */

/* It is renewed while a third of its life is left, and before certificates that it signs would have to be shortened. */
static bool is_lasting(X509 *certificate, int64_t lifetime, int64_t now)
{
    int64_t wanted = INTERMEDIATE_LIFETIME / 3;
    if (lifetime > wanted)
        wanted = earlier(lifetime, INTERMEDIATE_LIFETIME * 2 / 3);
    return end_of(certificate) - now > wanted;
}

static bool intermediate_is_usable(const struct local_ca *ca, int64_t now)
{
    X509 *certificate = ca->intermediate.certificate;
    EVP_PKEY *root_key = X509_get0_pubkey(ca->root.certificate);
    ERR_clear_error();
    bool usable = certificate != NULL && ca->intermediate.key != NULL &&
                  X509_check_private_key(certificate, ca->intermediate.key) == 1 && X509_check_ca(certificate) != 0 &&
                  X509_check_issued(ca->root.certificate, certificate) == X509_V_OK &&
                  X509_verify(certificate, root_key) == 1 && end_of(certificate) > now;
    ERR_clear_error();
    return usable;
}

static bool make_intermediate(struct local_ca *ca, int64_t now, struct text *why)
{
    char id[LOCAL_CA_ID_SIZE], name[64];
    local_ca_id(ca->root.certificate, id);
    snprintf(name, sizeof(name), "Portico local CA %s, intermediate", id);
    struct certificate_recipe recipe = {.common_name = name, .not_before = now - BACKDATE,
                                        .not_after = earlier(now + INTERMEDIATE_LIFETIME, end_of(ca->root.certificate)),
                                        .authority = true, .path_length = 0};
    struct ca_pair made = {.key = make_key(KEY_TYPE_EC256)};
    if (made.key != NULL)
        made.certificate = make_certificate(&recipe, made.key, ca->root.certificate, ca->root.key);
    if (made.certificate == NULL) {
        text_addf(why, "the library could not make the intermediate certificate");
        ca_pair_release(&made);
        return false;
    }
    ca_pair_release(&ca->intermediate);
    ca->intermediate = made;
    return ca_pair_write(ca->directory.data, "intermediate", &made, why);
}

/* What another process has made meanwhile is taken; else a new one is made, or without the root's key the old one kept. */
static bool load_intermediate(struct local_ca *ca, int64_t lifetime, int64_t now, struct text *why)
{
    struct ca_pair read;
    if (ca_pair_read(ca->directory.data, "intermediate", &read, why) == CA_REFUSED)
        return false;
    ca_pair_release(&ca->intermediate);
    ca->intermediate = read;
    bool usable = intermediate_is_usable(ca, now);
    if (usable && (is_lasting(read.certificate, lifetime, now) || ca->root.key == NULL))
        return true;
    /* Close to the root's own end a new one would not last longer. */
    if (usable && end_of(read.certificate) >= end_of(ca->root.certificate))
        return true;
    if (ca->root.key != NULL)
        return make_intermediate(ca, now, why);
    text_addf(why, "%s/root.key is not there, and without it no intermediate certificate can be made", ca->directory.data);
    return false;
}

/* ---- the CA ---- */

static bool load(struct local_ca *ca, int64_t now, struct text *why)
{
    if (!ca_directory_prepare(ca->directory.data, why))
        return false;
    int lock = ca_lock(ca->directory.data, why);
    if (lock < 0)
        return false;
    bool loaded = load_root(ca, now, why) && load_intermediate(ca, 0, now, why);
    ca_unlock(lock);
    return loaded;
}

struct local_ca *local_ca_open(struct str directory, int64_t now, struct text *why)
{
    struct local_ca *ca = memory_zalloc(sizeof(*ca));
    arena_init(&ca->arena, ARENA_UNLIMITED);
    ca->directory = local_ca_directory(directory, &ca->arena);
    while (ca->directory.len > 1 && str_ends(ca->directory, S("/")))
        ca->directory = arena_str(&ca->arena, str_first(ca->directory, ca->directory.len - 1));
    ca->root_path = arena_printf(&ca->arena, "%s/root.crt", ca->directory.data);
    if (load(ca, now, why))
        return ca;
    local_ca_close(ca);
    return NULL;
}

void local_ca_close(struct local_ca *ca)
{
    if (ca == NULL)
        return;
    ca_pair_release(&ca->root);
    ca_pair_release(&ca->intermediate);
    arena_release(&ca->arena);
    free(ca);
}

static bool refresh(struct local_ca *ca, int64_t lifetime, int64_t now, struct text *why)
{
    if (intermediate_is_usable(ca, now) && is_lasting(ca->intermediate.certificate, lifetime, now))
        return true;
    if (!root_is_good(ca, now, why))
        return false;
    int lock = ca_lock(ca->directory.data, why);
    if (lock < 0)
        return false;
    bool fresh = load_intermediate(ca, lifetime, now, why);
    ca_unlock(lock);
    return fresh;
}

static STACK_OF(X509) *chain_of(const struct local_ca *ca)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    if (chain != NULL && X509_up_ref(ca->intermediate.certificate) == 1)
        sk_X509_push(chain, ca->intermediate.certificate);
    return chain;
}

struct certificate *local_ca_issue(struct local_ca *ca, const struct strs *names, int64_t lifetime, int64_t now, struct text *why)
{
    char common_name[65] = "";
    int64_t seconds = lifetime / TIME_S;
    if (!refresh(ca, seconds, now, why))
        return NULL;
    if (names->items[0].len < sizeof(common_name))
        memcpy(common_name, names->items[0].data, names->items[0].len);
    struct certificate_recipe recipe = {.common_name = common_name, .names = *names, .not_before = now - BACKDATE,
                                        .not_after = earlier(now + seconds, end_of(ca->intermediate.certificate))};
    EVP_PKEY *key = make_key(KEY_TYPE_EC256);
    X509 *leaf = key != NULL ? make_certificate(&recipe, key, ca->intermediate.certificate, ca->intermediate.key) : NULL;
    struct certificate *certificate = certificate_new(leaf, chain_of(ca), key, S("local CA"));
    if (certificate == NULL)
        text_addf(why, "the library could not make a certificate for %.*s", STR_ARGS(names->items[0]));
    return certificate;
}

X509 *local_ca_root(const struct local_ca *ca)
{
    return ca->root.certificate;
}

struct str local_ca_root_path(const struct local_ca *ca)
{
    return ca->root_path;
}
