/* Owns a server's SSL_CTX: everything about a handshake but the certificate. */
#include "tls/policy.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tls/conn_state.h"
#include "tls/policy_auth.h"
#include "tls/policy_extras.h"
#include "tls/policy_names.h"
#include "tls/schedule.h"
#include "tls/sessions.h"
#include "tls/tickets.h"

#define SERVER_MODES (SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN)
#define SERVER_OPTIONS (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF)
#define SERVER_ORDER (SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA)

/* ---- life ---- */

static struct tls_policy *new_policy(struct str name, bool library_records)
{
    /* Without our key schedule nobody knows the secrets: every connection stays with the library. */
    SSL_CTX *context = library_records ? SSL_CTX_new(TLS_server_method()) : schedule_context_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    struct tls_policy *policy = memory_zalloc(sizeof(*policy));
    policy->name = str_of(memory_copy_text(name.data, name.len), name.len);
    policy->context = context;
    atomic_init(&policy->refs, 1);
    return policy;
}

/* Counting is all that changes in a policy. */
static _Atomic unsigned *refs_of(const struct tls_policy *policy)
{
    return &((struct tls_policy *)(uintptr_t)policy)->refs;
}

const struct tls_policy *policy_ref(const struct tls_policy *policy)
{
    atomic_fetch_add_explicit(refs_of(policy), 1, memory_order_relaxed);
    return policy;
}

void policy_unref(const struct tls_policy *policy)
{
    if (policy == NULL || atomic_fetch_sub_explicit(refs_of(policy), 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(policy->context);
    sessions_unref(policy->sessions);
    ticket_keys_free(policy->ticket_keys);
    stapling_free(policy->stapling);
    free((char *)(uintptr_t)policy->name.data);
    free((void *)(uintptr_t)policy);
}

/* ---- versions, suites, groups ---- */

bool policy_set_versions(SSL_CTX *context, int min, int max, const struct node *options, struct diag *diag)
{
    min = min != 0 ? min : TLS1_2_VERSION;
    max = max != 0 ? max : TLS1_3_VERSION;
    if (min > max) {
        const struct node *at = node_get(options, S("minVersion"));
        diag_error(diag, node_span(at != NULL ? at : options), "minVersion is above maxVersion");
        return false;
    }
    /* What TLS 1.0 and 1.1 sign with is below what the library finds secure; and it shall take what Go takes elsewhere. */
    SSL_CTX_set_security_level(context, min < TLS1_2_VERSION ? 0 : 1);
    return SSL_CTX_set_min_proto_version(context, min) == 1 && SSL_CTX_set_max_proto_version(context, max) == 1;
}

bool policy_set_suites(SSL_CTX *context, const struct strs *names, const struct node *options, struct diag *diag)
{
    bool tls13_alone = false;
    const char *list = suites_of(names, options, S("cipherSuites"), diag, &tls13_alone);
    if (list == NULL)
        return false;
    if (tls13_alone && SSL_CTX_get_max_proto_version(context) < TLS1_3_VERSION) {
        diag_error(diag, node_span(node_get(options, S("cipherSuites"))),
                   "these are suites of TLS 1.3, which maxVersion does not allow");
        return false;
    }
    return SSL_CTX_set_cipher_list(context, list) == 1 && SSL_CTX_set_ciphersuites(context, SUITES_TLS13) == 1 &&
           (!tls13_alone || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
}

static bool set_suites(SSL_CTX *context, const struct tls_options *options, struct diag *diag)
{
    return options->cipher_list.len != 0 || policy_set_suites(context, &options->cipher_suites, options->origin, diag);
}

static bool set_groups(SSL_CTX *context, const struct tls_options *options, struct diag *diag)
{
    if (options->group_list.len != 0)
        return true;
    const char *list = groups_of(&options->curve_preferences, options->origin, S("curvePreferences"), diag);
    return list != NULL && groups_set(context, list);
}

/* ---- ALPN ---- */

static bool add_protocol(struct tls_policy *policy, const char *name)
{
    size_t len = strlen(name);
    if (policy->alpn_len + len + 1 > sizeof(policy->alpn))
        return false;
    policy->alpn[policy->alpn_len] = (unsigned char)len;
    memcpy(policy->alpn + policy->alpn_len + 1, name, len);
    policy->alpn_len += (unsigned)len + 1;
    return true;
}

static void set_protocols(struct tls_policy *policy, const struct tls_options *options, struct diag *diag)
{
    const struct strs *names = &options->alpn_protocols;
    for (size_t i = 0; i < names->count; i++) {
        if (str_equal(names->items[i], S("h2")))
            policy->h2 = policy->h2 || add_protocol(policy, "h2");
        else if (str_equal(names->items[i], S("http/1.1")))
            policy->http1 = policy->http1 || add_protocol(policy, "http/1.1");
        else if (!str_equal(names->items[i], S("acme-tls/1"))) /* which is there whenever a challenge is */
            diag_warning(diag, item_span(options->origin, S("alpnProtocols"), i),
                         "'%.*s' is not a protocol that is spoken here: left out", STR_ARGS(names->items[i]));
    }
    if (!policy->h2 && !policy->http1) {
        policy->h2 = add_protocol(policy, "h2");
        policy->http1 = add_protocol(policy, "http/1.1");
    }
    SSL_CTX_set_alpn_select_cb(policy->context, conn_select_protocol, policy);
}

/* ---- tickets ---- */

/* A session begun under one policy must not be resumed under another, which may ask for a certificate; the same policy
 * after a reload takes its own. */
static bool set_session_context(struct tls_policy *policy, const struct tls_options *options, struct str authorities)
{
    unsigned char id[EVP_MAX_MD_SIZE];
    unsigned id_len = 0;
    int type = policy_auth_type(&options->client_auth);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool hashed = hash != NULL && EVP_DigestInit_ex2(hash, EVP_sha256(), NULL) == 1 &&
                  EVP_DigestUpdate(hash, policy->name.data, policy->name.len) == 1 &&
                  EVP_DigestUpdate(hash, "", 1) == 1 && EVP_DigestUpdate(hash, &type, sizeof(type)) == 1 &&
                  EVP_DigestUpdate(hash, authorities.data, authorities.len) == 1 &&
                  EVP_DigestFinal_ex(hash, id, &id_len) == 1;
    EVP_MD_CTX_free(hash);
    if (!hashed || id_len != sizeof(policy->session_context))
        return false;
    memcpy(policy->session_context, id, id_len);
    return SSL_CTX_set_session_id_context(policy->context, id, id_len) == 1;
}

static bool set_cache(struct tls_policy *policy, const struct tls_session_cache *cache, struct arena *scratch)
{
    if (cache == NULL) {
        SSL_CTX_set_session_cache_mode(policy->context, SSL_SESS_CACHE_OFF);
        return true;
    }
    /* No user's name has a NUL in it, as those have that a policy has to itself. */
    struct str name = cache->name.len != 0 ? cache->name : arena_concat(scratch, str_of("", 1), policy->name);
    policy->sessions = sessions_get(name, (size_t)cache->size);
    return sessions_use(policy->context, policy->sessions);
}

static bool set_tickets(struct tls_policy *policy, const struct tls_options *options, struct arena *scratch, struct diag *diag)
{
    SSL_CTX *context = policy->context;
    if (options->disable_session_tickets) {
        /* What TLS 1.3 calls a ticket then is the number of a session that is kept. */
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, policy->sessions != NULL ? 1 : 0) == 1;
    }
    if (!tickets_init())
        return false;
    if (options->ticket_key_files.count == 0) {
        tickets_use(context);
    } else {
        policy->ticket_keys = ticket_keys_read(&options->ticket_key_files, options->origin, scratch, diag);
        if (policy->ticket_keys == NULL || !tickets_use_own(context, policy->ticket_keys))
            return false;
    }
    return SSL_CTX_set_num_tickets(context, 1) == 1;
}

static bool set_stapling(struct tls_policy *policy, const struct stapling_options *options, struct arena *scratch, struct diag *diag)
{
    if (options == NULL)
        return true;
    policy->stapling = stapling_new(options, scratch, diag);
    if (policy->stapling != NULL)
        stapling_use(policy->context, policy->stapling);
    return policy->stapling != NULL;
}

/* ---- all of it ---- */

/* The name is taken note of: TLS 1.2's resumption remembers it only then. */
static int on_server_name(SSL *ssl, int *alert, void *argument)
{
    return SSL_TLSEXT_ERR_OK;
}

static bool fill(struct tls_policy *policy, const struct tls_options *options, struct arena *scratch, struct diag *diag)
{
    SSL_CTX *context = policy->context;
    struct str authorities = STR_NONE;
    SSL_CTX_set_mode(context, SERVER_MODES);
    SSL_CTX_set_options(context, options->client_order ? SERVER_OPTIONS : SERVER_OPTIONS | SERVER_ORDER);
    policy->client_auth = (enum client_auth)policy_auth_type(&options->client_auth);
    policy->judged_later = options->client_auth.answer;
    policy->any_authority = options->client_auth.any_authority;
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    policy->sni_strict = options->sni_strict;
    int auth = policy_auth_type(&options->client_auth);
    policy->verifies_clients = auth == CLIENT_AUTH_VERIFY_IF_GIVEN || auth == CLIENT_AUTH_REQUIRE;
    bool good = policy_set_versions(context, options->min_version, options->max_version, options->origin, diag);
    good = set_suites(context, options, diag) && good;
    good = set_groups(context, options, diag) && good;
    good = policy_extras_set(context, options, scratch, diag) && good;
    good = policy_set_auth(context, &options->client_auth, scratch, &authorities, diag) && good;
    set_protocols(policy, options, diag);
    good = set_stapling(policy, options->stapling, scratch, diag) && good;
    good = good && set_session_context(policy, options, authorities);
    good = good && set_cache(policy, options->session_cache, scratch);
    return good && set_tickets(policy, options, scratch, diag);
}

struct tls_policy *policy_new(const struct tls_options *options, struct str name, struct diag *diag)
{
    struct arena scratch;
    size_t mistakes = diag->mistakes;
    ERR_clear_error();
    struct tls_policy *policy = new_policy(name, options->library_records);
    arena_init(&scratch, ARENA_UNLIMITED);
    bool good = policy != NULL && fill(policy, options, &scratch, diag);
    arena_release(&scratch);
    if (good)
        return policy;
    if (diag->mistakes == mistakes) {
        const char *why = ERR_reason_error_string(ERR_peek_error());
        diag_error(diag, node_span(options->origin), "the TLS library refuses these options: %s",
                   why != NULL ? why : "it gives no reason");
    }
    policy_unref(policy);
    return NULL;
}
