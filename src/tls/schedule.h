/* The key schedule of TLS 1.3 (RFC 8446 7.1) for the library's handshakes: the key derivation that it calls TLS13-KDF, given to
 * it by a provider of our own (provider(7)), which it asks where a context's property query prefers it. That way the
 * application traffic secrets are ours to know when the handshake is done (conn_own.c), and a derivation costs what its
 * hashing does.
 *
 * A library that derives its keys by another name never calls it: its connections stay with the library. */
#ifndef TLS_SCHEDULE_H
#define TLS_SCHEDULE_H

#include <openssl/ssl.h>

#include "tls/hkdf.h"

/* An SSL_CTX that prefers our derivation. Before each call into the library on its behalf schedule_client should be set. NULL:
 * the library could not. Any thread. */
SSL_CTX *schedule_context_new(const SSL_METHOD *method);

struct tls_conn;
/* What this thread's derivations are made with, and for whom; both may be NULL. */
extern _Thread_local struct schedule_client {
    struct hkdf *hkdf;
    struct tls_conn *conn;
} schedule_client;

#endif
