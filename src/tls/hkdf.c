#include "tls/hkdf.h"

#include <assert.h>

#include "base/secret.h"

#define BLOCK_MAX 128

static const struct hash {
    const char *name;
    uint8_t size, block;
} hashes[HKDF_HASHES] = {[HKDF_SHA256] = {"SHA256", 32, 64}, [HKDF_SHA384] = {"SHA384", 48, 128}};

size_t hkdf_size(enum hkdf_hash hash)
{
    return hashes[hash].size;
}

bool hkdf_init(struct hkdf *hkdf)
{
    bool good = true;
    *hkdf = (struct hkdf){0};
    for (unsigned i = 0; i < HKDF_HASHES; i++) {
        EVP_MD *hash = hkdf->hash[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
        EVP_MD_CTX *hashing = hkdf->hashing[i] = EVP_MD_CTX_new();
        good = good && hash != NULL && hashing != NULL && EVP_DigestInit_ex2(hashing, hash, NULL) == 1 &&
               EVP_DigestFinal_ex(hashing, hkdf->of_nothing[i], NULL) == 1;
    }
    if (!good)
        hkdf_release(hkdf);
    return good;
}

void hkdf_release(struct hkdf *hkdf)
{
    for (unsigned i = 0; i < HKDF_HASHES; i++) {
        EVP_MD_CTX_free(hkdf->hashing[i]);
        EVP_MD_free(hkdf->hash[i]);
    }
    *hkdf = (struct hkdf){0};
}

/* ---- HMAC (RFC 2104) ---- */

/* The key, filled up to a block and masked. */
static bool begin(EVP_MD_CTX *hashing, const EVP_MD *hash, const struct hash *facts, struct str key, uint8_t mask)
{
    uint8_t block[BLOCK_MAX];
    memset(block, mask, facts->block);
    for (size_t i = 0; i < key.len; i++)
        block[i] ^= (uint8_t)key.data[i];
    bool good = EVP_DigestInit_ex2(hashing, hash, NULL) == 1 && EVP_DigestUpdate(hashing, block, facts->block) == 1;
    secret_wipe(block, sizeof(block));
    return good;
}

static bool hmac(struct hkdf *hkdf, enum hkdf_hash which, struct str key, const struct str *parts, unsigned count, uint8_t *out)
{
    EVP_MD_CTX *hashing = hkdf->hashing[which];
    const EVP_MD *hash = hkdf->hash[which];
    const struct hash *facts = &hashes[which];
    uint8_t inner[HKDF_BYTES_MAX];
    assert(key.len <= facts->block);
    bool good = begin(hashing, hash, facts, key, 0x36);
    for (unsigned i = 0; i < count; i++)
        good = good && EVP_DigestUpdate(hashing, parts[i].data, parts[i].len) == 1;
    good = good && EVP_DigestFinal_ex(hashing, inner, NULL) == 1 && begin(hashing, hash, facts, key, 0x5c) &&
           EVP_DigestUpdate(hashing, inner, facts->size) == 1 && EVP_DigestFinal_ex(hashing, out, NULL) == 1;
    secret_wipe(inner, sizeof(inner));
    return good;
}

/* ---- HKDF ---- */

bool hkdf_extract(struct hkdf *hkdf, enum hkdf_hash hash, struct str salt, struct str secret, uint8_t *out)
{
    return hmac(hkdf, hash, salt, &secret, 1, out);
}

bool hkdf_expand_label(struct hkdf *hkdf, enum hkdf_hash hash, struct str secret, struct str label, struct str context,
                       uint8_t *out, size_t size)
{
    static const struct str prefix = STR("tls13 ");
    uint8_t block[HKDF_BYTES_MAX];
    assert(size <= hashes[hash].size && label.len <= HKDF_LABEL_MAX && context.len <= UINT8_MAX);
    const char head[] = {0, (char)size, (char)(prefix.len + label.len)};
    const char context_len[] = {(char)context.len};
    static const char number[] = {1}; /* of the only block */
    const struct str parts[] = {str_of(head, sizeof(head)), prefix, label, str_of(context_len, sizeof(context_len)), context,
                                str_of(number, sizeof(number))};
    bool good = hmac(hkdf, hash, secret, parts, sizeof(parts) / sizeof(parts[0]), block);
    if (good)
        memcpy(out, block, size);
    secret_wipe(block, sizeof(block));
    return good;
}

bool hkdf_next_stage(struct hkdf *hkdf, enum hkdf_hash hash, struct str former, struct str secret, uint8_t *out)
{
    static const char zeros[HKDF_BYTES_MAX];
    uint8_t salt[HKDF_BYTES_MAX] = {0};
    size_t size = hashes[hash].size;
    struct str nothing = str_of((const char *)hkdf->of_nothing[hash], size);
    if (secret.len == 0)
        secret = str_of(zeros, size);
    bool good = (former.len == 0 || hkdf_expand_label(hkdf, hash, former, S("derived"), nothing, salt, size)) &&
                hkdf_extract(hkdf, hash, str_of((const char *)salt, size), secret, out);
    secret_wipe(salt, sizeof(salt));
    return good;
}
