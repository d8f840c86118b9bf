#include "forge.h"

#include "test.h"

static X509 *make(const char *common_name, const char *names, bool authority, int64_t not_after, EVP_PKEY *key,
                  const struct forged *issuer)
{
    struct str items[8], rest = str_from(names);
    struct certificate_recipe recipe = {.common_name = common_name, .names = {.items = items}, .not_before = FORGE_NOW - FORGE_DAY,
                                        .not_after = not_after, .authority = authority, .path_length = -1};
    while (rest.len != 0 && recipe.names.count < 8 && str_split(&rest, ',', &items[recipe.names.count]))
        recipe.names.count++;
    X509 *made = make_certificate(&recipe, key, issuer != NULL ? issuer->certificate : NULL, issuer != NULL ? issuer->key : NULL);
    assert_non_null(made);
    return made;
}

struct forged forge_authority(const char *name, const struct forged *issuer)
{
    EVP_PKEY *key = make_key(KEY_TYPE_EC256);
    assert_non_null(key);
    return (struct forged){.key = key, .certificate = make(name, "", true, FORGE_NOW + 3650 * FORGE_DAY, key, issuer)};
}

struct forged forge_leaf(enum key_type type, const char *names, const struct forged *issuer, int64_t not_after)
{
    EVP_PKEY *key = make_key(type);
    assert_non_null(key);
    return (struct forged){.key = key, .certificate = make("", names, false, not_after, key, issuer)};
}

void forge_release(struct forged *sample)
{
    X509_free(sample->certificate);
    EVP_PKEY_free(sample->key);
}

static struct certificate *served(EVP_PKEY *key, const char *names, int64_t not_after)
{
    struct certificate *certificate = certificate_new(make("", names, false, not_after, key, NULL), NULL, key, S("test"));
    assert_non_null(certificate);
    return certificate;
}

struct certificate *forge_served(enum key_type type, const char *names, int64_t not_after)
{
    return served(make_key(type), names, not_after);
}

struct certificate *forge_served_ed25519(const char *names, int64_t not_after)
{
    return served(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), names, not_after);
}
