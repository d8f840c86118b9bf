/* Keys of ACME accounts and what is made with them: signed requests (RFC 8555 6.2, RFC 7515 flattened), external account
 * binding (7.3.4), key authorizations (8.1). JOSE is libjose's. Pure but for key generation, which takes its time
 * (RSA: up to seconds; a P-256 key: nothing).
 *
 * Ownership: a key is counted by its owner alone: acme_key_free, which wipes it. Threading: a key has one owner at a time. */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include "base/arena.h"

struct acme_key;

enum acme_key_kind { ACME_KEY_ES256, ACME_KEY_RS256 };

/* NULL: the library could not. RS256: 4096 bits, as Traefik makes them. */
struct acme_key *acme_key_new(enum acme_key_kind kind);
/* A private JWK (RFC 7517): P-256, P-384, or RSA of 2048 to 8192 bits. NULL: it is none of these. */
struct acme_key *acme_key_from_jwk(struct str json);
/* DER of PKCS #1 (an RSA key of Traefik's acme.json), SEC 1 or PKCS #8. NULL: not such a key. */
struct acme_key *acme_key_from_der(struct str der);
void acme_key_free(struct acme_key *key);

enum acme_key_kind acme_key_kind(const struct acme_key *key);    /* ES256 stands for ES384 too */
/* The private key as JSON, into `arena`. */
struct str acme_key_jwk(const struct acme_key *key, struct arena *arena);
/* The private key in DER: PKCS #1 for RSA (what Traefik's acme.json holds), SEC 1 for others. */
struct str acme_key_der(const struct acme_key *key, struct arena *arena);
/* base64url(SHA-256) of the public JWK (RFC 7638); lives with the key. */
struct str acme_key_thumbprint(const struct acme_key *key);

/* A request's body: protected header with alg, nonce (left out when empty), url, and `kid`, or the public key itself
 * where kid is empty. An empty payload is POST-as-GET. Empty when the library fails. */
struct str acme_sign(const struct acme_key *key, struct str kid, struct str nonce, struct str url, struct str payload,
                     struct arena *arena);
/* externalAccountBinding (RFC 8555 7.3.4): the public key of `key` signed by HS256 with the secret `hmac` that the CA gave
 * (base64url, padding allowed; base64 is taken too) for `url`, newAccount's. Empty: `hmac` is not base64url. */
struct str acme_sign_binding(const struct acme_key *key, struct str eab_kid, struct str hmac, struct str url,
                             struct arena *arena);

/* token "." thumbprint: what HTTP-01 answers with (RFC 8555 8.1, 8.3). */
struct str acme_key_authorization(const struct acme_key *key, struct str token, struct arena *arena);
/* Its SHA-256: what TLS-ALPN-01 shows (RFC 8737 3); base64url of it is DNS-01's record (RFC 8555 8.4). */
void acme_digest(struct str key_authorization, uint8_t ret_digest[32]);
struct str acme_dns_value(struct str key_authorization, struct arena *arena);

#endif
