/* A certificate with its chain and private key, ready to be served: parsed once, shared by all that use it.
 *
 * Ownership: counted by reference. Threading: const once made; references may be given back on any thread. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/option.h"

enum key_kind { KEY_ECDSA, KEY_ED25519, KEY_RSA, KEY_KINDS };

struct certificate {
    _Atomic unsigned refs;
    struct arena arena;
    X509 *leaf;
    STACK_OF(X509) *chain;          /* the rest, leaf's issuer first; may be empty */
    EVP_PKEY *key;
    enum key_kind kind;
    struct strs names;              /* lower case: DNS names of subjectAltName ("*.a.example" too), addresses as text */
    struct str subject, issuer;     /* for people: "CN=a.example" */
    struct str serial;              /* hex */
    struct str source;              /* for people: "file /etc/x.pem", "acme le", "local CA", "default" */
    struct str resolver;            /* the certificatesResolver that it came from; empty: none */
    int64_t not_before, not_after;  /* Unix seconds */
    uint8_t sha256[32];             /* of the leaf's DER */
};

/* From PEM texts; the chain may be in any order (the leaf is the one that the key belongs to) and hold the key too. One that
 * has expired is parsed like any other. NULL, and *ret_why: a literal that says what is wrong ("holds no certificate", "the
 * key does not belong to the certificate"). `source` is copied. */
struct certificate *certificate_parse(struct str chain_pem, struct str key_pem, struct str source, const char **ret_why);
/* From parts, of which references are taken over, also when it fails (chain may be NULL). NULL: the key does not fit, or
 * `leaf` or `key` is NULL. */
struct certificate *certificate_new(X509 *leaf, STACK_OF(X509) *chain, EVP_PKEY *key, struct str source);
struct certificate *certificate_ref(struct certificate *certificate);
void certificate_unref(struct certificate *certificate);
/* PEM of leaf and chain, of the key (unencrypted PKCS #8), into `arena`. */
struct str certificate_chain_pem(const struct certificate *certificate, struct arena *arena);
struct str certificate_key_pem(const struct certificate *certificate, struct arena *arena);
/* Does it hold for `name` (lower case; a wildcard covers one label, RFC 6125 6.4.3)? For a name that is itself a wildcard:
 * does it name exactly that? */
bool certificate_covers(const struct certificate *certificate, struct str name);
/* A fingerprint and an issuer key hash for ARI: base64url(AKI) "." base64url(serial) (RFC 9773 4.1); empty without an AKI. */
struct str certificate_ari_id(const struct certificate *certificate, struct arena *arena);

#endif
