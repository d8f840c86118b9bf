#include "tls/stapling.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "tls/client.h"
#include "tls/client_pem.h"
#include "tls/policy_names.h"

#define RESPONSE_MAX 65535
#define STAPLES_MAX 10000
#define UNUSED (24 * 3600)          /* seconds after which one that nobody asks for goes */
#define AGAIN 300                   /* seconds: not sooner than that */
#define OFTEN 3600                  /* nor later, once there is a response */

struct stapling {
    char *response;                 /* of a file; NULL: the responder is asked */
    size_t len;
    char *responder;
    bool verify;
    X509_STORE *trusted;
    unsigned char key[32];          /* of the settings */
};

void (*staple_fetch)(struct staple *staple);
struct loop *staple_loop;

static struct {
    pthread_mutex_t lock;
    struct list staples;
    unsigned count;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER, .staples = LIST_INIT(known.staples)};

/* ---- settings ---- */

static bool add_text(EVP_MD_CTX *hash, struct str text)
{
    return EVP_DigestUpdate(hash, text.data, text.len) == 1 && EVP_DigestUpdate(hash, "", 1) == 1;
}

static bool trust(struct stapling *stapling, const struct stapling_options *options, EVP_MD_CTX *hash, struct arena *scratch, struct diag *diag)
{
    bool good = true;
    for (size_t i = 0; i < options->ca_files.count; i++) {
        struct str pem;
        STACK_OF(X509) *found = client_pem_read(options->ca_files.items[i], scratch, item_span(options->origin, S("caFiles"), i), diag, &pem);
        good = found != NULL && add_text(hash, pem) && good;
        for (int at = 0; found != NULL && at < sk_X509_num(found); at++)
            good = X509_STORE_add_cert(stapling->trusted, sk_X509_value(found, at)) == 1 && good;
        sk_X509_pop_free(found, X509_free);
    }
    return good;
}

static bool read_file(struct stapling *stapling, const struct stapling_options *options, struct arena *scratch, struct diag *diag)
{
    struct str content;
    const char *name = arena_str(scratch, options->file).data;
    if (options->file.len == 0)
        return true;
    if (!file_read(scratch, name, RESPONSE_MAX, &content)) {
        diag_error(diag, node_span(node_get(options->origin, S("file"))), "\"%s\" cannot be read: %m", name);
        return false;
    }
    stapling->response = memory_copy_text(content.data, content.len);
    stapling->len = content.len;
    return true;
}

static bool fill(struct stapling *stapling, const struct stapling_options *options, EVP_MD_CTX *hash, struct arena *scratch, struct diag *diag)
{
    unsigned len = 0;
    stapling->verify = options->verify;
    stapling->responder = memory_copy_text(options->responder.data, options->responder.len);
    return hash != NULL && stapling->trusted != NULL && EVP_DigestInit_ex2(hash, EVP_sha256(), NULL) == 1 &&
           add_text(hash, options->responder) && add_text(hash, options->verify ? S("1") : S("0")) &&
           trust(stapling, options, hash, scratch, diag) && read_file(stapling, options, scratch, diag) &&
           EVP_DigestFinal_ex(hash, stapling->key, &len) == 1;
}

struct stapling *stapling_new(const struct stapling_options *options, struct arena *scratch, struct diag *diag)
{
    struct stapling *stapling = memory_zalloc(sizeof(*stapling));
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    stapling->trusted = X509_STORE_new();
    bool good = fill(stapling, options, hash, scratch, diag);
    EVP_MD_CTX_free(hash);
    if (good)
        return stapling;
    stapling_free(stapling);
    return NULL;
}

void stapling_free(struct stapling *stapling)
{
    if (stapling == NULL)
        return;
    X509_STORE_free(stapling->trusted);
    free(stapling->response);
    free(stapling->responder);
    free(stapling);
}

/* ---- responses, under the lock ---- */

static void drop(struct staple *staple)
{
    list_remove(&staple->link);
    known.count--;
    X509_free(staple->subject.certificate);
    X509_free(staple->subject.issuer);
    sk_X509_pop_free(staple->subject.chain, X509_free);
    X509_STORE_free(staple->subject.trusted);
    free(staple->responder);
    free(staple->bytes);
    free(staple);
}

static void drop_unused(int64_t now)
{
    LIST_FOREACH(&known.staples, it) {
        struct staple *staple = container_of(it, struct staple, link);
        if (!staple->loading && now - staple->used_at > UNUSED)
            drop(staple);
    }
}

static void deliver(struct message *message)
{
    staple_fetch(container_of(message, struct staple, message));
}

static struct staple *add(const struct stapling *stapling, SSL *ssl, const unsigned char *key)
{
    STACK_OF(X509) *chain = NULL;
    if (SSL_get0_chain_certs(ssl, &chain) != 1)
        chain = NULL;
    struct staple *staple = memory_zalloc(sizeof(*staple));
    memcpy(staple->key, key, sizeof(staple->key));
    staple->message.deliver = deliver;
    staple->responder = memory_copy_text(stapling->responder, strlen(stapling->responder));
    X509 *certificate = SSL_get_certificate(ssl);
    X509_up_ref(certificate);
    X509_STORE_up_ref(stapling->trusted);
    staple->subject = (struct ocsp_subject){.certificate = certificate, .trusted = stapling->trusted, .verify = stapling->verify,
                                            .chain = chain != NULL ? X509_chain_up_ref(chain) : NULL};
    staple->subject.issuer = ocsp_issuer(certificate, staple->subject.chain, stapling->trusted);
    list_push(&known.staples, &staple->link);
    known.count++;
    return staple;
}

static struct staple *find(const unsigned char *key)
{
    LIST_FOREACH(&known.staples, it) {
        struct staple *staple = container_of(it, struct staple, link);
        if (memcmp(staple->key, key, sizeof(staple->key)) == 0)
            return staple;
    }
    return NULL;
}

/* A copy for the library, which frees it; NULL: there is none. */
static unsigned char *take_response(struct staple *staple, int64_t now, size_t *ret_len)
{
    unsigned char *copy = NULL;
    staple->used_at = now;
    if (staple->bytes != NULL && staple->valid_until >= now) {
        copy = OPENSSL_memdup(staple->bytes, staple->len);
        *ret_len = staple->len;
    }
    if (!staple->loading && staple->refresh_at <= now && staple_fetch != NULL) {
        staple->loading = true;
        loop_post(staple_loop, &staple->message);
    }
    return copy;
}

void staple_done(struct staple *staple, struct str response, int64_t valid_until)
{
    int64_t now = time(NULL), soon = now + AGAIN, late = now + OFTEN;
    pthread_mutex_lock(&known.lock);
    staple->loading = false;
    staple->refresh_at = soon;
    if (response.len != 0) {
        free(staple->bytes);
        staple->bytes = memory_copy_text(response.data, response.len);
        staple->len = response.len;
        staple->valid_until = valid_until;
        int64_t before_end = valid_until != INT64_MAX ? valid_until - AGAIN : late;
        before_end = before_end < late ? before_end : late;
        staple->refresh_at = before_end > soon ? before_end : soon;
    }
    pthread_mutex_unlock(&known.lock);
}

/* ---- handshakes ---- */

static unsigned char *find_response(SSL *ssl, const struct stapling *stapling, size_t *ret_len)
{
    unsigned char key[64], *response = NULL;
    X509 *certificate = SSL_get_certificate(ssl);
    int64_t now = time(NULL);
    if (stapling->response != NULL) {
        *ret_len = stapling->len;
        return OPENSSL_memdup(stapling->response, stapling->len);
    }
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), key, NULL) != 1)
        return NULL;
    memcpy(key + 32, stapling->key, sizeof(stapling->key));
    pthread_mutex_lock(&known.lock);
    struct staple *staple = find(key);
    if (staple == NULL) {
        drop_unused(now);
        staple = known.count < STAPLES_MAX ? add(stapling, ssl, key) : NULL;
    }
    if (staple != NULL)
        response = take_response(staple, now, ret_len);
    pthread_mutex_unlock(&known.lock);
    return response;
}

static int on_status_asked(SSL *ssl, void *stapling)
{
    size_t len = 0;
    unsigned char *response = find_response(ssl, stapling, &len);
    ERR_clear_error();
    if (response == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_set_tlsext_status_ocsp_resp(ssl, response, (long)len) == 1)
        return SSL_TLSEXT_ERR_OK;
    OPENSSL_free(response);
    return SSL_TLSEXT_ERR_NOACK;
}

void stapling_use(SSL_CTX *context, struct stapling *stapling)
{
    SSL_CTX_set_tlsext_status_cb(context, on_status_asked);
    SSL_CTX_set_tlsext_status_arg(context, stapling);
}
