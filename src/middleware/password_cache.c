#include "middleware/password_cache.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/core_names.h>
#include <pthread.h>

#include "base/rand.h"
#include "base/secret.h"

#define DIGEST_SIZE 32
#define SETS 512 /* a power of two */
#define WAYS 8

struct entry {
    unsigned char digest[DIGEST_SIZE];
    int64_t until; /* 0: never used */
};

static struct entry entries[SETS][WAYS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static unsigned char process_key[DIGEST_SIZE];
static pthread_once_t key_drawn = PTHREAD_ONCE_INIT;
static pthread_key_t thread_mac; /* each thread's EVP_MAC_CTX, keyed */

static void free_mac(void *mac)
{
    EVP_MAC_CTX_free(mac);
}

static void draw_key(void)
{
    rand_bytes(process_key, sizeof(process_key));
    pthread_key_create(&thread_mac, free_mac);
}

static EVP_MAC_CTX *new_mac(void)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (mac != NULL && !EVP_MAC_init(mac, process_key, sizeof(process_key), params)) {
        EVP_MAC_CTX_free(mac);
        mac = NULL;
    }
    pthread_setspecific(thread_mac, mac);
    return mac;
}

/* The length of the hash goes in front, so that no other pair gives the same bytes. */
static bool digest_of(struct str hash, struct str password, unsigned char digest[DIGEST_SIZE])
{
    pthread_once(&key_drawn, draw_key);
    EVP_MAC_CTX *mac = pthread_getspecific(thread_mac);
    if (mac == NULL)
        mac = new_mac();
    size_t len;
    return mac != NULL && EVP_MAC_init(mac, NULL, 0, NULL) &&
           EVP_MAC_update(mac, (const unsigned char *)&hash.len, sizeof(hash.len)) &&
           EVP_MAC_update(mac, (const unsigned char *)hash.data, hash.len) &&
           EVP_MAC_update(mac, (const unsigned char *)password.data, password.len) &&
           EVP_MAC_final(mac, digest, &len, DIGEST_SIZE);
}

static struct entry *set_of(const unsigned char digest[DIGEST_SIZE])
{
    return entries[(digest[0] | (unsigned)digest[1] << 8) & (SETS - 1)];
}

static bool is_entry(const struct entry *entry, const unsigned char digest[DIGEST_SIZE])
{
    return secret_equal(str_of((const char *)entry->digest, DIGEST_SIZE),
                        str_of((const char *)digest, DIGEST_SIZE));
}

bool password_cache_has(struct str hash, struct str password, int64_t now)
{
    unsigned char digest[DIGEST_SIZE];
    if (!digest_of(hash, password, digest))
        return false;
    struct entry *set = set_of(digest);
    bool found = false;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < WAYS; i++)
        found |= set[i].until > now && is_entry(&set[i], digest);
    pthread_mutex_unlock(&mutex);
    return found;
}

void password_cache_add(struct str hash, struct str password, int64_t now)
{
    unsigned char digest[DIGEST_SIZE];
    if (!digest_of(hash, password, digest))
        return;
    pthread_mutex_lock(&mutex);
    struct entry *set = set_of(digest), *place = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_entry(&set[i], digest)) {
            place = &set[i];
            break;
        }
        if (set[i].until < place->until)
            place = &set[i];
    }
    memcpy(place->digest, digest, DIGEST_SIZE);
    place->until = now + PASSWORD_CACHE_LIFE;
    pthread_mutex_unlock(&mutex);
}
