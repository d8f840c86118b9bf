#include "middleware/apr1.h"

#include <openssl/evp.h>

#include "base/secret.h"

#define MD5_SIZE 16
#define ROUNDS 1000
#define SALT_MAX 8
#define SUM_SIZE 22

static const struct str magic = STR("$apr1$");
static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The salt ends at "$" or after eight characters. */
static struct str salt_of(struct str setting)
{
    struct str rest = str_from_index(setting, magic.len);
    ptrdiff_t end = str_find_char(rest, '$', 0);
    struct str salt = end >= 0 ? str_first(rest, (size_t)end) : rest;
    return str_first(salt, SALT_MAX);
}

bool apr1_is_whole(struct str hash)
{
    if (!str_starts(hash, magic))
        return false;
    size_t head = magic.len + salt_of(hash).len;
    if (hash.len != head + 1 + SUM_SIZE || hash.data[head] != '$')
        return false;
    for (size_t i = head + 1; i < hash.len; i++) {
        if (strchr(alphabet, hash.data[i]) == NULL)
            return false;
    }
    return true;
}

static void add(EVP_MD_CTX *md5, struct str bytes)
{
    if (bytes.len != 0)
        EVP_DigestUpdate(md5, bytes.data, bytes.len);
}

/* The first sum: password, magic and salt, stirred by the length of the password in two ways. */
static bool begin(EVP_MD_CTX *md5, struct str password, struct str salt,
                  unsigned char sum[MD5_SIZE])
{
    if (!EVP_DigestInit_ex(md5, EVP_md5(), NULL))
        return false;
    add(md5, password);
    add(md5, salt);
    add(md5, password);
    EVP_DigestFinal_ex(md5, sum, NULL);

    EVP_DigestInit_ex(md5, EVP_md5(), NULL);
    add(md5, password);
    add(md5, magic);
    add(md5, salt);
    for (size_t left = password.len; left > 0; left -= left < MD5_SIZE ? left : MD5_SIZE)
        add(md5, str_of((char *)sum, left < MD5_SIZE ? left : MD5_SIZE));
    for (size_t bits = password.len; bits != 0; bits >>= 1)
        add(md5, bits & 1 ? S("\0") : str_first(password, 1));
    return EVP_DigestFinal_ex(md5, sum, NULL) == 1;
}

static void stir(EVP_MD_CTX *md5, struct str password, struct str salt, unsigned char sum[MD5_SIZE],
                 int round)
{
    struct str before = str_of((char *)sum, MD5_SIZE);
    EVP_DigestInit_ex(md5, NULL, NULL);
    add(md5, round & 1 ? password : before);
    add(md5, round % 3 != 0 ? salt : STR_NONE);
    add(md5, round % 7 != 0 ? password : STR_NONE);
    add(md5, round & 1 ? before : password);
    EVP_DigestFinal_ex(md5, sum, NULL);
}

static char *put(char *out, unsigned value, int characters)
{
    for (; characters > 0; characters--, value >>= 6)
        *out++ = alphabet[value & 63];
    return out;
}

static size_t format(const unsigned char sum[MD5_SIZE], struct str salt, char *out)
{
    char *end = out;
    memcpy(end, magic.data, magic.len);
    end += magic.len;
    memcpy(end, salt.data, salt.len);
    end += salt.len;
    *end++ = '$';
    for (unsigned i = 0; i < 5; i++) {
        unsigned third = i < 4 ? i + 12 : 5;
        end = put(end, (unsigned)sum[i] << 16 | (unsigned)sum[i + 6] << 8 | sum[third], 4);
    }
    end = put(end, sum[11], 2);
    return (size_t)(end - out);
}

size_t apr1_hash(struct str password, struct str setting, char out[APR1_SIZE])
{
    struct str salt = salt_of(setting);
    unsigned char sum[MD5_SIZE];
    size_t len = 0;
    EVP_MD_CTX *md5 = EVP_MD_CTX_new();
    if (md5 != NULL && salt.len != 0 && begin(md5, password, salt, sum)) {
        for (int round = 0; round < ROUNDS; round++)
            stir(md5, password, salt, sum, round);
        len = format(sum, salt, out);
    }
    EVP_MD_CTX_free(md5);
    secret_wipe(sum, sizeof(sum));
    return len;
}
