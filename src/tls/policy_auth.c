#include "tls/policy_auth.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/client.h"
#include "tls/client_pem.h"
#include "tls/policy_names.h"

int policy_auth_type(const struct tls_client_auth *auth)
{
    if (auth->type == CLIENT_AUTH_NONE && auth->ca_files.count != 0 && node_get(auth->origin, S("clientAuthType")) == NULL)
        return CLIENT_AUTH_REQUIRE;
    return auth->type;
}

/* Go's RequestClientCert and RequireAnyClientCert look at no chain: that is the application's. */
static int accept_any(X509_STORE_CTX *chain, void *argument)
{
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

bool policy_accepts(const struct tls_policy *policy, long result)
{
    switch (result) {
    case X509_V_OK:
        return true;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return policy->any_authority;
    default:
        return false;
    }
}

/* The result is kept for requests to be judged by. */
static int go_on(int trusted, X509_STORE_CTX *chain)
{
    return 1;
}

/* Clients are told which authorities are trusted, so that they can choose. */
/* Nobody is told of an authority twice. */
static bool tell_of(SSL_CTX *context, X509 *authority)
{
    const STACK_OF(X509_NAME) *told = SSL_CTX_get_client_CA_list(context);
    for (int i = 0; i < sk_X509_NAME_num(told); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(told, i), X509_get_subject_name(authority)) == 0)
            return true;
    return SSL_CTX_add_client_CA(context, authority) == 1;
}

static bool trust(SSL_CTX *context, X509_STORE *store, STACK_OF(X509) *authorities, bool told)
{
    for (int i = 0; i < sk_X509_num(authorities); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(authorities, i)) != 1 ||
            (told && !tell_of(context, sk_X509_value(authorities, i))))
            return false;
    return true;
}

/* Those that options.KEY names. */
struct authorities {
    const struct strs *files;
    struct str key;
    bool told;
};

static bool add_authorities(SSL_CTX *context, const struct authorities *from, const struct node *origin, struct arena *scratch,
                            struct str *ret_authorities, struct diag *diag)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    bool good = true;
    for (size_t i = 0; i < from->files->count; i++) {
        struct span span = item_span(origin, from->key, i);
        struct str pem;
        STACK_OF(X509) *found = client_pem_read(from->files->items[i], scratch, span, diag, &pem);
        if (found == NULL || !trust(context, store, found, from->told))
            good = false;
        else
            *ret_authorities = arena_concat(scratch, *ret_authorities, pem);
        sk_X509_pop_free(found, X509_free);
    }
    return good;
}

static bool add_revocations(X509_STORE *store, struct str text)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    unsigned added = 0;
    X509_CRL *list;
    while (bio != NULL && (list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        added += X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
    }
    BIO_free(bio);
    ERR_clear_error();
    return added != 0;
}

bool policy_add_crls(X509_STORE *store, const struct strs *files, const struct node *origin, struct arena *scratch, struct diag *diag)
{
    bool good = true;
    for (size_t i = 0; i < files->count; i++) {
        struct span span = item_span(origin, S("crlFiles"), i);
        struct str text;
        if (!tls_read_pem(files->items[i], scratch, &text))
            diag_error(diag, span, "cannot load the revocation list \"%.*s\": %m", STR_ARGS(files->items[i]));
        else if (!add_revocations(store, text))
            diag_error(diag, span, "\"%.*s\" holds no revocation list", STR_ARGS(files->items[i]));
        else
            continue;
        good = false;
    }
    return good && (files->count == 0 || X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1);
}

static int mode_of(int type)
{
    switch (type) {
    case CLIENT_AUTH_NONE:
        return SSL_VERIFY_NONE;
    case CLIENT_AUTH_REQUEST:
    case CLIENT_AUTH_VERIFY_IF_GIVEN:
        return SSL_VERIFY_PEER;
    default:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
}

/* Requests judge, so the handshake asks for a certificate and takes none amiss. */
static void set_mode(SSL_CTX *context, const struct tls_client_auth *auth, int type)
{
    if (auth->answer && type != CLIENT_AUTH_NONE)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, go_on);
    else
        SSL_CTX_set_verify(context, mode_of(type), NULL);
    if (auth->depth >= 0)
        SSL_CTX_set_verify_depth(context, (int)auth->depth);
}

bool policy_set_auth(SSL_CTX *context, const struct tls_client_auth *auth, struct arena *scratch,
                     struct str *ret_authorities, struct diag *diag)
{
    int type = policy_auth_type(auth);
    bool verified = type == CLIENT_AUTH_VERIFY_IF_GIVEN || type == CLIENT_AUTH_REQUIRE;
    *ret_authorities = STR_NONE;
    set_mode(context, auth, type);
    if (type == CLIENT_AUTH_NONE)
        return true;
    if (verified && !auth->answer && auth->ca_files.count == 0 && auth->hidden_ca_files.count == 0) {
        diag_error(diag, node_span(node_get(auth->origin, S("clientAuthType"))),
                   "clients' certificates cannot be verified without caFiles");
        return false;
    }
    if (!verified)
        SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
    /* Every authority given is an anchor, as in Go, one that another has signed too; where requests judge, roots alone are. */
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    const struct authorities told = {&auth->ca_files, S("caFiles"), true}, hidden = {&auth->hidden_ca_files, S("hiddenCaFiles"), false};
    return (auth->answer || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1) &&
           add_authorities(context, &told, auth->origin, scratch, ret_authorities, diag) &&
           add_authorities(context, &hidden, auth->origin, scratch, ret_authorities, diag) &&
           policy_add_crls(store, &auth->crl_files, auth->origin, scratch, diag);
}
