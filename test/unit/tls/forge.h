/* Certificates for tests: made here, nothing is read from files. */
#ifndef TEST_TLS_FORGE_H
#define TEST_TLS_FORGE_H

#include "tls/make.h"

#define FORGE_NOW INT64_C(1800000000)
#define FORGE_DAY INT64_C(86400)

struct forged {
    X509 *certificate;
    EVP_PKEY *key;
};

/* An authority (`issuer` NULL: a root) that is good around FORGE_NOW. */
struct forged forge_authority(const char *name, const struct forged *issuer);
/* `names`: at most eight, separated by commas. */
struct forged forge_leaf(enum key_type type, const char *names, const struct forged *issuer, int64_t not_after);
void forge_release(struct forged *sample);

/* Ready to be served, self-signed, good from a day before FORGE_NOW until `not_after`. */
struct certificate *forge_served(enum key_type type, const char *names, int64_t not_after);
struct certificate *forge_served_ed25519(const char *names, int64_t not_after);

#endif
