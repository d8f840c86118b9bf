#include "tls/policy_names.h"
#include "tls/policy.h"

struct spelling {
    struct str name;
    const char *library;
};

/* What Go's crypto/tls knows. RC4 and 3DES are names that the library has been built without. */
static const struct spelling suites[] = {
    {STR("TLS_AES_128_GCM_SHA256"), ""},
    {STR("TLS_AES_256_GCM_SHA384"), ""},
    {STR("TLS_CHACHA20_POLY1305_SHA256"), ""},
    {STR("TLS_FALLBACK_SCSV"), ""},
    {STR("TLS_RSA_WITH_RC4_128_SHA"), "RC4-SHA"},
    {STR("TLS_RSA_WITH_3DES_EDE_CBC_SHA"), "DES-CBC3-SHA"},
    {STR("TLS_RSA_WITH_AES_128_CBC_SHA"), "AES128-SHA"},
    {STR("TLS_RSA_WITH_AES_256_CBC_SHA"), "AES256-SHA"},
    {STR("TLS_RSA_WITH_AES_128_CBC_SHA256"), "AES128-SHA256"},
    {STR("TLS_RSA_WITH_AES_128_GCM_SHA256"), "AES128-GCM-SHA256"},
    {STR("TLS_RSA_WITH_AES_256_GCM_SHA384"), "AES256-GCM-SHA384"},
    {STR("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"), "ECDHE-ECDSA-RC4-SHA"},
    {STR("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"), "ECDHE-ECDSA-AES128-SHA"},
    {STR("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"), "ECDHE-ECDSA-AES256-SHA"},
    {STR("TLS_ECDHE_RSA_WITH_RC4_128_SHA"), "ECDHE-RSA-RC4-SHA"},
    {STR("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"), "ECDHE-RSA-DES-CBC3-SHA"},
    {STR("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), "ECDHE-RSA-AES128-SHA"},
    {STR("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"), "ECDHE-RSA-AES256-SHA"},
    {STR("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"), "ECDHE-ECDSA-AES128-SHA256"},
    {STR("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"), "ECDHE-RSA-AES128-SHA256"},
    {STR("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), "ECDHE-RSA-AES128-GCM-SHA256"},
    {STR("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {STR("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), "ECDHE-RSA-AES256-GCM-SHA384"},
    {STR("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"), "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {STR("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"), "ECDHE-RSA-CHACHA20-POLY1305"},
    {STR("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"), "ECDHE-RSA-CHACHA20-POLY1305"},
    {STR("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"), "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {STR("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"), "ECDHE-ECDSA-CHACHA20-POLY1305"},
};

static const struct spelling groups[] = {
    {STR("CurveP256"), "P-256"}, {STR("CurveP384"), "P-384"}, {STR("CurveP521"), "P-521"},
    {STR("X25519"), "X25519"}, {STR("P256"), "P-256"}, {STR("P384"), "P-384"},
    {STR("P521"), "P-521"}, {STR("P-256"), "P-256"}, {STR("P-384"), "P-384"},
    {STR("P-521"), "P-521"}, {STR("secp256r1"), "P-256"}, {STR("secp384r1"), "P-384"},
    {STR("secp521r1"), "P-521"}, {STR("prime256v1"), "P-256"}, {STR("x25519"), "X25519"},
    {STR("X448"), "X448"}, {STR("X25519MLKEM768"), "X25519MLKEM768"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find(const struct spelling *list, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(list[i].name, name))
            return list[i].library;
    return NULL;
}

const char *suite_library_name(struct str name)
{
    return find(suites, COUNT(suites), name);
}

const char *group_library_name(struct str name)
{
    return find(groups, COUNT(groups), name);
}

/* ---- for the option table ---- */

static const char *complain(struct str text, const char *kind, const struct spelling *list, size_t count,
                            struct arena *arena)
{
    struct str names[COUNT(suites)];
    for (size_t i = 0; i < count; i++)
        names[i] = list[i].name;
    struct str near = nearest(text, names, count);
    struct str words = str_empty(near) ? arena_printf(arena, "is not a %s that is known", kind)
                                       : arena_printf(arena, "is not a %s that is known; did you mean '%.*s'?", kind,
                                                      STR_ARGS(near));
    return words.data;
}

const char *policy_check_cipher(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return suite_library_name(text) != NULL ? NULL : complain(text, "cipher suite", suites, COUNT(suites), arena);
}

const char *policy_check_curve(struct str text, struct arena *arena, size_t *ret_offset, size_t *ret_length)
{
    return group_library_name(text) != NULL ? NULL : complain(text, "curve", groups, COUNT(groups), arena);
}

/* ---- lists for the library ---- */

struct span item_span(const struct node *options, struct str key, size_t index)
{
    const struct node *list = node_get(options, key);
    if (list == NULL)
        return node_span(options);
    const struct node *item = list->kind == NODE_LIST ? node_at(list, index) : NULL;
    return node_span(item != NULL ? item : list);
}

/* Does the library have it? Asked of a context of its own. */
static bool has_suite(SSL_CTX *probe, const char *name)
{
    return SSL_CTX_set_cipher_list(probe, name) == 1;
}

/* The library's macro casts the const away. */
bool groups_set(SSL_CTX *context, const char *list)
{
    return SSL_CTX_set1_groups_list(context, (char *)(uintptr_t)list) == 1;
}

static bool has_group(SSL_CTX *probe, const char *name)
{
    return groups_set(probe, name);
}

struct listing {
    const struct spelling *known;
    size_t count;
    const char *kind, *kinds;
    bool (*has)(SSL_CTX *probe, const char *name);
};

/* One name that the user gave, behind those before it. False when it is no name at all. */
static bool add_name(const struct listing *listing, struct str name, struct span span, SSL_CTX *probe, struct diag *diag,
                     struct str *list, bool *ret_tls13)
{
    const char *library = find(listing->known, listing->count, name);
    if (library == NULL) {
        const char *why = complain(name, listing->kind, listing->known, listing->count, diag->arena);
        diag_error(diag, span, "'%.*s' %s", STR_ARGS(name), why);
        return false;
    }
    if (library[0] == '\0')
        *ret_tls13 = true;
    else if (!listing->has(probe, library))
        diag_warning(diag, span, "the TLS library of this system does not have '%.*s': left out", STR_ARGS(name));
    else
        *list = arena_printf(diag->arena, "%.*s%s%s", STR_ARGS(*list), str_empty(*list) ? "" : ":", library);
    return true;
}

static const char *list_of(const struct listing *listing, const struct strs *names, const struct node *options,
                           struct str key, struct diag *diag, bool *ret_tls13_alone)
{
    struct str list = STR_NONE;
    bool good = true, tls13 = false;
    SSL_CTX *probe = SSL_CTX_new(TLS_method());
    if (probe == NULL) {
        diag_error(diag, node_span(options), "the TLS library cannot be used");
        return NULL;
    }
    for (size_t i = 0; i < names->count; i++)
        good = add_name(listing, names->items[i], item_span(options, key, i), probe, diag, &list, &tls13) && good;
    SSL_CTX_free(probe);
    *ret_tls13_alone = str_empty(list) && tls13;
    if (good && str_empty(list) && !tls13) {
        diag_error(diag, node_span(node_get(options, key)), "the TLS library of this system has none of these %s",
                   listing->kinds);
        return NULL;
    }
    return good ? (str_empty(list) ? "" : list.data) : NULL;
}

const char *suites_of(const struct strs *names, const struct node *options, struct str key, struct diag *diag,
                      bool *ret_tls13_alone)
{
    static const struct listing listing = {suites, COUNT(suites), "cipher suite", "cipher suites", has_suite};
    *ret_tls13_alone = false;
    if (names->count == 0)
        return SUITES_DEFAULT;
    const char *list = list_of(&listing, names, options, key, diag, ret_tls13_alone);
    return *ret_tls13_alone && list != NULL ? SUITES_DEFAULT : list;
}

const char *groups_of(const struct strs *names, const struct node *options, struct str key, struct diag *diag)
{
    static const struct listing listing = {groups, COUNT(groups), "curve", "curves", has_group};
    bool none;
    return names->count != 0 ? list_of(&listing, names, options, key, diag, &none) : GROUPS_DEFAULT;
}
