/* Owns an SSL_CTX towards servers: whom it trusts, what it shows. Who is expected is told for each connection. */
#include "tls/client.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/client_pem.h"
#include "tls/conn_state.h"
#include "tls/pem.h"
#include "tls/policy_auth.h"
#include "tls/policy_extras.h"
#include "tls/policy_names.h"

#define CLIENT_MODES (SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN)
#define CLIENT_OPTIONS (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF)

/* ---- the system's authorities ---- */

/* They are more than a hundred, and the same for all: read once, and again when their file changed. */
static struct {
    pthread_mutex_t lock;
    X509_STORE *store;
    struct timespec changed;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *place(const char *variable, const char *otherwise)
{
    const char *set = getenv(variable);
    return set != NULL && set[0] != '\0' ? set : otherwise;
}

/* A folder of certificates is one with a name such as "4bfab552.0", by which the library finds an authority. */
static bool holds_authorities(const char *folder)
{
    bool found = false;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return false;
    for (const struct dirent *entry; !found && (entry = readdir(entries)) != NULL;)
        found = str_ends(str_from(entry->d_name), S(".0"));
    closedir(entries);
    return found;
}

/* Are there any that can be read, and since when? */
static bool find_system(struct timespec *ret_changed)
{
    struct stat facts;
    const char *file = place(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    const char *folder = place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    bool has_file = access(file, R_OK) == 0;
    if (!has_file && !holds_authorities(folder))
        return false;
    if (stat(has_file ? file : folder, &facts) == 0)
        *ret_changed = facts.st_mtim;
    return true;
}

static X509_STORE *read_system(void)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL || X509_STORE_set_default_paths(store) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* A reference, or NULL. */
static X509_STORE *system_store(void)
{
    struct timespec changed = {0};
    bool found = find_system(&changed);
    pthread_mutex_lock(&shared.lock);
    bool fresh = shared.store != NULL && changed.tv_sec == shared.changed.tv_sec && changed.tv_nsec == shared.changed.tv_nsec;
    if (found && !fresh) {
        X509_STORE_free(shared.store);
        shared.store = read_system();
        shared.changed = changed;
    }
    X509_STORE *store = found ? shared.store : NULL;
    if (store != NULL && X509_STORE_up_ref(store) != 1)
        store = NULL;
    pthread_mutex_unlock(&shared.lock);
    ERR_clear_error();
    return store;
}

__attribute__((destructor)) static void forget_system(void)
{
    X509_STORE_free(shared.store);
}

/* ---- whom it trusts ---- */

static bool trust_given(SSL_CTX *context, const struct tls_client_options *options, struct arena *arena, struct diag *diag)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    /* Every authority given is an anchor; but lists of revoked certificates are looked at up to a root. */
    bool good = options->crl_files.count != 0 || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
    for (size_t i = 0; i < options->root_cas.count; i++) {
        struct str pem;
        STACK_OF(X509) *found =
            client_pem_read(options->root_cas.items[i], arena, item_span(options->origin, S("rootCAs"), i), diag, &pem);
        good = good && found != NULL;
        for (int at = 0; found != NULL && at < sk_X509_num(found); at++)
            good = X509_STORE_add_cert(store, sk_X509_value(found, at)) == 1 && good;
        sk_X509_pop_free(found, X509_free);
    }
    return good;
}

static bool set_trust(SSL_CTX *context, const struct tls_client_options *options, struct arena *arena, struct diag *diag)
{
    if (options->insecure_skip_verify) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return true;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, conn_note_untrusted);
    if (options->root_cas.count != 0)
        return trust_given(context, options, arena, diag);
    X509_STORE *store = system_store();
    if (store == NULL) {
        diag_warning(diag, node_span(options->origin),
                     "no certificate authorities of the system can be read: no server's certificate will be trusted");
        return true;
    }
    SSL_CTX_set_cert_store(context, store);
    return true;
}

/* ---- what it shows ---- */

static bool show(SSL_CTX *context, const struct tls_pair *pair, struct arena *arena, struct diag *diag)
{
    struct str chain, key;
    const char *why = NULL;
    if (!tls_read_pem(pair->cert_file, arena, &chain)) {
        diag_error(diag, node_span(node_get(pair->origin, S("certFile"))), "%.*s cannot be read: %s",
                   STR_ARGS(pair->cert_file), strerror(errno));
        return false;
    }
    if (!tls_read_pem(pair->key_file, arena, &key)) {
        diag_error(diag, node_span(node_get(pair->origin, S("keyFile"))), "the key cannot be read: %s", strerror(errno));
        return false;
    }
    struct str passwords;
    if (pair->password_file.len != 0 && tls_read_pem(pair->password_file, arena, &passwords))
        key = pem_decrypt_key(key, passwords, arena);
    struct certificate *certificate = certificate_parse(chain, key, S("client"), &why);
    if (certificate == NULL) {
        diag_error(diag, node_span(node_get(pair->origin, S("certFile"))), "the client's certificate %s", why);
        return false;
    }
    bool good = SSL_CTX_use_cert_and_key(context, certificate->leaf, certificate->key, certificate->chain, 1) == 1;
    certificate_unref(certificate);
    return good;
}

static bool set_certificates(SSL_CTX *context, const struct objects *pairs, struct arena *arena, struct diag *diag)
{
    bool good = true;
    /* The first of a kind of key is the one that is shown. */
    for (size_t i = pairs->count; i > 0; i--)
        if (!pairs->items[i - 1].broken)
            good = show(context, pairs->items[i - 1].value, arena, diag) && good;
    return good;
}

/* ---- all of it ---- */

static bool fill(struct tls_client *client, const struct tls_client_options *options, struct arena *arena,
                 struct diag *diag)
{
    SSL_CTX *context = client->context;
    SSL_CTX_set_mode(context, CLIENT_MODES);
    SSL_CTX_set_options(context, CLIENT_OPTIONS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (!options->no_resumption)
        SSL_CTX_sess_set_new_cb(context, conn_take_session);
    bool good = policy_set_versions(context, options->min_version, options->max_version, options->origin, diag);
    good = (options->cipher_list.len != 0 || policy_set_suites(context, &options->cipher_suites, options->origin, diag)) && good;
    good = policy_set_cipher_list(context, options->cipher_list, options->origin, arena, diag) && good;
    good = groups_set(context, GROUPS_DEFAULT) && good;
    good = set_trust(context, options, arena, diag) && good;
    good = policy_add_crls(SSL_CTX_get_cert_store(context), &options->crl_files, options->origin, arena, diag) && good;
    good = policy_set_commands(context, false, &options->commands, options->origin, arena, diag) && good;
    if (options->depth != 0)
        SSL_CTX_set_verify_depth(context, (int)options->depth);
    return set_certificates(context, &options->certificates, arena, diag) && good;
}

/* Texts outlive the options. */
static void copy_names(struct tls_client *client, const struct tls_client_options *options, struct arena *arena)
{
    const struct strs *sans = &options->peer_cert_sans;
    client->server_name = arena_str(arena, options->server_name);
    client->peer_cert_sans.items = arena_array(arena, struct str, sans->count);
    client->peer_cert_sans.count = sans->count;
    for (size_t i = 0; i < sans->count; i++)
        client->peer_cert_sans.items[i] = arena_str(arena, sans->items[i]);
    client->verify = !options->insecure_skip_verify;
    client->sni = !options->no_sni;
    client->alpn = !options->no_alpn;
}

struct tls_client *tls_client_new(const struct tls_client_options *options, struct arena *arena, struct diag *diag)
{
    struct tls_client *client = arena_new(arena, struct tls_client);
    size_t mistakes = diag->mistakes;
    ERR_clear_error();
    copy_names(client, options, arena);
    client->context = SSL_CTX_new(TLS_client_method());
    if (client->context != NULL && fill(client, options, arena, diag))
        return client;
    if (diag->mistakes == mistakes) {
        const char *why = ERR_reason_error_string(ERR_peek_error());
        diag_error(diag, node_span(options->origin), "the TLS library refuses these options: %s",
                   why != NULL ? why : "it gives no reason");
    }
    tls_client_free(client);
    return NULL;
}

void tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return;
    SSL_CTX_free(client->context);
    client->context = NULL;
}
