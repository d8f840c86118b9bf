/* The certificates that are served, found by the name that a client asks for. A store is immutable; the control thread makes
 * a new one when anything changes, and the workers get it by message (tls/vault.h).
 *
 * A name is looked up exactly, then as a wildcard of its first label: two hash look-ups however many there are. Of several
 * certificates for one name those count whose key the client can verify; of them the one from the preferred source is
 * served, then ECDSA before Ed25519 before RSA, then the one that lasts longest; one that has expired only if nothing else is
 * there, a wildcard's included.
 * Ownership: counted by reference. Threading: const once made. */
#ifndef TLS_STORE_H
#define TLS_STORE_H

#include "tls/certificate.h"
#include "tls/hello.h"

struct tls_store;

#define STORE_LISTED 3
struct store_item {
    struct certificate *certificate;    /* a reference is taken */
    int preference;                     /* lower is preferred: 0 files, 1 ACME, 2 local CA; STORE_LISTED: it is found by no name */
};
struct store_challenge {                /* TLS-ALPN-01: name -> certificate */
    struct str name;
    struct certificate *certificate;
};

/* `fallback`: served where nothing fits; not NULL. */
struct tls_store *store_new(const struct store_item *items, size_t count, const struct store_challenge *challenges,
                            size_t challenge_count, struct certificate *fallback);
struct tls_store *store_ref(struct tls_store *store);
void store_unref(struct tls_store *store);

/* What to serve a client that says `hello`; NULL: nothing that fits its name (the fallback is for whoever asks). `now`: Unix
 * seconds. Borrowed from the store. */
struct certificate *store_find(const struct tls_store *store, const struct hello *hello, int64_t now);
/* The same by name alone. */
struct certificate *store_find_name(const struct tls_store *store, struct str name, int64_t now);
struct certificate *store_challenge(const struct tls_store *store, struct str name);
struct certificate *store_fallback(const struct tls_store *store);
/* The one of these that serves a client best: a key that it can verify, and one that is in force; of several the first in order of
 * kinds (as above). NULL for none. */
struct certificate *certificate_choose(struct certificate *const *certificates, unsigned count, const struct hello *hello, int64_t now);
/* All items in no order, for lists. */
const struct store_item *store_items(const struct tls_store *store, size_t *ret_count);

#endif
