#include "tls/record.h"

#include <assert.h>

#include "base/secret.h"

static const struct suite {
    unsigned number;
    const char *name, *cipher;
    enum hkdf_hash hash;
    uint8_t key_size;
} suites[RECORD_SUITES] = {
    [RECORD_AES_128_GCM] = {0x1301, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", HKDF_SHA256, 16},
    [RECORD_AES_256_GCM] = {0x1302, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", HKDF_SHA384, 32},
    [RECORD_CHACHA20_POLY1305] = {0x1303, "TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", HKDF_SHA256, 32},
};

bool record_suite_of(unsigned number, enum record_suite *ret_suite)
{
    for (unsigned i = 0; i < RECORD_SUITES; i++) {
        if (suites[i].number != number)
            continue;
        *ret_suite = (enum record_suite)i;
        return true;
    }
    return false;
}

unsigned record_suite_number(enum record_suite suite)
{
    return suites[suite].number;
}

const char *record_suite_name(enum record_suite suite)
{
    return suites[suite].name;
}

size_t record_secret_size(enum record_suite suite)
{
    return hkdf_size(suites[suite].hash);
}

/* ---- the engine: everything that is fetched, once ---- */

static EVP_CIPHER_CTX *new_cipher(const struct suite *suite, int sealing)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (cipher == NULL || context == NULL || EVP_CipherInit_ex2(context, cipher, NULL, NULL, sealing, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

bool record_engine_init(struct record_engine *engine)
{
    *engine = (struct record_engine){0};
    if (!hkdf_init(&engine->hkdf))
        return false;
    for (unsigned i = 0; i < RECORD_SUITES; i++) {
        engine->seal[i] = new_cipher(&suites[i], 1);
        engine->open[i] = new_cipher(&suites[i], 0);
        if (engine->seal[i] == NULL || engine->open[i] == NULL) {
            record_engine_release(engine);
            return false;
        }
    }
    return true;
}

void record_engine_release(struct record_engine *engine)
{
    for (unsigned i = 0; i < RECORD_SUITES; i++) {
        EVP_CIPHER_CTX_free(engine->seal[i]);
        EVP_CIPHER_CTX_free(engine->open[i]);
    }
    hkdf_release(&engine->hkdf);
    *engine = (struct record_engine){0};
}

/* ---- keys ---- */

static bool expand(struct record_engine *engine, const struct record_keys *keys, struct str label, uint8_t *out, size_t size)
{
    const struct suite *suite = &suites[keys->suite];
    struct str secret = str_of((const char *)keys->secret, hkdf_size(suite->hash));
    return hkdf_expand_label(&engine->hkdf, suite->hash, secret, label, STR_NONE, out, size);
}

static bool derive(struct record_keys *keys, struct record_engine *engine)
{
    keys->id = ++engine->last_id;
    return expand(engine, keys, S("key"), keys->key, suites[keys->suite].key_size) &&
           expand(engine, keys, S("iv"), keys->iv, sizeof(keys->iv));
}

bool record_keys_init(struct record_keys *keys, struct record_engine *engine, enum record_suite suite,
                      const uint8_t *secret, uint64_t sequence)
{
    keys->suite = (uint8_t)suite;
    keys->sequence = sequence;
    memmove(keys->secret, secret, record_secret_size(suite));
    return derive(keys, engine);
}

bool record_keys_update(struct record_keys *keys, struct record_engine *engine)
{
    uint8_t next[RECORD_SECRET_MAX];
    bool good = expand(engine, keys, S("traffic upd"), next, record_secret_size((enum record_suite)keys->suite));
    if (good)
        good = record_keys_init(keys, engine, (enum record_suite)keys->suite, next, 0);
    secret_wipe(next, sizeof(next));
    return good;
}

void record_keys_wipe(struct record_keys *keys)
{
    secret_wipe(keys, sizeof(*keys));
}

/* ---- records ---- */

/* Puts the record's nonce (5.3) into a context, and the key unless it is there still. */
static bool begin(EVP_CIPHER_CTX *context, uint64_t *loaded, const struct record_keys *keys, int sealing)
{
    uint8_t nonce[sizeof(keys->iv)];
    memcpy(nonce, keys->iv, sizeof(nonce));
    for (unsigned i = 0; i < 8; i++)
        nonce[sizeof(nonce) - 1 - i] ^= (uint8_t)(keys->sequence >> 8 * i);
    const uint8_t *key = *loaded != keys->id ? keys->key : NULL;
    *loaded = 0;
    if (EVP_CipherInit_ex2(context, NULL, key, nonce, sealing, NULL) != 1)
        return false;
    *loaded = keys->id;
    return true;
}

static void put_header(uint8_t *header, size_t len)
{
    header[0] = RECORD_DATA; /* what it really is stands inside */
    header[1] = header[2] = 3;
    header[3] = (uint8_t)(len >> 8);
    header[4] = (uint8_t)len;
}

size_t record_seal(struct record_engine *engine, struct record_keys *keys, enum record_type type, struct str plain, char *out)
{
    EVP_CIPHER_CTX *context = engine->seal[keys->suite];
    uint8_t *header = (uint8_t *)out, *body = header + RECORD_HEADER;
    uint8_t inner_type = (uint8_t)type;
    int aad = 0, first = 0, second = 0, last = 0;
    assert(plain.len <= RECORD_BYTES);
    put_header(header, plain.len + 1 + RECORD_TAG);
    if (!begin(context, &engine->sealing[keys->suite], keys, 1) ||
        EVP_EncryptUpdate(context, NULL, &aad, header, (int)RECORD_HEADER) != 1 ||
        (plain.len != 0 && EVP_EncryptUpdate(context, body, &first, (const uint8_t *)plain.data, (int)plain.len) != 1) ||
        EVP_EncryptUpdate(context, body + first, &second, &inner_type, 1) != 1 ||
        EVP_EncryptFinal_ex(context, body + first + second, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)RECORD_TAG, body + first + second + last) != 1)
        return 0;
    keys->sequence++;
    return plain.len + RECORD_EXTRA;
}

size_t record_length(struct str bytes)
{
    const uint8_t *header = (const uint8_t *)bytes.data;
    if (bytes.len < RECORD_HEADER)
        return 0;
    size_t len = (size_t)header[3] << 8 | header[4];
    if (header[0] != RECORD_DATA || header[1] != 3 || header[2] != 3 || len <= RECORD_TAG ||
        len > RECORD_WIRE_MAX - RECORD_HEADER)
        return SIZE_MAX;
    return RECORD_HEADER + len;
}

static bool decrypt(struct record_engine *engine, const struct record_keys *keys, struct str record, char *out)
{
    EVP_CIPHER_CTX *context = engine->open[keys->suite];
    const uint8_t *header = (const uint8_t *)record.data, *body = header + RECORD_HEADER;
    size_t len = record.len - RECORD_HEADER - RECORD_TAG;
    uint8_t tag[RECORD_TAG], rest[EVP_MAX_BLOCK_LENGTH];
    int aad = 0, first = 0, last = 0;
    memcpy(tag, body + len, sizeof(tag));
    return begin(context, &engine->opening[keys->suite], keys, 0) &&
           EVP_DecryptUpdate(context, NULL, &aad, header, (int)RECORD_HEADER) == 1 &&
           EVP_DecryptUpdate(context, (uint8_t *)out, &first, body, (int)len) == 1 && (size_t)first == len &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)RECORD_TAG, tag) == 1 &&
           EVP_DecryptFinal_ex(context, rest, &last) == 1 && last == 0;
}

bool record_open(struct record_engine *engine, struct record_keys *keys, struct str record, char *out,
                 enum record_type *ret_type, size_t *ret_len, enum record_alert *ret_alert)
{
    size_t len = record.len - RECORD_HEADER - RECORD_TAG;
    if (!decrypt(engine, keys, record, out)) {
        *ret_alert = ALERT_BAD_RECORD_MAC;
        return false;
    }
    keys->sequence++;
    /* The type stands behind the content, and behind it as many zeros as the sender likes (5.4). */
    while (len > 0 && out[len - 1] == 0)
        len--;
    if (len == 0 || len - 1 > RECORD_BYTES) {
        *ret_alert = len == 0 ? ALERT_UNEXPECTED_MESSAGE : ALERT_RECORD_OVERFLOW;
        return false;
    }
    *ret_type = (enum record_type)(uint8_t)out[len - 1];
    *ret_len = len - 1;
    return true;
}
