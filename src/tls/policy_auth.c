#include "tls/policy_auth.h"

#include <assert.h>
#include <errno.h>

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

/* Clients are told which authorities are trusted, so that they can choose. */
static bool trust(SSL_CTX *context, X509_STORE *store, STACK_OF(X509) *authorities)
{
    for (int i = 0; i < sk_X509_num(authorities); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(authorities, i)) != 1 ||
            SSL_CTX_add_client_CA(context, sk_X509_value(authorities, i)) != 1)
            return false;
    return true;
}

static bool add_authorities(SSL_CTX *context, X509_STORE *store, const struct tls_client_auth *auth, struct arena *scratch,
                            struct str *ret_authorities, struct diag *diag)
{
    bool good = true;
    for (size_t i = 0; i < auth->ca_files.count; i++) {
        struct span span = item_span(auth->origin, S("caFiles"), i);
        struct str pem;
        STACK_OF(X509) *found = client_pem_read(auth->ca_files.items[i], scratch, span, diag, &pem);
        if (found == NULL || !trust(context, store, found))
            good = false;
        else
            *ret_authorities = arena_concat(scratch, *ret_authorities, pem);
        sk_X509_pop_free(found, X509_free);
    }
    return good;
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

bool policy_set_auth(SSL_CTX *context, const struct tls_client_auth *auth, struct arena *scratch,
                     struct str *ret_authorities, struct diag *diag)
{
    int type = policy_auth_type(auth);
    bool verified = type == CLIENT_AUTH_VERIFY_IF_GIVEN || type == CLIENT_AUTH_REQUIRE;
    *ret_authorities = STR_NONE;
    SSL_CTX_set_verify(context, mode_of(type), NULL);
    if (type == CLIENT_AUTH_NONE)
        return true;
    if (verified && auth->ca_files.count == 0) {
        diag_error(diag, node_span(node_get(auth->origin, S("clientAuthType"))),
                   "clients' certificates cannot be verified without caFiles");
        return false;
    }
    if (!verified)
        SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
    /* Every authority given is an anchor, as in Go, one that another has signed too. */
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           add_authorities(context, store, auth, scratch, ret_authorities, diag);
}
