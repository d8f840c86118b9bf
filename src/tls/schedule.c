/* Owns the provider. It refuses what a handshake does not do: parameters that are set before the derivation, output of more
 * than a hash's length. */
#include "tls/schedule.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "tls/conn_state.h"

#define NAME "portico"

_Thread_local struct schedule_client schedule_client;

/* ---- one derivation ---- */

struct derivation {
    bool extracts;          /* else it expands */
    bool known;             /* mode and hash, and all lengths are possible */
    enum hkdf_hash hash;
    struct str key, salt, label, data;
};

static struct str octets(const OSSL_PARAM *param)
{
    return str_of(param->data, param->data != NULL ? param->data_size : 0);
}

/* The library gives the first of a hash's names, which "SHA256" was once. */
static void note_hash(struct derivation *derivation, const OSSL_PARAM *param)
{
    struct str name = str_from(param->data);
    bool sha384 = str_equal(name, S("SHA2-384")) || str_equal(name, S("SHA384"));
    derivation->hash = sha384 ? HKDF_SHA384 : HKDF_SHA256;
    derivation->known = sha384 || str_equal(name, S("SHA2-256")) || str_equal(name, S("SHA256"));
}

static struct derivation read_parameters(const OSSL_PARAM *param)
{
    struct derivation derivation = {0};
    int mode = -1;
    for (; param != NULL && param->key != NULL; param++) {
        struct str name = str_from(param->key);
        if (str_equal(name, S(OSSL_KDF_PARAM_MODE)))
            (void)OSSL_PARAM_get_int(param, &mode);
        else if (str_equal(name, S(OSSL_KDF_PARAM_DIGEST)))
            note_hash(&derivation, param);
        else if (str_equal(name, S(OSSL_KDF_PARAM_KEY)))
            derivation.key = octets(param);
        else if (str_equal(name, S(OSSL_KDF_PARAM_SALT)))
            derivation.salt = octets(param);
        else if (str_equal(name, S(OSSL_KDF_PARAM_LABEL)))
            derivation.label = octets(param);
        else if (str_equal(name, S(OSSL_KDF_PARAM_DATA)))
            derivation.data = octets(param);
    }
    size_t longest = hkdf_size(derivation.hash);
    derivation.extracts = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    derivation.known = derivation.known && (derivation.extracts || mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY) &&
                       derivation.salt.len <= longest && derivation.label.len <= HKDF_LABEL_MAX &&
                       derivation.data.len <= UINT8_MAX && (derivation.extracts || derivation.key.len <= longest);
    return derivation;
}

static void tell(struct str label, const uint8_t *secret, size_t size)
{
    bool reads = str_equal(label, S("c ap traffic"));
    if (schedule_client.conn != NULL && (reads || str_equal(label, S("s ap traffic"))))
        conn_note_secret(schedule_client.conn, reads, secret, size);
}

static bool make(struct hkdf *hkdf, const struct derivation *derivation, uint8_t *out, size_t size)
{
    enum hkdf_hash hash = derivation->hash;
    if (derivation->extracts)
        return hkdf_next_stage(hkdf, hash, derivation->salt, derivation->key, out);
    return hkdf_expand_label(hkdf, hash, derivation->key, derivation->label, derivation->data, out, size);
}

/* For whoever the library thought of us on a thread that has nothing prepared. */
static bool make_unprepared(const struct derivation *derivation, uint8_t *out, size_t size)
{
    struct hkdf hkdf;
    if (!hkdf_init(&hkdf))
        return false;
    bool good = make(&hkdf, derivation, out, size);
    hkdf_release(&hkdf);
    return good;
}

static int derive(void *context, unsigned char *out, size_t size, const OSSL_PARAM params[])
{
    struct hkdf *hkdf = schedule_client.hkdf;
    struct derivation derivation = read_parameters(params);
    if (!derivation.known || (derivation.extracts ? size != hkdf_size(derivation.hash) : size > hkdf_size(derivation.hash)))
        return 0;
    if (!(hkdf != NULL ? make(hkdf, &derivation, out, size) : make_unprepared(&derivation, out, size)))
        return 0;
    if (!derivation.extracts)
        tell(derivation.label, out, size);
    return 1;
}

/* ---- the provider ---- */

/* A derivation keeps nothing. */
static void *new_context(void *provider)
{
    return provider;
}

static void free_context(void *context)
{
}

/* What the library calls is untyped. */
#define FUNCTION(id, function) {id, (void (*)(void))(function)}

static const OSSL_ALGORITHM *query(void *provider, int operation, int *ret_no_cache)
{
    static const OSSL_DISPATCH functions[] = {FUNCTION(OSSL_FUNC_KDF_NEWCTX, new_context),
                                              FUNCTION(OSSL_FUNC_KDF_FREECTX, free_context),
                                              FUNCTION(OSSL_FUNC_KDF_DERIVE, derive), {0, NULL}};
    static const OSSL_ALGORITHM derivations[] = {
        {OSSL_KDF_NAME_TLS1_3_KDF, "provider=" NAME, functions, NULL}, {NULL, NULL, NULL, NULL}};
    *ret_no_cache = 0;
    return operation == OSSL_OP_KDF ? derivations : NULL;
}

static int begin_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **ret_functions,
                          void **ret_provider)
{
    static const OSSL_DISPATCH functions[] = {FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, NULL}};
    static char state; /* whose address stands for the provider */
    *ret_functions = functions;
    *ret_provider = &state;
    return 1;
}

static OSSL_PROVIDER *loaded;

/* The library's own providers stay, for everything else. */
static void load(void)
{
    if (OSSL_PROVIDER_add_builtin(NULL, NAME, begin_provider) == 1)
        loaded = OSSL_PROVIDER_try_load(NULL, NAME, 1);
}

SSL_CTX *schedule_context_new(const SSL_METHOD *method)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return SSL_CTX_new_ex(NULL, loaded != NULL ? "?provider=" NAME : NULL, method);
}
