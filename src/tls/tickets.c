/* Owns the keys of session tickets: AES-256-CBC and HMAC-SHA256 for each ticket, as RFC 5077 4 recommends (AES-128-CBC where a user's
 * own key is that short).
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

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "tls/policy_names.h"

#define SLOTS 8
enum { PRESENT, FORMER, NEXT, KEYS };

#define NAME_BYTES 16
#define KEY_BYTES 32                /* of each of the two */
#define SHORT_KEY_BYTES 16

struct ticket_key {
    unsigned char name[NAME_BYTES];
    unsigned char cipher[KEY_BYTES];
    unsigned char mac[KEY_BYTES];
    size_t size;                    /* of both: KEY_BYTES or SHORT_KEY_BYTES */
};
struct key_set {
    struct ticket_key keys[KEYS];
};
struct ticket_keys {
    size_t count;
    struct ticket_key keys[];
};

static struct key_set slots[SLOTS];
static _Atomic(const struct key_set *) current;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static unsigned last_slot;
static EVP_CIPHER *aes, *short_aes;
static int own_index = -1;          /* of a context's own keys among its data */
static struct timer timer;
static struct loop *control;

/* ---- the keys ---- */

static bool make_key(struct ticket_key *key)
{
    key->size = KEY_BYTES;
    return RAND_priv_bytes(key->name, sizeof(key->name)) == 1 && RAND_priv_bytes(key->cipher, sizeof(key->cipher)) == 1 &&
           RAND_priv_bytes(key->mac, sizeof(key->mac)) == 1;
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
    if (short_aes == NULL)
        short_aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    if (own_index < 0)
        own_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (aes == NULL || short_aes == NULL || own_index < 0) {
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
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, key->size),
                           OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    bool set = EVP_MAC_CTX_set_params(mac, params) == 1;
    secret_wipe(secret, sizeof(secret));
    return set;
}

static const EVP_CIPHER *cipher_of(const struct ticket_key *key)
{
    return key->size == KEY_BYTES ? aes : short_aes;
}

static int begin_ticket(const struct ticket_key *key, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    memcpy(name, key->name, sizeof(key->name));
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
        EVP_EncryptInit_ex2(cipher, cipher_of(key), key->cipher, iv, NULL) != 1 || !set_mac(mac, key))
        return -1;
    return 1;
}

/* Which of `keys` it is, in *ret_at. 0: none, a full handshake follows; 1: it is set. */
static int open_ticket(const struct ticket_key *keys, size_t count, const unsigned char *name, const unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, size_t *ret_at)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(name, keys[i].name, sizeof(keys[i].name)) != 0)
            continue;
        *ret_at = i;
        return set_mac(mac, &keys[i]) && EVP_DecryptInit_ex2(cipher, cipher_of(&keys[i]), keys[i].cipher, iv, NULL) == 1 ? 1 : -1;
    }
    return 0;
}

/* What the library asks: 0, 1 or -1 as above; 2: good, and to be renewed. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    const struct key_set *set = atomic_load_explicit(&current, memory_order_acquire);
    size_t at = 0;
    if (set == NULL)
        return making ? -1 : 0;
    if (making)
        return begin_ticket(&set->keys[PRESENT], name, iv, cipher, mac);
    int result = open_ticket(set->keys, KEYS, name, iv, cipher, mac, &at);
    return result == 1 && at == FORMER ? 2 : result;
}

void tickets_use(SSL_CTX *context)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}

/* ---- keys of a user's own ---- */

/* All but the first are former ones: tickets of TLS 1.2 are renewed then; in TLS 1.3 each handshake gives a new one anyway. */
static int on_own_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int making)
{
    const struct ticket_keys *own = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), own_index);
    size_t at = 0;
    if (making)
        return begin_ticket(&own->keys[0], name, iv, cipher, mac);
    int result = open_ticket(own->keys, own->count, name, iv, cipher, mac, &at);
    return result == 1 && at != 0 ? 2 : result;
}

bool tickets_use_own(SSL_CTX *context, struct ticket_keys *keys)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_own_ticket);
    return SSL_CTX_set_ex_data(context, own_index, keys) == 1;
}

/* The name, then the key of the cipher and that of the MAC where they are short, else the other way round: the form that files of 48
 * and 80 bytes have everywhere. */
static bool take_key(struct ticket_key *key, struct str content)
{
    const char *rest = content.data + NAME_BYTES;
    if (content.len != NAME_BYTES + 2 * KEY_BYTES && content.len != NAME_BYTES + 2 * SHORT_KEY_BYTES)
        return false;
    key->size = (content.len - NAME_BYTES) / 2;
    bool is_short = key->size == SHORT_KEY_BYTES;
    memcpy(key->name, content.data, NAME_BYTES);
    memcpy(is_short ? key->cipher : key->mac, rest, key->size);
    memcpy(is_short ? key->mac : key->cipher, rest + key->size, key->size);
    return true;
}

struct ticket_keys *ticket_keys_read(const struct strs *files, const struct node *origin, struct arena *scratch, struct diag *diag)
{
    struct ticket_keys *keys = memory_zalloc(sizeof(*keys) + files->count * sizeof(keys->keys[0]));
    for (size_t i = 0; i < files->count; i++) {
        struct str content, file = files->items[i];
        struct span span = item_span(origin, S("sessionTicketKeyFiles"), i);
        bool opened = file_read(scratch, arena_str(scratch, file).data, 4096, &content);
        if (opened && take_key(&keys->keys[keys->count], content)) {
            keys->count++;
            secret_wipe((char *)(uintptr_t)content.data, content.len);
            continue;
        }
        if (opened)
            diag_error(diag, span, "\"%.*s\" must be 48 or 80 bytes long", STR_ARGS(file));
        else
            diag_error(diag, span, "\"%.*s\" cannot be read: %m", STR_ARGS(file));
        ticket_keys_free(keys);
        return NULL;
    }
    return keys;
}

void ticket_keys_free(struct ticket_keys *keys)
{
    if (keys == NULL)
        return;
    secret_wipe(keys->keys, keys->count * sizeof(keys->keys[0]));
    free(keys);
}
