/* PEM texts (RFC 7468): certificates and one private key out of them, a key into one.
 *
 * Keys are PKCS #8, SEC 1 or PKCS #1, without a pass phrase: nobody is there to be asked for one. Threading: none. */
#ifndef TLS_PEM_H
#define TLS_PEM_H

#include <openssl/x509.h>

#include "base/arena.h"

struct pem_parts {
    STACK_OF(X509) *certificates;   /* in the order of the texts */
    EVP_PKEY *key;                  /* the first one; NULL: none */
    const char *why;                /* a literal: what could not be read; NULL: nothing */
};

void pem_parts_init(struct pem_parts *parts);
/* Adds what a text holds; blocks of other kinds are stepped over. */
void pem_parts_read(struct pem_parts *parts, struct str text);
/* Frees what is still there: who takes a part leaves NULL. */
void pem_parts_release(struct pem_parts *parts);
/* A key's text without its encryption, by the first of `passwords` (one a line) that fits. What is not encrypted, or stays closed, comes
 * back as it is. */
struct str pem_decrypt_key(struct str key_pem, struct str passwords, struct arena *arena);
/* Unencrypted PKCS #8, NUL-terminated, in `arena`; empty on failure. */
struct str pem_from_key(EVP_PKEY *key, struct arena *arena);
struct str pem_from_certificate(X509 *certificate, struct arena *arena);
/* What was written to a memory BIO, which is freed; empty when `good` is false or there is none. */
struct str pem_take_text(BIO *bio, bool good, struct arena *arena);

#endif
