/* The files of a local CA: NAME.crt and NAME.key in a directory of its own. Keys are readable by their owner alone, or
 * refused; the directory may be written by its owner alone, or is refused.
 *
 * Errors: false or CA_REFUSED, and `why` in words that say what to do. Threading: the control thread; calls block. */
#ifndef ACME_CA_FILES_H
#define ACME_CA_FILES_H

#include <openssl/x509.h>

#include "base/text.h"

struct ca_pair {
    X509 *certificate;
    EVP_PKEY *key;
};

enum ca_read { CA_READ, CA_ABSENT, CA_REFUSED };

/* Makes the directory, with those above it, if it is not there. */
bool ca_directory_prepare(const char *directory, struct text *why);
/* Waits for the directory's lock, which ca_unlock gives back; -1: it cannot be had. */
int ca_lock(const char *directory, struct text *why);
void ca_unlock(int lock);

/* Each half alone may be absent: then it is NULL. CA_ABSENT: both are. */
enum ca_read ca_pair_read(const char *directory, const char *name, struct ca_pair *ret_pair, struct text *why);
/* The key first: a certificate without its key is what a crash must not leave. */
bool ca_pair_write(const char *directory, const char *name, const struct ca_pair *pair, struct text *why);
void ca_pair_release(struct ca_pair *pair);

/* A certificate alone; CA_ABSENT: there is no such file. */
enum ca_read ca_certificate_read(const char *path, X509 **ret_certificate, struct text *why);

#endif
