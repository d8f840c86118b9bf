#include "middleware/password.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/secret.h"
#include "middleware/apr1.h"

#define SHA1_SIZE 20
#define PASSWORD_MAX 512 /* crypt(3) takes no more */

static const struct str sha_prefix = STR("{SHA}"), ssha_prefix = STR("{SSHA}"), plain_prefix = STR("{PLAIN}"),
                        apr1_prefix = STR("$apr1$");

static bool sha1_of_hash(struct str hash, unsigned char *out)
{
    struct str text = str_from_index(hash, sha_prefix.len);
    char bytes[BASE64_DECODED_SIZE(32)];
    size_t len;
    if (text.len > 32 || !base64_decode(BASE64_STANDARD, text, bytes, &len) || len != SHA1_SIZE)
        return false;
    memcpy(out, bytes, SHA1_SIZE);
    return true;
}

static bool verify_sha1(struct str hash, struct str password)
{
    unsigned char expected[SHA1_SIZE], actual[EVP_MAX_MD_SIZE];
    if (!sha1_of_hash(hash, expected) ||
        !EVP_Digest(password.data, password.len, actual, NULL, EVP_sha1(), NULL))
        return false;
    return secret_equal(str_of((char *)expected, SHA1_SIZE), str_of((char *)actual, SHA1_SIZE));
}

/* The sum and behind it the salt, together in base 64; the salt is as long as its writer liked. */
#define SSHA_TEXT_MAX 256

static bool ssha_of_hash(struct str hash, char *out, size_t *ret_len)
{
    struct str text = str_from_index(hash, ssha_prefix.len);
    return text.len <= SSHA_TEXT_MAX && base64_decode(BASE64_STANDARD, text, out, ret_len) && *ret_len >= SHA1_SIZE;
}

static bool verify_ssha1(struct str hash, struct str password)
{
    char bytes[BASE64_DECODED_SIZE(SSHA_TEXT_MAX)];
    unsigned char actual[EVP_MAX_MD_SIZE];
    size_t len;
    if (!ssha_of_hash(hash, bytes, &len))
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                EVP_DigestUpdate(context, password.data, password.len) == 1 &&
                EVP_DigestUpdate(context, bytes + SHA1_SIZE, len - SHA1_SIZE) == 1 &&
                EVP_DigestFinal_ex(context, actual, NULL) == 1;
    EVP_MD_CTX_free(context);
    return made && secret_equal(str_of(bytes, SHA1_SIZE), str_of((char *)actual, SHA1_SIZE));
}

static bool verify_plain(struct str hash, struct str password)
{
    return secret_equal(str_from_index(hash, plain_prefix.len), password);
}

static bool verify_apr1(struct str hash, struct str password)
{
    char actual[APR1_SIZE];
    size_t len = apr1_hash(password, hash, actual);
    return len != 0 && secret_equal(hash, str_of(actual, len));
}

static bool verify_crypt(struct str hash, struct str password)
{
    char setting[PASSWORD_HASH_MAX + 1], phrase[PASSWORD_MAX];
    if (hash.len > PASSWORD_HASH_MAX || password.len >= sizeof(phrase))
        return false;
    memcpy(setting, hash.data, hash.len);
    setting[hash.len] = '\0';
    if (password.len != 0)
        memcpy(phrase, password.data, password.len);
    phrase[password.len] = '\0';
    struct crypt_data *work = memory_zalloc(sizeof(*work));
    const char *actual = crypt_rn(phrase, setting, work, sizeof(*work));
    bool equal = actual != NULL && secret_equal(hash, str_from(actual));
    secret_wipe(phrase, sizeof(phrase));
    secret_wipe(work, sizeof(*work));
    free(work);
    return equal;
}

/* What stands behind the last "$". crypt(3) itself looks at the beginning only. */
static const struct {
    struct str prefix;
    size_t sum;
} crypt_sums[] = {
    {STR("$1$"), 22}, {STR("$2a$"), 53}, {STR("$2b$"), 53}, {STR("$2x$"), 53}, {STR("$2y$"), 53},
    {STR("$5$"), 43}, {STR("$6$"), 86},  {STR("$7$"), 43},  {STR("$y$"), 43},  {STR("$gy$"), 43},
};

static const char *check_crypt(struct str hash)
{
    char text[PASSWORD_HASH_MAX + 1];
    memcpy(text, hash.data, hash.len);
    text[hash.len] = '\0';
    int salt = crypt_checksalt(text);
    if (salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED)
        return "is not a hash that crypt(3) knows";
    size_t sum = hash.len - (size_t)str_find_last_char(hash, '$') - 1;
    for (size_t i = 0; i < sizeof(crypt_sums) / sizeof(crypt_sums[0]); i++) {
        if (str_starts(hash, crypt_sums[i].prefix) && sum != crypt_sums[i].sum)
            return "is not whole: a part is missing or too much";
    }
    return NULL;
}

bool password_hash_is_known(struct str hash, const char **ret_why)
{
    unsigned char bytes[SHA1_SIZE];
    char salted[BASE64_DECODED_SIZE(SSHA_TEXT_MAX)];
    size_t len;
    *ret_why = NULL;
    if (hash.len == 0 || hash.len > PASSWORD_HASH_MAX) {
        *ret_why = "is empty or too long";
    } else if (str_starts(hash, sha_prefix)) {
        *ret_why =
            sha1_of_hash(hash, bytes) ? NULL : "is no {SHA} hash: 20 bytes in base 64 are expected";
    } else if (str_starts(hash, ssha_prefix)) {
        *ret_why = ssha_of_hash(hash, salted, &len) && len > SHA1_SIZE ? NULL : "is no {SSHA} hash: 20 bytes and a salt in base 64 are expected";
    } else if (str_starts(hash, plain_prefix)) {
        *ret_why = NULL;
    } else if (str_starts(hash, apr1_prefix)) {
        *ret_why = apr1_is_whole(hash) ? NULL : "is no whole $apr1$ hash";
    } else if (hash.data[0] != '$') {
        *ret_why =
            "is not a hash of a kind that is known: bcrypt, apr1, {SHA}, {SSHA}, SHA-crypt or yescrypt";
    } else {
        *ret_why = check_crypt(hash);
    }
    return *ret_why == NULL;
}

bool password_is_cheap(struct str hash)
{
    return str_starts(hash, sha_prefix) || str_starts(hash, ssha_prefix) || str_starts(hash, plain_prefix);
}

bool password_verify(struct str hash, struct str password)
{
    bool has_nul = password.len != 0 && memchr(password.data, '\0', password.len) != NULL;
    bool equal;
    if (str_starts(hash, sha_prefix))
        equal = verify_sha1(hash, password);
    else if (str_starts(hash, ssha_prefix))
        equal = verify_ssha1(hash, password);
    else if (str_starts(hash, plain_prefix))
        equal = verify_plain(hash, password);
    else if (str_starts(hash, apr1_prefix))
        equal = verify_apr1(hash, password);
    else
        equal = verify_crypt(hash, password);
    return equal && !has_nul;
}
