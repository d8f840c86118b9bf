/* Making keys, requests and certificates: for the default certificate, the local CA, ACME's requests and challenges.
 * Blocking and slow (keys): the control thread's, never a worker's. */
#ifndef TLS_MAKE_H
#define TLS_MAKE_H

#include "base/text.h"
#include "tls/certificate.h"

enum key_type { KEY_TYPE_EC256, KEY_TYPE_EC384, KEY_TYPE_RSA2048, KEY_TYPE_RSA4096, KEY_TYPE_RSA8192 };

/* NULL: the library could not. */
EVP_PKEY *make_key(enum key_type type);
/* A PKCS #10 request in DER for DNS names and IP addresses (RFC 8738). `common_name`: put the first name into the subject as
 * well (when it fits 64 bytes). Empty on failure. */
struct str make_request(EVP_PKEY *key, const struct strs *names, bool common_name, struct arena *arena);

struct certificate_recipe {
    const char *common_name;
    struct strs names;              /* subjectAltName */
    int64_t not_before, not_after;  /* Unix seconds */
    bool authority;                 /* a CA's: basicConstraints, keyCertSign */
    int path_length;                /* of an authority; -1: none said */
    const uint8_t *acme_digest;     /* 32 bytes: id-pe-acmeIdentifier (RFC 8737 3), critical; NULL: none */
};
/* Signed by `issuer` with `issuer_key`; both NULL: by itself. NULL on failure. */
X509 *make_certificate(const struct certificate_recipe *recipe, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
/* What is served where nothing fits: self-signed, ECDSA, made anew at each start. */
struct certificate *make_default_certificate(void);
/* For TLS-ALPN-01: self-signed for `name` with SHA-256(key authorization). */
struct certificate *make_challenge_certificate(struct str name, const uint8_t digest[32]);

#endif
