/* Owns the keys of session tickets: AES-256-CBC and HMAC-SHA256 for each ticket, as RFC 5077 4 recommends.
 *
 * Readers take no lock: a set of keys is written once, in a slot that nobody reads, and then named by one store. A slot is
 * written again after all others, many hours later, when nobody can be reading it still. */
#include "tls/tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/secret.h"

#define SLOTS 8
enum { PRESENT, FORMER, NEXT, KEYS };

struct ticket_key {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
};
struct key_set {
    struct ticket_key keys[KEYS];
};

static struct key_set slots[SLOTS];
static _Atomic(const struct key_set *) current;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static unsigned last_slot;
static EVP_CIPHER *aes;
static struct timer timer;
static struct loop *control;

/* ---- the keys ---- */

static bool make_key(struct ticket_key *key)
{
    return RAND_priv_bytes((unsigned char *)key, sizeof(*key)) == 1;
}

/* Under `writing`. */
static void publish(const struct key_set *set)
{
    last_slot = (last_slot + 1) % SLOTS;
    slots[last_slot] = *set;
    atomic_store_explicit(&current, &slots[last_slot], memory_order_release);
}

bool tickets_init(void)
{
    struct key_set set;
    bool ready = true;
    pthread_mutex_lock(&writing);
    if (aes == NULL)
        aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (aes == NULL) {
        ready = false;
    } else if (atomic_load(&current) == NULL) {
        ready = make_key(&set.keys[PRESENT]) && make_key(&set.keys[FORMER]) && make_key(&set.keys[NEXT]);
        if (ready)
            publish(&set);
        secret_wipe(&set, sizeof(set));
    }
    pthread_mutex_unlock(&writing);
    return ready;
}

/* Without randomness the present key goes on. */
void tickets_rotate(void)
{
    struct key_set set;
    pthread_mutex_lock(&writing);
    const struct key_set *before = atomic_load(&current);
    if (before != NULL && make_key(&set.keys[NEXT])) {
        set.keys[PRESENT] = before->keys[NEXT];
        set.keys[FORMER] = before->keys[PRESENT];
        publish(&set);
    }
    secret_wipe(&set, sizeof(set));
    pthread_mutex_unlock(&writing);
}

static void on_rotation(struct timer *expired)
{
    tickets_rotate();
    timer_after(control, expired, TICKETS_LIFE * TIME_S);
}

void tickets_start(struct loop *loop)
{
    control = loop;
    timer_init(&timer, on_rotation);
    timer_after(control, &timer, TICKETS_LIFE * TIME_S);
}

void tickets_stop(void)
{
    if (control != NULL)
        timer_cancel(&timer);
    control = NULL;
}

/* ---- their use ---- */

static bool set_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
    char digest[] = "SHA256";
    unsigned char secret[sizeof(key->mac)];
    memcpy(secret, key->mac, sizeof(secret));
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
                           OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    bool set = EVP_MAC_CTX_set_params(mac, params) == 1;
    secret_wipe(secret, sizeof(secret));
    return set;
}

static int begin_ticket(const struct key_set *set, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac)
{
    const struct ticket_key *key = &set->keys[PRESENT];
    memcpy(name, key->name, sizeof(key->name));
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
        EVP_EncryptInit_ex2(cipher, aes, key->cipher, iv, NULL) != 1 || !set_mac(mac, key))
        return -1;
    return 1;
}

/* 0: not one of ours, a full handshake follows; 1: good; 2: good, and to be renewed. */
static int open_ticket(const struct key_set *set, const unsigned char *name, const unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    for (int i = 0; i < KEYS; i++) {
        const struct ticket_key *key = &set->keys[i];
        if (memcmp(name, key->name, sizeof(key->name)) != 0)
            continue;
        if (!set_mac(mac, key) || EVP_DecryptInit_ex2(cipher, aes, key->cipher, iv, NULL) != 1)
            return -1;
        return i == FORMER ? 2 : 1;
    }
    return 0;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    const struct key_set *set = atomic_load_explicit(&current, memory_order_acquire);
    if (set == NULL)
        return making ? -1 : 0;
    return making ? begin_ticket(set, name, iv, cipher, mac) : open_ticket(set, name, iv, cipher, mac);
}

void tickets_use(SSL_CTX *context)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    SSL_CTX_set_timeout(context, (long)TICKETS_LIFE);
}
